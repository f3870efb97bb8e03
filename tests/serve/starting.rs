//! What keeps it from starting, with its exit code and what it says.

use crate::support::authz::{Ask, Authz};
use crate::support::child::Child;
use crate::support::gate::CHALLENGE_KEY;
use crate::support::issuers::Issuers;
use crate::support::stepgate::{Listen, Stepgate, binary};
use crate::support::wait::until;
use crate::support::{Result, repository};
use crate::{READ, support};
use rstest::rstest;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// A folder with a good policy and its keys.
struct Home {
    dir: TempDir,
    policy: PathBuf,
}

/// How a start that failed ended.
struct Ended {
    code: Option<i32>,
    said: String,
}

impl Home {
    fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        Issuers::new()?.write_jwks(dir.path())?;
        let policy = dir.path().join("policy.yaml");
        fs::copy(repository("tests/policies/answers.yaml"), &policy)?;
        Ok(Self { dir, policy })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts with these arguments and waits for the end that must come.
    fn fails_with(&self, arguments: &[&str]) -> Result<Ended> {
        let mut command = assert_cmd::Command::new(binary()?);
        // Flags outdo the environment.
        command.env("STEPGATE_LISTEN", "127.0.0.1:0").env("STEPGATE_ADMIN", "127.0.0.1:0");
        command.arg("serve").arg("--policy").arg(&self.policy).args(arguments);
        let output = command.timeout(Duration::from_secs(20)).output()?;
        let said = String::from_utf8(output.stderr)?;
        assert!(!said.contains("listening"), "{said}");
        Ok(Ended { code: output.status.code(), said })
    }

    fn fails(&self) -> Result<Ended> {
        self.fails_with(&[])
    }
}

impl Ended {
    fn is(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.said);
        for text in says {
            assert!(self.said.contains(text), "`{text}` is not in: {}", self.said);
        }
    }
}

#[test]
fn a_bad_policy_shows_every_problem() -> Result<()> {
    let home = Home::new()?;
    let policy = fs::read_to_string(&home.policy)?;
    let bad = policy.replace("sensitivity: moderate", "sensitivity: modest").replace("require: bound", "require: bund");
    fs::write(&home.policy, bad)?;
    home.fails()?.is(3, &["`modest`", "`bund`", "policy.yaml:"]);
    Ok(())
}

#[test]
fn a_missing_key_file_is_named() -> Result<()> {
    let home = Home::new()?;
    fs::remove_file(home.path("attester.jwks.json"))?;
    home.fails()?.is(3, &["attester.jwks.json"]);
    Ok(())
}

#[test]
fn a_missing_policy_is_named() -> Result<()> {
    let home = Home::new()?;
    fs::remove_file(&home.policy)?;
    home.fails()?.is(3, &["policy.yaml"]);
    Ok(())
}

#[rstest]
#[case("--listen")]
#[case("--admin")]
fn a_port_that_is_taken_is_named(#[case] flag: &str) -> Result<()> {
    let other = TcpListener::bind("127.0.0.1:0")?;
    let address = other.local_addr()?.to_string();
    Home::new()?.fails_with(&[flag, &address])?.is(1, &[&address]);
    Ok(())
}

#[test]
fn a_socket_that_is_taken_is_named_and_left_alone() -> Result<()> {
    let home = Home::new()?;
    let path = home.path("authz.sock");
    let _other = UnixListener::bind(&path)?;
    home.fails_with(&["--listen", &format!("unix:{}", path.display())])?.is(1, &["authz.sock"]);
    assert!(UnixStream::connect(&path).is_ok());
    Ok(())
}

#[tokio::test]
async fn a_stale_socket_is_replaced_by_one_for_its_group() -> Result<()> {
    let home = Home::new()?;
    let path = home.path("authz.sock");
    drop(UnixListener::bind(&path)?); // the file stays
    let mut stepgate = Stepgate::start(&home.policy, &Listen::Unix(path.clone()), &[]).await?;
    let found = fs::metadata(&path)?;
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o660);
    assert!(UnixStream::connect(&path).is_ok());
    assert!(stepgate.terminate().await?.success());
    assert!(!path.exists());
    Ok(())
}

#[rstest]
#[case::unknown_flag(&["--allow-everything"])]
#[case::address_without_port(&["--listen", "localhost"])]
#[case::socket_without_path(&["--listen", "unix:"])]
#[case::share_above_one(&["--decision-log-allows", "1.5"])]
#[case::size_without_number(&["--cache-bytes", "MiB"])]
#[case::time_without_unit(&["--drain", "10"])]
#[case::no_number(&["--max-in-flight", "-1"])]
fn bad_arguments_exit_with_2(#[case] arguments: &[&str]) -> Result<()> {
    Home::new()?.fails_with(arguments)?.is(2, &["--help"]);
    Ok(())
}

#[rstest]
#[case::missing(None, &["No such file"])]
#[case::empty(Some("# nothing\n".to_owned()), &["64 hex digits"])]
#[case::short(Some("5ca1ab1e\n".to_owned()), &["line 1", "64 hex digits"])]
#[case::no_hex(Some("zz".repeat(32)), &["line 1"])]
#[case::twice(Some(format!("{CHALLENGE_KEY}\n{}\n", CHALLENGE_KEY.to_uppercase())), &["line 2", "repeats"])]
fn a_bad_challenge_key_file_is_named_and_not_shown(#[case] keys: Option<String>, #[case] says: &[&str]) -> Result<()> {
    let home = Home::new()?;
    let file = home.path("challenge.keys");
    if let Some(keys) = keys {
        fs::write(&file, keys)?;
    }
    let ended = home.fails_with(&["--challenge-key-file", &file.display().to_string()])?;
    ended.is(1, &[&["challenge.keys"], says].concat());
    assert!(!ended.said.to_lowercase().contains("5ca1ab1e"), "{}", ended.said);
    Ok(())
}

#[tokio::test]
async fn every_flag_also_stands_in_the_environment() -> Result<()> {
    let home = Home::new()?;
    let (keys, log) = (home.path("challenge.keys"), home.path("decisions.jsonl"));
    fs::write(&keys, CHALLENGE_KEY)?;
    let tokens = home.path("admin.tokens");
    fs::write(&tokens, "alice read 0123456789abcdef0123456789abcdef")?;
    let settings = [
        ("STEPGATE_POLICY", home.policy.display().to_string()),
        ("STEPGATE_LISTEN", "127.0.0.1:0".to_owned()),
        ("STEPGATE_ADMIN", "127.0.0.1:0".to_owned()),
        ("STEPGATE_ADMIN_TOKEN_FILE", tokens.display().to_string()),
        ("STEPGATE_CHALLENGE_KEY_FILE", keys.display().to_string()),
        ("STEPGATE_LOG_FORMAT", "json".to_owned()),
        ("STEPGATE_LOG_LEVEL", "info".to_owned()),
        ("STEPGATE_DECISION_LOG", format!("file:{}", log.display())),
        ("STEPGATE_DECISION_LOG_ALLOWS", "0.0".to_owned()),
        ("STEPGATE_CACHE_BYTES", "1MiB".to_owned()),
        ("STEPGATE_MAX_IN_FLIGHT", "7".to_owned()),
        ("STEPGATE_DRAIN", "1s".to_owned()),
    ];
    let mut command = tokio::process::Command::new(binary()?);
    command.arg("serve").env_clear().envs(settings);
    let mut child = Child::spawn("stepgate", command)?;
    let started = child.until("its addresses", async |child| support::stepgate::listening(&child.stderr())).await?;
    let authz = Authz::connect(&Listen::Tcp(started["listen"].as_str().ok_or("no address")?.parse()?)).await?;
    assert!(!authz.check(&Ask::new("GET", READ)).await?.is_allowed());
    authz.check(&Ask::new("GET", "/x")).await?.allowed()?;
    let policy = format!("http://{}/v1/policy", started["admin"].as_str().ok_or("no address")?);
    let policy = support::http().build()?.get(policy).bearer_auth("0123456789abcdef0123456789abcdef");
    assert_eq!(policy.send().await?.status(), 200);
    assert!(child.terminate().await?.success());
    let logged = until("the log", async || fs::read_to_string(&log).ok().filter(|text| !text.is_empty())).await?;
    assert_eq!(logged.lines().count(), 1, "{logged}");
    Ok(())
}

#[test]
fn a_bad_value_in_the_environment_exits_with_2() -> Result<()> {
    let home = Home::new()?;
    let mut command = assert_cmd::Command::new(binary()?);
    let output =
        command.arg("serve").env("STEPGATE_POLICY", &home.policy).env("STEPGATE_LISTEN", "nowhere").output()?;
    assert_eq!(output.status.code(), Some(2));
    Ok(())
}
