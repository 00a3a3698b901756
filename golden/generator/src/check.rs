//! Compares a golden file with the generator's output, byte for byte.

/// The first difference of two texts: the line, counted from 1, and the byte in that line.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    pub line: usize,
    pub byte: usize,
}

pub fn first_difference(stored: &[u8], generated: &[u8]) -> Option<Difference> {
    let common = stored
        .iter()
        .zip(generated)
        .take_while(|(left, right)| left == right)
        .count();
    if common == stored.len() && common == generated.len() {
        return None;
    }
    let before = &generated[..common];
    let line_start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let byte = common - line_start + 1;
    Some(Difference { line, byte })
}

#[cfg(test)]
mod tests {
    use super::{Difference, first_difference};

    #[test]
    fn equal_texts_do_not_differ() {
        assert_eq!(first_difference(b"a\nb\n", b"a\nb\n"), None);
        assert_eq!(first_difference(b"", b""), None);
    }

    #[test]
    fn a_changed_byte_is_found_in_its_line() {
        let difference = first_difference(b"a\nbxd\n", b"a\nbcd\n");
        assert_eq!(difference, Some(Difference { line: 2, byte: 2 }));
    }

    #[test]
    fn a_shorter_and_a_longer_file_differ_where_one_ends() {
        let end = Some(Difference { line: 2, byte: 1 });
        assert_eq!(first_difference(b"a\n", b"a\nb\n"), end);
        assert_eq!(first_difference(b"a\nb\n", b"a\n"), end);
    }

    #[test]
    fn a_missing_last_newline_is_a_difference() {
        let difference = first_difference(b"ab", b"ab\n");
        assert_eq!(difference, Some(Difference { line: 1, byte: 3 }));
    }
}
