//! A connection's bytes, read and written in other pieces than h2 asks for.
//!
//! h2 reads 8 KiB at a time, which is less than three calls, and flushes after each answer. A system call costs as much
//! as a tenth of a decision, so both are gathered here. But answers that wait for the last call of their batch leave
//! the caller idle meanwhile: at ten calls in flight that cost a third of the throughput. So a batch leaves in few
//! pieces of growing size, the first of them early.

use hyper::rt::{Read, ReadBufCursor, Write};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Twenty calls of the usual size.
const READ: usize = 64 * 1024;

/// How much may wait for a peer that doesn't read, before h2 is told to hold back as well.
const MAX_HELD: usize = 64 * 1024;

/// How many answers the first piece of a batch holds, and how many times as many each further one.
const FIRST_PIECE: u32 = 3;
const GROWTH: u32 = 3;

/// A byte stream of which hyper has one handle and the connection's driver the other.
///
/// Both are used by the same task only; the lock is never waited for.
#[derive(Debug)]
pub(super) struct Wire<I>(Arc<Mutex<Buffered<I>>>);

impl<I> Clone for Wire<I> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Wire<I> {
    pub(super) fn new(stream: I) -> Self {
        Self(Arc::new(Mutex::new(Buffered {
            stream,
            read: vec![0; READ].into_boxed_slice(),
            unread: 0..0,
            held: Vec::new(),
            sent: 0,
            flushes: 0,
            piece: FIRST_PIECE,
        })))
    }

    /// Sends what is held: called when the connection has nothing more to add for now.
    pub(super) fn poll_finish_batch(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffered = self.lock();
        buffered.piece = FIRST_PIECE;
        buffered.poll_send(cx)
    }

    fn lock(&self) -> MutexGuard<'_, Buffered<I>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Buffered<I> {
    stream: I,
    read: Box<[u8]>,
    /// What of `read` was not taken yet.
    unread: Range<usize>,
    held: Vec<u8>,
    /// How much of `held` has been written.
    sent: usize,
    /// How often h2 has flushed since something was sent: the answers that are held.
    flushes: u32,
    piece: u32,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Buffered<I> {
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut read = ReadBuf::new(&mut self.read);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        self.unread = 0..read.filled().len();
        Poll::Ready(Ok(()))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.held.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                written => self.sent += written,
            }
        }
        self.held.clear();
        self.sent = 0;
        self.flushes = 0;
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Read for Wire<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let mut buffered = self.lock();
        if buffered.unread.is_empty() {
            ready!(buffered.poll_fill(cx))?;
        }
        let unread = buffered.read.get(buffered.unread.clone()).unwrap_or_default();
        let taken = unread.get(..into.remaining()).unwrap_or(unread);
        into.put_slice(taken);
        buffered.unread.start += taken.len();
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Write for Wire<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut buffered = self.lock();
        if buffered.held.len() >= MAX_HELD {
            ready!(buffered.poll_send(cx))?;
        }
        buffered.held.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    /// Holds on to what was written until its piece is complete, or the batch.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffered = self.lock();
        buffered.flushes += u32::from(!buffered.held.is_empty());
        if buffered.flushes < buffered.piece {
            return Poll::Ready(Ok(()));
        }
        buffered.piece = buffered.piece.saturating_mul(GROWTH);
        buffered.poll_send(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffered = self.lock();
        ready!(buffered.poll_send(cx))?;
        Pin::new(&mut buffered.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    const ANSWER: &[u8] = b"answer";

    /// The peer's end and ours, with room for this many bytes on the way.
    fn wire(room: usize) -> (DuplexStream, Wire<DuplexStream>) {
        let (peer, stream) = duplex(room);
        (peer, Wire::new(stream))
    }

    fn context() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    fn write(wire: &mut Wire<DuplexStream>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(wire).poll_write(&mut context(), bytes)
    }

    /// Writes an answer as h2 does and says how much of all has left by then.
    fn answer(wire: &mut Wire<DuplexStream>, peer: &mut DuplexStream) -> usize {
        assert!(write(wire, ANSWER).is_ready());
        assert!(Pin::new(&mut *wire).poll_flush(&mut context()).is_ready());
        arrived(peer).len() / ANSWER.len()
    }

    fn arrived(peer: &mut DuplexStream) -> Vec<u8> {
        let mut arrived = vec![0; 1024 * 1024];
        let mut into = ReadBuf::new(&mut arrived);
        let _ = Pin::new(peer).poll_read(&mut context(), &mut into);
        into.filled().to_vec()
    }

    #[test]
    fn a_batch_leaves_in_pieces_of_growing_size() {
        let (mut peer, mut wire) = wire(1024);
        for _ in 0..2 {
            let left: Vec<usize> = (0..13).map(|_| answer(&mut wire, &mut peer)).collect();
            assert_eq!(left, [0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0]);
            assert!(wire.poll_finish_batch(&mut context()).is_ready());
            assert_eq!(arrived(&mut peer), ANSWER);
        }
    }

    #[test]
    fn a_peer_that_does_not_read_holds_up_the_writer() {
        let (mut peer, mut wire) = wire(100);
        let written = (0..10_000).take_while(|_| write(&mut wire, &[7; 1000]).is_ready()).count() * 1000;
        assert!((MAX_HELD..MAX_HELD + 2000).contains(&written), "{written}");
        let mut read = 0;
        while read < written {
            let _ = wire.poll_finish_batch(&mut context());
            read += arrived(&mut peer).len();
        }
        assert!(wire.poll_finish_batch(&mut context()).is_ready());
        assert_eq!(read, written);
        assert!(write(&mut wire, &[7; 1000]).is_ready());
    }

    #[tokio::test]
    async fn what_is_read_in_small_pieces_is_whole() {
        let (mut peer, wire) = wire(1024 * 1024);
        let sent: Vec<u8> = (0..=250).cycle().take(3 * READ + 17).collect();
        peer.write_all(&sent).await.unwrap();
        drop(peer);
        let mut received = Vec::new();
        let mut stream = hyper_util::rt::TokioIo::new(wire);
        let mut piece = [0; 1000];
        loop {
            match stream.read(&mut piece).await.unwrap() {
                0 => break,
                length => received.extend_from_slice(&piece[..length]),
            }
        }
        assert!(received == sent);
    }

    #[tokio::test]
    async fn what_is_held_leaves_before_the_end() {
        let (mut peer, mut wire) = wire(1024);
        assert_eq!(answer(&mut wire, &mut peer), 0);
        assert!(Pin::new(&mut wire).poll_shutdown(&mut context()).is_ready());
        let mut received = Vec::new();
        peer.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, ANSWER);
    }

    #[test]
    fn a_broken_stream_is_an_error() {
        let (peer, mut wire) = wire(1024);
        drop(peer);
        assert!(write(&mut wire, ANSWER).is_ready());
        assert!(matches!(wire.poll_finish_batch(&mut context()), Poll::Ready(Err(_))));
    }
}
