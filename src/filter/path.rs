//! Names of fields and objects, in SOQL and in ZOQL.

use std::fmt;

use super::Place;

/// Names joined by dots: a field, or the way to it over parents, such as `Account.Owner.Name`.
///
/// **Invariants**: each name is a letter followed by letters, digits and `_`, so that a path needs no quoting and cannot
/// be anything else. It may still be a word that a language keeps for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: String,
    /// Where it stands.
    pub place: Place,
}

impl Path {
    /// Takes `text` as a path, or `None` when it is not one.
    pub fn new(text: &str, place: Place) -> Option<Self> {
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        text.split('.').all(is_name).then(|| Self { text: text.to_owned(), place })
    }

    /// The path as it was written; neither language tells upper from lower case here (ZOQL: recorded).
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many parents the path goes over: none in `Name`, two in `Account.Owner.Name`.
    pub fn parents(&self) -> usize {
        self.text.matches('.').count()
    }

    /// Whether the whole path is one of these words, whatever its case.
    pub fn is_any_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| word.eq_ignore_ascii_case(&self.text))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_hold_anything_else() {
        for text in ["Name", "Account.Owner.Name", "Foo__c", "A1"] {
            assert!(Path::new(text, Place::default()).is_some(), "{text}");
        }
        for text in ["", ".", "a.", ".a", "a..b", "1a", "_a", "a b", "a'", "a=1", "ä", "a\n", "a-b", "a,b", "COUNT()"] {
            assert!(Path::new(text, Place::default()).is_none(), "{text:?}");
        }
    }
}
