//! An ordinary record of each table, as the starting point of cases that change a field or two.

use crate::contracts::{Contract, Dimension, Kind, Table};
use crate::document::Vector;
use crate::layout::{Number, Presence, Value};

/// # Panics
/// When a table name in this program's own source is not in the contract.
pub fn table(contract: &'static Contract, name: &str) -> &'static Table {
    let table = contract.table(name);
    table.unwrap_or_else(|| panic!("no table: {name}"))
}

pub fn base(table: &'static Table) -> Vector {
    let values = table.dimensions.iter().map(ordinary).collect();
    Vector { table, values }
}

pub fn with(table: &'static Table, changes: &[(usize, Value)]) -> Vector {
    let mut vector = base(table);
    for (index, value) in changes {
        vector.values[*index] = value.clone();
    }
    vector
}

fn ordinary(dimension: &Dimension) -> Value {
    match dimension.kind {
        Kind::Str | Kind::OptionalStr | Kind::StrUnless(_) => text_value(dimension.kind, ordinary_text(dimension.name)),
        Kind::I32 => Value::I32(7),
        Kind::F64 => float(0.85),
    }
}

fn ordinary_text(name: &str) -> &'static str {
    match name {
        "commit_sha" => "0123456789abcdef0123456789abcdef01234567",
        "dataset" => "tpch",
        "dataset_variant" => "clustered",
        "scale_factor" => "10.0",
        "storage" => "nvme",
        "engine" => "datafusion",
        "format" => "parquet",
        "op" => "encode",
        "layout" => "flat",
        "open_mode" => "reopen",
        _ => "cosine",
    }
}

pub fn text_value(kind: Kind, text: &str) -> Value {
    match kind {
        Kind::OptionalStr => Value::OptionalStr(Presence::Given(text.to_owned())),
        Kind::StrUnless(_) => Value::Conditional(Some(text.to_owned())),
        _ => Value::Str(text.to_owned()),
    }
}

/// A double in its shortest form that reads back to the same bits.
pub fn float(value: f64) -> Value {
    token(&format!("{value:?}"))
}

/// # Panics
/// When a token in this program's own source is not a finite JSON number.
pub fn token(token: &str) -> Value {
    let number = Number::from_token(token);
    Value::F64(number.unwrap_or_else(|| panic!("no finite number: {token}")))
}

/// Every place for a text: each table with the index of each of its text dimensions.
pub fn text_slots(contract: &'static Contract) -> Vec<(&'static Table, usize)> {
    contract
        .tables
        .iter()
        .flat_map(|table| (0..table.dimensions.len()).map(move |index| (table, index)))
        .filter(|(table, index)| is_text(table.dimensions[*index].kind))
        .collect()
}

pub fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::Str | Kind::OptionalStr | Kind::StrUnless(_))
}
