//! Tests the program through its command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_measurement-id-vectors"))
        .args(arguments)
        .output()
        .unwrap()
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn scratch_file(name: &str, contents: &[u8]) -> PathBuf {
    let file = scratch(name);
    fs::write(&file, contents).unwrap();
    file
}

/// Writes a golden file of version 3 into a folder of its own.
fn written(folder: &str) -> PathBuf {
    fs::create_dir_all(scratch(folder)).unwrap();
    let file = scratch(folder).join("measurement-id-v3.json");
    assert!(run(&["--write", file.to_str().unwrap()]).status.success());
    file
}

/// Asserts the exit code and an empty stdout. Returns the one line on stderr.
fn refusal(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code));
    assert!(output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

#[test]
fn the_golden_files_of_this_repository_are_as_generated() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = run(&["--check", golden.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 3);
}

#[test]
fn a_folder_gets_a_file_of_each_version() {
    let folder = scratch("all");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.to_str().unwrap();
    assert!(run(&["--write", path]).status.success());
    assert!(run(&["--check", path]).status.success());
    for name in [
        "measurement-id.json",
        "measurement-id-v2.json",
        "measurement-id-v3.json",
    ] {
        let file = folder.join(name);
        assert!(run(&["--verify", file.to_str().unwrap()]).status.success(), "{name}");
    }
    fs::remove_file(folder.join("measurement-id-v2.json")).unwrap();
    assert!(refusal(&["--check", path], 1).contains("measurement-id-v2.json"));
}

#[test]
fn the_vectors_of_one_version_are_not_those_of_another() {
    let third = written("third");
    let second = third.with_file_name("measurement-id-v2.json");
    fs::copy(&third, &second).unwrap();
    refusal(&["--check", second.to_str().unwrap()], 1);
}

#[test]
fn what_was_written_checks_and_verifies_and_check_is_the_default() {
    let file = written("written");
    let path = file.to_str().unwrap();
    for arguments in [&["--check", path][..], &[path], &["--verify", path]] {
        assert!(run(arguments).status.success(), "{arguments:?}");
    }
}

#[test]
fn check_names_the_first_line_that_differs_and_changes_nothing() {
    let file = written("changed");
    let path = file.to_str().unwrap();
    let changed = fs::read_to_string(&file).unwrap().replacen("\"taxi\"", "\"taxis\"", 1);
    fs::write(&file, &changed).unwrap();
    let message = refusal(&["--check", path], 1);
    assert!(message.starts_with(&format!("error: {path}:2:")), "{message}");
    assert_eq!(fs::read_to_string(&file).unwrap(), changed);
}

#[test]
fn check_notices_a_missing_last_line() {
    let file = written("cut");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 3]).unwrap();
    refusal(&["--check", file.to_str().unwrap()], 1);
}

#[test]
fn verify_names_the_first_vector_that_differs() {
    let file = written("wrong");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("\"taxi\"", "\"taxis\"", 1)).unwrap();
    let message = refusal(&["--verify", file.to_str().unwrap()], 1);
    assert!(
        message.contains("1 of ") && message.contains("/vectors/0 (random_access_times)"),
        "{message}"
    );
}

#[test]
fn bad_files_get_one_line_each() {
    let missing = scratch("does-not-exist.json");
    let binary = scratch_file("binary.json", &[0xff, 0xfe, 0x00]);
    let prose = scratch_file("prose.json", b"not json\nat all\n");
    let broken_name = "{\"seed\":0,\"vectors\":[{\"table\":\"a\\nb\\u001b\",\"fields\":{},\"measurement_id\":0}]}";
    let newline = scratch_file("newline.json", broken_name.as_bytes());
    for file in [missing, binary, prose, newline] {
        let message = refusal(&["--verify", file.to_str().unwrap()], 1);
        assert!(!message.contains('\u{1b}'));
    }
    refusal(&["--check", scratch("does-not-exist.json").to_str().unwrap()], 1);
    refusal(
        &["--write", scratch("no/such/measurement-id.json").to_str().unwrap()],
        1,
    );
    let other_name = refusal(&["--write", scratch("other-name.json").to_str().unwrap()], 1);
    assert!(other_name.contains("not named measurement-id.json"), "{other_name}");
}

#[test]
fn a_bad_command_line_gets_the_usage() {
    for arguments in [
        &["--chekc"][..],
        &["--verify"],
        &["--check", "--write"],
        &["--check", "a", "b"],
        &["a", "b"],
    ] {
        assert!(refusal(arguments, 2).contains("usage: "), "{arguments:?}");
    }
}
