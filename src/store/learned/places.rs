//! Where identities of one standing are remembered.

use super::record::{Call, Record};
use crate::context::Familiarity;
use crate::identity::Principal;
use crate::store::CacheSize;

pub(super) trait Places {
    fn compare(&self, call: &Call<'_>) -> Familiarity;

    fn learn(&self, call: &Call<'_>);

    fn principals(&self) -> Vec<Principal>;

    fn take(&self, principal: &Principal) -> Option<Record>;

    /// Where somebody has a place already, who is known better stays.
    fn put(&self, principal: &Principal, record: Record);

    fn size(&self, cache: &'static str) -> CacheSize;
}
