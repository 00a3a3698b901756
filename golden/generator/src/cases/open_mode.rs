//! The conditional dimension of version 3: `open_mode` is hashed after `format` unless it is absent or `cached`.

use super::base::{table, with};
use super::text::{COMMON, LENGTHS, RARE, sized};
use crate::contracts::Contract;
use crate::document::Vector;
use crate::layout::Value;

const DATASET: usize = 1;
const FORMAT: usize = 2;
const OPEN_MODE: usize = 3;

/// The two values that a record may have, and none, as in a record of an earlier version.
const MODES: [Option<&str>; 3] = [None, Some("cached"), Some("reopen")];

fn access(contract: &'static Contract, dataset: &str, format: &str, open_mode: Option<&str>) -> Vector {
    let changes = [
        (DATASET, Value::Str(dataset.to_owned())),
        (FORMAT, Value::Str(format.to_owned())),
        (OPEN_MODE, Value::Conditional(open_mode.map(str::to_owned))),
    ];
    with(table(contract, "random_access_times"), &changes)
}

/// The records whose ids are stated in contract section 8.
pub fn check_values(contract: &'static Contract) -> Vec<Vector> {
    MODES.map(|mode| access(contract, "taxi", "parquet", mode)).into()
}

/// Texts that resemble `cached` or `reopen` but differ from them, so they must be hashed.
const NEAR_MODES: [&str; 22] = [
    "Cached",
    "CACHED",
    " cached",
    "cached ",
    "cached\n",
    "cache",
    "cachedd",
    "ached",
    "\u{feff}cached",
    "cached\u{feff}",
    "cached\u{200b}",
    // A Cyrillic "a", a full-width "c", and a combining mark.
    "c\u{430}ched",
    "\u{ff43}ached",
    "cached\u{301}",
    "\"cached\"",
    "Reopen",
    "reopen ",
    "\u{feff}reopen",
    "cachedreopen",
    "reopencached",
    "reopenreopen",
    "false",
];

pub fn odd_open_modes(contract: &'static Contract) -> Vec<Vector> {
    let near = NEAR_MODES.map(str::to_owned).into_iter();
    near.chain(odd_texts())
        .map(|mode| access(contract, "taxi", "parquet", Some(&mode)))
        .collect()
}

/// Every unusual text as dataset and as format, with each mode.
pub fn odd_neighbours(contract: &'static Contract) -> Vec<Vector> {
    let both = |text: String| {
        let as_dataset = MODES.map(|mode| access(contract, &text, "parquet", mode));
        let as_format = MODES.map(|mode| access(contract, "taxi", &text, mode));
        [as_dataset, as_format].concat()
    };
    odd_texts().chain(encoded_texts()).flat_map(both).collect()
}

fn odd_texts() -> impl Iterator<Item = String> {
    let written = COMMON.into_iter().chain(RARE).map(str::to_owned);
    written
        .chain(one_of_each_plane())
        .chain(LENGTHS.map(|bytes| sized("", bytes)))
}

fn one_of_each_plane() -> impl Iterator<Item = String> {
    let codes = (0..=16).map(|plane| (plane << 16) + 0x1234);
    codes.filter_map(char::from_u32).map(String::from)
}

/// Texts that contain bytes of the encoding itself: lengths, the byte that marks an optional text, a table name.
fn encoded_texts() -> impl Iterator<Item = String> {
    let length = |bytes: u8| format!("{}\0\0\0\0\0\0\0", char::from(bytes));
    [
        length(6),
        length(7),
        format!("{}reopen", length(6)),
        format!("parquet{}reopen", length(6)),
        format!("{}parquet", length(7)),
        format!("{}parquet{}reopen", length(7), length(6)),
        format!("\u{1}{}parquet", length(7)),
        format!("random_access_times\0{}", length(4)),
        "\0".to_owned(),
        "\u{6}reopen".to_owned(),
        "parquet\u{6}reopen".to_owned(),
        "\u{7}parquet".to_owned(),
        "random_access_times".to_owned(),
    ]
    .into_iter()
}

/// Datasets, formats and modes that are the same text when joined without their lengths.
const SPLITS: [(&str, &str, Option<&str>); 20] = [
    ("taxi", "parquetreopen", None),
    ("taxi", "parquetreopen", Some("cached")),
    ("taxi", "parquetreopen", Some("reopen")),
    ("taxi", "parquetreo", Some("pen")),
    ("taxi", "parquetr", Some("eopen")),
    ("taxi", "parque", Some("treopen")),
    ("taxi", "", Some("parquetreopen")),
    ("taxiparquet", "reopen", None),
    ("taxiparquet", "reopen", Some("cached")),
    ("taxiparquet", "", Some("reopen")),
    ("", "taxiparquet", Some("reopen")),
    ("", "", Some("taxiparquetreopen")),
    ("taxiparquetreopen", "", Some("cached")),
    ("taxi", "parquetcached", None),
    ("taxi", "parquetcached", Some("cached")),
    ("taxi", "parquetcached", Some("reopen")),
    ("taxi", "cached", Some("reopen")),
    ("taxi", "reopen", Some("reopen")),
    ("cached", "reopen", Some("cached")),
    ("reopen", "cached", Some("reopen")),
];

pub fn shifted_borders(contract: &'static Contract) -> Vec<Vector> {
    SPLITS
        .map(|(dataset, format, mode)| access(contract, dataset, format, mode))
        .into()
}

/// Each format is one byte longer than the one before, so that `reopen` appears at every offset in a block of the hash.
pub fn every_payload_length(contract: &'static Contract) -> Vec<Vector> {
    (0..=64)
        .map(|bytes| access(contract, "taxi", &sized("", bytes), Some("reopen")))
        .collect()
}

/// Texts whose length needs a third byte, in each field in turn.
pub fn very_long(contract: &'static Contract) -> Vec<Vector> {
    let text = sized("", 65_536);
    vec![
        access(contract, &text, "parquet", Some("reopen")),
        access(contract, "taxi", &text, Some("reopen")),
        access(contract, "taxi", "parquet", Some(&text)),
    ]
}
