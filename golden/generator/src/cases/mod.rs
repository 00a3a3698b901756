//! Every vector of the golden file: the chosen cases, then the pseudo-random ones.

mod base;
mod mixed;
mod numbers;
mod pairs;
mod random;
mod text;

use std::collections::HashSet;

use crate::document::{Vector, line};

/// Always the same list in the same order, without two equal lines.
pub fn all() -> Vec<Vector> {
    let groups = [
        pairs::whole_records(),
        pairs::optionals(),
        pairs::shifted_borders(),
        text::in_every_dimension(),
        text::in_one_dimension(),
        text::every_payload_length(),
        numbers::query_indexes(),
        numbers::thresholds(),
        mixed::remainder(),
    ];
    let mut seen = HashSet::new();
    groups
        .into_iter()
        .flatten()
        .filter(|vector| seen.insert(line(vector)))
        .collect()
}

#[cfg(test)]
#[path = "cases_tests.rs"]
mod tests;
