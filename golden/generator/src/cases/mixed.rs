//! Pseudo-random vectors that mix every kind of value in every table.

use super::base::{float, token};
use super::numbers::{INTEGERS, TOKENS};
use super::random::Random;
use super::text::sized;
use crate::contracts::{Contract, Kind};
use crate::document::Vector;
use crate::layout::{Presence, Value};

/// `count` vectors, taking the tables in turn.
pub fn remainder(contract: &'static Contract, seed: u64, count: usize) -> Vec<Vector> {
    let mut random = Random::seeded(seed);
    (0..count).map(|turn| vector(contract, turn, &mut random)).collect()
}

fn vector(contract: &'static Contract, turn: usize, random: &mut Random) -> Vector {
    let table = &contract.tables[turn % contract.tables.len()];
    let dimensions = table.dimensions.iter();
    let values = dimensions.map(|dimension| value(dimension.kind, random));
    Vector {
        table,
        values: values.collect(),
    }
}

fn value(kind: Kind, random: &mut Random) -> Value {
    match kind {
        Kind::Str => Value::Str(text(random)),
        Kind::OptionalStr => Value::OptionalStr(presence(random)),
        Kind::StrUnless(default) => Value::Conditional(conditional(default, random)),
        Kind::I32 => Value::I32(integer(random)),
        Kind::F64 => threshold(random),
    }
}

fn presence(random: &mut Random) -> Presence {
    match random.below(6) {
        0 => Presence::Absent,
        1 => Presence::Null,
        2 => Presence::Given(String::new()),
        _ => Presence::Given(text(random)),
    }
}

fn conditional(default: &str, random: &mut Random) -> Option<String> {
    match random.below(6) {
        0 => None,
        1 => Some(default.to_owned()),
        2 => Some(text(random)),
        _ => Some("reopen".to_owned()),
    }
}

fn text(random: &mut Random) -> String {
    match random.below(8) {
        0 => sized("", random.below(70)),
        1 => sized(random.pick(&["\u{e9}", "€", "😀"]), 28 + random.below(40)),
        2 => format!("{:040x}", random.bits()),
        _ => characters(random),
    }
}

fn characters(random: &mut Random) -> String {
    let count = random.pick(&[1, 2, 5, 9, 16, 24, 40]);
    let highest = random.pick(&[0x7e, 0x7e, 0xff, 0x7ff, 0xffff, 0x10_ffff]);
    (0..count).map(|_| character(highest, random)).collect()
}

/// Any character from U+0001 to `highest`. A surrogate, which is not a character, is replaced by U+E000.
fn character(highest: usize, random: &mut Random) -> char {
    let code = 1 + random.below(highest) as u32;
    char::from_u32(code).unwrap_or('\u{e000}')
}

/// One of the border values, or a number of random width.
fn integer(random: &mut Random) -> i32 {
    match random.below(3) {
        0 => random.pick(&INTEGERS),
        1 => -random.pick(&INTEGERS),
        _ => (random.bits() as i32) >> random.below(32),
    }
}

fn threshold(random: &mut Random) -> Value {
    match random.below(6) {
        0 => token(random.pick(&TOKENS)),
        1 => token(&format!("{:.16e}", any_double(random))),
        2 => token(&random.bits().to_string()),
        3 => token(&format!("0.{:04}", random.below(10_000))),
        4 => token(&format!(
            "{}e{}",
            random.bits() as i64 >> 11,
            random.below(600) as i32 - 320
        )),
        _ => float(any_double(random)),
    }
}

/// A finite double. All bit patterns are equally likely.
fn any_double(random: &mut Random) -> f64 {
    loop {
        let value = f64::from_bits(random.bits());
        if value.is_finite() {
            return value;
        }
    }
}
