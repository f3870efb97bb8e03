//! Names of decisions: what a caller quotes, and what finds the decision in the log.

use crate::store::NoRandomness;
use std::sync::atomic::{AtomicU64, Ordering};

/// 32 hex digits: 16 of the process, 16 of the decision. Unique, and nothing that needs to be kept secret.
#[derive(Clone, Copy, Debug)]
pub struct DecisionId([u8; 32]);

#[derive(Debug)]
pub struct DecisionIds {
    process: u64,
    next: AtomicU64,
}

impl DecisionIds {
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 8];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self { process: u64::from_be_bytes(bytes), next: AtomicU64::new(1) })
    }

    pub fn next(&self) -> DecisionId {
        let number = u128::from(self.next.fetch_add(1, Ordering::Relaxed));
        DecisionId::from((u128::from(self.process) << 64) | number)
    }
}

impl From<u128> for DecisionId {
    fn from(number: u128) -> Self {
        let mut text = [b'0'; 32];
        for (index, digit) in text.iter_mut().enumerate() {
            let nibble = (number >> (4 * (31 - index))) & 15;
            *digit = u8::try_from(nibble).map_or(b'0', |n| if n < 10 { b'0' + n } else { b'a' + n - 10 });
        }
        Self(text)
    }
}

impl DecisionId {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_32_hex_digits() {
        assert_eq!(DecisionId::from(0xdead_beef).as_str(), format!("{:032x}", 0xdead_beef_u32));
        let ids = DecisionIds::random().unwrap();
        assert_ne!(ids.next().as_str(), ids.next().as_str());
    }
}
