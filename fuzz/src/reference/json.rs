//! JSON (RFC 8259), by its grammar. Members stay in their order, and as often as they stand there.

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = std::str::from_utf8(bytes).ok()?;
        let value = value(&mut rest)?;
        skip_space(&mut rest);
        rest.is_empty().then_some(value)
    }

    /// The members of an object in which no name stands twice, at any depth.
    pub(crate) fn parse_object(bytes: &[u8]) -> Option<Self> {
        Self::parse(bytes).filter(|json| matches!(json, Self::Object(_)) && json.is_unambiguous())
    }

    fn is_unambiguous(&self) -> bool {
        match self {
            Self::List(items) => items.iter().all(Self::is_unambiguous),
            Self::Object(members) => members.iter().all(|(name, value)| {
                members.iter().filter(|(other, _)| other == name).count() == 1 && value.is_unambiguous()
            }),
            _ => true,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        let Self::Object(members) = self else { return Vec::new() };
        members.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { number.parse().ok() } else { None }
    }
}

fn value(rest: &mut &str) -> Option<Json> {
    skip_space(rest);
    for (word, meaning) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))] {
        if take(rest, word) {
            return Some(meaning);
        }
    }
    match rest.chars().next()? {
        '"' => text(rest).map(Json::Text),
        '[' => sequence(rest, '[', ']', value).map(Json::List),
        '{' => sequence(rest, '{', '}', member).map(Json::Object),
        _ => number(rest).map(Json::Number),
    }
}

fn sequence<T>(rest: &mut &str, open: char, close: char, item: impl Fn(&mut &str) -> Option<T>) -> Option<Vec<T>> {
    let mut items = Vec::new();
    next(rest).filter(|found| *found == open)?;
    skip_space(rest);
    if take(rest, &close.to_string()) {
        return Some(items);
    }
    loop {
        items.push(item(rest)?);
        skip_space(rest);
        match next(rest)? {
            ',' => {}
            found if found == close => return Some(items),
            _ => return None,
        }
    }
}

fn member(rest: &mut &str) -> Option<(String, Json)> {
    skip_space(rest);
    let name = text(rest)?;
    skip_space(rest);
    if take(rest, ":") { Some((name, value(rest)?)) } else { None }
}

fn text(rest: &mut &str) -> Option<String> {
    let mut units: Vec<u16> = Vec::new();
    next(rest).filter(|quote| *quote == '"')?;
    loop {
        let plain = match next(rest)? {
            '"' => return String::from_utf16(&units).ok(),
            '\\' => match next(rest)? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let digits: String = (0..4).map(|_| next(rest)).collect::<Option<_>>()?;
                    let hex = digits.chars().all(|digit| digit.is_ascii_hexdigit());
                    units.push(u16::from_str_radix(&digits, 16).ok().filter(|_| hex)?);
                    continue;
                }
                escaped @ ('"' | '\\' | '/') => escaped,
                _ => return None,
            },
            control if control < ' ' => return None,
            plain => plain,
        };
        units.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
    }
}

fn number(rest: &mut &str) -> Option<String> {
    let end = rest.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c)).unwrap_or(rest.len());
    let (written, after) = rest.split_at(end);
    let unsigned = written.strip_prefix('-').unwrap_or(written);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let good = digits(whole) && digits(fraction) && digits(exponent) && (whole == "0" || !whole.starts_with('0'));
    *rest = after;
    good.then(|| written.to_owned())
}

fn next(rest: &mut &str) -> Option<char> {
    let mut characters = rest.chars();
    let first = characters.next();
    *rest = characters.as_str();
    first
}

fn take(rest: &mut &str, word: &str) -> bool {
    let found = rest.strip_prefix(word);
    *rest = found.unwrap_or(rest);
    found.is_some()
}

fn skip_space(rest: &mut &str) {
    *rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
}
