//! The only place that prints.
#![expect(clippy::print_stderr, reason = "this module is the view")]

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::CommandError;
use crate::base::{Diagnostic, SourceMap};
use crate::report::diagnostic::{draw, report};
use crate::report::{JSON_FORMAT, JsonEvent, Palette, terminal_line};

/// How wide diagnostics are drawn.
const DRAWN_WIDTH: usize = 120;

/// Where results and messages go: data to standard output, everything else to standard error.
#[derive(Clone, Debug)]
pub struct Output {
    json: bool,
    coloured: bool,
    /// Whether something could not be written.
    lost: Arc<AtomicBool>,
}

impl Output {
    /// For people, or for machines (`json`). `colours` is what the user allows; a stream that is no terminal has none. A `bare`
    /// output is not a stream of events and does not begin with its version.
    pub fn new(json: bool, colours: bool, bare: bool) -> Self {
        let output = Self { json, coloured: colours, lost: Arc::default() };
        if json && !bare {
            output.event(&JsonEvent::Version { format_version: JSON_FORMAT, sexton: env!("CARGO_PKG_VERSION") });
        }
        output
    }

    /// Whether machines read.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Colours for standard output.
    pub fn palette(&self) -> Palette {
        Palette::new(self.coloured && std::io::stdout().is_terminal())
    }

    /// Colours for standard error.
    pub fn error_palette(&self) -> Palette {
        Palette::new(self.coloured && std::io::stderr().is_terminal())
    }

    /// Prints text for people as it is; it already is safe for a terminal.
    ///
    /// A reader that went away (`sexton show | head`) is no error; a full disk is one, told by [`Output::is_lost`].
    pub fn text(&self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        if written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
            self.lost.store(true, Ordering::Relaxed);
        }
    }

    /// Whether some of the output could not be written.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Prints one event for machines.
    pub fn event(&self, event: &JsonEvent) {
        self.text(&format!("{}\n", event.line()));
    }

    /// Tells a person something on standard error; machines get it as a warning.
    pub fn warn(&self, message: &str) {
        if self.json {
            self.event(&JsonEvent::Warning { message: message.to_owned() });
        } else {
            eprintln!("{} {}", self.error_palette().caution("warning:"), terminal_line(message));
        }
    }

    /// A plain line on standard error, for people only.
    pub fn note(&self, message: &str) {
        if !self.json {
            eprintln!("{message}");
        }
    }

    /// Tells that a command did what it was asked for, where it has nothing else to tell.
    pub fn done(&self, message: &str) {
        if self.json {
            self.event(&JsonEvent::Done { message: message.to_owned() });
        } else {
            self.note(message);
        }
    }

    /// Draws what is wrong with manifests on standard error.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        eprint!("{}", draw(diagnostics, sources, self.error_palette().is_coloured(), DRAWN_WIDTH));
    }

    /// Tells why the work ended here.
    pub fn error(&self, error: &CommandError) {
        if self.json {
            if let Some((diagnostics, sources)) = error.diagnostics.as_deref() {
                self.event(&report(diagnostics, sources));
            }
            self.event(&JsonEvent::Error {
                exit_code: error.exit.code(),
                message: error.title.clone(),
                notes: error.notes.clone(),
                help: error.help.clone(),
            });
            return;
        }
        let palette = self.error_palette();
        if let Some(found) = &error.diagnostics {
            let (diagnostics, sources) = found.as_ref();
            self.diagnostics(diagnostics, sources);
        }
        eprintln!("{} {}", palette.trouble("error:"), terminal_line(&error.title));
        for note in &error.notes {
            eprintln!("  {} {}", palette.faint("="), terminal_line(note));
        }
        if let Some(help) = &error.help {
            eprintln!("  {} {}", palette.strong("help:"), terminal_line(help));
        }
    }
}
