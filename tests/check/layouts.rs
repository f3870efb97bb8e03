//! Where policies lie: files, folders, links.

use crate::support::{Folder, GOOD, JWKS, changed, stderr};
use std::fs;
use std::os::unix::fs::symlink;
use stepgate::config::{self, Code, Fingerprint};

const ROUTE: &str = "version: 1\nroutes:\n  - { name: extra, match: { path: /extra }, sensitivity: low }\n";

#[test]
fn a_folder_is_read_with_all_below_it() {
    let folder = Folder::with(GOOD);
    folder.write("teams/a/routes.yml", ROUTE);
    folder.write("teams/notes.txt", "no policy");
    folder.write("teams/.hidden.yaml", "no: policy");
    let loaded = folder.load().unwrap();
    assert_eq!(loaded.policy.routes.iter().count(), 3);
    let names: Vec<_> = loaded.files.iter().map(|file| file.strip_prefix(folder.path()).unwrap()).collect();
    let expected = ["policy.yaml", "teams/a/routes.yml", "keys/attester.jwks.json", "keys/idp.jwks.json"];
    assert_eq!(names, expected.map(std::path::Path::new));
}

#[test]
fn a_file_is_taken_whatever_its_name_and_only_once() {
    let folder = Folder::new();
    let path = folder.write("policy.conf", GOOD);
    assert!(config::load(&[path.clone(), path]).is_ok());
}

/// As the kubelet lays out a `ConfigMap`: names are links into `..data`, which is a link to a folder with a time.
#[test]
fn a_config_map_is_read_once_and_its_swap_is_seen() {
    let folder = Folder::new();
    let version = |name: &str, policy: &str| {
        folder.write(&format!("map/{name}/policy.yaml"), policy);
        folder.write(&format!("map/{name}/idp.jwks.json"), JWKS);
        folder.write(&format!("map/{name}/attester.jwks.json"), JWKS);
    };
    let flat = GOOD.replace("keys/", "");
    version("..2026_11_23", &flat);
    version("..2026_11_24", &flat.replace("leeway: 10s", "leeway: 5s"));
    let map = folder.path().join("map");
    symlink("..2026_11_23", map.join("..data")).unwrap();
    for name in ["policy.yaml", "idp.jwks.json", "attester.jwks.json"] {
        symlink(format!("..data/{name}"), map.join(name)).unwrap();
    }

    let paths = [map.clone()];
    let first = config::load(&paths).unwrap();
    let before = Fingerprint::of(&paths, &first.files);
    assert_eq!(before, Fingerprint::of(&paths, &first.files));

    symlink("..2026_11_24", map.join("..data_tmp")).unwrap();
    fs::rename(map.join("..data_tmp"), map.join("..data")).unwrap();
    assert_ne!(before, Fingerprint::of(&paths, &first.files));
    let second = config::load(&paths).unwrap();
    assert_ne!(first.policy.hash, second.policy.hash);
    assert_eq!(second.policy.credentials.leeway.as_secs(), 5);
}

#[test]
fn a_fingerprint_changes_with_every_file_that_a_policy_is_made_from() {
    let folder = Folder::with(GOOD);
    let paths = [folder.path().to_owned()];
    let files = folder.load().unwrap().files;
    let mut seen = vec![Fingerprint::of(&paths, &files)];
    folder.write("keys/idp.jwks.json", JWKS.replace(':', ": "));
    seen.push(Fingerprint::of(&paths, &files));
    folder.write("second.yaml", ROUTE);
    seen.push(Fingerprint::of(&paths, &files));
    fs::remove_file(folder.path().join("keys/idp.jwks.json")).unwrap();
    seen.push(Fingerprint::of(&paths, &files));
    for (index, one) in seen.iter().enumerate() {
        assert!(!seen[..index].contains(one), "{index}");
    }
}

/// Of such a file not the content is compared, but nobody can change it unseen.
#[test]
fn a_fingerprint_changes_with_a_large_file_also_where_length_and_time_stay_the_same() {
    let folder = Folder::new();
    let path = folder.write("large.mmdb", vec![b'a'; 2 * 1024 * 1024]);
    let look = || Fingerprint::of(&[], std::slice::from_ref(&path));
    let (before, time) = (look(), fs::metadata(&path).unwrap().modified().unwrap());
    assert_eq!(before, look());

    let other = folder.write("other.mmdb", vec![b'b'; 2 * 1024 * 1024]);
    fs::File::open(&other).unwrap().set_modified(time).unwrap();
    fs::rename(&other, &path).unwrap();
    let replaced = look();
    assert_ne!(before, replaced);

    // The system notes changes to a few milliseconds.
    std::thread::sleep(std::time::Duration::from_millis(50));
    fs::write(&path, vec![b'c'; 2 * 1024 * 1024]).unwrap();
    fs::File::open(&path).unwrap().set_modified(time).unwrap();
    assert_ne!(replaced, look());
}

#[test]
fn a_refused_policy_says_which_files_to_watch_also_those_that_are_missing() {
    let folder = Folder::with(&changed("issuers:\n  idp: { algorithms: [ES256], keys: { file: lost.json } }"));
    let files = folder.load().unwrap_err().files();
    assert!(files.contains(&folder.path().join("policy.yaml")) && files.contains(&folder.path().join("lost.json")));
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = Folder::new();
    folder.write("latin1.yaml", b"resource: caf\xe9");
    folder.write("large.yaml", vec![b'#'; 17 * 1024 * 1024]);
    folder.write("empty/notes.txt", "");
    symlink("loop.yaml", folder.path().join("loop.yaml")).unwrap();
    let output = folder.check(&["latin1.yaml", "large.yaml", "empty", "lost.yaml", "loop.yaml"]);
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!("unreadable", stderr(&output));
}

#[test]
fn a_byte_order_mark_moves_no_place() {
    let policy = changed("unmatched: { sensitivity: high, weather: fine }");
    let problems = Folder::with(&format!("\u{feff}{policy}")).load().unwrap_err();
    let problem = problems.iter().next().unwrap();
    let text = problems.source(problem.place.source).unwrap().text();
    assert_eq!((problem.code, &text[problem.place.start..problem.place.end]), (Code::UnknownKey, "weather"));
}

#[test]
fn folders_in_a_loop_come_to_an_end() {
    let folder = Folder::with(GOOD);
    symlink("..", folder.path().join("keys/up")).unwrap();
    let codes: Vec<_> = folder.load().unwrap_err().iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::Unreadable]);
}
