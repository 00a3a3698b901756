//! Tests the hash with published digests, and the bytes with examples of section 6 written out by hand.

use twox_hash::XxHash64;

use super::{Number, Presence, Value, measurement_id, payload};
use crate::contracts::{Table, contract, contracts};

fn text(text: &str) -> Value {
    Value::Str(text.to_owned())
}

fn given(text: &str) -> Value {
    Value::OptionalStr(Presence::Given(text.to_owned()))
}

fn threshold(token: &str) -> Value {
    Value::F64(Number::from_token(token).unwrap())
}

/// Asserts bytes and id in every version: a record without the dimensions of later versions keeps both.
fn assert_hashes(name: &str, values: &[Value], parts: &[&[u8]], id: i64) {
    for contract in contracts() {
        let table = contract.table(name).unwrap();
        let mut values = values.to_vec();
        values.resize(table.dimensions.len(), Value::Conditional(None));
        assert_eq!(payload(table, &values), parts.concat());
        assert_eq!(measurement_id(table, &values), id);
    }
}

#[test]
fn xxh64_gives_the_known_digests() {
    let known: [(&[u8], u64); 8] = [
        (b"", 0xef46_db37_51d8_e999),
        (b"a", 0xd24e_c4f1_a98c_6e5b),
        (b"abc", 0x44bc_2cf5_ad77_0999),
        (b"xxhash", 0x32dd_3895_2c4b_c720),
        (b"0123456789abcdef0123456789abcde", 0x1fdf_c63f_ebac_fde7),
        (b"0123456789abcdef0123456789abcdef", 0x642a_9495_8e71_e6c5),
        (b"0123456789abcdef0123456789abcdef0", 0xe876_84f0_8d6d_0816),
        (b"Nobody inspects the spammish repetition", 0xfbce_a83c_8a37_8bf1),
    ];
    for (bytes, digest) in known {
        assert_eq!(XxHash64::oneshot(0, bytes), digest, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_query_measurement_is_hashed_as_section_6_says() {
    let values = [
        text("ab"),
        text("é"),
        Value::OptionalStr(Presence::Null),
        given(""),
        Value::I32(-2),
        text("s3"),
        text("😀"),
        text(""),
    ];
    let parts: [&[u8]; 15] = [
        b"query_measurements",
        &[0],
        &[2, 0, 0, 0, 0, 0, 0, 0],
        b"ab",
        &[2, 0, 0, 0, 0, 0, 0, 0],
        &[0xc3, 0xa9],
        &[0],
        &[1],
        &[0, 0, 0, 0, 0, 0, 0, 0],
        &[0xfe, 0xff, 0xff, 0xff],
        &[2, 0, 0, 0, 0, 0, 0, 0],
        b"s3",
        &[4, 0, 0, 0, 0, 0, 0, 0],
        &[0xf0, 0x9f, 0x98, 0x80],
        &[0, 0, 0, 0, 0, 0, 0, 0],
    ];
    assert_hashes("query_measurements", &values, &parts, -5_480_481_851_575_126_246);
}

#[test]
fn a_compression_time_is_hashed_as_section_6_says() {
    let values = [text("ab"), text("d"), given("v"), text("f"), text("op")];
    let parts: [&[u8]; 13] = [
        b"compression_times",
        &[0],
        &[2, 0, 0, 0, 0, 0, 0, 0],
        b"ab",
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b"d",
        &[1],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b"v",
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b"f",
        &[2, 0, 0, 0, 0, 0, 0, 0],
        b"op",
    ];
    assert_hashes("compression_times", &values, &parts, -4_510_840_930_853_137_831);
}

#[test]
fn a_compression_size_is_hashed_as_section_6_says() {
    let values = [text("ab"), text("d"), Value::OptionalStr(Presence::Absent), text("f")];
    let parts: [&[u8]; 9] = [
        b"compression_sizes",
        &[0],
        &[2, 0, 0, 0, 0, 0, 0, 0],
        b"ab",
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b"d",
        &[0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b"f",
    ];
    assert_hashes("compression_sizes", &values, &parts, -956_713_729_736_785_706);
}

#[test]
fn a_random_access_time_is_hashed_as_section_6_says() {
    let long_name = "x".repeat(258);
    let values = [text("ab"), text("d"), text(&long_name)];
    let parts: [&[u8]; 8] = [
        b"random_access_times",
        &[0],
        &[2, 0, 0, 0, 0, 0, 0, 0],
        b"ab",
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b"d",
        &[2, 1, 0, 0, 0, 0, 0, 0],
        long_name.as_bytes(),
    ];
    assert_hashes("random_access_times", &values, &parts, -6_758_814_430_124_560_775);
}

#[test]
fn a_vector_search_run_is_hashed_as_section_6_says() {
    let values = [text("ab"), text("d"), text(""), text("f"), threshold("-0.0")];
    let parts: [&[u8]; 10] = [
        b"vector_search_runs",
        &[0],
        &[2, 0, 0, 0, 0, 0, 0, 0],
        b"ab",
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b"d",
        &[0, 0, 0, 0, 0, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b"f",
        &[0, 0, 0, 0, 0, 0, 0, 0x80],
    ];
    assert_hashes("vector_search_runs", &values, &parts, 2_198_887_029_789_790_509);
}

#[test]
fn a_number_is_rounded_correctly_and_keeps_its_token() {
    let number = Number::from_token("9007199254740993").unwrap();
    assert_eq!(number.value().to_bits(), 0x4340_0000_0000_0000);
    assert_eq!(number.token(), "9007199254740993");
}

#[test]
fn nan_and_infinities_are_no_numbers() {
    for token in ["NaN", "inf", "-inf", "1e309", "-1e400", "", "one"] {
        assert_eq!(Number::from_token(token), None, "{token}");
    }
}

const RANDOM_ACCESS: [&[u8]; 8] = [
    b"random_access_times",
    &[0],
    &[40, 0, 0, 0, 0, 0, 0, 0],
    b"0123456789abcdef0123456789abcdef01234567",
    &[4, 0, 0, 0, 0, 0, 0, 0],
    b"taxi",
    &[7, 0, 0, 0, 0, 0, 0, 0],
    b"parquet",
];

fn random_access(open_mode: Option<&str>) -> (&'static Table, [Value; 4]) {
    let values = [
        text("0123456789abcdef0123456789abcdef01234567"),
        text("taxi"),
        text("parquet"),
        Value::Conditional(open_mode.map(str::to_owned)),
    ];
    (contract(3).unwrap().table("random_access_times").unwrap(), values)
}

#[test]
fn an_open_mode_of_cached_or_none_is_not_hashed() {
    for open_mode in [None, Some("cached")] {
        let (table, values) = random_access(open_mode);
        assert_eq!(payload(table, &values), RANDOM_ACCESS.concat());
        assert_eq!(measurement_id(table, &values), 164_255_076_009_922_704);
    }
}

#[test]
fn any_other_open_mode_is_hashed_after_format() {
    let (table, values) = random_access(Some("reopen"));
    let open_mode: [&[u8]; 2] = [&[6, 0, 0, 0, 0, 0, 0, 0], b"reopen"];
    assert_eq!(
        payload(table, &values),
        [RANDOM_ACCESS.concat(), open_mode.concat()].concat()
    );
    assert_eq!(measurement_id(table, &values), -4_421_471_856_282_394_060);
    let (table, values) = random_access(Some(""));
    assert_eq!(payload(table, &values), [&RANDOM_ACCESS.concat()[..], &[0; 8]].concat());
}
