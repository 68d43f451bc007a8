//! What a verb is given of whoever typed it.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use futures::future::LocalBoxFuture;
use tokio_util::sync::CancellationToken;

use crate::base::{Clock, CommandError, Exit};
use crate::report::{Done, Note, View, Warning};
use crate::select::Context;
use crate::store::{Files, Place};

/// The project, the screen, the person in front of it, and the world around: all that a verb needs and may not make itself.
pub trait Shell {
    /// The directory that holds the manifests.
    fn project(&self) -> &Path;

    /// Whether a machine reads the output.
    fn is_json(&self) -> bool;

    /// Shows a result on standard output: text, or a line for each event.
    ///
    /// A reader that went away (`sexton show | head`) is no error.
    ///
    /// # Errors
    ///
    /// When this or something before it could not be written, with exit code 1. A verb that has deleted gives it another one.
    fn show(&self, view: &dyn View) -> Result<(), CommandError>;

    /// Reports something besides the result: text on standard error, or events on standard output. A failure to write stops
    /// nothing; for an event, [`Shell::show`] and the end of the process report it.
    fn tell(&self, view: &dyn View);

    /// Whether there is a person to ask.
    fn can_ask(&self) -> bool;

    /// Asks `question` and takes only `expected`, the whole word; anything else, an empty line and the end of input are a no.
    fn confirms(&self, question: &str, expected: &str) -> bool;

    /// The files.
    fn files(&self) -> Arc<dyn Files>;

    /// A path through the files.
    fn place(&self, path: &Path) -> Place {
        Place::new(self.files(), path)
    }

    /// The time.
    fn clock(&self) -> Arc<dyn Clock>;

    /// The world around, for the functions that do a verb's work. Its observer shows progress here.
    ///
    /// # Errors
    ///
    /// When the network cannot be used.
    fn context(&self) -> Result<Context, CommandError>;

    /// Is cancelled by the first signal to stop; the second one ends the process at once. From the first call of this on the
    /// signals are caught, so a verb that never asks is simply ended by them.
    fn stop(&self) -> CancellationToken;

    /// The grammar of the whole command line.
    fn grammar(&self) -> clap::Command;

    /// Runs another command line in this process, as if it had been typed; `typed` begins with the program's name.
    fn run(&self, typed: Vec<OsString>) -> LocalBoxFuture<'_, Exit>;

    /// Tells people one line, and machines nothing.
    fn note(&self, message: &str) {
        self.tell(&Note(message));
    }

    /// Reports a warning; the work continues.
    fn warn(&self, message: &str) {
        self.tell(&Warning(message));
    }

    /// Tells that a verb did what it was asked for, where it has nothing else to show.
    fn done(&self, message: &str) {
        self.tell(&Done(message));
    }
}
