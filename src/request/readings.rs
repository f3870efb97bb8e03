//! Everything that a server behind Envoy could take a request for. An attacker picks the server that reads it in his way,
//! so every reading is judged, and the strictest decision counts.

use super::{Headers, Malformed, Method, Occurrence, PathFault, RequestPath, path};

/// The readings of a request beside the one as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    methods: Vec<Method>,
    paths: Vec<Box<str>>,
}

/// More than any request that is meant well has, and a bound on what one request can make us judge.
pub const MAX_READINGS: usize = 16;

/// Headers in which frameworks look for the method that is meant.
const METHOD_OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];
/// Headers in which frameworks look for the path that was asked for.
pub(super) const PATH_OVERRIDES: [&str; 2] = ["x-original-url", "x-rewrite-url"];

impl Readings {
    pub fn of(method: &Method, path: &RequestPath, headers: &Headers) -> Result<Self, Malformed> {
        let mut paths: Vec<Box<str>> = path.alternatives().map_err(Malformed::Path)?;
        // Methods are case-sensitive (RFC 9110 §9.1), and some frameworks forget it.
        let mut methods: Vec<_> = method.in_upper_case().into_iter().collect();
        for (name, of) in headers.names().filter_map(|name| Some((name, Override::by(name)?))) {
            let value = override_in(headers, name)?;
            match of {
                Override::Method => methods.push(Method::parse(&value.trim().to_ascii_uppercase())?),
                Override::Path => {
                    let meant = RequestPath::parse(path_in(value), "GET").map_err(Malformed::Path)?;
                    paths.push(meant.canonical().into());
                    paths.extend(meant.alternatives().map_err(Malformed::Path)?);
                }
            }
        }
        paths.sort_unstable();
        paths.dedup();
        methods.sort_unstable();
        methods.dedup();
        if (1 + paths.len()) * (1 + methods.len()) > MAX_READINGS {
            return Err(Malformed::Path(PathFault::TooManyReadings));
        }
        Ok(Self { methods, paths })
    }

    /// Whether the request is read in one way only, as it was sent.
    pub const fn is_single(&self) -> bool {
        self.methods.is_empty() && self.paths.is_empty()
    }

    /// Every method that the request may be taken for.
    pub fn methods<'r>(&'r self, method: &'r Method) -> impl Iterator<Item = &'r Method> {
        std::iter::once(method).chain(&self.methods)
    }

    /// All readings as method and path, first the one as it was sent.
    pub fn all<'r>(&'r self, method: &'r Method, path: &'r str) -> impl Iterator<Item = (&'r Method, &'r str)> {
        self.methods(method).flat_map(move |method| {
            std::iter::once(path).chain(self.paths.iter().map(AsRef::as_ref)).map(move |path| (method, path))
        })
    }
}

/// What a header can override.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Override {
    Method,
    Path,
}

impl Override {
    /// Envoy lets underscores in names pass, and servers that know headers as CGI does (RFC 3875 §4.1.18) take them for hyphens.
    fn by(name: &str) -> Option<Self> {
        let means = |other: &&str| {
            other.len() == name.len()
                && other.bytes().zip(name.bytes()).all(|(a, b)| a == b || (a == b'-' && b == b'_'))
        };
        if METHOD_OVERRIDES.iter().any(means) {
            Some(Self::Method)
        } else {
            PATH_OVERRIDES.iter().any(means).then_some(Self::Path)
        }
    }
}

/// Whether a header of this name overrides method or path.
pub fn overrides(name: &str) -> bool {
    Override::by(name).is_some()
}

/// What a header that overrides method or path says of them: of a path nothing but the path, since a query may hold secrets.
pub fn meant<'v>(name: &str, value: &'v str) -> Option<&'v str> {
    Some(match Override::by(name)? {
        Override::Method => value,
        Override::Path => path_in(value).split('?').next().unwrap_or_default(),
    })
}

/// What stands twice, or is no text, could mean anything.
fn override_in<'h>(headers: &'h Headers, name: &str) -> Result<&'h str, Malformed> {
    match headers.occurrence(name) {
        Occurrence::Once(value) => Ok(value),
        Occurrence::Absent | Occurrence::Repeated | Occurrence::Unreadable => Err(Malformed::Override),
    }
}

/// The path of an absolute URL; anything else is a path as it stands.
fn path_in(target: &str) -> &str {
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
        }
        _ => target,
    }
}

/// The other forms in which servers read a canonical path: whatever can be reached by decoding slashes, by taking
/// backslashes for slashes, by dropping parameters, by merging slashes and by removing dot segments, in any order.
pub(super) fn alternatives(canonical: &str) -> Result<Vec<Box<str>>, PathFault> {
    let mut found = vec![canonical.to_owned()];
    let mut next = 0;
    while let Some(form) = found.get(next).cloned() {
        for read in TRANSFORMATIONS {
            let other = read(&form);
            if !found.contains(&other) {
                found.push(other);
            }
        }
        if found.len() > MAX_READINGS {
            return Err(PathFault::TooManyReadings);
        }
        next += 1;
    }
    Ok(found.into_iter().skip(1).map(Into::into).collect())
}

const TRANSFORMATIONS: [fn(&str) -> String; 6] = [
    |path| path.replace("%2F", "/"),
    |path| path.replace("%5C", "\\"),
    |path| path.replace('\\', "/"),
    without_parameters,
    with_single_slashes,
    without_dot_segments,
];

/// `/a;v=1/b;x` to `/a/b` (RFC 3986 §3.3 leaves parameters of segments to the server).
fn without_parameters(path: &str) -> String {
    let segments = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    segments.collect::<Vec<_>>().join("/")
}

fn with_single_slashes(path: &str) -> String {
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    single
}

/// RFC 3986 §5.2.4.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<_> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    for segment in &segments {
        match *segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let ends_in_dots = matches!(segments.last(), Some(&"." | &".."));
    if ends_in_dots || kept.is_empty() {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

impl RequestPath {
    /// The other forms in which servers read this path; none for almost every path.
    fn alternatives(&self) -> Result<Vec<Box<str>>, PathFault> {
        if path::is_ambiguous(self.canonical()) { alternatives(self.canonical()) } else { Ok(Vec::new()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use std::collections::HashMap;

    fn paths(target: &str) -> Vec<String> {
        let path = RequestPath::parse(target, "GET").unwrap();
        let method = Method::parse("GET").unwrap();
        let readings = Readings::of(&method, &path, &Headers::default()).unwrap();
        readings.all(&method, path.canonical()).map(|(_, path)| path.to_owned()).collect()
    }

    #[rstest]
    #[case("/admin", &["/admin"])]
    #[case("//admin", &["//admin", "/admin"])]
    #[case("/./admin", &["/./admin", "/admin"])]
    #[case("/a/../admin", &["/a/../admin", "/admin"])]
    #[case("/%2e%2e/admin", &["/../admin", "/admin"])]
    #[case("/a%2fb", &["/a%2Fb", "/a/b"])]
    #[case("/a%5cb", &["/a%5Cb", "/a/b", "/a\\b"])]
    #[case("/admin;v=1/x;y", &["/admin;v=1/x;y", "/admin/x"])]
    #[case("/pub/..;/admin", &["/pub/..;/admin", "/admin", "/pub/../admin"])]
    #[case("/pub%2f..%2fadmin", &["/pub%2F..%2Fadmin", "/admin", "/pub/../admin"])]
    #[case("/pub\\..\\admin", &["/pub\\..\\admin", "/admin", "/pub/../admin"])]
    #[case("/a/..", &["/a/..", "/"])]
    #[case("/..", &["/..", "/"])]
    fn a_path_is_read_in_every_way_that_servers_do(#[case] target: &str, #[case] expected: &[&str]) {
        assert_eq!(paths(target), expected);
    }

    #[test]
    fn more_than_sixteen_readings_are_refused() {
        let path = RequestPath::parse("/a%2f..%5c.;x//./b;y\\..%2f/c", "GET").unwrap();
        let refused = Err(Malformed::Path(PathFault::TooManyReadings));
        let method = Method::parse("GET").unwrap();
        assert_eq!(Readings::of(&method, &path, &Headers::default()), refused);
    }

    fn with(headers: &[(&str, &str)]) -> Result<Vec<String>, Malformed> {
        let headers: HashMap<_, _> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let path = RequestPath::parse("/pub", "GET").unwrap();
        let method = Method::parse("GET").unwrap();
        let readings = Readings::of(&method, &path, &Headers::joined(headers))?;
        Ok(readings.all(&method, "/pub").map(|(method, path)| format!("{} {path}", method.as_str())).collect())
    }

    #[test]
    fn overriding_headers_are_readings() {
        assert_eq!(with(&[("x-original-url", "/admin?x")]).unwrap(), ["GET /pub", "GET /admin"]);
        assert_eq!(with(&[("x-rewrite-url", "https://h/admin")]).unwrap(), ["GET /pub", "GET /admin"]);
        assert_eq!(with(&[("x-http-method-override", "delete")]).unwrap(), ["GET /pub", "DELETE /pub"]);
        assert_eq!(with(&[("x_original-url", "/admin")]).unwrap(), ["GET /pub", "GET /admin"]);
        assert_eq!(with(&[("x_http_method_override", "delete")]).unwrap(), ["GET /pub", "DELETE /pub"]);
        let both = with(&[("x-original-url", "/admin"), ("x-http-method", "PUT")]).unwrap();
        assert_eq!(both, ["GET /pub", "GET /admin", "PUT /pub", "PUT /admin"]);
    }

    #[test]
    fn an_override_that_cannot_be_read_is_refused() {
        assert_eq!(with(&[("x-original-url", "/a%zz")]), Err(Malformed::Path(PathFault::Malformed)));
        assert_eq!(with(&[("x-original-url", "admin")]), Err(Malformed::Path(PathFault::Malformed)));
        assert_eq!(with(&[("x-http-method-override", "DELETE,GET")]), Err(Malformed::Method));
        assert_eq!(with(&[("x-http-method-override", "caf!")]), Err(Malformed::Override));
    }

    proptest! {
        #[test]
        fn every_reading_is_a_reading_of_none_other(target in "/(a|b|\\.|\\.\\.|;x|//|%2f|%5c|\\\\|/){0,5}") {
            let Ok(path) = RequestPath::parse(&target, "GET") else { return Ok(()) };
            let Ok(all) = path.alternatives() else { return Ok(()) };
            for reading in &all {
                for again in alternatives(reading).unwrap_or_default() {
                    prop_assert!(all.contains(&again) || *again == *path.canonical(), "{} of {}", again, reading);
                }
            }
        }
    }
}
