//! Conditions side by side, and how they are joined.

use super::{Condition, Place, SyntaxError};
use crate::filter::cursor::quote;

/// How the parts of a condition are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joiner {
    And,
    Or,
}

impl Joiner {
    /// The joiner that this word is, whatever its case.
    pub(super) fn new(word: &str) -> Option<Self> {
        [Self::And, Self::Or].into_iter().find(|joiner| word.eq_ignore_ascii_case(joiner.word()))
    }

    fn word(self) -> &'static str {
        match self {
            Self::And => "AND",
            Self::Or => "OR",
        }
    }
}

/// The parts between two parentheses, and how they are joined.
#[derive(Default)]
pub(super) struct Level {
    parts: Vec<Option<Condition>>,
    places: Vec<Place>,
    negations: Vec<Place>,
    joiner: Option<Joiner>,
    /// The first joiner that differs from the one before it, with the number of parts before it.
    mixed: Option<(Joiner, Place, usize)>,
}

impl Level {
    /// Takes the next part.
    pub(super) fn take(&mut self, part: Option<Condition>, place: Place, negated: bool) {
        if negated && part.is_some() {
            self.negations.push(place);
        }
        self.parts.push(part);
        self.places.push(place);
    }

    /// Takes what joins the next part.
    pub(super) fn join(&mut self, joiner: Joiner, place: Place) {
        if self.joiner.is_some_and(|first| first != joiner) && self.mixed.is_none() {
            self.mixed = Some((joiner, place, self.parts.len()));
        }
        self.joiner.get_or_insert(joiner);
    }

    /// What is wrong with the way the parts are joined: the language wants parentheses wherever `AND`, `OR` and `NOT` meet
    /// (documented).
    pub(super) fn mistakes(&self, text: &str) -> Vec<SyntaxError> {
        let slice = |start: usize, end: usize| text[start..end].trim();
        let mut mistakes = Vec::new();
        if let (Some((joiner, place, count)), Some(first)) = (self.mixed, self.joiner)
            && let (Some(start), Some(last), Some(next)) =
                (self.places.first(), self.places.get(count - 1), self.places.get(count))
        {
            let (word, before) = (joiner.word(), first.word());
            let one = format!("({}) {word} {}", slice(start.start, last.end), slice(next.start, next.end));
            let other = format!("{} ({})", slice(start.start, last.start), slice(last.start, next.end));
            mistakes.push(
                SyntaxError::new(place, format!("`{word}` is mixed with `{before}` without parentheses"))
                    .with_help(format!("say which belong together: {} or {}", quote(&one), quote(&other))),
            );
        }
        if self.parts.len() > 1 {
            mistakes.extend(self.negations.iter().map(|place| {
                SyntaxError::new(
                    Place { start: place.start, end: place.start + "NOT".len() },
                    "`NOT` is mixed with another condition without parentheses",
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
            Some(Joiner::And) => Some(Condition::And(parts)),
            Some(Joiner::Or) => Some(Condition::Or(parts)),
        }
    }
}
