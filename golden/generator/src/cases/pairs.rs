//! Related cases: records that must share an id and records that must not.

use super::base::{base, is_text, text_value, with};
use crate::contracts::{Contract, Kind, Table};
use crate::document::Vector;
use crate::layout::{Presence, Value};

/// A record of each table with ordinary values, with only empty strings, and with only the text "x".
pub fn whole_records(contract: &'static Contract) -> Vec<Vector> {
    contract
        .tables
        .iter()
        .flat_map(|table| [base(table), filled(table, ""), filled(table, "x")])
        .collect()
}

fn filled(table: &'static Table, text: &str) -> Vector {
    let changes: Vec<(usize, Value)> = (0..table.dimensions.len())
        .filter(|&index| is_text(table.dimensions[index].kind))
        .map(|index| (index, text_value(table.dimensions[index].kind, text)))
        .collect();
    with(table, &changes)
}

/// Optional texts: absent and null share an id; the empty string and every other text have ids of their own.
pub fn optionals(contract: &'static Contract) -> Vec<Vector> {
    contract.tables.iter().flat_map(optionals_of).collect()
}

fn optionals_of(table: &'static Table) -> Vec<Vector> {
    let optional = (0..table.dimensions.len()).filter(|&index| table.dimensions[index].kind == Kind::OptionalStr);
    optional.fold(vec![base(table)], |vectors, index| {
        vectors
            .iter()
            .flat_map(|vector| with_each_presence(vector, index))
            .collect()
    })
}

fn with_each_presence(vector: &Vector, index: usize) -> Vec<Vector> {
    let given = |text: &str| Presence::Given(text.to_owned());
    let forms = [
        Presence::Absent,
        Presence::Null,
        given(""),
        given("null"),
        given("\u{1}"),
        given("1"),
    ];
    let change = |form| {
        let mut changed = vector.clone();
        changed.values[index] = Value::OptionalStr(form);
        changed
    };
    forms.into_iter().map(change).collect()
}

/// Pairs of neighbouring texts that are equal when joined without a length. Each pair is also used in reverse order.
const SPLITS: [(&str, &str); 10] = [
    ("a", "bc"),
    ("ab", "c"),
    ("abc", ""),
    ("", "abc"),
    ("\u{e9}", "e\u{301}"),
    ("e\u{301}", "\u{e9}"),
    ("\u{1}", "\u{1}\u{1}"),
    ("\u{1}\u{1}", "\u{1}"),
    ("nvme", "s3"),
    ("s3", "nvme"),
];

pub fn shifted_borders(contract: &'static Contract) -> Vec<Vector> {
    contract.tables.iter().flat_map(shifted_borders_of).collect()
}

fn shifted_borders_of(table: &'static Table) -> Vec<Vector> {
    let kind = |index: usize| table.dimensions[index].kind;
    let texts: Vec<usize> = (0..table.dimensions.len())
        .filter(|&index| is_text(kind(index)))
        .collect();
    let neighbours = texts.windows(2).map(|pair| (pair[0], pair[1]));
    neighbours
        .flat_map(|(left, right)| SPLITS.map(|split| (left, right, split)))
        .map(|(left, right, (first, second))| {
            let first = (left, text_value(kind(left), first));
            let second = (right, text_value(kind(right), second));
            with(table, &[first, second])
        })
        .collect()
}
