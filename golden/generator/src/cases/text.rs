//! Strings that implementations often get wrong: encodings, escapes, and lengths around block borders.

use super::base::{table, text_slots, text_value, with};
use crate::contracts::{Contract, Table};
use crate::document::Vector;

/// Texts that are tried in every text dimension.
pub const COMMON: [&str; 20] = [
    "",
    "a",
    " lead and trail ",
    "null",
    "line\nbreak\r\n",
    "tab\tquote\"back\\slash/",
    "\u{1}\u{8}\u{c}\u{1f}\u{7f}",
    "caf\u{e9}",
    "cafe\u{301}",
    "stra\u{df}e",
    "日本語",
    "שלום \u{202e}עולם",
    "مرحبا",
    "😀",
    "👩\u{200d}👩\u{200d}👧\u{200d}👦",
    "\u{10000}\u{10ffff}",
    "\u{d7ff}\u{e000}",
    "\u{feff}bom",
    "\u{fffe}",
    "\u{ffff}",
];

/// Texts that are tried in one dimension each.
pub const RARE: [&str; 50] = [
    "\u{1}",
    "\u{2}",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{7f}",
    "\u{80}",
    "\u{85}",
    "\u{9f}",
    "\u{a0}",
    "\u{ad}",
    "\u{7ff}",
    "\u{800}",
    "\u{fff}",
    "\u{1000}",
    "\u{ffff}\u{10000}",
    "\u{fffd}",
    "\u{fdd0}",
    "\u{1fffe}",
    "\u{1ffff}",
    "\u{10fffe}",
    "\u{e0001}",
    "\u{f0000}",
    "\u{feff}",
    "\u{feff}\u{feff}",
    "a\u{feff}",
    "\u{2028}\u{2029}",
    "\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}",
    "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}",
    // Å in three forms, the ligature ﬁ, Hangul composed and decomposed, combining marks in both orders: nothing may be normalised.
    "\u{c5}",
    "\u{212b}",
    "A\u{30a}",
    "\u{fb01}",
    "fi",
    "\u{ac01}",
    "\u{1100}\u{1161}\u{11a8}",
    "q\u{307}\u{323}",
    "q\u{323}\u{307}",
    "\u{301}",
    "İstanbul",
    "ıI",
    "ǅ",
    "ΣΑΣ σας",
    "नमस्ते",
    "ไทย",
    "🇩🇪",
    "👍🏽",
    "𝒳𝔘",
    "\"",
    "\\",
    "\\u0000",
    "{\"a\":[1,null]}",
];

pub const LENGTHS: [usize; 14] = [30, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 257, 1000, 5000];

/// Lengths around common buffer sizes, and those that need a third byte.
const LARGE: [usize; 8] = [4095, 4096, 4097, 8191, 8192, 8193, 65535, 65536];

pub fn in_every_dimension(contract: &'static Contract) -> Vec<Vector> {
    let mut texts: Vec<String> = COMMON.map(str::to_owned).to_vec();
    texts.extend(LENGTHS.map(|bytes| sized("", bytes)));
    text_slots(contract)
        .into_iter()
        .flat_map(|slot| texts.iter().map(move |text| at(slot, text)))
        .collect()
}

pub fn in_one_dimension(contract: &'static Contract) -> Vec<Vector> {
    let mut texts: Vec<String> = RARE.map(str::to_owned).to_vec();
    for wide in ["\u{e9}", "€", "😀"] {
        texts.extend(LENGTHS.map(|bytes| sized(wide, bytes)));
    }
    let slots = text_slots(contract);
    // 7 shares no factor with the number of slots, so every slot gets its turn.
    let spread = texts
        .iter()
        .enumerate()
        .map(|(turn, text)| at(slots[turn * 7 % slots.len()], text));
    let sizes = table(contract, "compression_sizes");
    let large = LARGE.map(|bytes| at((sizes, 1), &sized("", bytes)));
    spread.chain(large).collect()
}

/// Each text is one byte longer than the one before, so that every partial block occurs after zero to three full blocks.
pub fn every_payload_length(contract: &'static Contract) -> Vec<Vector> {
    let accesses = table(contract, "random_access_times");
    (0..=96).map(|bytes| at((accesses, 1), &sized("", bytes))).collect()
}

fn at((table, index): (&'static Table, usize), text: &str) -> Vector {
    with(table, &[(index, text_value(table.dimensions[index].kind, text))])
}

/// A text of exactly `bytes` bytes of UTF-8: as many wide characters as fit, then ASCII.
pub fn sized(wide: &str, bytes: usize) -> String {
    let mut text = match wide.len() {
        0 => String::new(),
        width => wide.repeat(bytes / width),
    };
    let ascii = ('0'..='9').chain('A'..='Z').chain('a'..='z').cycle();
    text.extend(ascii.take(bytes - text.len()));
    text
}
