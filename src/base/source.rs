//! Where in which file something was written.

use std::fmt;

/// Names one text in a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A range of bytes in one source.
///
/// **Invariants**: `start <= end`, and both lie on character boundaries of the source's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which text.
    pub source: SourceId,
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A position for people: both count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// A text that was read, and its name for people. Its `Debug` form omits the text, which may contain a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as people gave it, relative to the project where it lies inside it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Source").field("name", &self.name).field("bytes", &self.text.len()).finish()
    }
}

impl Source {
    /// The position of a byte offset; an offset past the end gives the end.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        LineColumn { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

/// All texts that were read, so that a [`Span`] can be shown.
///
/// Text that may be a secret is [masked](SourceMap::mask): it stays in [`Source::text`], since spans and digests are over
/// the text as it is, and whoever shows a text takes it from [`SourceMap::shown`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    sources: Vec<Source>,
    masked: Vec<Span>,
}

impl SourceMap {
    /// Adds a text and names it.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.sources.push(Source { name: name.into(), text: text.into() });
        id
    }

    /// The text that `id` names, or `None` when the id is of another map.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }

    /// Marks text that must never be shown.
    pub fn mask(&mut self, span: Span) {
        self.masked.push(span);
    }

    /// The text of a span as it may be shown: every masked byte is a `*`, but for line breaks and indentation, so that
    /// offsets stay true. `None` when the span is not within one of these texts.
    pub fn shown(&self, span: Span) -> Option<String> {
        let mut bytes = self.get(span.source)?.text.get(span.start..span.end)?.as_bytes().to_vec();
        for mask in self.masked.iter().filter(|mask| mask.source == span.source) {
            let mut indentation = false;
            for at in mask.start.max(span.start)..mask.end.min(span.end) {
                let byte = &mut bytes[at - span.start];
                indentation = *byte == b'\n' || (indentation && *byte == b' ');
                if !indentation {
                    *byte = b'*';
                }
            }
        }
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// All texts in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.sources.iter().enumerate().map(|(index, source)| (SourceId(index as u32), source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_masked_text_as_stars_of_the_same_length() {
        let mut sources = SourceMap::default();
        let id = sources.add("a.yaml", "a: sécret\n  more\nb: 1\n");
        let whole = Span { source: id, start: 0, end: 23 };
        sources.mask(Span { start: 3, end: 17, ..whole });
        assert_eq!(sources.shown(whole).expect("inside"), "a: *******\n  ****\nb: 1\n");
        assert_eq!(sources.shown(Span { end: 2, ..whole }).expect("inside"), "a:", "a mask after the span");
        assert_eq!(sources.shown(Span { start: 18, ..whole }).expect("inside"), "b: 1\n");
        assert_eq!(sources.shown(Span { start: 5, end: 9, ..whole }), None, "half a character");
        assert_eq!(sources.shown(Span { end: 99, ..whole }), None);
    }

    #[test]
    fn counts_lines_and_characters_from_one() {
        let source = Source { name: "a.yaml".into(), text: "ä: 1\nbé: 2\n".into() };
        assert_eq!(source.line_column(0), LineColumn { line: 1, column: 1 });
        assert_eq!(source.line_column("ä: 1\nb".len()), LineColumn { line: 2, column: 2 });
        assert_eq!(source.line_column("ä: 1\nbé".len()), LineColumn { line: 2, column: 3 });
        assert_eq!(source.line_column(9_999), LineColumn { line: 3, column: 1 });
    }
}
