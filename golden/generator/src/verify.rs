//! Verifies a file of vectors by computing every measurement id again.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::contracts::{Contract, Dimension, Kind, Table, contract, contracts};
use crate::layout::{Number, Presence, Value, measurement_id};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[serde(rename = "note")]
    _note: Option<String>,
    contract_version: Option<u32>,
    seed: u64,
    #[serde(borrow)]
    vectors: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<'a> {
    table: String,
    #[serde(borrow)]
    fields: Fields<'a>,
    measurement_id: i64,
}

/// The members of an object with their tokens unchanged, because another parser could alter a threshold.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object of dimensions")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Fields(members))
    }
}

#[derive(Debug, PartialEq)]
pub struct Mismatch {
    pub index: usize,
    pub table: &'static str,
    pub stored: i64,
    pub computed: i64,
}

#[derive(Debug, PartialEq)]
pub struct Verdict {
    pub contract_version: u32,
    pub vectors: usize,
    pub mismatches: Vec<Mismatch>,
}

/// Verifies the text of a vector file. An `Err` is one sentence that describes the problem.
pub fn verify(text: &str) -> Result<Verdict, String> {
    let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if document.seed != 0 {
        return Err(format!("/seed must be 0, got {}", document.seed));
    }
    if document.vectors.is_empty() {
        return Err("/vectors is empty".to_owned());
    }
    let contract = stated_contract(document.contract_version)?;
    let mut mismatches = Vec::new();
    for (index, entry) in document.vectors.iter().enumerate() {
        mismatches.extend(recompute(contract, index, entry)?);
    }
    Ok(Verdict {
        contract_version: contract.version,
        vectors: document.vectors.len(),
        mismatches,
    })
}

/// The newest contract when a file states no version, because records of older versions have the same ids in it.
fn stated_contract(version: Option<u32>) -> Result<&'static Contract, String> {
    let Some(version) = version else {
        return contracts().last().ok_or_else(|| "there are no contracts".to_owned());
    };
    contract(version).ok_or_else(|| format!("/contract_version is unknown: {version}"))
}

fn recompute(contract: &'static Contract, index: usize, entry: &Entry) -> Result<Option<Mismatch>, String> {
    let table = contract
        .table(&entry.table)
        .ok_or_else(|| format!("/vectors/{index}/table is unknown: {}", entry.table))?;
    let values = values(table, &entry.fields.0).map_err(|reason| format!("/vectors/{index}/fields/{reason}"))?;
    let (stored, computed) = (entry.measurement_id, measurement_id(table, &values));
    Ok((stored != computed).then_some(Mismatch {
        index,
        table: table.name,
        stored,
        computed,
    }))
}

fn values(table: &Table, members: &[(String, &RawValue)]) -> Result<Vec<Value>, String> {
    for (position, (name, _)) in members.iter().enumerate() {
        if !table.dimensions.iter().any(|known| known.name == name) {
            return Err(format!("{name} is not a dimension of {}", table.name));
        }
        if members[..position].iter().any(|(earlier, _)| earlier == name) {
            return Err(format!("{name} is given twice"));
        }
    }
    let of = |name| members.iter().find(|member| member.0 == name);
    table
        .dimensions
        .iter()
        .map(|dimension| match of(dimension.name) {
            Some((name, raw)) => read(dimension.kind, raw.get())
                .ok_or_else(|| format!("{name} is no {:?}: {}", dimension.kind, raw.get())),
            None => absent(dimension),
        })
        .collect()
}

fn absent(dimension: &Dimension) -> Result<Value, String> {
    match dimension.kind {
        Kind::OptionalStr => Ok(Value::OptionalStr(Presence::Absent)),
        Kind::StrUnless(_) => Ok(Value::Conditional(None)),
        Kind::Str | Kind::I32 | Kind::F64 => Err(format!("{} is missing", dimension.name)),
    }
}

fn read(kind: Kind, token: &str) -> Option<Value> {
    match kind {
        Kind::Str => serde_json::from_str(token).ok().map(Value::Str),
        Kind::OptionalStr => read_optional(token).map(Value::OptionalStr),
        Kind::StrUnless(_) => serde_json::from_str(token).ok().map(Some).map(Value::Conditional),
        Kind::I32 => read_i32(token).map(Value::I32),
        Kind::F64 => Number::from_token(token).map(Value::F64),
    }
}

fn read_optional(token: &str) -> Option<Presence> {
    if token == "null" {
        return Some(Presence::Null);
    }
    serde_json::from_str(token).ok().map(Presence::Given)
}

/// Parses an integer by its token: `-0`, `1.0` and `1e3` are not integers.
fn read_i32(token: &str) -> Option<i32> {
    let number: i32 = token.parse().ok()?;
    (number.to_string() == token).then_some(number)
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
