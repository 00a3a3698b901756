//! JSON text in pure ASCII, so that no editor, terminal or normalisation can change a vector.

use std::fmt::Write;

/// The text as a JSON string, with its quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        push_char(&mut out, c);
    }
    out.push('"');
    out
}

fn push_char(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        ' '..='~' => out.push(c),
        _ => push_escape(out, c),
    }
}

fn push_escape(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn plain_ascii_stays_as_it_is() {
        assert_eq!(quoted("sf-1 ~/'"), "\"sf-1 ~/'\"");
    }

    #[test]
    fn quotes_backslashes_and_control_characters_are_escaped() {
        assert_eq!(
            quoted("\"\\\n\r\t\u{1}\u{1f}\u{7f}"),
            "\"\\\"\\\\\\n\\r\\t\\u0001\\u001f\\u007f\"",
        );
    }

    #[test]
    fn everything_beyond_ascii_becomes_utf_16_escapes() {
        assert_eq!(quoted("é\u{ffff}😀"), "\"\\u00e9\\uffff\\ud83d\\ude00\"");
    }

    #[test]
    fn an_independent_reader_gets_the_text_back() {
        let text: String = ('\0'..=char::MAX).step_by(97).collect();
        let read: String = serde_json::from_str(&quoted(&text)).unwrap();
        assert_eq!(read, text);
    }
}
