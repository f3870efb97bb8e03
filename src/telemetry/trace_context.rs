//! The trace that a call belongs to, as W3C Trace Context writes it.

use http::HeaderMap;

/// The ids out of `traceparent`: lower-case hex, neither of them all zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext<'h> {
    pub trace_id: &'h str,
    /// The caller's span.
    pub span_id: &'h str,
}

/// `00-<trace id>-<span id>-<flags>`; later versions may go on after a hyphen.
const VERSION_0_BYTES: usize = 55;

impl<'h> TraceContext<'h> {
    /// Reads the one `traceparent` of a call's metadata. Two of them, or a malformed one, are none (W3C §2.2.2).
    pub fn of(metadata: &'h HeaderMap) -> Option<Self> {
        let mut headers = metadata.get_all("traceparent").iter();
        let (only, None) = (headers.next()?, headers.next()) else { return None };
        Self::parse(only.to_str().ok()?)
    }

    /// W3C Trace Context §3.2.2.
    pub fn parse(traceparent: &'h str) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let (version, trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let understood = version != "ff" && (version != "00" || traceparent.len() == VERSION_0_BYTES);
        let formed = is_hex(version, 2) && is_id(trace_id, 32) && is_id(span_id, 16) && is_hex(flags, 2);
        (understood && formed).then_some(Self { trace_id, span_id })
    }
}

fn is_id(text: &str, digits: usize) -> bool {
    is_hex(text, digits) && text.bytes().any(|b| b != b'0')
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[rstest]
    #[case("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    #[case("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]
    #[case("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more")]
    fn the_ids_stand_in_traceparent(#[case] traceparent: &str) {
        assert_eq!(TraceContext::parse(traceparent), Some(TraceContext { trace_id: TRACE, span_id: SPAN }));
    }

    #[rstest]
    #[case("")]
    #[case("00")]
    #[case("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    #[case("0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    #[case("00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01")]
    #[case("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    #[case("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01")]
    #[case("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331")]
    #[case("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-zz")]
    #[case("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more")]
    #[case("00-0af7651916cd43dd8448eb211c80319\"-b7ad6b7169203331-01")]
    fn anything_else_is_no_trace(#[case] traceparent: &str) {
        assert_eq!(TraceContext::parse(traceparent), None, "{traceparent}");
    }

    #[test]
    fn two_traceparents_are_none() {
        let mut metadata = HeaderMap::new();
        assert_eq!(TraceContext::of(&metadata), None);
        let value = http::HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        metadata.append("traceparent", value.clone());
        assert_eq!(TraceContext::of(&metadata).map(|trace| trace.trace_id), Some(TRACE));
        metadata.append("traceparent", value);
        assert_eq!(TraceContext::of(&metadata), None);
    }
}
