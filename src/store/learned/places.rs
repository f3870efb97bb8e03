//! Where identities of one standing are remembered.

use super::export::LearnedRecord;
use super::record::{Call, Record};
use crate::context::Familiarity;
use crate::identity::Principal;
use crate::store::CacheSize;
use crate::time::UnixTime;

pub(super) trait Places {
    fn compare(&self, call: &Call<'_>) -> Familiarity;

    fn learn(&self, call: &Call<'_>);

    fn principals(&self) -> Vec<Principal>;

    fn take(&self, principal: &Principal) -> Option<Record>;

    /// Where somebody has a place already, who is known better stays.
    fn put(&self, principal: &Principal, record: Record);

    /// What is new of so many identities at most; it is new no more.
    fn take_changes(&self, most: usize) -> Vec<LearnedRecord>;

    /// What was new of it could not be kept, and is new again.
    fn mark_changed(&self, principal: &Principal);

    fn merge(&self, record: &LearnedRecord, now: UnixTime);

    fn size(&self, cache: &'static str) -> CacheSize;
}
