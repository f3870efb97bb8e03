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

/// How many answers the first piece of a batch holds; each further one holds twice as many.
const FIRST_PIECE: u32 = 2;

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
        buffered.piece = buffered.piece.saturating_mul(2);
        buffered.poll_send(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffered = self.lock();
        ready!(buffered.poll_send(cx))?;
        Pin::new(&mut buffered.stream).poll_shutdown(cx)
    }
}
