//! Why a verb did not do what was asked.

use std::fmt::Write as _;

use super::{JsonEvent, Palette, ValidationView, View, terminal_line};
use crate::base::CommandError;

impl View for CommandError {
    fn text(&self, palette: Palette) -> String {
        let found = self.diagnostics.as_deref();
        let mut text = found.map(|found| ValidationView::of(found).text(palette)).unwrap_or_default();
        let _ = writeln!(text, "{} {}", palette.problem("error:"), terminal_line(&self.title));
        for note in &self.notes {
            let _ = writeln!(text, "  {} {}", palette.faint("="), terminal_line(note));
        }
        if let Some(help) = &self.help {
            let _ = writeln!(text, "  {} {}", palette.strong("help:"), terminal_line(help));
        }
        text
    }

    fn events(&self) -> Vec<JsonEvent> {
        let found = self.diagnostics.as_deref();
        let mut events = found.map(|found| ValidationView::of(found).events()).unwrap_or_default();
        events.push(JsonEvent::Error {
            exit_code: self.exit.code(),
            message: self.title.clone(),
            notes: self.notes.clone(),
            help: self.help.clone(),
        });
        events
    }
}
