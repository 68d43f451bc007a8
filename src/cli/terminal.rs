//! The only place that prints and asks.

use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use clap::ColorChoice;
use indicatif::MultiProgress;

use super::machine;
use crate::base::CommandError;
use crate::report::{JSON_FORMAT, JsonEvent, Palette, View, terminal_line};

/// When there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Also where no terminal is: logs of pipelines show them.
    Always,
    /// On a terminal.
    Terminal,
    /// Never.
    Never,
}

impl Colours {
    /// What a choice means on this machine.
    pub fn of(choice: ColorChoice) -> Self {
        match choice {
            ColorChoice::Always => Self::Always,
            ColorChoice::Auto if machine::allows_colours() => Self::Terminal,
            ColorChoice::Auto | ColorChoice::Never => Self::Never,
        }
    }

    /// Whether a stream has them.
    pub fn on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Self::Always => true,
            Self::Terminal => stream.is_terminal(),
            Self::Never => false,
        }
    }
}

/// Where results and messages go, and answers come from: data on standard output, everything else on standard error.
///
/// Nothing here panics or stops where a stream cannot be written. What standard error does not take is nobody's to read.
#[derive(Debug)]
pub struct Terminal {
    json: bool,
    colours: Colours,
    /// Bars of progress, where standard error is a terminal and a person reads.
    bars: Option<MultiProgress>,
    /// Why something could not be written to standard output.
    lost: OnceLock<String>,
}

impl Terminal {
    /// For people, or for machines (`json`), whose stream of events begins with its version.
    pub fn new(json: bool, colours: Colours) -> Self {
        let bars = (!json && io::stderr().is_terminal()).then(MultiProgress::new);
        let terminal = Self { json, colours, bars, lost: OnceLock::new() };
        if json {
            terminal.event(&JsonEvent::Version { format_version: JSON_FORMAT, sexton: env!("CARGO_PKG_VERSION") });
        }
        terminal
    }

    /// Whether machines read.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The bars of progress, where there are any.
    pub fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    /// Shows a result, once every bar is off the screen.
    ///
    /// # Errors
    ///
    /// When this or something before it could not be written.
    pub fn show(&self, view: &dyn View) -> Result<(), CommandError> {
        self.clear();
        if self.json {
            view.events().iter().for_each(|event| self.event(event));
        } else {
            let palette = Palette::new(self.colours.on(&io::stdout())).within(columns_of(&io::stdout()));
            self.data(&view.text(palette));
        }
        self.check()
    }

    /// Reports something besides the result. An event that cannot be written is reported on standard error instead.
    pub fn tell(&self, view: &dyn View) {
        if self.json {
            view.events().iter().for_each(|event| self.event(event));
            if self.lost.get().is_none() {
                return;
            }
        }
        let text = view.text(Palette::new(self.colours.on(&io::stderr())).within(columns_of(&io::stderr())));
        match &self.bars {
            Some(bars) => bars.suspend(|| aside(&text)),
            None => aside(&text),
        }
    }

    /// Prints one event for machines.
    pub fn event(&self, event: &JsonEvent) {
        self.data(&format!("{}\n", event.line()));
    }

    /// Takes every bar off the screen.
    pub fn clear(&self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }

    /// Whether all of the output was written.
    ///
    /// # Errors
    ///
    /// When some was not. A reader that went away (`sexton show | head`) is no error.
    pub fn check(&self) -> Result<(), CommandError> {
        match self.lost.get() {
            None => Ok(()),
            Some(cause) => Err(CommandError::plain("not everything could be written to standard output").with_note(cause)),
        }
    }

    /// Whether there is a person to ask.
    pub fn can_ask(&self) -> bool {
        !self.json && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks `question` and takes only `expected`, the whole word; anything else, an empty line and the end of input are a no.
    pub fn confirms(&self, question: &str, expected: &str) -> bool {
        self.clear();
        aside(&format!("{} ", terminal_line(question)));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        read.is_ok() && answer.trim_end_matches(['\r', '\n']) == expected
    }

    fn data(&self, text: &str) {
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
            && error.kind() != ErrorKind::BrokenPipe
        {
            let _ = self.lost.set(error.to_string());
        }
    }
}

/// How many columns a stream has, where it is a terminal.
fn columns_of(stream: &impl IsTerminal) -> Option<usize> {
    let size = stream.is_terminal().then(terminal_size::terminal_size).flatten();
    size.map(|(width, _)| usize::from(width.0))
}

/// Writes to standard error. A failure is ignored, as there is nowhere left to report it.
fn aside(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
