//! stub
pub fn credential_in_url(_q: &str) -> bool {
    false
}
