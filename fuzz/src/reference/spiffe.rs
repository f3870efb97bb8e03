//! SPIFFE IDs (SPIFFE-ID §2).

pub(crate) fn is_spiffe_id(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("spiffe://") else { return false };
    let (domain, path) = rest.split_once('/').map_or((rest, None), |(domain, path)| (domain, Some(path)));
    let in_domain = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
    let in_path = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    let segment = |text: &str| text != "." && text != ".." && only(text, in_path);
    text.len() <= 2048
        && domain.len() <= 255
        && only(domain, in_domain)
        && path.is_none_or(|path| path.split('/').all(segment))
}

fn only(text: &str, characters: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| characters.contains(character))
}
