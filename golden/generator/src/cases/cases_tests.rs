//! Properties that the list of vectors must have as a whole.

use std::collections::{HashMap, HashSet};

use super::{Vector, all, text};
use crate::contracts::{Contract, Kind, contract, contracts};
use crate::document::{document, line};
use crate::layout::{Presence, Value, measurement_id, payload};
use crate::verify::verify;

fn contract_1() -> &'static Contract {
    contract(1).unwrap()
}

/// The vectors of version 1: every case of the dimensions that all versions share.
fn first() -> Vec<Vector> {
    all(contract_1())
}

fn third() -> Vec<Vector> {
    all(contract(3).unwrap())
}

fn every_version() -> Vec<Vector> {
    contracts().iter().flat_map(all).collect()
}

fn texts(vectors: Vec<Vector>) -> impl Iterator<Item = String> {
    let values = vectors.into_iter().flat_map(|vector| vector.values);
    values.filter_map(|value| match value {
        Value::Str(text) | Value::OptionalStr(Presence::Given(text)) | Value::Conditional(Some(text)) => Some(text),
        _ => None,
    })
}

fn open_modes() -> Vec<Option<String>> {
    let values = third().into_iter().flat_map(|vector| vector.values);
    values
        .filter_map(|value| match value {
            Value::Conditional(open_mode) => Some(open_mode),
            _ => None,
        })
        .collect()
}

fn thresholds() -> HashSet<u64> {
    let values = first().into_iter().flat_map(|vector| vector.values);
    let bits = |value| match value {
        Value::F64(number) => Some(number.value().to_bits()),
        _ => None,
    };
    values.filter_map(bits).collect()
}

#[test]
fn the_documents_are_the_same_each_time() {
    for contract in contracts() {
        let text = || document(contract.version, &all(contract));
        assert_eq!(text(), text());
    }
}

#[test]
fn there_are_enough_vectors_for_every_table_in_less_than_two_megabytes() {
    let vectors = first();
    assert!(vectors.len() >= 1_500, "{}", vectors.len());
    for table in &contract_1().tables {
        let count = vectors.iter().filter(|vector| vector.table.name == table.name).count();
        assert!(count >= 250, "{}: {count}", table.name);
    }
    assert!(document(1, &vectors).len() < 2_000_000);
}

#[test]
fn later_versions_have_vectors_of_every_table_in_less_than_a_megabyte() {
    for contract in &contracts()[1..] {
        let vectors = all(contract);
        for table in &contract.tables {
            let count = vectors.iter().filter(|vector| vector.table.name == table.name).count();
            assert!(count >= 60, "{}: {count}", table.name);
        }
        assert!(document(contract.version, &vectors).len() < 1_000_000);
    }
}

#[test]
fn version_3_has_hundreds_of_vectors_of_each_open_mode() {
    let modes = open_modes();
    let count = |open_mode: Option<&str>| modes.iter().filter(|mode| mode.as_deref() == open_mode).count();
    for open_mode in [None, Some("cached"), Some("reopen")] {
        assert!(count(open_mode) >= 200, "{open_mode:?}: {}", count(open_mode));
    }
    let distinct: HashSet<_> = modes.iter().collect();
    assert!(distinct.len() >= 100, "{}", distinct.len());
}

#[test]
fn version_3_takes_texts_from_every_plane_of_unicode() {
    let planes: HashSet<u32> = texts(third()).flat_map(|text| planes_of(&text)).collect();
    assert_eq!(planes.len(), 17);
}

fn planes_of(text: &str) -> Vec<u32> {
    text.chars().map(|c| u32::from(c) >> 16).collect()
}

#[test]
fn an_older_vector_has_the_same_bytes_in_every_newer_version() {
    for older in contracts() {
        for vector in all(older) {
            for newer in contracts().iter().filter(|newer| newer.version > older.version) {
                let table = newer.table(vector.table.name).unwrap();
                let mut values = vector.values.clone();
                values.resize(table.dimensions.len(), Value::Conditional(None));
                assert_eq!(payload(table, &values), payload(vector.table, &vector.values));
            }
        }
    }
}

#[test]
fn the_documents_are_ascii_with_one_vector_a_line() {
    for contract in contracts() {
        let vectors = all(contract);
        let document = document(contract.version, &vectors);
        let is_plain = |byte| byte == b'\n' || (b' '..=b'~').contains(&byte);
        assert!(document.bytes().all(is_plain));
        assert_eq!(document.lines().count(), vectors.len() + 2);
    }
}

#[test]
fn an_independent_reader_gets_every_id_back() {
    for contract in contracts() {
        let vectors = all(contract);
        let verdict = verify(&document(contract.version, &vectors)).unwrap();
        assert_eq!(verdict.contract_version, contract.version);
        assert_eq!(verdict.vectors, vectors.len());
        assert_eq!(verdict.mismatches, []);
    }
}

#[test]
fn every_value_has_the_kind_of_its_dimension() {
    for vector in every_version() {
        assert_eq!(vector.values.len(), vector.table.dimensions.len());
        for (dimension, value) in vector.table.dimensions.iter().zip(&vector.values) {
            assert!(fits(dimension.kind, value), "{}", line(&vector));
        }
    }
}

fn fits(kind: Kind, value: &Value) -> bool {
    matches!(
        (kind, value),
        (Kind::Str, Value::Str(_))
            | (Kind::OptionalStr, Value::OptionalStr(_))
            | (Kind::StrUnless(_), Value::Conditional(_))
            | (Kind::I32, Value::I32(_))
            | (Kind::F64, Value::F64(_))
    )
}

#[test]
fn every_dimension_takes_many_values() {
    let mut seen: HashMap<(&str, &str), HashSet<String>> = HashMap::new();
    for vector in first() {
        for (dimension, value) in vector.table.dimensions.iter().zip(&vector.values) {
            let values = seen.entry((vector.table.name, dimension.name)).or_default();
            values.insert(format!("{value:?}"));
        }
    }
    assert_eq!(seen.len(), 25);
    for (dimension, values) in seen {
        assert!(values.len() >= 50, "{dimension:?}: {}", values.len());
    }
}

#[test]
fn ids_are_equal_exactly_when_the_bytes_are() {
    let mut payloads: HashMap<i64, Vec<u8>> = HashMap::new();
    let mut shared = 0;
    for vector in every_version() {
        let bytes = payload(vector.table, &vector.values);
        let id = measurement_id(vector.table, &vector.values);
        if let Some(earlier) = payloads.insert(id, bytes.clone()) {
            assert_eq!(earlier, bytes);
            shared += 1;
        }
    }
    let mut distinct: Vec<&Vec<u8>> = payloads.values().collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), payloads.len());
    assert!(shared > 0, "null and absent must share ids");
}

#[test]
fn no_text_of_versions_1_and_2_holds_the_character_postgres_cannot_store() {
    for version in [1, 2] {
        let vectors = all(contract(version).unwrap());
        assert!(texts(vectors).all(|text| !text.contains('\0')));
    }
}

#[test]
fn payload_lengths_leave_every_remainder_of_a_block() {
    let remainder = |vector: &Vector| payload(vector.table, &vector.values).len() % 32;
    let remainders: HashSet<usize> = first().iter().map(remainder).collect();
    assert_eq!(remainders.len(), 32);
    let reopened = Value::Conditional(Some("reopen".to_owned()));
    let reopened: HashSet<usize> = third()
        .iter()
        .filter(|vector| vector.values.contains(&reopened))
        .map(remainder)
        .collect();
    assert_eq!(reopened.len(), 32);
}

#[test]
fn the_borders_of_a_double_are_among_the_thresholds() {
    let seen = thresholds();
    let borders = [
        -0.0,
        0.0,
        5e-324,
        f64::MIN_POSITIVE,
        0.1,
        0.1 + 0.2,
        1.0 / 3.0,
        1e-308,
        1e308,
        f64::MAX,
        f64::MIN,
    ];
    for border in borders {
        assert!(seen.contains(&border.to_bits()), "{border:?}");
    }
    let next_to = 0.85_f64.to_bits();
    assert!(seen.contains(&(next_to - 1)) && seen.contains(&(next_to + 1)));
}

#[test]
fn minus_zero_is_written_in_one_way_only() {
    for vector in every_version() {
        if let Some(Value::F64(number)) = vector.values.last() {
            let is_minus_zero = number.value().to_bits() == (-0.0_f64).to_bits();
            assert_eq!(is_minus_zero, number.token() == "-0.0", "{}", number.token());
        }
    }
}

#[test]
fn the_borders_of_an_i32_are_among_the_query_indexes() {
    let vectors = first();
    let seen: HashSet<i32> = vectors
        .iter()
        .flat_map(|vector| &vector.values)
        .filter_map(|value| match value {
            Value::I32(number) => Some(*number),
            _ => None,
        })
        .collect();
    for border in [0, 1, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536, i32::MAX] {
        assert!(seen.contains(&border) && seen.contains(&-border), "{border}");
    }
    assert!(seen.contains(&i32::MIN) && seen.contains(&(i32::MIN + 1)));
}

#[test]
fn sized_text_has_exactly_that_many_bytes() {
    for wide in ["", "\u{e9}", "€", "😀"] {
        for bytes in 0..70 {
            assert_eq!(text::sized(wide, bytes).len(), bytes);
        }
    }
}
