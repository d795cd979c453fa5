//! Where messages go that do not go to spanmill's own log.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Open files and standard streams. Writing blocks.
#[derive(Debug, Default)]
pub(super) struct Outputs(Vec<Output>);

#[derive(Debug)]
enum Output {
    Stdout,
    Stderr,
    File(PathBuf, File),
}

// === impl Outputs ===

impl Outputs {
    /// Opens them all; the error names the one that could not be.
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self, (PathBuf, io::Error)> {
        let open = |path: &PathBuf| match path.to_str() {
            Some("stdout") => Ok(Output::Stdout),
            Some("stderr") => Ok(Output::Stderr),
            _ => append(path).map(|file| Output::File(path.clone(), file)).map_err(|error| (path.clone(), error)),
        };
        paths.iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// Writes a whole message to each of them.
    pub(super) fn write(&mut self, text: &str) -> Result<(), (PathBuf, io::Error)> {
        for output in &mut self.0 {
            let (path, written) = match output {
                Output::Stdout => (Path::new("stdout"), io::stdout().lock().write_all(text.as_bytes())),
                Output::Stderr => (Path::new("stderr"), io::stderr().lock().write_all(text.as_bytes())),
                Output::File(path, file) => (path.as_path(), file.write_all(text.as_bytes())),
            };
            written.map_err(|error| (path.to_owned(), error))?;
        }
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}
