//! `untrusted_device`: nobody vouches for what the call was made on.

use super::Circumstances;

/// Fires without its header, and where it stands twice or is no text.
pub(super) fn fires(header: &str, trusted: &[Box<str>], circumstances: &Circumstances<'_>) -> bool {
    let posture = circumstances.facts.headers.only(header);
    posture.is_none_or(|posture| !trusted.iter().any(|own| **own == *posture))
}

#[cfg(test)]
mod tests {
    use crate::context::signals::Test;
    use crate::context::signals::situation::Situation;
    use rstest::rstest;

    const HEADER: &str = "x-device-posture";

    #[rstest]
    #[case(&[(HEADER, Some("managed"))], false)]
    #[case(&[(HEADER, Some("attested"))], false)]
    #[case(&[(HEADER, Some("rooted"))], true)]
    #[case(&[(HEADER, Some("Managed"))], true)]
    #[case(&[(HEADER, Some(" managed"))], true)]
    #[case(&[(HEADER, Some("managed,managed"))], true)]
    #[case(&[(HEADER, Some(""))], true)]
    #[case::without_its_header(&[], true)]
    #[case::twice(&[(HEADER, Some("managed")), (HEADER, Some("managed"))], true)]
    #[case::no_text(&[(HEADER, None)], true)]
    fn it_fires_where_nobody_vouches_for_the_device(
        #[case] headers: &[(&'static str, Option<&'static str>)],
        #[case] fires: bool,
    ) {
        let trusted = ["managed".into(), "attested".into()];
        let test = Test::UntrustedDevice { header: HEADER.into(), trusted: trusted.into() };
        let situation = Situation { headers: headers.to_vec(), familiarity: None, ..Situation::usual() };
        assert_eq!(situation.fires(&test), fires);
    }
}
