//! Reads the whole stream, and puts back what it lost.

use super::{Ending, Follower, MOST_CONFLICTS};
use crate::store::valkey::chain::{Chain, ChainFault, Comparison, Entry};
use crate::store::valkey::meter::{StateOp, StateOutcome};
use crate::store::valkey::stream::{self, Appended, PAGE, StreamError};
use redis::aio::MultiplexedConnection;

impl Follower {
    /// Reads the whole stream, and puts back what it lost.
    pub(super) async fn catch_up(&mut self, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        for _ in 0..MOST_CONFLICTS {
            let read = self.read_whole(pen).await?;
            match self.chain.compare(&read, &self.shared.keys.load()) {
                Comparison::Current => {}
                Comparison::Parted => tracing::warn!(
                    "the shared state holds other revocations than it did; those that it lost are added again"
                ),
                Comparison::Behind => {
                    self.put_back(&read, pen).await?;
                    continue;
                }
            }
            let standing = stream::standing(pen).await?;
            if standing.last.as_ref() == read.tip() && !standing.ends_at(read.tip()) {
                self.clear_end(&read, pen).await?;
                continue;
            }
            self.chain = read;
            return Ok(());
        }
        Err(Ending::Crowded)
    }

    async fn read_whole(&self, pen: &mut MultiplexedConnection) -> Result<Chain, Ending> {
        let mut read = Chain::default();
        let result = self.read_into(&mut read, pen).await;
        let result = result.and_then(|()| Ok(read.check_beginning().map_err(StreamError::Chain)?));
        let outcome = if result.is_ok() { StateOutcome::Ok } else { StateOutcome::Failed };
        self.shared.link.meter().count(StateOp::Read, outcome);
        result.map(|()| read)
    }

    async fn read_into(&self, read: &mut Chain, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        loop {
            let page = stream::page(pen, read.tip().map_or(0, |tip| tip.seq)).await?;
            let is_last = page.len() < PAGE;
            self.enforce(read, page)?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// The store ends before what is remembered does: the same entries are added again, so that replicas that do this at
    /// once do the same.
    async fn put_back(&self, read: &Chain, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        let lost: Vec<_> = self.chain.after(read.tip().map_or(0, |tip| tip.seq)).cloned().collect();
        tracing::warn!(revocations = lost.len(), "the shared state lost revocations; they are put back");
        let (mut tip, mut left) = (read.tip(), lost.as_slice());
        while let Some((some, others)) =
            left.split_at_checked(left.len().min(PAGE)).filter(|(some, _)| !some.is_empty())
        {
            match stream::append(pen, tip, some).await? {
                Appended::Done => (tip, left) = (some.last(), others),
                Appended::Blocked => return self.make_anew(&self.chain, read.tip(), pen).await,
                Appended::Conflict => {
                    let theirs = stream::page(pen, tip.map_or(0, |tip| tip.seq)).await?;
                    let same = theirs.iter().zip(left).take_while(|(their, own)| their == own).count();
                    let (there, others) = left.split_at(same);
                    if there.is_empty() || there.len() < theirs.len() {
                        return Ok(()); // they are not the same: all is read again
                    }
                    (tip, left) = (there.last(), others);
                }
            }
        }
        Ok(())
    }

    /// The store once had entries after its last. Who remembers them puts them back; where nobody does, the places are
    /// made free, but not by who has read nothing yet and can't tell.
    async fn clear_end(&self, read: &Chain, pen: &mut MultiplexedConnection) -> Result<(), Ending> {
        if !*self.shared.read.borrow() {
            return Err(StreamError::Chain(ChainFault::End).into());
        }
        self.make_anew(read, read.tip(), pen).await
    }

    async fn make_anew(
        &self,
        chain: &Chain,
        tip: Option<&Entry>,
        pen: &mut MultiplexedConnection,
    ) -> Result<(), Ending> {
        let all: Vec<_> = chain.after(0).cloned().collect();
        let (first, others) = all.split_at(all.len().min(PAGE));
        if stream::replace(pen, tip, first).await? != Appended::Done {
            return Ok(());
        }
        let mut tip = first.last();
        for some in others.chunks(PAGE) {
            if stream::append(pen, tip, some).await? != Appended::Done {
                return Ok(());
            }
            tip = some.last();
        }
        Ok(())
    }
}
