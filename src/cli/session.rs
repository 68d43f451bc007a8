//! From arguments to an exit code.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use clap::{ColorChoice, Parser};
use futures::future::LocalBoxFuture;
use tokio_util::sync::CancellationToken;

use super::arguments::{Arguments, Global, grammar};
use super::connect::NetworkConnector;
use super::progress::Progress;
use super::terminal::{Colours, Terminal};
use super::{interrupt, log, machine};
use crate::base::{Clock, CommandError, Exit};
use crate::command::{Form, Shell};
use crate::report::{JsonEvent, Palette, View};
use crate::select::Context;
use crate::store::{Files, LocalFiles, SystemGit};

/// The stack of every thread, in bytes. A condition at the limits of nesting takes up to 6 MiB where the SQL parser is compiled without
/// optimization, and platforms give a first thread between 1 and 8 MiB. What is not used costs no memory.
const STACK: usize = 16 << 20;

/// Runs one command line and gives the exit code.
///
/// `typed` begins with the program's name. Not generic: all commands would be compiled once more with every caller.
pub fn run(typed: Vec<OsString>) -> u8 {
    let ended = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("main".to_owned()).stack_size(STACK);
        thread.spawn_scoped(scope, || run_here(typed)).map(std::thread::ScopedJoinHandle::join)
    });
    match ended {
        Ok(Ok(code)) => code,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => {
            let terminal = Terminal::new(false, Colours::of(ColorChoice::Auto));
            terminal.tell(&CommandError::plain("the program could not start its first thread").caused_by(&error));
            Exit::Error.code()
        }
    }
}

fn run_here(typed: Vec<OsString>) -> u8 {
    let session = match Session::parse(typed, Arc::default()) {
        Ok(session) => session,
        Err(exit) => return exit.code(),
    };
    log::start(session.arguments.global.verbose, session.colours());
    let runtime = match tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            session.tell(&CommandError::plain("the program could not start its runtime").caused_by(&error));
            return Exit::Error.code();
        }
    };
    let exit = runtime.block_on(session.dispatch());
    // Work that nobody waits for any more, such as a read from a silent server, must not keep the process.
    runtime.shutdown_background();
    exit.code()
}

/// What the user wants.
fn colours(global: &Global) -> Colours {
    Colours::of(if global.no_color { ColorChoice::Never } else { global.color })
}

/// One command line under way.
struct Session {
    arguments: Arguments,
    terminal: Arc<Terminal>,
    /// Made when the first verb asks for it, and shared with the command lines that run inside this one.
    stop: Arc<OnceLock<CancellationToken>>,
}

impl Session {
    fn parse(typed: Vec<OsString>, stop: Arc<OnceLock<CancellationToken>>) -> Result<Self, Exit> {
        let arguments = Arguments::try_parse_from(typed).map_err(|error| {
            // Help and the version are no errors; a wrong command line is one, and 2 is taken by `--detailed-exitcode`.
            let terminal = Terminal::new(false, Colours::of(ColorChoice::Auto));
            if error.use_stderr() {
                terminal.tell(&Help(error));
                return Exit::Error;
            }
            terminal.show(&Help(error)).map_or_else(|lost| end(&terminal, &lost), |()| Exit::Done)
        })?;
        let global = &arguments.global;
        let json = match arguments.verb.form() {
            Form::AsAsked => global.json,
            Form::Events => true,
            Form::Text => false,
        };
        let terminal = Arc::new(Terminal::new(json, colours(global)));
        Ok(Self { arguments, terminal, stop })
    }

    fn colours(&self) -> bool {
        colours(&self.arguments.global).on(&std::io::stderr())
    }

    async fn dispatch(&self) -> Exit {
        let ended = self.arguments.verb.run(self).await;
        // Events are results too, so a failure to write one counts.
        let ended = ended.and_then(|exit| match exit {
            Exit::Done | Exit::ChangesPresent => self.terminal.check().map(|()| exit),
            exit => Ok(exit),
        });
        ended.unwrap_or_else(|error| end(&self.terminal, &error))
    }
}

/// Tells why the work ended here.
fn end(terminal: &Terminal, error: &CommandError) -> Exit {
    terminal.clear();
    terminal.tell(error);
    error.exit
}

impl Shell for Session {
    fn project(&self) -> &Path {
        &self.arguments.global.project
    }

    fn is_json(&self) -> bool {
        self.terminal.is_json()
    }

    fn show(&self, view: &dyn View) -> Result<(), CommandError> {
        self.terminal.show(view)
    }

    fn tell(&self, view: &dyn View) {
        self.terminal.tell(view);
    }

    fn can_ask(&self) -> bool {
        self.terminal.can_ask()
    }

    fn confirms(&self, question: &str, expected: &str) -> bool {
        self.terminal.confirms(question, expected)
    }

    fn files(&self) -> Arc<dyn Files> {
        Arc::new(LocalFiles)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(machine::MachineClock)
    }

    fn context(&self) -> Result<Context, CommandError> {
        Ok(Context {
            files: self.files(),
            clock: self.clock(),
            timer: Arc::new(machine::MachineTimer),
            git: Arc::new(SystemGit),
            connector: Arc::new(NetworkConnector::new()?),
            observer: Arc::new(Progress::new(Arc::clone(&self.terminal))),
            actor: machine::actor(),
            process: std::process::id(),
            seed: machine::seed(),
            fresh_id: Arc::new(machine::fresh_id),
        })
    }

    fn stop(&self) -> CancellationToken {
        self.stop.get_or_init(interrupt::token).clone()
    }

    fn grammar(&self) -> clap::Command {
        grammar()
    }

    fn run(&self, typed: Vec<OsString>) -> LocalBoxFuture<'_, Exit> {
        Box::pin(async move {
            match Self::parse(typed, Arc::clone(&self.stop)) {
                Ok(session) => session.dispatch().await,
                Err(exit) => exit,
            }
        })
    }
}

/// Help, the version, or what is wrong with a command line, in clap's words.
struct Help(clap::Error);

impl View for Help {
    fn text(&self, palette: Palette) -> String {
        let text = self.0.render();
        if palette.is_coloured() { text.ansi().to_string() } else { text.to_string() }
    }

    fn events(&self) -> Vec<JsonEvent> {
        Vec::new()
    }
}
