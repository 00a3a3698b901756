//! Checks, writes or verifies golden measurement_id vectors.

mod cases;
mod check;
mod contracts;
mod document;
mod files;
mod json;
mod layout;
mod verify;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::contracts::Contract;

/// The folder of the golden files, relative to the generator's folder.
const GOLDEN: &str = "..";
const USAGE: &str = "usage: measurement-id-vectors [--check | --write] [FOLDER | FILE], or --verify FILE";

enum Mode {
    Check,
    Write,
    Verify,
}

enum Failure {
    /// The command line is invalid.
    Usage(String),
    /// A file is missing, unreadable or has the wrong content.
    File(String),
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = settings(&arguments).and_then(|(mode, path)| run(&mode, &path));
    // A failed write to the terminal is ignored, because there is nowhere else to report it.
    match outcome {
        Ok(verdicts) => {
            for verdict in verdicts {
                let _ = writeln!(io::stdout(), "{}", one_line(&verdict));
            }
            ExitCode::SUCCESS
        }
        Err(Failure::File(message)) => {
            let _ = writeln!(io::stderr(), "error: {}", one_line(&message));
            ExitCode::from(1)
        }
        Err(Failure::Usage(message)) => {
            let _ = writeln!(io::stderr(), "error: {}; {USAGE}", one_line(&message));
            ExitCode::from(2)
        }
    }
}

fn settings(arguments: &[OsString]) -> Result<(Mode, PathBuf), Failure> {
    let (mode, files) = match arguments.split_first() {
        Some((flag, rest)) if flag == "--check" => (Mode::Check, rest),
        Some((flag, rest)) if flag == "--write" => (Mode::Write, rest),
        Some((flag, rest)) if flag == "--verify" => (Mode::Verify, rest),
        _ => (Mode::Check, arguments),
    };
    match files {
        [] if matches!(mode, Mode::Verify) => Err(Failure::Usage("--verify needs a file".to_owned())),
        [] => Ok((mode, PathBuf::from(GOLDEN))),
        [file] if !file.as_encoded_bytes().starts_with(b"-") => Ok((mode, PathBuf::from(file))),
        [option] => Err(usage("unknown option", option)),
        [_, surplus, ..] => Err(usage("unexpected argument", surplus)),
    }
}

fn usage(what: &str, argument: &OsString) -> Failure {
    Failure::Usage(format!("{what} {}", argument.display()))
}

/// Runs a mode. Returns one line per file, or the first failure.
fn run(mode: &Mode, path: &Path) -> Result<Vec<String>, Failure> {
    let result = match mode {
        Mode::Check => each_golden_file(path, files::check_file),
        Mode::Write => each_golden_file(path, files::write_file),
        Mode::Verify => files::verify_file(path).map(|verdict| vec![verdict]),
    };
    result.map_err(Failure::File)
}

fn each_golden_file(
    path: &Path,
    action: fn(&Path, &'static Contract) -> Result<String, String>,
) -> Result<Vec<String>, String> {
    let files = files::golden_files(path)?;
    files.iter().map(|(file, contract)| action(file, contract)).collect()
}

/// Shortens a message, puts it on one line and escapes control characters, because messages quote file contents and paths.
fn one_line(message: &str) -> String {
    const MOST_CHARACTERS: usize = 300;
    let visible = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    let mut line: String = message.chars().take(MOST_CHARACTERS).map(visible).collect();
    if message.chars().nth(MOST_CHARACTERS).is_some() {
        line.push('…');
    }
    line
}
