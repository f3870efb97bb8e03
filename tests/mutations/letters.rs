//! A token as it is written: every character another one, one more or one less, and the parts of it in another form.

use crate::change::{Call, Change, Kind, encoded};
use crate::support::Result;
use crate::way::{Role, Way};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::ops::RangeInclusive;

/// RFC 4648 §5.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// What a character of it stands for.
const BITS: RangeInclusive<u8> = 0..=5;
/// One in so many characters, where all would be too many.
const SAMPLED: usize = 8;
/// What stands in no token.
const FOREIGN: [&str; 12] = ["=", " ", "\t", "+", "/", ",", "%41", "!", "\0", "\u{e9}", "\r\n", "."];
/// The order of P-256 (SEC 2 §2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

pub(crate) fn changes(way: Way, sample: &Call) -> Vec<Change> {
    let of_role = |role: Role| {
        let token = sample.of(role).map(|shown| shown.token().to_owned()).unwrap_or_default();
        let every = if way.is_first_with(role) { 1 } else { SAMPLED };
        let exchanged = flipped(role, &token, every).chain(more_or_less(role, &token, every * SAMPLED));
        exchanged.chain(foreign(role, &token)).chain(rewritten(role)).collect::<Vec<_>>()
    };
    sample.roles().flat_map(of_role).collect()
}

fn change(
    role: Role,
    what: impl fmt::Display,
    other: impl Fn(&str) -> Result<String> + Send + Sync + 'static,
) -> Change {
    Change::token(Kind::Letters, role, what, Box::new(move |draft| other(&draft.sign()?)))
}

/// One bit of every so many characters, in turn; every bit of the last of a part, and where none is left out, of the
/// signature.
fn flipped(role: Role, token: &str, every: usize) -> impl Iterator<Item = Change> + use<> {
    let signature = token.rfind('.').unwrap_or(token.len());
    let ends = |at: usize| token.as_bytes().get(at + 1).is_none_or(|next| *next == b'.');
    let all_bits = |at: usize| ends(at) || (every == 1 && at > signature);
    let places = (0..token.len()).filter(|at| at % every == 0 || ends(*at));
    let bits = places.flat_map(|at| {
        BITS.filter(move |bit| all_bits(at) || usize::from(*bit) == at / every % 6).map(move |bit| (at, bit))
    });
    let bits: Vec<_> = bits.collect();
    bits.into_iter().map(move |(at, bit)| {
        change(role, format_args!("character {at}: bit {bit} flipped"), move |token| Ok(with_flipped(token, at, bit)))
    })
}

fn with_flipped(token: &str, at: usize, bit: u8) -> String {
    let mut bytes = token.as_bytes().to_vec();
    bytes[at] = match ALPHABET.iter().position(|letter| *letter == bytes[at]) {
        Some(value) => ALPHABET[value ^ (1 << bit)],
        None => ALPHABET[usize::from(bit)],
    };
    String::from_utf8(bytes).unwrap()
}

fn more_or_less(role: Role, token: &str, every: usize) -> impl Iterator<Item = Change> + use<> {
    (0..token.len()).filter(move |at| at % every == 0).flat_map(move |at| {
        let split = move |token: &str, len: usize| (token[..at].to_owned(), token[at..at + len].to_owned());
        let left_out = change(role, format_args!("character {at}: left out"), move |token| {
            Ok(format!("{}{}", split(token, 1).0, &token[at + 1..]))
        });
        let doubled = change(role, format_args!("character {at}: doubled"), move |token| {
            let (before, letter) = split(token, 1);
            Ok(format!("{before}{letter}{}", &token[at..]))
        });
        let ended = change(role, format_args!("character {at}: the end"), move |token| Ok(split(token, 1).0));
        [left_out, doubled, ended]
    })
}

fn foreign(role: Role, token: &str) -> impl Iterator<Item = Change> + use<> {
    let dot = token.find('.').unwrap_or(0);
    let places = [("before it", 0), ("in it", 3), ("before the first dot", dot), ("behind it", token.len())];
    places.into_iter().flat_map(move |(place, at)| {
        FOREIGN.into_iter().map(move |foreign| {
            change(role, format_args!("{foreign:?} {place}"), move |token| {
                Ok(format!("{}{foreign}{}", &token[..at], &token[at..]))
            })
        })
    })
}

/// The three parts and the signature in other forms.
fn rewritten(role: Role) -> impl Iterator<Item = Change> {
    type Form = fn(&str, &str, &str) -> String;
    let forms: [(&str, Form); 24] = [
        ("nothing but dots", |_, _, _| "..".to_owned()),
        ("without header", |_, claims, signature| format!(".{claims}.{signature}")),
        ("without claims", |header, _, signature| format!("{header}..{signature}")),
        ("with no claims", |header, _, signature| format!("{header}.e30.{signature}")),
        ("without signature", |header, claims, _| format!("{header}.{claims}.")),
        ("without signature and dot", |header, claims, _| format!("{header}.{claims}")),
        ("header and claims exchanged", |header, claims, signature| format!("{claims}.{header}.{signature}")),
        ("a fourth part", |header, claims, signature| format!("{header}.{claims}.{signature}.{signature}")),
        ("an empty fourth part", |header, claims, signature| format!("{header}.{claims}.{signature}.")),
        ("twice", |h, c, s| format!("{h}.{c}.{s}.{h}.{c}.{s}")),
        ("padded", |header, claims, signature| format!("{header}.{claims}.{signature}==")),
        ("in capitals", |h, c, s| format!("{h}.{c}.{s}").to_uppercase()),
        ("in small letters", |h, c, s| format!("{h}.{c}.{s}").to_lowercase()),
        ("quoted", |header, claims, signature| format!("\"{header}.{claims}.{signature}\"")),
        ("in JSON", |h, c, s| format!(r#"{{"protected":"{h}","payload":"{c}","signature":"{s}"}}"#)),
        ("its other signature", |h, c, s| with_signature(h, c, s, negated)),
        ("r and s exchanged", |h, c, s| with_signature(h, c, s, |s| [&s[32..], &s[..32]].concat())),
        ("a signature of zeros", |h, c, s| with_signature(h, c, s, |_| vec![0; 64])),
        ("r is zero", |h, c, s| with_signature(h, c, s, |s| [&[0; 32], &s[32..]].concat())),
        ("s is zero", |h, c, s| with_signature(h, c, s, |s| [&s[..32], &[0; 32]].concat())),
        ("r and s are the order", |h, c, s| with_signature(h, c, s, |_| [ORDER, ORDER].concat())),
        ("r and s are one", |h, c, s| {
            with_signature(h, c, s, |_| {
                let one = [&[0; 31][..], &[1]].concat();
                [one.clone(), one].concat()
            })
        }),
        ("r and s longer by a zero", |h, c, s| with_signature(h, c, s, |s| [&[0], &s[..32], &[0], &s[32..]].concat())),
        ("its signature in DER", |h, c, s| with_signature(h, c, s, der)),
    ];
    forms.into_iter().map(move |(what, form)| {
        change(role, what, move |token| {
            let parts: Vec<_> = token.split('.').collect();
            let [header, claims, signature] = parts[..] else { return Err("not three parts".into()) };
            Ok(form(header, claims, signature))
        })
    })
}

fn with_signature(header: &str, claims: &str, signature: &str, other: impl Fn(&[u8]) -> Vec<u8>) -> String {
    format!("{header}.{claims}.{}", encoded(other(&URL_SAFE_NO_PAD.decode(signature).unwrap())))
}

/// Of ECDSA's (r, s), (r, n - s) is as good: a token under the signature that it was not given.
pub(crate) fn with_other_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    with_signature(header, claims, signature, negated)
}

fn negated(signature: &[u8]) -> Vec<u8> {
    let mut other = signature.to_vec();
    let mut borrow = 0;
    for at in (0..32).rev() {
        let difference = i16::from(ORDER[at]) - i16::from(signature[32 + at]) - borrow;
        borrow = i16::from(difference < 0);
        other[32 + at] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    other
}

fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| [&[2, 33, 0], number].concat();
    [vec![0x30, 70], integer(&signature[..32]), integer(&signature[32..])].concat()
}
