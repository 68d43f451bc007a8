//! Patterns of `LIKE`, held against text.

use crate::sandbox::salesforce::soql::{Pattern, PatternPart};

/// Whether the whole of `text` has the form of a pattern, whatever the case of its letters.
pub(super) fn matches_pattern(pattern: &Pattern, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut part, mut place) = (0, 0);
    // Where to go on when the characters taken by the last `%` turn out to be too few.
    let mut resume: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.0.get(part) {
            Some(PatternPart::AnyRun) => {
                resume = Some((part, place));
                part += 1;
                continue;
            }
            Some(PatternPart::AnyOne) => place < text.len(),
            Some(PatternPart::Exactly(wanted)) => text.get(place).is_some_and(|found| same_letter(*wanted, *found)),
            None if place == text.len() => return true,
            None => false,
        };
        if step {
            part += 1;
            place += 1;
        } else if let Some((run, taken)) = resume.filter(|(_, taken)| *taken < text.len()) {
            resume = Some((run, taken + 1));
            part = run + 1;
            place = taken + 1;
        } else {
            return false;
        }
    }
}

fn same_letter(one: char, other: char) -> bool {
    one == other || one.to_lowercase().eq(other.to_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_matches_whole_texts_in_either_case() {
        let matches = |pattern: &str, text: &str| matches_pattern(&Pattern::read(pattern).expect(pattern), text);
        assert!(matches("appl%", "Appleton") && matches("appl%", "APPL") && !matches("appl%", "Bappl"));
        assert!(matches("%a%b%c", "xxaxbxbxc") && !matches("%a%b%c", "xxaxbxbxcx"));
        assert!(matches("_", "é") && !matches("_", "") && !matches("_", "ab"));
        assert!(matches("", "") && !matches("", "a") && matches("%", ""));
        assert!(matches(r"Ter\%", "Ter%") && !matches(r"Ter\%", "Terx") && matches(r"Ter\%%", "Ter%x"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_pattern_agrees_with_a_naive_one(pattern in "[ab%_]{0,7}", text in "[abAB]{0,7}") {
            fn matches(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern, text) {
                    ([], rest) => rest.is_empty(),
                    ([b'%', behind @ ..], _) => (0..=text.len()).any(|taken| matches(behind, &text[taken..])),
                    ([b'_', behind @ ..], [_, rest @ ..]) => matches(behind, rest),
                    ([wanted, behind @ ..], [found, rest @ ..]) => wanted.eq_ignore_ascii_case(found) && matches(behind, rest),
                    (_, []) => false,
                }
            }
            let expected = matches(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(matches_pattern(&Pattern::read(&pattern).expect("no backslash"), &text), expected);
        }
    }
}
