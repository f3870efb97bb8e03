//! Path templates: `/v1/payments/{id}/refund`, `/admin/{*rest}`.

use crate::request::path;

/// One piece of a template between slashes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// This text, compared in canonical form.
    Literal(Box<str>),
    /// `{name}`: any one segment that is not empty.
    Parameter,
}

/// A path as a policy names it. Names of parameters are for people and compared by nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathTemplate {
    segments: Box<[Segment]>,
    /// Ends in `{*rest}`: all that follows, also nothing.
    open: bool,
}

/// Why a text is no path template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("a path begins with `/`")]
    NoSlash,
    #[error("a path has at most {} segments", PathTemplate::MAX_SEGMENTS)]
    TooLong,
    #[error("a segment is a text without braces, or a whole `{{name}}`")]
    Braces,
    #[error("`{{*name}}` stands only at the end of a path")]
    RestInside,
    #[error("a parameter has a name of letters, digits and `_`")]
    ParameterName,
    #[error(
        "no request arrives with this path: it holds `//`, a dot segment, a backslash, `;`, `?`, `#` or a bad percent escape"
    )]
    NotCanonical,
}

impl PathTemplate {
    /// Deeper than any real API, and the bound on how deep a look-up can go.
    pub const MAX_SEGMENTS: usize = 64;

    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let body = text.strip_prefix('/').ok_or(TemplateError::NoSlash)?;
        let (body, open) = strip_rest(body)?;
        let pieces: Vec<_> = match body {
            Some(body) => body.split('/').collect(),
            None => Vec::new(),
        };
        if pieces.len() > Self::MAX_SEGMENTS {
            return Err(TemplateError::TooLong);
        }
        let last = pieces.len().saturating_sub(1);
        let segments = pieces.iter().enumerate().map(|(index, piece)| segment(piece, index == last && !open));
        Ok(Self { segments: segments.collect::<Result<_, _>>()?, open })
    }

    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// For where upper and lower case are the same. Of what is not ASCII, paths hold escapes.
    #[must_use]
    pub fn in_lower_case(&self) -> Self {
        let folded = self.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => Segment::Literal(text.to_ascii_lowercase().into()),
            Segment::Parameter => Segment::Parameter,
        });
        Self { segments: folded.collect(), open: self.open }
    }
}

/// Takes `{*rest}` off the end; what is left is `None` where nothing stands before it.
fn strip_rest(body: &str) -> Result<(Option<&str>, bool), TemplateError> {
    let (head, tail) = match body.rsplit_once('/') {
        Some((head, tail)) => (Some(head), tail),
        None => (None, body),
    };
    let Some(name) = tail.strip_prefix("{*").and_then(|t| t.strip_suffix('}')) else {
        return Ok((Some(body), false));
    };
    parameter_name(name)?;
    Ok((head, true))
}

fn segment(piece: &str, is_last: bool) -> Result<Segment, TemplateError> {
    if piece.starts_with("{*") {
        return Err(TemplateError::RestInside);
    }
    if let Some(name) = piece.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
        return parameter_name(name).map(|()| Segment::Parameter);
    }
    if piece.contains(['{', '}']) {
        return Err(TemplateError::Braces);
    }
    literal(piece, is_last)
}

/// An empty literal is the trailing slash of `/a/`, or of `/` itself, and stands only at the end.
fn literal(piece: &str, is_last: bool) -> Result<Segment, TemplateError> {
    if piece.is_empty() && is_last {
        return Ok(Segment::Literal("".into()));
    }
    path::canonical_segment(piece).map(|text| Segment::Literal(text.into())).ok_or(TemplateError::NotCanonical)
}

fn parameter_name(name: &str) -> Result<(), TemplateError> {
    let good = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if good { Ok(()) } else { Err(TemplateError::ParameterName) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("v1", TemplateError::NoSlash)]
    #[case("/a/{id", TemplateError::Braces)]
    #[case("/a/x{id}", TemplateError::Braces)]
    #[case("/a/{}", TemplateError::ParameterName)]
    #[case("/a/{*}", TemplateError::ParameterName)]
    #[case("/{*rest}/b", TemplateError::RestInside)]
    #[case("/a//b", TemplateError::NotCanonical)]
    #[case("/a/../b", TemplateError::NotCanonical)]
    #[case("/a;b", TemplateError::NotCanonical)]
    #[case("/a?b=c", TemplateError::NotCanonical)]
    #[case("/a%zz", TemplateError::NotCanonical)]
    #[case("/a%2Fb", TemplateError::NotCanonical)]
    fn a_template_that_could_never_match_is_refused(#[case] text: &str, #[case] why: TemplateError) {
        assert_eq!(PathTemplate::parse(text), Err(why));
    }

    #[rstest]
    #[case("/", 1, false)]
    #[case("/a/{id}", 2, false)]
    #[case("/a/", 2, false)]
    #[case("/{*rest}", 0, true)]
    #[case("/a/{*rest}", 1, true)]
    fn a_template_is_its_segments(#[case] text: &str, #[case] segments: usize, #[case] open: bool) {
        let template = PathTemplate::parse(text).unwrap();
        assert_eq!((template.segments().len(), template.is_open()), (segments, open));
    }

    #[test]
    fn literals_are_held_in_canonical_form_and_names_do_not_matter() {
        assert_eq!(PathTemplate::parse("/%61/{x}"), PathTemplate::parse("/a/{y}"));
    }
}
