//! Colours and the width of lines. Meaning never hangs on either.

use anstyle::{AnsiColor, Style};

/// The colours in use, or none, and how wide a line may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    coloured: bool,
    columns: Option<usize>,
}

/// Narrower columns of text are not made: below that, lines are longer than the screen.
const NARROWEST: usize = 24;

impl Palette {
    /// With colours, or plain.
    pub fn new(coloured: bool) -> Self {
        Self { coloured, columns: None }
    }

    /// The same for a screen of so many columns; `None` where lines may have any length.
    #[must_use]
    pub fn within(self, columns: Option<usize>) -> Self {
        Self { columns, ..self }
    }

    /// How many columns a line may have; `None` for any.
    pub fn columns(self) -> Option<usize> {
        self.columns
    }

    /// `text` after `head`, which is `width` columns wide and may be painted, in as many lines as it takes; the further ones begin
    /// below the first. Words are not cut. `paint` gives each line its colour.
    pub(super) fn hanging(self, head: &str, width: usize, text: &str, paint: impl Fn(&str) -> String) -> String {
        self.hanging_at(width, head, width, text, paint)
    }

    /// The same with further lines that begin at a column of their own.
    pub(super) fn hanging_at(
        self,
        margin: usize,
        head: &str,
        width: usize,
        text: &str,
        paint: impl Fn(&str) -> String,
    ) -> String {
        let Some(columns) = self.columns else { return format!("{head}{}\n", paint(text)) };
        let (first, further) = (" ".repeat(width), " ".repeat(margin));
        let options = textwrap::Options::new(columns.max(margin + NARROWEST))
            .initial_indent(&first)
            .subsequent_indent(&further)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
        let lines = textwrap::wrap(text, options);
        let lines = lines.iter().enumerate().map(|(number, line)| match number {
            0 => format!("{head}{}\n", paint(line.strip_prefix(&first).unwrap_or_default())),
            _ => format!("{further}{}\n", paint(line.strip_prefix(&further).unwrap_or_default())),
        });
        lines.collect()
    }

    /// Whether there are colours.
    pub fn is_coloured(self) -> bool {
        self.coloured
    }

    fn paint(self, style: Style, text: &str) -> String {
        if self.coloured { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A heading.
    pub fn strong(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// Something that will be or was deleted.
    pub fn deletion(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default(), text)
    }

    /// Something that stays or went well.
    pub fn kept(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// Something that needs attention.
    pub fn caution(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    /// Something that stopped the work.
    pub fn problem(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// Something of less weight.
    pub fn faint(self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_hangs_below_its_head_and_no_word_is_cut() {
        let told = "up to 2,000 records go through sObject Collections, and others through a-very-long-word-that-is-not-cut";
        let shown = |columns| Palette::new(false).within(columns).hanging("  route  ", 9, told, |line| line.to_owned());
        assert_eq!(shown(None), format!("  route  {told}\n"));
        insta::assert_snapshot!(shown(Some(40)), @r#"
        route  up to 2,000 records go through
               sObject Collections, and others
               through
               a-very-long-word-that-is-not-cut
        "#);
        let at =
            |head: &str| Palette::new(false).within(Some(40)).hanging_at(4, head, head.len(), told, |line| line.to_owned());
        let wide = at("target field-data-of-parks: ");
        assert!(wide.lines().all(|line| line.len() <= 40), "a head wider than the margin counts: {wide}");
        // A screen that is too narrow for words gets long lines, and nothing is lost.
        assert_eq!(shown(Some(5)).split_whitespace().collect::<Vec<_>>()[1..], told.split_whitespace().collect::<Vec<_>>());
    }
}
