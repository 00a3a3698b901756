//! The golden files: one per contract version, identified by its name.

use std::fs;
use std::path::{Path, PathBuf};

use crate::contracts::{Contract, contracts};
use crate::{cases, check, document, verify};

/// The file of version 1 has no number in its name, because it is older than the numbering.
fn file_name(version: u32) -> String {
    match version {
        1 => "measurement-id.json".to_owned(),
        _ => format!("measurement-id-v{version}.json"),
    }
}

/// The golden file of each contract in a folder, or the one golden file that `path` names.
pub fn golden_files(path: &Path) -> Result<Vec<(PathBuf, &'static Contract)>, String> {
    let name_of = |contract: &Contract| file_name(contract.version);
    if path.is_dir() {
        let in_folder = |contract| (path.join(name_of(contract)), contract);
        return Ok(contracts().iter().map(in_folder).collect());
    }
    let named = |contract: &&Contract| path.file_name().is_some_and(|name| name == name_of(contract).as_str());
    match contracts().iter().find(named) {
        Some(contract) => Ok(vec![(path.to_owned(), contract)]),
        None => {
            let names: Vec<String> = contracts().iter().map(name_of).collect();
            let names = names.join(", ");
            Err(format!("{}: not a folder, and not named {names}", path.display()))
        }
    }
}

pub fn check_file(file: &Path, contract: &'static Contract) -> Result<String, String> {
    let vectors = cases::all(contract);
    let generated = document::document(contract.version, &vectors);
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

pub fn write_file(file: &Path, contract: &'static Contract) -> Result<String, String> {
    let vectors = cases::all(contract);
    let text = document::document(contract.version, &vectors);
    fs::write(file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(format!(
        "{}: wrote {} vectors, {} bytes",
        file.display(),
        vectors.len(),
        text.len()
    ))
}

pub fn verify_file(file: &Path) -> Result<String, String> {
    let text = String::from_utf8(read(file)?).map_err(|error| format!("{}: {error}", file.display()))?;
    let verdict = verify::verify(&text).map_err(|reason| format!("{}: {reason}", file.display()))?;
    let (total, version) = (verdict.vectors, verdict.contract_version);
    match verdict.mismatches.first() {
        None => Ok(format!(
            "{}: {total} of {total} vectors match contract version {version}",
            file.display()
        )),
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::golden_files;

    fn versions(path: &str) -> Vec<u32> {
        let files = golden_files(Path::new(path)).unwrap();
        files.into_iter().map(|(_, contract)| contract.version).collect()
    }

    #[test]
    fn a_folder_stands_for_all_files_and_a_name_for_its_version() {
        assert_eq!(versions("."), [1, 2, 3]);
        assert_eq!(versions("none/measurement-id.json"), [1]);
        assert_eq!(versions("measurement-id-v2.json"), [2]);
        assert_eq!(versions("measurement-id-v3.json"), [3]);
    }

    #[test]
    fn a_file_of_another_name_is_refused() {
        for path in [
            "v3.json",
            "measurement-id-v4.json",
            "none/measurement-id-v3.json.bak",
            "none/..",
        ] {
            assert!(golden_files(Path::new(path)).is_err(), "{path}");
        }
    }
}
