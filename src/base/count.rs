//! Counts as people read them.

/// A count with a comma between groups of three digits: `1,204`.
///
/// It is for sentences only; data that machines read holds the plain digits.
///
/// ```
/// assert_eq!(sexton::base::with_thousands(1_204), "1,204");
/// ```
pub fn with_thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun, in the plural unless there is one of it: `1 record`, `1,204 records`, `2 policies`, `3 batches`.
///
/// The plural is spelled by the rules of English for regular nouns; `noun` must be one, such as `record` or `more record`.
pub fn counted(count: u64, noun: &str) -> String {
    let number = with_thousands(count);
    if count == 1 {
        return format!("{number} {noun}");
    }
    let vowel_before_y = ["ay", "ey", "oy", "uy"].iter().any(|end| noun.ends_with(end));
    match noun.strip_suffix('y') {
        Some(stem) if !vowel_before_y => format!("{number} {stem}ies"),
        _ if ["s", "x", "z", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{number} {noun}es"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_digits_by_three() {
        for (count, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (123_456, "123,456"), (1_234_567, "1,234,567")]
        {
            assert_eq!(with_thousands(count), text);
        }
        assert_eq!(with_thousands(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn says_one_record_and_many_records() {
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(0, "record"), "0 records");
        assert_eq!(counted(1_204, "record"), "1,204 records");
        assert_eq!(
            [counted(1, "policy"), counted(2, "policy"), counted(2, "day"), counted(3, "batch")],
            ["1 policy", "2 policies", "2 days", "3 batches"]
        );
    }

    #[test]
    fn spells_the_plural_of_nouns_that_do_not_take_a_bare_s() {
        assert_eq!(counted(1, "policy"), "1 policy");
        assert_eq!(counted(2, "policy"), "2 policies");
        assert_eq!(counted(0, "batch"), "0 batches");
        assert_eq!(counted(3, "key"), "3 keys");
    }
}
