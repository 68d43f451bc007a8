//! What every view is, and the shortest ones.

use super::{JsonEvent, Palette, terminal_line};

/// Something that is shown: text for people, events for machines.
pub trait View {
    /// The text for a terminal, safe to print as it is, with its line breaks. Empty where people are told nothing.
    fn text(&self, palette: Palette) -> String;

    /// The events, in order. Empty where machines are told nothing.
    fn events(&self) -> Vec<JsonEvent>;
}

/// One line for people alone.
#[derive(Clone, Copy, Debug)]
pub struct Note<'a>(pub &'a str);

impl View for Note<'_> {
    fn text(&self, _: Palette) -> String {
        format!("{}\n", terminal_line(self.0))
    }

    fn events(&self) -> Vec<JsonEvent> {
        Vec::new()
    }
}

/// A verb that has nothing else to show did what it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Done<'a>(pub &'a str);

impl View for Done<'_> {
    fn text(&self, palette: Palette) -> String {
        Note(self.0).text(palette)
    }

    fn events(&self) -> Vec<JsonEvent> {
        vec![JsonEvent::Done { message: self.0.to_owned() }]
    }
}

/// A warning; the work continues.
#[derive(Clone, Copy, Debug)]
pub struct Warning<'a>(pub &'a str);

impl View for Warning<'_> {
    fn text(&self, palette: Palette) -> String {
        palette.hanging(&format!("{} ", palette.caution("warning:")), 9, &terminal_line(self.0), str::to_owned)
    }

    fn events(&self) -> Vec<JsonEvent> {
        vec![JsonEvent::Warning { message: self.0.to_owned() }]
    }
}

/// A line that stands out, below an empty one, for people alone.
#[derive(Clone, Copy, Debug)]
pub struct Heading<'a>(pub &'a str);

impl View for Heading<'_> {
    fn text(&self, palette: Palette) -> String {
        format!("\n{}\n", palette.strong(&terminal_line(self.0)))
    }

    fn events(&self) -> Vec<JsonEvent> {
        Vec::new()
    }
}

/// A text that is its own form, for people and machines alike: a schema, a script, help. It must be safe for a terminal.
#[derive(Clone, Copy, Debug)]
pub struct PlainText<'a>(pub &'a str);

impl View for PlainText<'_> {
    fn text(&self, _: Palette) -> String {
        self.0.to_owned()
    }

    fn events(&self) -> Vec<JsonEvent> {
        Vec::new()
    }
}
