//! Which requests selectors can take, held against each other: what must be known of a policy before any request comes.

use super::{HeaderCondition, HostPattern, PathTemplate, Segment, Selector};
use crate::request::Method;

/// A template as it is compared.
#[derive(Clone, Copy, Debug)]
struct Form<'t> {
    segments: &'t [Segment],
    open: bool,
}

impl HostPattern {
    /// Whether every host of the other is one of this.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Below(domain), Self::Exact(host)) => host.domains().any(|above| above == domain.as_str()),
            (Self::Below(domain), Self::Below(below)) => {
                domain == below || below.domains().any(|above| above == domain.as_str())
            }
            (Self::Exact(host), Self::Exact(other)) => host == other,
            (Self::Exact(_), Self::Below(_)) => false,
        }
    }

    /// Whether some host is one of both: of two domains that have one in common, one is above the other.
    pub fn meets(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }
}

impl PathTemplate {
    /// Whether every path of the other is one of this.
    pub fn covers(&self, other: &Self) -> bool {
        self.form().covers(other.form())
    }

    /// Whether some request could take both: a path that ends in a slash is also read without it.
    pub fn meets(&self, other: &Self) -> bool {
        self.forms().any(|own| other.forms().any(|form| own.overlaps(form)))
    }

    fn form(&self) -> Form<'_> {
        Form { segments: self.segments(), open: self.is_open() }
    }

    /// As it is written, and without the slash at its end.
    fn forms(&self) -> impl Iterator<Item = Form<'_>> {
        let own = self.form();
        let slashless = match own.segments {
            [segments @ .., Segment::Literal(last)] if last.is_empty() && !segments.is_empty() && !own.open => {
                Some(Form { segments, open: false })
            }
            _ => None,
        };
        std::iter::once(own).chain(slashless)
    }
}

impl Selector {
    /// Whether some request could fit both. Headers never tell two apart: of one that stands twice, both values count.
    pub fn meets(&self, other: &Self) -> bool {
        meet(&self.methods, &other.methods, PartialEq::eq)
            && meet(&self.hosts, &other.hosts, HostPattern::meets)
            && self.path.meets(&other.path)
    }

    /// Whether every request that fits the other fits this too.
    pub fn covers(&self, other: &Self) -> bool {
        cover(&self.methods, &other.methods, |own: &Method, other| own == other)
            && cover(&self.hosts, &other.hosts, HostPattern::covers)
            && other.path.forms().any(|form| self.path.form().covers(form))
            && self.headers.iter().all(|own| other.headers.iter().any(|other| own.follows_from(other)))
            && self.mcp.iter().all(|own| other.mcp.iter().any(|other| own.covers(other)))
    }

    /// The same without regard to case in paths, if all that it is held against is so too.
    #[must_use]
    pub fn in_lower_case(&self) -> Self {
        Self { path: self.path.in_lower_case(), ..self.clone() }
    }
}

impl HeaderCondition {
    fn follows_from(&self, other: &Self) -> bool {
        self.name == other.name && other.values.iter().all(|value| self.values.contains(value))
    }
}

impl Form<'_> {
    fn overlaps(self, other: Self) -> bool {
        let long_enough = |one: Self, other: Self| one.open || one.segments.len() >= other.segments.len();
        let pairs = self.segments.iter().zip(other.segments);
        long_enough(self, other) && long_enough(other, self) && { pairs }.all(|(a, b)| a.takes(b) || b.takes(a))
    }

    fn covers(self, other: Self) -> bool {
        let lengths = if self.open {
            other.segments.len() >= self.segments.len()
        } else {
            !other.open && other.segments.len() == self.segments.len()
        };
        lengths && self.segments.iter().zip(other.segments).all(|(own, other)| own.takes(other))
    }
}

impl Segment {
    /// Whether it takes every text that the other takes.
    fn takes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Parameter, Self::Literal(text)) => !text.is_empty(),
            (Self::Parameter, Self::Parameter) => true,
            (Self::Literal(own), Self::Literal(text)) => own == text,
            (Self::Literal(_), Self::Parameter) => false,
        }
    }
}

/// Whether two lists, of which an empty one means any, have something in common.
fn meet<T>(one: &[T], other: &[T], meets: impl Fn(&T, &T) -> bool) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|own| other.iter().any(|other| meets(own, other)))
}

fn cover<T>(own: &[T], others: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    let is_covered = |other: &T| own.iter().any(|own| covers(own, other));
    own.is_empty() || (!others.is_empty() && others.iter().all(is_covered))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::index::Index;
    use crate::request::Host;
    use proptest::prelude::*;
    use rstest::rstest;

    fn selector(text: &str) -> Selector {
        let (target, header) = text.split_once(' ').unwrap_or((text, ""));
        let (host, path) = target.split_at(target.find('/').unwrap());
        let headers = header.split_once('=').map(|(name, values)| HeaderCondition {
            name: name.into(),
            values: values.split(',').map(Into::into).collect(),
        });
        Selector {
            hosts: (!host.is_empty()).then(|| HostPattern::parse(host).unwrap()).into_iter().collect(),
            methods: Vec::new(),
            path: PathTemplate::parse(path).unwrap(),
            headers: headers.into_iter().collect(),
            mcp: None,
        }
    }

    #[rstest]
    #[case("a.example/", "a.example/", true)]
    #[case("a.example/", "b.example/", false)]
    #[case("*.example/", "a.example/", true)]
    #[case("*.example/", "example/", false)]
    #[case("*.example/", "*.a.example/", true)]
    #[case("*.a.example/", "*.b.example/", false)]
    #[case("*.example/", "badexample/", false)]
    #[case("/a/", "/a", true)]
    #[case("/{x}", "/a/", true)]
    #[case("/", "/a", false)]
    #[case("/{x}", "/", false)]
    #[case("/{*rest}", "/", true)]
    #[case("/a/{*rest}", "/a", true)]
    #[case("/A", "/a", false)]
    #[case("/a x=1", "/a x=2", true)]
    fn selectors_meet_where_a_request_could_fit_both(#[case] one: &str, #[case] other: &str, #[case] meet: bool) {
        let (one, other) = (selector(one), selector(other));
        assert_eq!((one.meets(&other), other.meets(&one)), (meet, meet));
    }

    #[rstest]
    #[case("*.example/{*rest}", "*.a.example/a/{x}", true)]
    #[case("*.a.example/{*rest}", "*.example/a/{x}", false)]
    #[case("a.example/a", "/a", false)]
    #[case("/a", "a.example/a", true)]
    #[case("/a", "/a/", true)]
    #[case("/a/", "/a", false)]
    #[case("/a x=1,2", "/a x=1", true)]
    #[case("/a x=1", "/a x=1,2", false)]
    #[case("/a x=1", "/a", false)]
    fn a_selector_covers_what_it_takes_whole(#[case] wide: &str, #[case] narrow: &str, #[case] covers: bool) {
        assert_eq!(selector(wide).covers(&selector(narrow)), covers);
    }

    #[test]
    fn a_list_of_methods_covers_no_selector_of_any_method() {
        let any = selector("/a");
        let get = Selector { methods: vec![Method::parse("GET").unwrap()], ..any.clone() };
        assert!(any.covers(&get) && !get.covers(&any) && any.meets(&get));
    }

    /// Every path of up to four segments, one of which no template knows. Two slashes in a row arrive too.
    fn paths() -> Vec<String> {
        let mut paths = vec![String::new()];
        for length in 0..4 {
            let longest: Vec<_> = paths.iter().filter(|path| path.matches('/').count() == length).cloned().collect();
            paths.extend(longest.iter().flat_map(|path| ["a", "b", "z", ""].map(|piece| format!("{path}/{piece}"))));
        }
        paths.into_iter().filter(|path| !path.is_empty()).collect()
    }

    /// Whether the index finds it.
    fn takes(template: &PathTemplate, path: &str) -> bool {
        let selector = Selector { path: template.clone(), ..selector("/") };
        Index::new([&selector], false, |id| id).find(&Host::unknown(), path, &mut |_| true).is_some()
    }

    fn takes_in_a_form(template: &PathTemplate, path: &str) -> bool {
        let slashless = path.strip_suffix('/').filter(|rest| !rest.is_empty());
        takes(template, path) || slashless.is_some_and(|path| takes(template, path))
    }

    fn template() -> impl Strategy<Value = PathTemplate> {
        let piece = prop::sample::select(vec!["a", "b", "{x}"]);
        let end = prop::sample::select(vec!["", "/", "/{*rest}"]);
        (prop::collection::vec(piece, 0..3), end).prop_map(|(pieces, end)| {
            let path = pieces.iter().fold(String::new(), |path, piece| format!("{path}/{piece}")) + end;
            PathTemplate::parse(if path.is_empty() { "/" } else { &path }).unwrap()
        })
    }

    proptest! {
        #[test]
        fn templates_meet_where_the_index_finds_both(one in template(), other in template()) {
            let both = paths().iter().any(|path| takes_in_a_form(&one, path) && takes_in_a_form(&other, path));
            prop_assert_eq!(one.meets(&other), both);
        }

        #[test]
        fn a_template_covers_where_the_index_finds_it_whenever_it_finds_the_other(wide in template(), narrow in template()) {
            let whole = paths().iter().all(|path| takes(&wide, path) || !takes(&narrow, path));
            prop_assert_eq!(wide.covers(&narrow), whole);
        }
    }
}
