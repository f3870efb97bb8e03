use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use stepgate::chassis::Listener;

#[tokio::test]
async fn a_socket_is_for_its_group_and_goes_with_its_listener() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authz.sock");
    let listener = Listener::bind_unix(&path).unwrap();
    assert_eq!(listener.to_string(), format!("unix:{}", path.display()));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    assert!(UnixStream::connect(&path).is_ok());
    drop(listener);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[tokio::test]
async fn a_stale_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authz.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap()); // the file stays
    let _listener = Listener::bind_unix(&path).unwrap();
    assert!(UnixStream::connect(&path).is_ok());
}

#[tokio::test]
async fn what_a_start_that_broke_off_left_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let unfinished = folder.path().join(format!(".authz.sock.{}", std::process::id()));
    drop(std::os::unix::net::UnixListener::bind(&unfinished).unwrap()); // the file stays
    let path = folder.path().join("authz.sock");
    let _listener = Listener::bind_unix(&path).unwrap();
    assert!(UnixStream::connect(&path).is_ok());
    assert!(!unfinished.exists());
}

#[tokio::test]
async fn a_file_under_the_unfinished_name_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let unfinished = folder.path().join(format!(".authz.sock.{}", std::process::id()));
    fs::write(&unfinished, "precious").unwrap();
    assert!(Listener::bind_unix(folder.path().join("authz.sock")).is_err());
    assert_eq!(fs::read_to_string(&unfinished).unwrap(), "precious");
}

#[tokio::test]
async fn a_socket_that_someone_listens_on_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authz.sock");
    let _first = Listener::bind_unix(&path).unwrap();
    let error = Listener::bind_unix(&path).unwrap_err().to_string();
    assert!(error.contains(&format!("`unix:{}`", path.display())), "{error}");
    assert!(UnixStream::connect(&path).is_ok());
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authz.sock");
    fs::write(&path, "precious").unwrap();
    assert!(Listener::bind_unix(&path).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn a_successors_socket_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authz.sock");
    let first = Listener::bind_unix(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let _second = Listener::bind_unix(&path).unwrap();
    drop(first);
    assert!(UnixStream::connect(&path).is_ok());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = Listener::bind_tcp(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = first.tcp_address().unwrap();
    let error = Listener::bind_tcp(address).await.unwrap_err().to_string();
    assert!(error.contains(&format!("`{address}`")), "{error}");
}
