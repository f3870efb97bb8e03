//! Finds and reads the files of a policy.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::source::{Place, SourceId};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// More than 50,000 routes take; a bound on what a mistaken path can make us hold.
const MAX_POLICY_BYTES: u64 = 16 * 1024 * 1024;

/// Deeper than any layout of policies; ends loops of symbolic links.
const MAX_FOLDER_DEPTH: usize = 16;

/// Why a file can't be taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    #[error("it is not UTF-8")]
    Encoding(#[from] std::string::FromUtf8Error),
}

/// Reads every file that the paths stand for, each once; what can't be read is reported.
pub(super) fn read(paths: &[PathBuf], problems: &mut Diagnostics) -> Vec<SourceId> {
    let mut seen = HashSet::new();
    let mut sources = Vec::new();
    for path in paths {
        for file in found(path, problems) {
            if seen.insert(fs::canonicalize(&file).unwrap_or_else(|_| file.clone())) {
                sources.extend(source(&file, problems));
            }
        }
    }
    sources
}

/// The files that a path stands for: itself, or all YAML files below it, sorted.
pub(super) fn list(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    visit(path, MAX_FOLDER_DEPTH, &mut files)?;
    Ok(files)
}

/// Reads a regular file of at most so many bytes.
pub(super) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    let file = fs::metadata(path)?;
    // A pipe or device would keep us waiting, or never end.
    if !file.is_file() {
        return Err(io::Error::other("it is not a regular file").into());
    }
    // As large as it is, since what is read may stay in memory.
    let mut bytes = Vec::with_capacity(usize::try_from(file.len().min(most)).unwrap_or(0));
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(FileError::TooLarge(most)) } else { Ok(bytes) }
}

fn found(path: &Path, problems: &mut Diagnostics) -> Vec<PathBuf> {
    match list(path) {
        Ok(files) if files.is_empty() => {
            let message = format!("no *.yaml or *.yml file below `{}`", path.display());
            let help = "name the file, or a folder that has one; names that begin with a dot are passed over";
            report(Code::NoFile, path, message, help, problems);
            Vec::new()
        }
        Ok(files) => files,
        Err(error) => {
            unreadable(path, &error.into(), problems);
            Vec::new()
        }
    }
}

fn source(path: &Path, problems: &mut Diagnostics) -> Option<SourceId> {
    match read_bounded(path, MAX_POLICY_BYTES).and_then(|bytes| Ok(String::from_utf8(bytes)?)) {
        // The YAML reader does not count a byte order mark when it says where something stands.
        Ok(text) => Some(problems.add_source(path, text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))),
        Err(error) => {
            unreadable(path, &error, problems);
            None
        }
    }
}

fn unreadable(path: &Path, error: &FileError, problems: &mut Diagnostics) {
    let (code, help) = match error {
        FileError::TooLarge(_) => (Code::TooLarge, "split the policy into several files"),
        FileError::Encoding(_) => (Code::Unreadable, "save it as UTF-8"),
        FileError::Io(_) => (Code::Unreadable, "check that it is there and may be read"),
    };
    report(code, path, format!("can't read `{}`: {error}", path.display()), help, problems);
}

fn report(code: Code, path: &Path, message: String, help: &str, problems: &mut Diagnostics) {
    let place = Place::start_of(problems.add_source(path, String::new()));
    problems.report(code, place, message, help);
}

fn visit(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let depth = depth.checked_sub(1).ok_or_else(|| io::Error::other("its folders are nested too deeply"))?;
    for entry in sorted_entries(path)? {
        if entry.is_dir() || is_yaml(&entry) {
            visit(&entry, depth, files)?;
        }
    }
    Ok(())
}

/// Without names that begin with a dot: the files of a `ConfigMap` are links into `..data`, which must not be read once more.
fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let entries: io::Result<Vec<_>> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let mut entries: Vec<_> = entries?.into_iter().filter(|path| !hidden(path)).collect();
    entries.sort();
    Ok(entries)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}
