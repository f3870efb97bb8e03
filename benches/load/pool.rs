//! Proofs that are signed ahead, and the call that they go into: while the server is measured, nobody signs.

use crate::Result;
use crate::message::framed;
use crate::workload::Workload;
use bytes::Bytes;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A proof for each call to come, all for the same call.
#[derive(Debug)]
pub(crate) struct Pool {
    proofs: Vec<String>,
    next: AtomicUsize,
    /// A call as it goes over the wire, and where its proof stands.
    body: Vec<u8>,
    place: Range<usize>,
}

impl Pool {
    /// Signs so many, on two threads; they pass within a minute from `now`.
    pub(crate) fn sign(workload: &Workload, count: usize, now: u64, challenge: &str) -> Result<Self> {
        let half = |count: usize| (0..count).map(|_| workload.proof(now, Some(challenge))).collect::<Result<Vec<_>>>();
        let proofs = thread::scope(|scope| {
            let other = scope.spawn(|| half(count / 2));
            let mut own = half(count - count / 2)?;
            own.extend(other.join().map_err(|_| "a thread that signs panicked")??);
            Result::<_>::Ok(own)
        })?;
        let first = proofs.first().ok_or("no proof was asked for")?;
        let body = framed(&workload.call(first))?.to_vec();
        let start =
            body.windows(first.len()).position(|part| part == first.as_bytes()).ok_or("the call lacks its proof")?;
        let place = start..start + first.len();
        // Proofs of one length change nothing else in a message.
        if proofs.iter().any(|proof| proof.len() != first.len()) {
            return Err("proofs of one workload should be of one length".into());
        }
        Ok(Self { proofs, next: AtomicUsize::new(0), body, place })
    }

    /// The body of a call with a proof that was not taken yet.
    pub(crate) fn take(&self) -> Option<Bytes> {
        let proof = self.proofs.get(self.next.fetch_add(1, Ordering::Relaxed))?;
        let mut body = self.body.clone();
        body.get_mut(self.place.clone())?.copy_from_slice(proof.as_bytes());
        Some(body.into())
    }

    /// All of them once more, from the first on.
    pub(crate) fn rewind(&self) {
        self.next.store(0, Ordering::Relaxed);
    }

    pub(crate) fn proofs(&self) -> &[String] {
        &self.proofs
    }
}
