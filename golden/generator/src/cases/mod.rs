//! Every vector of a golden file: the chosen cases, then the pseudo-random ones.

mod base;
mod mixed;
mod numbers;
mod open_mode;
mod pairs;
mod random;
mod text;

use std::collections::HashSet;

use crate::contracts::Contract;
use crate::document::{Vector, line};

/// The vectors of a contract version: always the same list in the same order, without duplicates.
pub fn all(contract: &'static Contract) -> Vec<Vector> {
    let groups = match contract.version {
        1 => version_1(contract),
        2 => unchanged(contract, 20_240_230),
        _ => version_3(contract),
    };
    let mut seen = HashSet::new();
    groups
        .into_iter()
        .flatten()
        .filter(|vector| seen.insert(line(vector)))
        .collect()
}

/// Every case of the dimensions that all versions share.
fn version_1(contract: &'static Contract) -> Vec<Vec<Vector>> {
    vec![
        pairs::whole_records(contract),
        pairs::optionals(contract),
        pairs::shifted_borders(contract),
        text::in_every_dimension(contract),
        text::in_one_dimension(contract),
        text::every_payload_length(contract),
        numbers::query_indexes(contract),
        numbers::thresholds(contract),
        mixed::remainder(contract, 20_240_229, 550),
    ]
}

/// A sample of every table, which shows that a later version computes the same ids as version 1.
fn unchanged(contract: &'static Contract, seed: u64) -> Vec<Vec<Vector>> {
    vec![
        pairs::whole_records(contract),
        pairs::optionals(contract),
        pairs::shifted_borders(contract),
        mixed::remainder(contract, seed, 300),
    ]
}

fn version_3(contract: &'static Contract) -> Vec<Vec<Vector>> {
    let added = vec![
        open_mode::check_values(contract),
        open_mode::odd_open_modes(contract),
        open_mode::odd_neighbours(contract),
        open_mode::shifted_borders(contract),
        open_mode::every_payload_length(contract),
        open_mode::very_long(contract),
    ];
    [added, unchanged(contract, 20_240_231)].concat()
}

#[cfg(test)]
#[path = "cases_tests.rs"]
mod tests;
