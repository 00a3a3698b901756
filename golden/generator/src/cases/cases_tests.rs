//! What the list of vectors promises as a whole.

use std::collections::{HashMap, HashSet};

use super::{all, text};
use crate::document::{document, line};
use crate::layout::{Kind, Presence, TABLES, Value, measurement_id, payload};
use crate::verify::verify;

fn texts() -> impl Iterator<Item = String> {
    let values = all().into_iter().flat_map(|vector| vector.values);
    values.filter_map(|value| match value {
        Value::Str(text) | Value::OptionalStr(Presence::Given(text)) => Some(text),
        _ => None,
    })
}

fn thresholds() -> HashSet<u64> {
    let values = all().into_iter().flat_map(|vector| vector.values);
    let bits = |value| match value {
        Value::F64(number) => Some(number.value().to_bits()),
        _ => None,
    };
    values.filter_map(bits).collect()
}

#[test]
fn the_document_is_the_same_each_time() {
    assert_eq!(document(&all()), document(&all()));
}

#[test]
fn there_are_enough_vectors_for_every_table_in_less_than_two_megabytes() {
    let vectors = all();
    assert!(vectors.len() >= 1_500, "{}", vectors.len());
    for table in &TABLES {
        let count = vectors.iter().filter(|vector| vector.table.name == table.name).count();
        assert!(count >= 250, "{}: {count}", table.name);
    }
    assert!(document(&vectors).len() < 2_000_000);
}

#[test]
fn the_document_is_ascii_with_one_vector_a_line() {
    let vectors = all();
    let document = document(&vectors);
    assert!(
        document
            .bytes()
            .all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte))
    );
    assert_eq!(document.lines().count(), vectors.len() + 2);
}

#[test]
fn an_independent_reader_gets_every_id_back() {
    let vectors = all();
    let verdict = verify(&document(&vectors)).unwrap();
    assert_eq!(verdict.vectors, vectors.len());
    assert_eq!(verdict.mismatches, []);
}

#[test]
fn every_value_has_the_kind_of_its_dimension() {
    for vector in all() {
        let kinds: Vec<Kind> = vector.table.dimensions.iter().map(|known| known.kind).collect();
        let kind_of = |value: &Value| match value {
            Value::Str(_) => Kind::Str,
            Value::OptionalStr(_) => Kind::OptionalStr,
            Value::I32(_) => Kind::I32,
            Value::F64(_) => Kind::F64,
        };
        let actual: Vec<Kind> = vector.values.iter().map(kind_of).collect();
        assert_eq!(actual, kinds, "{}", line(&vector));
    }
}

#[test]
fn every_dimension_takes_many_values() {
    let mut seen: HashMap<(&str, &str), HashSet<String>> = HashMap::new();
    for vector in all() {
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
    for vector in all() {
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
fn no_text_holds_the_character_postgres_cannot_store() {
    assert!(texts().all(|text| !text.contains('\0')));
}

#[test]
fn payload_lengths_leave_every_remainder_of_a_block() {
    let remainder = |vector: super::Vector| payload(vector.table, &vector.values).len() % 32;
    let remainders: HashSet<usize> = all().into_iter().map(remainder).collect();
    assert_eq!(remainders.len(), 32);
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
    for vector in all() {
        if let Some(Value::F64(number)) = vector.values.last() {
            let is_minus_zero = number.value().to_bits() == (-0.0_f64).to_bits();
            assert_eq!(is_minus_zero, number.token() == "-0.0", "{}", number.token());
        }
    }
}

#[test]
fn the_borders_of_an_i32_are_among_the_query_indexes() {
    let vectors = all();
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
