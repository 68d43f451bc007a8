//! Cells of the CSV files that people open.
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula. Such a cell gets an apostrophe in front, and so does
//! one that begins with an apostrophe. A terminal obeys control characters and marks of direction: they are written as `\u{1b}`, and
//! so is the backslash of a text that looks like one of these. Reading takes all of it back: every text reads back as it was, and no
//! two texts are written alike.

use std::borrow::Cow;

use crate::base::is_dangerous;

/// How an escape begins.
const ESCAPE: &str = "\\u{";

/// A cell that no spreadsheet runs and no terminal obeys.
#[inline]
pub(super) fn guard_cell(value: &str) -> Cow<'_, str> {
    if acts_on_nobody(value) {
        return Cow::Borrowed(value);
    }
    let value = escaped(value);
    if value.starts_with(['=', '+', '-', '@', '\'']) { Cow::Owned(format!("'{value}")) } else { value }
}

/// The value of a cell; `None` when [`guard_cell`] would not have written it so.
#[inline]
pub(super) fn unguard_cell(cell: &str) -> Option<Cow<'_, str>> {
    if acts_on_nobody(cell) {
        return Some(Cow::Borrowed(cell));
    }
    let value = unescaped(cell.strip_prefix('\'').unwrap_or(cell))?;
    (guard_cell(&value) == cell).then_some(value)
}

/// Whether a text is obviously written as it is, as nearly all are. Without an early end, so that it is looked at in one go.
#[inline]
fn acts_on_nobody(value: &str) -> bool {
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) & (byte != b'\\');
    let begins_well = |byte: &u8| !matches!(byte, b'=' | b'+' | b'-' | b'@' | b'\'');
    value.bytes().fold(true, |plain, byte| plain & is_plain(byte)) && value.as_bytes().first().is_none_or(begins_well)
}

fn escaped(value: &str) -> Cow<'_, str> {
    if !(value.chars().any(is_dangerous) || value.contains(ESCAPE)) {
        return Cow::Borrowed(value);
    }
    let mut escaped = String::with_capacity(value.len() + 8);
    for (place, character) in value.char_indices() {
        if is_dangerous(character) || value[place..].starts_with(ESCAPE) {
            escaped.extend(character.escape_unicode());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

fn unescaped(cell: &str) -> Option<Cow<'_, str>> {
    if !cell.contains(ESCAPE) {
        return Some(Cow::Borrowed(cell));
    }
    let mut value = String::with_capacity(cell.len());
    let mut rest = cell;
    while let Some((before, escape)) = rest.split_once(ESCAPE) {
        let (digits, after) = escape.split_once('}')?;
        value.push_str(before);
        value.push(u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?);
        rest = after;
    }
    value.push_str(rest);
    Some(Cow::Owned(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn says_what_it_does_to_a_cell() {
        for (value, cell) in [
            ("plain ä \\o/ C:\\users", "plain ä \\o/ C:\\users"),
            ("=1+1", "'=1+1"),
            ("'quoted", "''quoted"),
            ("\t=1", "\\u{9}=1"),
            ("a\u{1b}[2Jb\r\nc\u{9b}\u{202e}", "a\\u{1b}[2Jb\\u{d}\\u{a}c\\u{9b}\\u{202e}"),
            ("\\u{1b}", "\\u{5c}u{1b}"),
        ] {
            assert_eq!(guard_cell(value), cell);
            assert_eq!(unguard_cell(cell).as_deref(), Some(value));
        }
        for nobody_wrote in ["=1", "'plain", "a\u{1b}", "\\u{41}", "\\u{1b", "\\u{}", "\\u{110000}", "\\u{001b}"] {
            assert_eq!(unguard_cell(nobody_wrote), None, "{nobody_wrote}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn every_value_reads_back_and_acts_on_nobody(value in "([=+@'\\\\u{}0-9a-f\t\r\n\u{1b}\u{202e}]|.){0,12}") {
            let cell = guard_cell(&value);
            prop_assert!(!cell.chars().any(is_dangerous) && !cell.starts_with(['=', '+', '-', '@']));
            let read = unguard_cell(&cell);
            prop_assert_eq!(read.as_deref(), Some(value.as_str()));
        }
    }
}
