//! Reads typed values out of the YAML tree and keeps every finding, so that all of them are told at once.

use std::collections::BTreeMap;
use std::fmt::Display;

use strum::IntoEnumIterator;

use super::codes;
use super::node::{Node, Value};
use crate::base::{Age, AgeError, Diagnostic, DiagnosticCode, Percent, SourceMap, Span, did_you_mean, nearest, shortened};

/// What was found so far, and the texts it was found in.
pub(super) struct Findings<'s> {
    pub sources: &'s SourceMap,
    pub diagnostics: Vec<Diagnostic>,
}

/// One value with its key.
#[derive(Clone, Copy)]
pub(super) struct Field<'n> {
    /// The key; for an item of a list, the list's key.
    pub key: &'n str,
    /// Where the key stands.
    pub place: Span,
    /// The value.
    pub node: &'n Node,
}

/// The keys of a mapping, of which each has to be asked for: what is left at the [end](Fields::end) is unknown.
pub(super) struct Fields<'n> {
    /// What the mapping is, as in `a target`.
    what: &'n str,
    /// Where to say that something is missing: the key that holds the mapping.
    pub place: Span,
    entries: Vec<Field<'n>>,
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The value of `key`, when it is there.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<Field<'n>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.entries.iter().find(|field| field.key == key).copied()
    }

    /// The value of `key`; its absence is an error.
    pub(super) fn required(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<Field<'n>> {
        let found = self.optional(key);
        if found.is_none() {
            findings.push(
                Diagnostic::error(
                    codes::MISSING_KEY,
                    format!("{} needs `{key}`", self.what),
                    self.place,
                    format!("no `{key}` in here"),
                )
                .with_help(format!("add `{key}:`")),
            );
        }
        found
    }

    /// Every entry, for mappings whose keys are free or are checked one by one.
    pub(super) fn entries(&self) -> &[Field<'n>] {
        &self.entries
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn end(self, findings: &mut Findings<'_>) {
        self.end_except(&[], findings);
    }

    /// Reports the keys that were not asked for, except some that are reported elsewhere.
    pub(super) fn end_except(self, told: &[&str], findings: &mut Findings<'_>) {
        let known = |key: &str| self.asked.contains(&key) || told.contains(&key);
        for field in self.entries.iter().filter(|field| !known(field.key)) {
            if field.key == "<<" {
                findings.push(
                    Diagnostic::error(codes::YAML_FEATURE, "merge keys are not part of manifests", field.place, "")
                        .with_help("write the keys out: reviewers have to see what is deleted"),
                );
                continue;
            }
            let help = did_you_mean(field.key, self.asked.iter().copied(), "delete it, or move it where it belongs");
            let known: Vec<String> = self.asked.iter().map(|key| format!("`{key}`")).collect();
            findings.push(
                Diagnostic::error(
                    codes::UNKNOWN_KEY,
                    format!("{} has no key `{}`", self.what, shortened(field.key)),
                    field.place,
                    "unknown key",
                )
                .with_help(help)
                .with_note(format!("known here: {}", known.join(", "))),
            );
        }
    }
}

impl Findings<'_> {
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Opens a mapping. `what` names it in messages, as in `a target`.
    pub(super) fn fields<'n>(&mut self, field: Field<'n>, what: &'n str) -> Option<Fields<'n>> {
        let Value::Mapping(pairs) = &field.node.value else {
            self.wrong_type(field, "a mapping");
            return None;
        };
        let mut entries: Vec<Field<'n>> = Vec::new();
        for (key, node) in pairs {
            let Value::Text(name) = &key.value else {
                self.push(
                    Diagnostic::error(codes::YAML_FEATURE, "a key must be text", key.span, key.value.describe())
                        .with_help("put it in quotes if it is meant as a key"),
                );
                continue;
            };
            match entries.iter().find(|earlier| earlier.key == name) {
                Some(earlier) => self.push(
                    Diagnostic::error(
                        codes::DUPLICATE_KEY,
                        format!("the key `{}` is given twice", shortened(name)),
                        key.span,
                        "again here",
                    )
                    .with_label(earlier.place, "first here")
                    .with_help("delete one of the two"),
                ),
                None => entries.push(Field { key: name, place: key.span, node }),
            }
        }
        Some(Fields { what, place: field.place, entries, asked: Vec::new() })
    }

    pub(super) fn wrong_type(&mut self, field: Field<'_>, expected: &str) {
        let mut diagnostic = Diagnostic::error(
            codes::WRONG_TYPE,
            format!("`{}` must be {expected}", shortened(field.key)),
            self.visible(field.node.span, field.place),
            format!("this is {}", field.node.value.describe()),
        );
        diagnostic.help = match (&field.node.value, expected) {
            (Value::Null, _) => Some("write a value after the `:`, or delete the key".to_owned()),
            (_, "a list") => Some(format!("write `{}: [..]`", field.key)),
            (_, "a mapping") => Some(format!("write keys and values below `{}:`", field.key)),
            _ => None,
        };
        self.push(diagnostic);
    }

    /// `span`, or `otherwise` where it has no width to underline.
    fn visible(&self, span: Span, otherwise: Span) -> Span {
        if span.start == span.end { otherwise } else { span }
    }

    /// A text that is not blank.
    pub(super) fn text<'n>(&mut self, field: Field<'n>) -> Option<&'n str> {
        match &field.node.value {
            Value::Text(text) if text.trim().is_empty() => {
                self.push(
                    Diagnostic::error(
                        codes::BLANK_TEXT,
                        format!("`{}` is blank", field.key),
                        self.visible(field.node.span, field.place),
                        "this is blank",
                    )
                    .with_help("write something, or delete the key"),
                );
                None
            }
            Value::Text(text) => Some(text),
            Value::Number(_) | Value::Boolean(_) => {
                let written = self.written(field.node);
                self.push(
                    Diagnostic::error(
                        codes::WRONG_TYPE,
                        format!("`{}` must be text", shortened(field.key)),
                        field.node.span,
                        format!("this is {}", field.node.value.describe()),
                    )
                    .with_help(format!("put it in quotes: `\"{written}\"`")),
                );
                None
            }
            _ => {
                self.wrong_type(field, "text");
                None
            }
        }
    }

    /// The scalar as it may be shown.
    pub(super) fn written(&self, node: &Node) -> String {
        shortened(&self.sources.shown(node.span).unwrap_or_default())
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, field: Field<'_>) -> Option<bool> {
        match &field.node.value {
            Value::Boolean(value) => Some(*value),
            Value::Text(text) if boolean_word(text).is_some() => {
                self.boolean_form(field, text);
                None
            }
            _ => {
                self.wrong_type(field, "`true` or `false`");
                None
            }
        }
    }

    /// Reports a boolean in quotes or in an old spelling.
    pub(super) fn boolean_form(&mut self, field: Field<'_>, text: &str) {
        let meant = boolean_word(text).unwrap_or_default();
        let (title, label) = if field.node.plain {
            (format!("`{}` must be `true` or `false`, not `{text}`", field.key), "an old spelling")
        } else {
            (format!("`{}` must be `true` or `false` without quotes", field.key), "this is text")
        };
        self.push(
            Diagnostic::error(codes::BOOLEAN_FORM, title, field.node.span, label).with_help(format!("write `{meant}`")),
        );
    }

    /// The plain digits of a number; every other form is reported.
    pub(super) fn number<'n>(&mut self, field: Field<'n>, expected: &str) -> Option<&'n str> {
        let written = match &field.node.value {
            Value::Number(written) => written,
            Value::Text(text) if field.node.plain && ambiguous_number(text) => text,
            Value::Text(text) if !field.node.plain && plain_number(text) => {
                self.push(
                    Diagnostic::error(
                        codes::WRONG_TYPE,
                        format!("`{}` must be {expected}", field.key),
                        field.node.span,
                        "this is text",
                    )
                    .with_help(format!("write `{text}` without quotes")),
                );
                return None;
            }
            _ => {
                self.wrong_type(field, expected);
                return None;
            }
        };
        if plain_number(written) {
            return Some(written);
        }
        self.number_form(field);
        None
    }

    /// Reports a number in a form that readers of YAML disagree about.
    pub(super) fn number_form(&mut self, field: Field<'_>) {
        let written = self.written(field.node);
        self.push(
            Diagnostic::error(
                codes::NUMBER_FORM,
                format!("`{written}` means different numbers to different readers of YAML"),
                field.node.span,
                "write plain digits",
            )
            .with_help(format!("write plain digits for a number, or `\"{written}\"` for text")),
        );
    }

    /// A count from 0.
    pub(super) fn count(&mut self, field: Field<'_>) -> Option<u64> {
        let written = self.number(field, "a whole number")?;
        let count = written.parse().ok();
        if count.is_none() {
            let label = if written.starts_with('-') { "this is negative" } else { "this is not a whole number" };
            self.push(
                Diagnostic::error(
                    codes::NUMBER_RANGE,
                    format!("`{}` must be a whole number, 0 or more", field.key),
                    field.node.span,
                    label,
                )
                .with_help("write a count, such as `500`"),
            );
        }
        count
    }

    /// A percentage.
    pub(super) fn percent(&mut self, field: Field<'_>) -> Option<Percent> {
        let written = match &field.node.value {
            Value::Text(text) if text.trim_end().ends_with('%') => text,
            _ => self.number(field, "a percentage")?,
        };
        let percent = written.parse().ok();
        if percent.is_none() {
            let help = match written.trim_end_matches(['%', ' ']).parse::<Percent>() {
                Ok(meant) => format!("write `{meant}`"),
                Err(_) => "write a number from 0 to 100 with at most two decimals".to_owned(),
            };
            self.push(
                Diagnostic::error(
                    codes::PERCENTAGE,
                    format!("`{}` must be a number from 0 to 100, without `%`", field.key),
                    field.node.span,
                    "this is not",
                )
                .with_help(help),
            );
        }
        percent
    }

    /// An age with its unit.
    pub(super) fn age(&mut self, field: Field<'_>) -> Option<Age> {
        let written = match &field.node.value {
            Value::Text(text) => text,
            Value::Number(digits) => digits,
            _ => {
                self.wrong_type(field, "a duration, such as `90 days`");
                return None;
            }
        };
        match written.parse::<Age>() {
            Ok(age) => Some(age),
            Err(error) => {
                let (label, help) = match &error {
                    AgeError::NoUnit(count) => ("no unit", format!("write `{count} days`, or whichever unit is meant")),
                    AgeError::Count(_) => ("out of range", "the count must be 1 to 9999".to_owned()),
                    _ => (
                        "not a duration",
                        "write a count and a unit, such as `90 days`, `18 months` or `3 years`".to_owned(),
                    ),
                };
                self.push(
                    Diagnostic::error(
                        codes::DURATION,
                        format!("`{}` must be a duration with its unit", field.key),
                        field.node.span,
                        label,
                    )
                    .with_help(help),
                );
                None
            }
        }
    }

    /// One of a few words, which are the variants of `T`.
    pub(super) fn choice<T: IntoEnumIterator + Into<&'static str>>(&mut self, field: Field<'_>) -> Option<T> {
        let text = self.text(field)?;
        let found =
            T::iter().zip(T::iter().map(Into::<&str>::into)).find(|(_, word)| *word == text).map(|(choice, _)| choice);
        if found.is_none() {
            self.unknown_value(field, text, T::iter().map(Into::into));
        }
        found
    }

    /// Reports a word that is none of the known ones.
    pub(super) fn unknown_value<'a>(&mut self, field: Field<'_>, text: &str, known: impl Iterator<Item = &'a str> + Clone) {
        let all: Vec<String> = known.clone().map(|word| format!("`{word}`")).collect();
        let all = format!("write {}", all.join(" or "));
        let help = match nearest(text, known) {
            Some(name) => format!("did you mean `{name}`? {all}"),
            None => all,
        };
        self.push(
            Diagnostic::error(
                codes::UNKNOWN_VALUE,
                format!("`{}` cannot be `{}`", field.key, shortened(text)),
                field.node.span,
                "not a known value",
            )
            .with_help(help),
        );
    }

    /// The items of a list, each under the list's key.
    pub(super) fn list<'n>(&mut self, field: Field<'n>) -> Option<Vec<Field<'n>>> {
        match &field.node.value {
            Value::Sequence(items) => Some(
                items
                    .iter()
                    .map(|node| Field { key: field.key, place: self.visible(node.span, field.place), node })
                    .collect(),
            ),
            _ => {
                self.wrong_type(field, "a list");
                None
            }
        }
    }

    /// The items of a list of which none may come twice, each with its place. What `read` refuses is left out.
    pub(super) fn distinct<'n, T: PartialEq>(
        &mut self,
        field: Field<'n>,
        read: impl Fn(&mut Self, Field<'n>) -> Option<T>,
    ) -> Vec<(T, Span)> {
        let mut found: Vec<(T, Span)> = Vec::new();
        for item in self.list(field).unwrap_or_default() {
            if let Some(value) = read(self, item) {
                match found.iter().find(|(earlier, _)| *earlier == value) {
                    Some((_, place)) => {
                        self.push(
                            Diagnostic::error(
                                codes::DUPLICATE_ENTRY,
                                format!("`{}` names the same thing twice", field.key),
                                item.node.span,
                                "again here",
                            )
                            .with_label(*place, "first here")
                            .with_help("delete one of the two"),
                        );
                    }
                    None => found.push((value, item.node.span)),
                }
            }
        }
        found
    }

    /// A text that `convert` accepts; its error is the message.
    pub(super) fn converted<'n, T, E: Display>(
        &mut self,
        field: Field<'n>,
        code: DiagnosticCode,
        help: &str,
        convert: impl FnOnce(&'n str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(field)?;
        match convert(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.push(Diagnostic::error(code, error.to_string(), field.node.span, "").with_help(help));
                None
            }
        }
    }

    /// Free labels: texts under names of the user's choice.
    pub(super) fn labels(&mut self, field: Field<'_>) -> Option<BTreeMap<String, String>> {
        let fields = self.fields(field, "labels")?;
        let mut labels = BTreeMap::new();
        for entry in fields.entries() {
            labels.insert(entry.key.to_owned(), self.text(*entry)?.to_owned());
        }
        Some(labels)
    }
}

/// What a word means that some reader of YAML takes for a boolean.
pub(super) fn boolean_word(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

/// An optional sign, digits without a needless zero in front, an optional fraction.
pub(super) fn plain_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

/// Whether some reader of YAML takes an unquoted text for a number that is not [plain](plain_number).
pub(super) fn ambiguous_number(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['-', '+']);
    let special = matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan");
    let counted = unsigned.starts_with(|first: char| first.is_ascii_digit())
        && unsigned.chars().all(|character| character.is_ascii_digit() || matches!(character, '_' | '.' | ':'));
    special || (counted && !plain_number(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_forms_that_readers_disagree_about() {
        for text in ["017", "1_000", "12:30:45", "+5", "00", ".inf", "-.NaN", "1.2.3"] {
            assert!(ambiguous_number(text), "{text}");
        }
        for text in ["0", "17", "-3", "3.10", "0.5", "2020-01-01", "a17", "00D000000000001EAA", "5 days", ""] {
            assert!(!ambiguous_number(text), "{text}");
        }
        for text in ["", "-", "1.", ".5", "1e3", "0x1F", "05", "+5"] {
            assert!(!plain_number(text), "{text}");
        }
    }
}
