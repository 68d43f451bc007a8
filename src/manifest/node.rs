//! YAML text as a tree in which every value has its place. The only file of this folder that uses the YAML crate.
//!
//! A derived reader stops at the first thing it does not expect, and people want everything that is wrong at once. So
//! text becomes this small untyped tree first, which fails only where the text is not YAML; the readers in
//! [`super::fields`] then go through the whole tree and report whatever they do not like.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::budget::BudgetBreach;
use serde_yaml::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Error, MessageFormatter, Spanned, UserMessageFormatter};

use super::codes;
use crate::base::{Diagnostic, SourceId, Span};

/// A value and its place.
pub(super) struct Node {
    /// A scalar's text with its quotes; for a list or mapping its first line, since nobody wants a screenful underlined.
    pub span: Span,
    /// The value.
    pub value: Value,
    /// Whether it is a scalar written on one line without quotes.
    pub plain: bool,
}

/// A YAML value.
pub(super) enum Value {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, exactly as written.
    Number(String),
    /// Text, without quotes and escapes.
    Text(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order of the text; a key may come twice.
    Mapping(Vec<(Node, Node)>),
}

impl Value {
    /// What people call such a value.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "`true` or `false`",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

/// The byte ranges of the documents of a file, each from its first line with content to its last. Empty documents and
/// those of comments alone are left out.
///
/// A line that starts with `---` or `...` always ends a document: YAML forbids it even inside quotes. So documents can be
/// told apart without reading them, and a mistake in one does not hide the next.
pub(super) fn documents(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut current = 0..0;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let marker = |marker: &str| {
            line.strip_prefix(marker).is_some_and(|rest| rest.chars().next().is_none_or(|next| next.is_ascii_whitespace()))
        };
        if marker("---") || marker("...") {
            found.push(current);
            current = offset + 3..offset + 3;
        }
        offset += line.len();
        current.end = offset;
    }
    found.push(current);
    found.into_iter().filter_map(|range| trimmed(text, range)).collect()
}

/// The range without blank lines and comments at its ends. At the end only comments that start their line are taken
/// away: an indented `#` there may be content of a block of text.
fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let (mut start, mut end) = (range.start, range.end);
    for line in text[range.clone()].split_inclusive('\n') {
        let content = line.trim_start();
        if !(content.is_empty() || content.starts_with('#') || line.starts_with('%')) {
            break;
        }
        start += line.len();
    }
    for line in text[start..range.end].split_inclusive('\n').rev() {
        if !(line.trim().is_empty() || line.starts_with('#')) {
            break;
        }
        end -= line.len();
    }
    (start < end).then_some(start..end)
}

/// Reads one document.
///
/// # Errors
///
/// One diagnostic when the text is not YAML, or more of it than a manifest may have.
pub(super) fn parse(source: SourceId, text: &str, document: &Range<usize>) -> Result<Node, Box<Diagnostic>> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! { max_depth: 32, max_nodes: 20_000, max_aliases: 1_000 },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: 20_000 },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        emit_comments: false,
        ignore_binary_tag_for_string: true,
        leading_zero_numbers_as_strings: true,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    let slice = &text[document.clone()];
    match serde_yaml::from_str_with_options::<Parsed>(slice, options) {
        Ok(parsed) => Ok(Lift { source, slice, base: document.start }.node(parsed)),
        Err(error) => Err(Box::new(diagnose(source, slice, document.start, &error))),
    }
}

fn diagnose(source: SourceId, slice: &str, base: usize, error: &Error) -> Diagnostic {
    let found = error.location().map_or(0, |at| offset_of(slice, at.line(), at.column()));
    // Where the text ends too early, its last character is a better place than the empty line after it.
    let last = slice.trim_end().char_indices().last().map_or(0, |(at, _)| at);
    let start = found.min(last);
    let end = slice[start..].chars().next().filter(|next| *next != '\n').map_or(start, |next| start + next.len_utf8());
    let span = Span { source, start: base + start, end: base + end };
    let mut cause = error;
    while let Error::AliasError { error, .. } | Error::WithSnippet { error, .. } = cause {
        cause = error;
    }
    let message = UserMessageFormatter.format_message(cause).into_owned();
    let line = slice[slice[..start].rfind('\n').map_or(0, |newline| newline + 1)..].lines().next().unwrap_or_default();
    let indentation = line.len() - line.trim_start().len();
    match cause {
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::Budget { breach: BudgetBreach::Aliases { .. } | BudgetBreach::AliasAnchorRatio { .. }, .. } => {
            Diagnostic::error(codes::ALIAS_BOMB, "aliases repeat too much text", span, "reading stopped here")
                .with_help("write the values out instead of repeating them with `*name`")
        }
        Error::Budget { .. } => too_complex(span),
        // The scanner has its own nesting limit, without a variant of its own.
        _ if message.contains("recursion limit") => too_complex(span),
        Error::UnknownAnchor { .. } => {
            Diagnostic::error(codes::SYNTAX, "an alias refers to nothing", span, "no anchor of this name comes before it")
                .with_help("write the value out, or put the text in quotes")
        }
        Error::UnsupportedTag { .. } => {
            Diagnostic::error(codes::YAML_FEATURE, "tags are not part of manifests", span, "this value has a tag")
                .with_help("write the value without `!…` before it")
        }
        _ if line[..indentation].contains('\t') => {
            let start = base + slice[..start].rfind('\n').map_or(0, |newline| newline + 1);
            tab(Span { source, start, end: start + indentation })
        }
        _ => Diagnostic::error(codes::SYNTAX, format!("the text is not YAML: {message}"), span, "reading stopped here")
            .with_help("the mistake is here or just before: look for a missing quote, bracket, `:` or wrong indentation"),
    }
}

fn tab(span: Span) -> Diagnostic {
    Diagnostic::error(codes::TAB_INDENTATION, "a line is indented with a tab", span, "there is a tab here")
        .with_help("YAML indents with spaces only")
}

/// The keys and list items that are indented with a tab. The YAML crate lets a tab pass after a space, other readers do not.
pub(super) fn tabs(node: &Node, text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut judge = |below: &Node| {
        let start = text.get(..below.span.start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        let before = text.get(start..below.span.start).unwrap_or_default();
        if before.contains('\t') && before.trim_start_matches([' ', '\t', '-']).is_empty() {
            found.push(tab(Span { start, end: below.span.start, ..below.span }));
        }
    };
    let below: Vec<&Node> = match &node.value {
        Value::Sequence(items) => {
            items.iter().for_each(&mut judge);
            items.iter().collect()
        }
        Value::Mapping(entries) => {
            entries.iter().for_each(|(key, _)| judge(key));
            entries.iter().map(|(_, value)| value).collect()
        }
        _ => Vec::new(),
    };
    found.extend(below.into_iter().flat_map(|node| tabs(node, text)));
    found
}

fn too_complex(span: Span) -> Diagnostic {
    Diagnostic::error(
        codes::TOO_COMPLEX,
        "the document is nested too deeply or holds too many values",
        span,
        "reading stopped here",
    )
    .with_help("a document may be 32 levels deep and hold 20,000 values")
}

/// The byte offset of a line and a column that both count from 1, the column in characters.
fn offset_of(text: &str, line: u64, column: u64) -> usize {
    let mut start = 0;
    for (number, content) in (1..).zip(text.split_inclusive('\n')) {
        if number == line {
            let skipped: usize = content.chars().take(column.saturating_sub(1) as usize).map(char::len_utf8).sum();
            return start + skipped;
        }
        start += content.len();
    }
    text.len()
}

/// The tree as the YAML crate gives it: places count from the document's start, numbers have lost their spelling.
struct Parsed {
    place: Range<usize>,
    value: ParsedValue,
}

enum ParsedValue {
    Null,
    Boolean(bool),
    Number,
    Text(String),
    Sequence(Vec<Parsed>),
    Mapping(Vec<(Parsed, Parsed)>),
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<ParsedValue>::deserialize(deserializer)?;
        let span = spanned.defined.span();
        let start = span.byte_offset().unwrap_or_default() as usize;
        Ok(Self { place: start..start + span.byte_len().unwrap_or_default() as usize, value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for ParsedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = ParsedValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Null)
    }

    fn visit_none<E>(self) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<ParsedValue, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Boolean(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Number)
    }

    fn visit_i128<E>(self, _: i128) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Number)
    }

    fn visit_u128<E>(self, _: u128) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<ParsedValue, E> {
        Ok(ParsedValue::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<ParsedValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(ParsedValue::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<ParsedValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(ParsedValue::Mapping(entries))
    }
}

/// Turns the crate's tree into ours: places count from the start of the file, numbers are as written.
struct Lift<'a> {
    source: SourceId,
    slice: &'a str,
    base: usize,
}

impl Lift<'_> {
    fn node(&self, parsed: Parsed) -> Node {
        let raw = self.slice.get(parsed.place.clone()).unwrap_or_default();
        // A block of text ends with the line break and the indentation of what follows; neither is worth pointing at.
        let trimmed = raw.trim_end_matches(['\n', '\r', ' ']);
        let mut plain = false;
        let value = match parsed.value {
            ParsedValue::Null => Value::Null,
            ParsedValue::Boolean(value) => Value::Boolean(value),
            ParsedValue::Number => Value::Number(raw.to_owned()),
            ParsedValue::Text(text) => {
                plain = raw == text;
                Value::Text(text)
            }
            ParsedValue::Sequence(items) => Value::Sequence(items.into_iter().map(|item| self.node(item)).collect()),
            ParsedValue::Mapping(entries) => {
                Value::Mapping(entries.into_iter().map(|(key, value)| (self.node(key), self.node(value))).collect())
            }
        };
        let place = match value {
            Value::Sequence(_) | Value::Mapping(_) => self.first_line(parsed.place.start),
            _ => parsed.place.start..parsed.place.start + trimmed.len(),
        };
        let span = match self.slice.get(place.clone()) {
            Some(_) => Span { source: self.source, start: self.base + place.start, end: self.base + place.end },
            None => Span { source: self.source, start: self.base, end: self.base },
        };
        Node { span, value, plain }
    }

    /// From `start` to the end of the line.
    fn first_line(&self, start: usize) -> Range<usize> {
        let line = self.slice.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        start..start + line.trim_end().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SourceMap;

    #[test]
    fn tells_documents_apart_without_reading_them() {
        let text = "# c\n%YAML 1.2\n---\n\na: 1\n# x\n---\n# nothing\n--- {b: 2}\n...\nc: |\n  t\n  # t\n\n---\n----\n";
        let found: Vec<&str> = documents(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["a: 1\n", " {b: 2}\n", "c: |\n  t\n  # t\n", "----\n"]);
        assert!(documents("").is_empty());
    }

    #[test]
    fn places_values_after_text_that_is_not_ascii() {
        let text = "x: 1\n---\nä: 'ö''ü'\nb: 3.10\n";
        let mut sources = SourceMap::default();
        let source = sources.add("a.yaml", text);
        let node = parse(source, text, &documents(text)[1]).expect("YAML");
        let Value::Mapping(entries) = node.value else { panic!("not a mapping") };
        let raw = |node: &Node| &text[node.span.start..node.span.end];
        assert_eq!(
            entries.iter().map(|(key, value)| (raw(key), raw(value))).collect::<Vec<_>>(),
            [("ä", "'ö''ü'"), ("b", "3.10")]
        );
        assert!(matches!(&entries[0].1.value, Value::Text(text) if text == "ö'ü"));
        assert!(matches!(&entries[1].1.value, Value::Number(digits) if digits == "3.10"));
    }
}
