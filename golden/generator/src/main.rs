//! Checks, writes or verifies golden measurement_id vectors.

mod cases;
mod check;
mod document;
mod json;
mod layout;
mod verify;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const GOLDEN: &str = "../measurement-id.json";
const USAGE: &str = "usage: measurement-id-vectors [--check | --write | --verify] [FILE]";

enum Mode {
    Check,
    Write,
    Verify,
}

enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// The file is not what it should be.
    File(String),
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = settings(&arguments).and_then(|(mode, file)| run(&mode, &file));
    // Nobody is left to tell when the terminal is gone.
    match outcome {
        Ok(verdict) => {
            let _ = writeln!(io::stdout(), "{}", one_line(&verdict));
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
        [] => Ok((mode, PathBuf::from(GOLDEN))),
        [file] if !file.as_encoded_bytes().starts_with(b"-") => Ok((mode, PathBuf::from(file))),
        [option] => Err(usage("unknown option", option)),
        [_, surplus, ..] => Err(usage("unexpected argument", surplus)),
    }
}

fn usage(what: &str, argument: &OsString) -> Failure {
    Failure::Usage(format!("{what} {}", argument.display()))
}

fn run(mode: &Mode, file: &Path) -> Result<String, Failure> {
    let result = match mode {
        Mode::Check => check_file(file),
        Mode::Write => write_file(file),
        Mode::Verify => verify_file(file),
    };
    result.map_err(Failure::File)
}

fn check_file(file: &Path) -> Result<String, String> {
    let vectors = cases::all();
    let generated = document::document(&vectors);
    let stored = read(file)?;
    match check::first_difference(&stored, generated.as_bytes()) {
        None => Ok(format!("{}: {} vectors, as generated", file.display(), vectors.len())),
        Some(at) => Err(format!(
            "{}:{}:{}: differs from what the generator writes",
            file.display(),
            at.line,
            at.byte,
        )),
    }
}

fn write_file(file: &Path) -> Result<String, String> {
    let vectors = cases::all();
    let text = document::document(&vectors);
    fs::write(file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(format!(
        "{}: wrote {} vectors, {} bytes",
        file.display(),
        vectors.len(),
        text.len()
    ))
}

fn verify_file(file: &Path) -> Result<String, String> {
    let text = String::from_utf8(read(file)?).map_err(|error| format!("{}: {error}", file.display()))?;
    let verdict = verify::verify(&text).map_err(|reason| format!("{}: {reason}", file.display()))?;
    let total = verdict.vectors;
    match verdict.mismatches.first() {
        None => Ok(format!("{}: {total} of {total} vectors match", file.display())),
        Some(first) => Err(format!(
            "{}: {} of {total} vectors differ, first /vectors/{} ({}): stored {}, computed {}",
            file.display(),
            verdict.mismatches.len(),
            first.index,
            first.table,
            first.stored,
            first.computed,
        )),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// Messages quote file contents and paths: keep them short, on one line and harmless to a terminal.
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
