//! Values that replicas believe of each other: sealed together with the place where they lie, so that none can be put
//! elsewhere or changed.

use crate::challenge::{ChallengeKeys, Seal, SealFault};

/// Why a value is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unbelieved {
    #[error("it is not in the form that values have")]
    Form,
    #[error(transparent)]
    Seal(#[from] SealFault),
}

/// `<key id>.<tag>.<text>`. Nothing where there is no key.
pub(super) fn seal(keys: &ChallengeKeys, place: &[&str], text: &str) -> Option<String> {
    let seal = keys.seal(&parts(place, text))?;
    Some(format!("{}.{}.{text}", seal.key_id, seal.tag))
}

/// The text, if it was sealed for this place.
pub(super) fn open<'t>(keys: &ChallengeKeys, place: &[&str], sealed: &'t str) -> Result<&'t str, Unbelieved> {
    let mut parts_of = sealed.splitn(3, '.');
    let (Some(key_id), Some(tag), Some(text)) = (parts_of.next(), parts_of.next(), parts_of.next()) else {
        return Err(Unbelieved::Form);
    };
    let seal = Seal::parse(key_id, tag).ok_or(Unbelieved::Form)?;
    keys.check_seal(&parts(place, text), &seal)?;
    Ok(text)
}

fn parts<'p>(place: &[&'p str], text: &'p str) -> Vec<&'p [u8]> {
    place.iter().copied().chain([text]).map(str::as_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_believed_where_it_was_put_and_nowhere_else() {
        let keys = ChallengeKeys::single(&[7; 32]);
        let sealed = seal(&keys, &["grant", "key", "id"], "a.b.c").unwrap();
        assert_eq!(open(&keys, &["grant", "key", "id"], &sealed), Ok("a.b.c"));
        for place in [["grant", "key", "other"], ["learned", "key", "id"], ["grant", "keyi", "d"]] {
            assert_eq!(open(&keys, &place, &sealed), Err(Unbelieved::Seal(SealFault::Wrong)), "{place:?}");
        }
        let stranger = ChallengeKeys::single(&[8; 32]);
        assert!(matches!(
            open(&stranger, &["grant", "key", "id"], &sealed),
            Err(Unbelieved::Seal(SealFault::UnknownKey(_)))
        ));
        for text in ["", "a", "a.b", "..", &sealed[1..], &format!("{sealed} ")] {
            assert!(open(&keys, &["grant", "key", "id"], text).is_err(), "{text}");
        }
    }
}
