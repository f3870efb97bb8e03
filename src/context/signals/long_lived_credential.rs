//! `long_lived_credential`: what lives long is stolen long.

use super::{Circumstances, Lifetime};
use crate::time::Ttl;

/// Fires where the end of what the caller shows can't be read; silent where it shows nothing.
pub(super) fn fires(lifetime: Ttl, circumstances: &Circumstances<'_>) -> bool {
    match circumstances.lifetime {
        Lifetime::None => false,
        Lifetime::Told(told) => told > lifetime,
        Lifetime::Untold => true,
    }
}
