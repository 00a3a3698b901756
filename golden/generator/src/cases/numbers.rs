//! Integers and doubles at the borders of their encodings.

use super::base::{float, table, token, with};
use crate::contracts::Contract;
use crate::document::Vector;
use crate::layout::Value;

const QUERY_IDX: usize = 4;
const THRESHOLD: usize = 4;

pub const INTEGERS: [i32; 21] = [
    0,
    1,
    2,
    9,
    10,
    19,
    22,
    99,
    100,
    127,
    255,
    32_767,
    65_535,
    8_388_607,
    16_777_215,
    16_909_060,
    0x0d0a_0922,
    0x3fff_ffff,
    i32::MAX - 2,
    i32::MAX - 1,
    i32::MAX,
];

/// Every border integer and its neighbours, with their negatives and bitwise complements.
pub fn query_indexes(contract: &'static Contract) -> Vec<Vector> {
    let near = INTEGERS
        .iter()
        .flat_map(|&n| [n.saturating_sub(1), n, n.saturating_add(1)]);
    let mut numbers: Vec<i32> = near.flat_map(|n| [n, -n, !n]).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let queries = table(contract, "query_measurements");
    let vector = |n| with(queries, &[(QUERY_IDX, Value::I32(n))]);
    numbers.into_iter().map(vector).collect()
}

/// Tokens as a producer might write them. Only a reader that rounds correctly gets the right double.
pub const TOKENS: [&str; 72] = [
    "-0.0",
    "0.0",
    "0",
    "0e5",
    "0e-5",
    "0.000",
    "1",
    "-1",
    "-19",
    "42",
    "100",
    "1.0",
    "1.5",
    "-1.5",
    "0.1",
    "0.2",
    "0.3",
    "0.5",
    "0.25",
    "0.75",
    "0.85",
    "0.9",
    "0.95",
    "0.99",
    "0.999",
    "0.850",
    "85e-2",
    "0.085e1",
    "8.5E-1",
    "1e0",
    "1E0",
    "1e+0",
    "1E+2",
    "1e-2",
    "100e-2",
    "50E-2",
    "0.010e2",
    "-0.1",
    "-0.85",
    "3.141592653589793",
    "3.14159265358979323846264338327950288",
    "2.718281828459045",
    "1.4142135623730951",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "9007199254740994",
    "9007199254740995",
    "-9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "0.8500000000000000000000000000001",
    // Halfway between 1 and the next double, and slightly more than that.
    "1.00000000000000011102230246251565404236316680908203125",
    "1.00000000000000011102230246251565404236316680908203125000000000000000000001",
    "5e-324",
    "-5e-324",
    "4.9e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "7.4e-324",
    "1e-323",
    "1e-400",
    "2.225073858507201e-308",
    "2.2250738585072011e-308",
    "2.2250738585072012e-308",
    "2.2250738585072014e-308",
    "1.7976931348623157e308",
    "-1.7976931348623157e308",
    "1.7976931348623158e308",
];

pub fn thresholds(contract: &'static Contract) -> Vec<Vector> {
    let searches = table(contract, "vector_search_runs");
    let written = TOKENS.iter().map(|text| token(text));
    let computed = computed_doubles().into_iter().map(float);
    let powers = powers_of_ten().into_iter().map(|text| token(&text));
    written
        .chain(exact_expansions())
        .chain(computed)
        .chain(powers)
        .map(|value| with(searches, &[(THRESHOLD, value)]))
        .collect()
}

/// The extremes with all their digits, up to a thousand of them.
fn exact_expansions() -> [Value; 4] {
    let largest_subnormal = f64::from_bits(0x000f_ffff_ffff_ffff);
    [
        token(&format!("{:.1074}", f64::from_bits(1))),
        token(&format!("{largest_subnormal:.1074}")),
        token(&format!("{:.1022}", f64::MIN_POSITIVE)),
        token(&format!("{:.0}", f64::MAX)),
    ]
}

fn computed_doubles() -> Vec<f64> {
    let third = 1.0 / 3.0;
    let centres = [
        0.85,
        0.95,
        0.5,
        1.0,
        2.0,
        third,
        2.0 * third,
        0.1 + 0.2,
        9_007_199_254_740_992.0,
        1e22,
        1e23,
        1e-6,
        1e-7,
        1e21,
        f64::EPSILON,
        f64::MIN_POSITIVE,
        4_294_967_296.0,
        2_147_483_648.0,
        std::f64::consts::PI,
    ];
    let bits = |value: f64| value.to_bits();
    let near = centres.map(bits).map(|b| [b - 1, b, b + 1].map(f64::from_bits));
    let ends = [
        f64::from_bits(bits(f64::MAX) - 1),
        f64::from_bits(2),
        f64::from_bits(1 << 32),
    ];
    let positive = near.into_iter().flatten().chain(ends);
    positive.flat_map(|value| [value, -value]).collect()
}

/// Every exponent near zero, and every fourth one up to both ends of the range.
fn powers_of_ten() -> Vec<String> {
    (-308..=308)
        .filter(|exponent: &i32| exponent.abs() <= 25 || exponent % 4 == 0)
        .map(|exponent| format!("1e{exponent}"))
        .collect()
}
