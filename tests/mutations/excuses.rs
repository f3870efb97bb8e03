//! The changes that pass, since they change nothing that is signed or asked for. Whatever passes beside these is a hole,
//! and one of these that does not pass is out of date.

use globset::{Glob, GlobMatcher};
use std::sync::LazyLock;

/// A change by its name, as a glob, and why it may pass.
#[derive(Debug)]
pub(crate) struct Excuse {
    pub(crate) change: &'static str,
    pub(crate) why: &'static str,
}

const SIGNED_TWICE: &str = "the other signature that ECDSA has for the same: of (r, s), (r, n-s)";
const SAME_WORDS: &str = "another way to write the same";
const SAME_TARGET: &str = "another spelling of the same host or path, or another query";
const ANOTHER_WORD: &str = "another word of who signs, that does as well";
const NOT_ASKED: &str = "a claim or parameter that nobody asks of such a token";
const NOT_READ: &str = "a header or certificate that proves nothing here, and is not asked to";
const NOT_SIGNED: &str = "what the standard of the proof leaves unsigned";
const JUDGED_TOO: &str = "a header that names another call, which is judged too, by the same evidence";

#[rustfmt::skip]
pub(crate) const EXCUSES: &[Excuse] = &[
    // Tokens as they are written. A WPT signs the very bytes of its WIT, and a proof those of its bearer.
    may("* letters: * its other signature", SIGNED_TWICE),
    may("* headers: proof under its other signature, on the way", SIGNED_TWICE),
    may("{attestation-*,bound-attested,ear-dpop,jwt-*} headers: attestation under its other signature, on the way", SIGNED_TWICE),
    may("jwt-challenge headers: bearer under its other signature, on the way", SIGNED_TWICE),
    may(r#"{attestation-*,ear-dpop,jwt-*,wit-wpt} headers: bearer under the scheme "{bearer,BEARER} ""#, SAME_WORDS),
    may(r#"bound-* headers: bearer under the scheme "dpop ""#, SAME_WORDS),
    may(r#"wit-authorization headers: proof under the scheme "wpt ""#, SAME_WORDS),
    may("* headers: * two spaces behind the scheme", SAME_WORDS),
    may(r#"{jwt-challenge letters: bearer,wit-authorization letters: proof} " " before it"#, SAME_WORDS),
    may("wit-authorization headers: proof in workload-proof-token", SAME_WORDS),
    may("* claims: * claims: white space around", SAME_WORDS),
    may("* forgeries: * typ its own in {capitals,full}", SAME_WORDS),
    may(r#"* forgeries: bearer {/typ left out,typ "JWT"}"#, SAME_WORDS),
    may("{ear-dpop,jwt-*} forgeries: attestation /typ left out", SAME_WORDS),
    may(r#"{ear-dpop forgeries: attestation typ "JWT",jwt-* forgeries: attestation typ "JOSE"}"#, SAME_WORDS),
    may("* forgeries: {bearer,attestation} /kid left out", SAME_WORDS),
    may("* claims: {bearer /aud,{bearer,attestation} /scope}: {in,twice in,before another in,behind another in} a list", SAME_WORDS),
    may("{ear-dpop,jwt-*} claims: attestation /aud: {in,twice in,before another in,behind another in} a list", SAME_WORDS),
    may("jwt-* claims: attestation /repository: {in,twice in,before another in,behind another in} a list", SAME_WORDS),
    may("{attestation-pop,wit-*} claims: proof /aud: in a list", SAME_WORDS),
    may("* claims: {bearer,proof} /{iat,exp}: as a fraction", SAME_WORDS),
    may("{attestation-*,bound-attested,jwt-*,wit-*} claims: attestation /{iat,exp}: as a fraction", SAME_WORDS),
    // What issuers and signers may say otherwise.
    may("* claims: {bearer,attestation} /exp: a day later", ANOTHER_WORD),
    may("* claims: bearer /iat: {a day earlier,left out}", ANOTHER_WORD),
    may("attestation-dpop claims: bearer /scope: another text: {cut short,x before it}", ANOTHER_WORD),
    may("bound-bearer claims: bearer /scope: another text: {a slash behind it,padded,x behind it}", ANOTHER_WORD),
    may("bound-bearer claims: bearer /sub: another text: {padded,x behind it}", ANOTHER_WORD),
    may("* claims: attestation /iss: left out", ANOTHER_WORD),
    may("* claims: attestation /txn: another text: *", ANOTHER_WORD),
    may("{attestation-*,bound-attested} claims: attestation /cnf/jwk/alg: left out", ANOTHER_WORD),
    may("ear-dpop claims: attestation /submods/{cpu,gpu}: left out", ANOTHER_WORD),
    may("* claims: attestation /authorization_details: {a list of nothing,left out}", ANOTHER_WORD),
    may("* claims: attestation /authorization_details/0{: left out,/actions: left out,/locations: left out}", ANOTHER_WORD),
    may("* claims: attestation /authorization_details/0/type: {an empty text,another text: *}", ANOTHER_WORD),
    may("* claims: attestation /authorization_details/0/locations/0: another text: in capitals", SAME_TARGET),
    may("jwt-challenge claims: attestation /jti: {null,true,0,-1,1.5,1e300,left out,an*,a list*,in a*,*in a list}", ANOTHER_WORD),
    may("* claims: proof /jti: another text: *", ANOTHER_WORD),
    may("* forgeries: proof kid {another,a file}", NOT_ASKED),
    may("* forgeries: * {b64 false,cty another token,x anything,x5c somebody's,x5t#S256 somebody's,zip deflated}", NOT_ASKED),
    may("* claims: * /{crit,x} beside: anything", NOT_ASKED),
    may("* claims: bearer /{ath,authorization_details,challenge,ear_status,eat_nonce,htm,htu,nonce,oth,submods,tth,wth} beside: *", NOT_ASKED),
    may("* claims: attestation /{ath,challenge,htm,htu,oth,tth,wth} beside: *", NOT_ASKED),
    may("* claims: attestation /{nonce,eat_nonce} beside: {a text,made up}", NOT_ASKED),
    may("{attestation-*,bound-attested,jwt-*,wit-*} claims: attestation /{ear_status,submods} beside: *", NOT_ASKED),
    may("ear-dpop claims: attestation /ear_status beside: a good one", NOT_ASKED),
    may("* claims: proof /{authorization_details,cnf,ear_status,eat_nonce,iss,submods} beside: *", NOT_ASKED),
    may("{attestation-dpop,bound-*,ear-dpop,jwt-dpop} claims: proof /{aud,challenge,oth,tth,wth} beside: *", NOT_ASKED),
    may("attestation-pop claims: proof /{nonce,oth,tth,wth} beside: *", NOT_ASKED),
    may("wit-* claims: proof /{htm,htu,nonce} beside: *", NOT_ASKED),
    may("bound-bearer claims: proof /nonce beside: {a text,made up}", NOT_ASKED),
    // Headers beside those that prove the call.
    may("* headers: {oauth-client-attestation,workload-identity-token,x-ci,x-results,x-statement,dpop} beside: *", NOT_READ),
    may("{bound-bearer,ear-dpop,jwt-*,wit-*} headers: oauth-client-attestation-pop beside: *", NOT_READ),
    may("{attestation-*,bound-*,ear-dpop,jwt-*} headers: {workload-proof-token,txn-token} beside: *", NOT_READ),
    may("* headers: proxy-authorization beside: *", NOT_READ),
    may("jwt-certificate headers: authorization beside: {nothing,something}", NOT_READ),
    may("* targets: x-forwarded-host: other.example.com", NOT_READ),
    may("{attestation-*,bound-*,ear-dpop,jwt-challenge,jwt-dpop,wit-wpt} targets: certificate {no certificate,nobody's,* before *}", NOT_READ),
    // What is called.
    may(r#"* targets: host "{API.EXAMPLE.COM,api.example.com{.,:443,:8443}}""#, SAME_TARGET),
    may(r#"* targets: path "{/%76%31/*,*%37,*%37/refund,*[?],*[?]x=y}""#, SAME_TARGET),
    may("wit-authorization targets: certificate another of the same name", NOT_SIGNED),
    may(r#"{jwt-certificate,jwt-challenge,wit-*} targets: method "PUT""#, NOT_SIGNED),
    may(r#"jwt-{certificate,challenge} targets: path "/v1/{payouts,transfers}/{8,x,%2537,%38,7%20,7;x=y}""#, NOT_SIGNED),
    may("wit-* mixed: proof for {another method,the method in small letters}", NOT_SIGNED),
    may("{attestation-*,bound-attested,ear-dpop,jwt-*} mixed: attestation newer than its proof", NOT_SIGNED),
    may("jwt-challenge mixed: bearer newer than its proof", NOT_SIGNED),
    may("* targets: x-method-override: PUT", JUDGED_TOO),
    may("{attestation-*,bound-attested,ear-dpop,jwt-dpop,wit-wpt} targets: x-original-url: /v1/payments/8/refund", JUDGED_TOO),
    may("{jwt-certificate,wit-authorization} targets: x-rewrite-url: /v1/payouts/8", JUDGED_TOO),
];

const fn may(change: &'static str, why: &'static str) -> Excuse {
    Excuse { change, why }
}

static GLOBS: LazyLock<Vec<GlobMatcher>> =
    LazyLock::new(|| EXCUSES.iter().map(|excuse| Glob::new(excuse.change).unwrap().compile_matcher()).collect());

impl Excuse {
    /// The first that a change has, and its place.
    pub(crate) fn of(change: &str) -> Option<(usize, &'static Self)> {
        let at = GLOBS.iter().position(|glob| glob.is_match(change))?;
        EXCUSES.get(at).map(|excuse| (at, excuse))
    }
}
