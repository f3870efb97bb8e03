//! Where connections come from: a TCP address or a Unix socket.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::{fmt, net, os::unix};
use tokio::net::{TcpListener, UnixListener};

/// Whoever is in the socket's group may ask, nobody else.
const SOCKET_MODE: u32 = 0o660;

/// A bound address that can accept connections. A Unix socket's file goes with it.
#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error("can't listen on `{address}`: {source}")]
    Tcp { address: SocketAddr, source: io::Error },
    #[error("can't listen on `unix:{}`: {source}", path.display())]
    Unix { path: PathBuf, source: io::Error },
}

impl Listener {
    /// Listens on a TCP address; port 0 takes any free one.
    pub async fn bind_tcp(address: SocketAddr) -> Result<Self, BindError> {
        let bound = TcpListener::bind(address).await;
        bound.map(Self::Tcp).map_err(|source| BindError::Tcp { address, source })
    }

    /// Listens on a Unix socket of mode 0660. A socket file that nobody listens on any more is replaced.
    ///
    /// Must be called inside a tokio runtime.
    pub fn bind_unix(path: impl Into<PathBuf>) -> Result<Self, BindError> {
        let path = path.into();
        match bind_socket(&path) {
            Ok((listener, file)) => Ok(Self::Unix(listener, file)),
            Err(source) => Err(BindError::Unix { path, source }),
        }
    }

    /// The address that was bound, for TCP.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }

    pub(super) async fn accept(&self) -> io::Result<Socket> {
        match self {
            Self::Tcp(listener) => {
                let stream = listener.accept().await?.0;
                stream.set_nodelay(true)?;
                stream.into_std().map(Socket::Tcp)
            }
            Self::Unix(listener, _) => listener.accept().await?.0.into_std().map(Socket::Unix),
        }
    }
}

/// As in `--listen`: `127.0.0.1:9191`, `unix:/run/stepgate/authz.sock`.
impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(f),
                Err(error) => write!(f, "({error})"),
            },
            Self::Unix(_, file) => write!(f, "unix:{}", file.path.display()),
        }
    }
}

/// An accepted connection on its way to the runtime that will serve it. TLS gets its variant here: the handshake
/// belongs to the worker, so that it never holds up the acceptor.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(net::TcpStream),
    Unix(unix::net::UnixStream),
}

/// A socket's file, removed when it is no longer listened on.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and inode: a file that took this one's place is not ours to remove.
    identity: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            // Nothing can be done about a file that won't go; the next start finds it stale.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Bound under a name of its own and then moved, so that the socket never stands there with other rights than its
/// own, and a stale file is replaced in one step.
fn bind_socket(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    refuse_taken(path)?;
    let unfinished = unfinished_name(path)?;
    remove_stale(&unfinished)?;
    let listener = UnixListener::bind(&unfinished)?;
    match place(&unfinished, path) {
        Ok(identity) => Ok((listener, SocketFile { path: path.to_owned(), identity })),
        Err(error) => {
            let _ = fs::remove_file(&unfinished); // what went wrong before is what matters
            Err(error)
        }
    }
}

fn place(unfinished: &Path, path: &Path) -> io::Result<(u64, u64)> {
    fs::set_permissions(unfinished, Permissions::from_mode(SOCKET_MODE))?;
    fs::rename(unfinished, path)?;
    identity(path)
}

/// An error unless the path is free or holds a socket that nobody listens on.
fn refuse_taken(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "a file that is no socket is in its place"));
    }
    match unix::net::UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, "another process listens on it")),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
    }
}

/// A start that broke off before the move left its socket. In a container every process has the same id, and so every
/// later start would find it in its way.
fn remove_stale(unfinished: &Path) -> io::Result<()> {
    refuse_taken(unfinished)?;
    match fs::remove_file(unfinished) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn unfinished_name(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "it names no file"))?;
    let mut unfinished = std::ffi::OsString::from(".");
    unfinished.push(name);
    unfinished.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(unfinished))
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}
