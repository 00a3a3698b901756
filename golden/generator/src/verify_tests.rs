//! Tests which files are accepted as vector files, and the messages for files that are not.

use super::{Mismatch, Verdict, verify};

const SIZE: &str = r#"{"table":"compression_sizes","fields":{"commit_sha":"ab","dataset":"d","format":"f"},"measurement_id":-956713729736785706}"#;

fn file(vectors: &str) -> String {
    format!("{{\"note\":\"\",\"seed\":0,\"vectors\":[{vectors}]}}")
}

fn search_with(threshold: &str) -> String {
    file(&format!(
        r#"{{"table":"vector_search_runs","fields":{{"commit_sha":"ab","dataset":"d","layout":"","flavor":"f","threshold":{threshold}}},"measurement_id":2198887029789790509}}"#
    ))
}

fn matching(vectors: usize) -> Result<Verdict, String> {
    Ok(Verdict {
        contract_version: 3,
        vectors,
        mismatches: Vec::new(),
    })
}

fn refusal(text: &str) -> String {
    verify(text).unwrap_err()
}

#[test]
fn a_right_vector_matches() {
    assert_eq!(verify(&file(SIZE)), matching(1));
}

#[test]
fn null_counts_as_absent() {
    let with_null = SIZE.replace("\"format\"", "\"dataset_variant\":null,\"format\"");
    assert_eq!(verify(&file(&with_null)), matching(1));
}

#[test]
fn a_wrong_id_is_reported_with_both_values() {
    let wrong = SIZE.replace("736785706", "736785707");
    let mismatch = Mismatch {
        index: 1,
        table: "compression_sizes",
        stored: -956_713_729_736_785_707,
        computed: -956_713_729_736_785_706,
    };
    let verdict = verify(&file(&format!("{SIZE},{wrong}"))).unwrap();
    assert_eq!(verdict.vectors, 2);
    assert_eq!(verdict.mismatches, [mismatch]);
}

#[test]
fn the_sign_of_a_zero_threshold_is_kept() {
    for negative_zero in ["-0.0", "-0", "-0e5"] {
        assert_eq!(verify(&search_with(negative_zero)), matching(1), "{negative_zero}");
    }
    assert_eq!(verify(&search_with("0.0")).unwrap().mismatches.len(), 1);
}

#[test]
fn a_threshold_that_is_no_finite_number_is_refused() {
    for token in ["1e400", "\"0.5\"", "\"NaN\"", "null", "true", "[1]"] {
        let expected = format!("/vectors/0/fields/threshold is no F64: {token}");
        assert_eq!(refusal(&search_with(token)), expected);
    }
}

#[test]
fn a_query_index_is_judged_by_its_token() {
    let with = |token: &str| {
        file(&format!(
            r#"{{"table":"query_measurements","fields":{{"commit_sha":"","dataset":"","query_idx":{token},"storage":"","engine":"","format":""}},"measurement_id":0}}"#
        ))
    };
    for token in ["-0", "1.0", "1e3", "2147483648", "-2147483649", "\"1\"", "null"] {
        let expected = format!("/vectors/0/fields/query_idx is no I32: {token}");
        assert_eq!(refusal(&with(token)), expected);
    }
    for token in ["2147483647", "-2147483648"] {
        assert!(verify(&with(token)).is_ok(), "{token}");
    }
}

#[test]
fn fields_must_be_the_dimensions_each_once() {
    let extra = SIZE.replace("\"format\"", "\"value_bytes\":1,\"format\"");
    let missing = SIZE.replace(",\"format\":\"f\"", "");
    let twice = SIZE.replace("\"format\"", "\"dataset\":\"d\",\"format\"");
    let null = SIZE.replace("\"f\"", "null");
    for (vector, reason) in [
        (extra, "value_bytes is not a dimension of compression_sizes"),
        (missing, "format is missing"),
        (twice, "dataset is given twice"),
        (null, "format is no Str: null"),
    ] {
        assert_eq!(refusal(&file(&vector)), format!("/vectors/0/fields/{reason}"));
    }
}

#[test]
fn an_unknown_table_is_refused() {
    let unknown = SIZE.replace("compression_sizes", "commits");
    assert_eq!(refusal(&file(&unknown)), "/vectors/0/table is unknown: commits");
}

const ACCESS: &str = r#"{"table":"random_access_times","fields":{"commit_sha":"0123456789abcdef0123456789abcdef01234567","dataset":"taxi","format":"parquet","open_mode":"reopen"},"measurement_id":-4421471856282394060}"#;

fn file_of_version(version: &str, vectors: &str) -> String {
    file(vectors).replace("\"seed\"", &format!("\"contract_version\":{version},\"seed\""))
}

#[test]
fn a_file_is_read_by_the_version_it_states() {
    assert_eq!(verify(&file_of_version("3", ACCESS)), matching(1));
    assert_eq!(verify(&file_of_version("1", SIZE)).unwrap().contract_version, 1);
    for version in ["1", "2"] {
        assert_eq!(
            refusal(&file_of_version(version, ACCESS)),
            "/vectors/0/fields/open_mode is not a dimension of random_access_times"
        );
    }
    assert_eq!(
        refusal(&file_of_version("4", ACCESS)),
        "/contract_version is unknown: 4"
    );
    assert!(verify(&file_of_version("\"3\"", ACCESS)).is_err());
}

#[test]
fn a_file_that_states_no_version_is_read_by_the_newest() {
    assert_eq!(verify(&file(ACCESS)), matching(1));
}

#[test]
fn an_open_mode_may_be_absent_but_not_null() {
    let cached_id = "164255076009922704";
    let absent = ACCESS
        .replace(",\"open_mode\":\"reopen\"", "")
        .replace("-4421471856282394060", cached_id);
    let cached = ACCESS
        .replace("reopen", "cached")
        .replace("-4421471856282394060", cached_id);
    assert_eq!(verify(&file(&format!("{absent},{cached}"))), matching(2));
    let null = ACCESS.replace("\"reopen\"", "null");
    assert!(refusal(&file(&null)).starts_with("/vectors/0/fields/open_mode is no StrUnless"));
}

#[test]
fn a_file_that_proves_nothing_is_refused() {
    assert_eq!(refusal(&file("")), "/vectors is empty");
    let seeded = file(SIZE).replace("\"seed\":0", "\"seed\":1");
    assert_eq!(refusal(&seeded), "/seed must be 0, got 1");
}

#[test]
fn what_is_not_in_the_format_is_refused_without_a_panic() {
    let float_id = SIZE.replace("-956713729736785706", "1.5");
    let lone_surrogate = SIZE.replace("\"f\"", r#""\ud800""#);
    let deep = "[".repeat(100_000);
    let texts = [
        "",
        "null",
        "[]",
        "{}",
        "{\"seed\":0",
        &deep,
        "\u{feff}{}",
        &file("1"),
        &file(&float_id),
    ];
    for text in texts {
        assert!(verify(text).is_err());
    }
    assert!(refusal(&file(&lone_surrogate)).contains("format is no Str"));
}
