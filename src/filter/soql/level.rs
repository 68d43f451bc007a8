//! Conditions side by side, and how they are joined.

use super::{Condition, Place, SyntaxError};

/// A part of the text for a help, or an ellipsis where it is too long to be one.
pub(super) fn quote(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= 120 { format!("`{one_line}`") } else { "`…`".to_owned() }
}

/// The parts between two parentheses, and how they are joined.
#[derive(Default)]
pub(super) struct Level {
    parts: Vec<Option<Condition>>,
    places: Vec<Place>,
    negations: Vec<Place>,
    joiner: Option<&'static str>,
    /// The first joiner that differs from the one before it, with the number of parts before it.
    mixed: Option<(&'static str, Place, usize)>,
}

impl Level {
    /// Takes the next part.
    pub(super) fn take(&mut self, part: Option<Condition>, place: Place, negated: bool) {
        self.parts.push(part);
        self.places.push(place);
        if negated {
            self.negations.push(place);
        }
    }

    /// Takes the word that joins the next part.
    pub(super) fn join(&mut self, word: &'static str, place: Place) {
        if self.joiner.is_some_and(|first| first != word) && self.mixed.is_none() {
            self.mixed = Some((word, place, self.parts.len()));
        }
        self.joiner.get_or_insert(word);
    }

    /// What is wrong with the way the parts are joined: the language wants parentheses wherever `AND`, `OR` and `NOT` meet
    /// (documented).
    pub(super) fn mistakes(&self, text: &str) -> Vec<SyntaxError> {
        let slice = |start: usize, end: usize| text[start..end].trim();
        let mut mistakes = Vec::new();
        if let (Some((word, place, count)), Some(first)) = (self.mixed, self.joiner)
            && let (Some(start), Some(last), Some(next)) =
                (self.places.first(), self.places.get(count - 1), self.places.get(count))
        {
            let one = format!("({}) {word} {}", slice(start.start, last.end), slice(next.start, next.end));
            let other = format!("{} ({})", slice(start.start, last.start), slice(last.start, next.end));
            mistakes.push(
                SyntaxError::new(place, format!("`{word}` stands beside `{first}` without parentheses")).with_help(format!(
                    "say which belong together: {} or {}",
                    quote(&one),
                    quote(&other)
                )),
            );
        }
        if self.parts.len() > 1 {
            mistakes.extend(self.negations.iter().map(|place| {
                SyntaxError::new(
                    Place { start: place.start, end: place.start + "NOT".len() },
                    "`NOT` stands beside another condition without parentheses",
                )
                .with_help(format!("write {}", quote(&format!("({})", slice(place.start, place.end)))))
            }));
        }
        mistakes
    }

    /// The parts as one condition, unless one of them was wrong.
    pub(super) fn condition(self) -> Option<Condition> {
        let mut parts = self.parts.into_iter().collect::<Option<Vec<_>>>()?;
        match self.joiner {
            None => parts.pop(),
            Some("AND") => Some(Condition::And(parts)),
            Some(_) => Some(Condition::Or(parts)),
        }
    }
}
