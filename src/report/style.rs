//! Colours. Meaning never hangs on them alone.

use anstyle::{AnsiColor, Style};

/// The colours in use, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    coloured: bool,
}

impl Palette {
    /// With colours, or plain.
    pub fn new(coloured: bool) -> Self {
        Self { coloured }
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
