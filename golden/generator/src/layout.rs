//! The hashed bytes of a measurement id and their hash, as specified in contract sections 6 and 8.

use twox_hash::XxHash64;

use crate::contracts::{Kind, Table};

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
    /// Parses with correct rounding. `None` when the token is not a number or exceeds the range of a double.
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
    /// The value of a conditional dimension; `None` when the field is absent.
    Conditional(Option<String>),
    I32(i32),
    F64(Number),
}

/// The bytes that are hashed. `values` has the table's dimensions in order.
pub fn payload(table: &Table, values: &[Value]) -> Vec<u8> {
    let mut bytes = table.name.as_bytes().to_vec();
    bytes.push(0x00);
    for (dimension, value) in table.dimensions.iter().zip(values) {
        push_value(&mut bytes, dimension.kind, value);
    }
    bytes
}

fn push_value(bytes: &mut Vec<u8>, kind: Kind, value: &Value) {
    match value {
        Value::Str(text) => push_text(bytes, text),
        Value::OptionalStr(Presence::Absent | Presence::Null) => bytes.push(0x00),
        Value::OptionalStr(Presence::Given(text)) => {
            bytes.push(0x01);
            push_text(bytes, text);
        }
        Value::Conditional(None) => {}
        Value::Conditional(Some(text)) if is_omitted(kind, text) => {}
        Value::Conditional(Some(text)) => push_text(bytes, text),
        Value::I32(number) => bytes.extend(number.to_le_bytes()),
        Value::F64(number) => bytes.extend(number.value().to_bits().to_le_bytes()),
    }
}

fn is_omitted(kind: Kind, text: &str) -> bool {
    matches!(kind, Kind::StrUnless(default) if default == text)
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

/// The measurement id: XXH64 with seed 0, read as a signed integer.
pub fn measurement_id(table: &Table, values: &[Value]) -> i64 {
    i64::from_le_bytes(XxHash64::oneshot(0, &payload(table, values)).to_le_bytes())
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
