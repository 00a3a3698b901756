//! The golden file as text, with one vector per line, so that a diff shows which vectors changed.

use crate::contracts::Table;
use crate::json::quoted;
use crate::layout::{Presence, Value, measurement_id};

const NOTE: &str = "Golden vectors for measurement_id (contract sections 6 and 8): XXH64 with seed 0, read as a signed 64-bit \
integer. Ids and thresholds are exact tokens; read ids as integers, not as doubles. Written by golden/generator, \
never edited by hand.";

#[derive(Clone, Debug)]
pub struct Vector {
    pub table: &'static Table,
    /// The table's dimensions in hash order.
    pub values: Vec<Value>,
}

/// `version` is the contract version whose dimensions the vectors hold.
pub fn document(version: u32, vectors: &[Vector]) -> String {
    let lines: Vec<String> = vectors.iter().map(line).collect();
    let note = quoted(NOTE);
    let body = lines.join(",\n");
    format!("{{\"note\":{note},\"contract_version\":{version},\"seed\":0,\"vectors\":[\n{body}\n]}}\n")
}

/// One vector as JSON, without the line break.
pub fn line(vector: &Vector) -> String {
    let table = vector.table.name;
    let fields = fields(vector);
    let id = measurement_id(vector.table, &vector.values);
    format!("{{\"table\":\"{table}\",\"fields\":{{{fields}}},\"measurement_id\":{id}}}")
}

fn fields(vector: &Vector) -> String {
    let members: Vec<String> = vector
        .table
        .dimensions
        .iter()
        .zip(&vector.values)
        .filter_map(|(dimension, value)| Some(format!("\"{}\":{}", dimension.name, token(value)?)))
        .collect();
    members.join(",")
}

/// The JSON token of a value, or `None` for an absent field.
fn token(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) | Value::OptionalStr(Presence::Given(text)) => Some(quoted(text)),
        Value::Conditional(Some(text)) => Some(quoted(text)),
        Value::OptionalStr(Presence::Absent) | Value::Conditional(None) => None,
        Value::OptionalStr(Presence::Null) => Some("null".to_owned()),
        Value::I32(number) => Some(number.to_string()),
        Value::F64(number) => Some(number.token().to_owned()),
    }
}
