//! The bytes of a measurement_id and their hash, as contract section 6 states them.

use twox_hash::XxHash64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Str,
    OptionalStr,
    I32,
    F64,
}

#[derive(Debug)]
pub struct Dimension {
    pub name: &'static str,
    pub kind: Kind,
}

/// A fact table and its dimensions in hash order.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub dimensions: &'static [Dimension],
}

const fn dimension(name: &'static str, kind: Kind) -> Dimension {
    Dimension { name, kind }
}

pub static TABLES: [Table; 5] = [
    Table {
        name: "query_measurements",
        dimensions: &[
            dimension("commit_sha", Kind::Str),
            dimension("dataset", Kind::Str),
            dimension("dataset_variant", Kind::OptionalStr),
            dimension("scale_factor", Kind::OptionalStr),
            dimension("query_idx", Kind::I32),
            dimension("storage", Kind::Str),
            dimension("engine", Kind::Str),
            dimension("format", Kind::Str),
        ],
    },
    Table {
        name: "compression_times",
        dimensions: &[
            dimension("commit_sha", Kind::Str),
            dimension("dataset", Kind::Str),
            dimension("dataset_variant", Kind::OptionalStr),
            dimension("format", Kind::Str),
            dimension("op", Kind::Str),
        ],
    },
    Table {
        name: "compression_sizes",
        dimensions: &[
            dimension("commit_sha", Kind::Str),
            dimension("dataset", Kind::Str),
            dimension("dataset_variant", Kind::OptionalStr),
            dimension("format", Kind::Str),
        ],
    },
    Table {
        name: "random_access_times",
        dimensions: &[
            dimension("commit_sha", Kind::Str),
            dimension("dataset", Kind::Str),
            dimension("format", Kind::Str),
        ],
    },
    Table {
        name: "vector_search_runs",
        dimensions: &[
            dimension("commit_sha", Kind::Str),
            dimension("dataset", Kind::Str),
            dimension("layout", Kind::Str),
            dimension("flavor", Kind::Str),
            dimension("threshold", Kind::F64),
        ],
    },
];

pub fn table_named(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// An optional field. `Absent` and `Null` differ in the JSON and hash the same.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    Absent,
    Null,
    Given(String),
}

/// A finite double together with the JSON token it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    token: String,
    value: f64,
}

impl Number {
    /// Rounds correctly; `None` when the token is no number or beyond the double range.
    pub fn from_token(token: &str) -> Option<Number> {
        let value: f64 = token.parse().ok()?;
        let token = token.to_owned();
        value.is_finite().then_some(Number { token, value })
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn value(&self) -> f64 {
        self.value
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Str(String),
    OptionalStr(Presence),
    I32(i32),
    F64(Number),
}

/// The hashed bytes. `values` hold the table's dimensions in order.
pub fn payload(table: &Table, values: &[Value]) -> Vec<u8> {
    let mut bytes = table.name.as_bytes().to_vec();
    bytes.push(0x00);
    for value in values {
        push_value(&mut bytes, value);
    }
    bytes
}

fn push_value(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Str(text) => push_text(bytes, text),
        Value::OptionalStr(Presence::Absent | Presence::Null) => bytes.push(0x00),
        Value::OptionalStr(Presence::Given(text)) => {
            bytes.push(0x01);
            push_text(bytes, text);
        }
        Value::I32(number) => bytes.extend(number.to_le_bytes()),
        Value::F64(number) => bytes.extend(number.value().to_bits().to_le_bytes()),
    }
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

/// XXH64 with seed 0, the digest read as a signed integer.
pub fn measurement_id(table: &Table, values: &[Value]) -> i64 {
    i64::from_le_bytes(XxHash64::oneshot(0, &payload(table, values)).to_le_bytes())
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
