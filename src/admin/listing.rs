//! Lists of what may be very many: written piece by piece as they are read, so that no answer fills the memory and none
//! keeps the control runtime busy.

use super::problems::{JSON, answer_with};
use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::StatusCode;
use http_body::Frame;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};

/// How many of a list, the first ones; all where nobody says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Length {
    limit: Option<NonZeroUsize>,
}

/// A list as it is written.
struct Listed<I> {
    /// What stands before the next item, or before the end.
    before: Vec<u8>,
    items: Option<I>,
}

/// What one write to a connection takes well.
const PIECE_BYTES: usize = 16 * 1024;
const END: &[u8] = b"]}\n";

impl Length {
    pub(super) fn limit(&self) -> usize {
        self.limit.map_or(usize::MAX, NonZeroUsize::get)
    }
}

/// `{"<name>":[…]}`
pub(super) fn list<T, I>(name: &str, items: I) -> Response
where
    T: Serialize,
    I: IntoIterator<Item = T>,
    I::IntoIter: Send + Unpin + 'static,
{
    let listed = Listed { before: format!("{{\"{name}\":[").into_bytes(), items: Some(items.into_iter()) };
    answer_with(StatusCode::OK, JSON, Body::new(listed))
}

impl<T: Serialize, I: Iterator<Item = T>> Listed<I> {
    /// Nothing once all is written.
    fn next_piece(&mut self) -> Option<Bytes> {
        let items = self.items.as_mut()?;
        let mut piece = std::mem::take(&mut self.before);
        for item in items {
            // They hold texts and numbers alone, and a vector takes everything.
            let _ = serde_json::to_writer(&mut piece, &item);
            if piece.len() >= PIECE_BYTES {
                self.before.push(b',');
                return Some(piece.into());
            }
            piece.push(b',');
        }
        if piece.last() == Some(&b',') {
            piece.pop();
        }
        piece.extend_from_slice(END);
        self.items = None;
        Some(piece.into())
    }
}

impl<T: Serialize, I: Iterator<Item = T> + Unpin> HttpBody for Listed<I> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.get_mut().next_piece().map(|piece| Ok(Frame::data(piece))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    fn pieces(items: Vec<String>) -> Vec<Bytes> {
        let mut listed = Listed { before: b"{\"texts\":[".to_vec(), items: Some(items.into_iter()) };
        std::iter::from_fn(|| listed.next_piece()).collect()
    }

    proptest! {
        #[test]
        fn a_list_in_pieces_is_the_list(lengths in prop::collection::vec(0_usize..9_000, 0..12)) {
            let items: Vec<_> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            let pieces = pieces(items.clone());
            prop_assert!(pieces.iter().all(|piece| piece.len() < PIECE_BYTES + 9_000 + 16));
            prop_assert_eq!(pieces.concat(), format!("{}\n", serde_json::json!({ "texts": items })).into_bytes());
        }
    }

    #[tokio::test]
    async fn a_list_is_an_answer_that_nobody_keeps() {
        let response = list("numbers", 0..40_000);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let found: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(found["numbers"].as_array().unwrap().len(), 40_000);
    }

    #[test]
    fn without_a_limit_a_list_is_whole() {
        let limit = |limit| Length { limit }.limit();
        assert_eq!([None, NonZeroUsize::new(7)].map(limit), [usize::MAX, 7]);
    }
}
