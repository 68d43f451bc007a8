//! One process of the program: what its verbs are given of the world around, all of it simulated.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clap::Parser as _;
use futures::StreamExt as _;
use futures::future::LocalBoxFuture;
use sexton::base::{Clock, CommandError, Exit};
use sexton::command::{self, Shell, Verb as _};
use sexton::provider::transport::{Request, RequestBody, Response, Transport, TransportError};
use sexton::report::{Palette, View};
use sexton::select::Context;
use sexton::store::Files;
use tokio_util::sync::CancellationToken;

use crate::support::wire::{Asked, RouterTransport, bytes_of, locked};
use crate::transcript::Recording;

/// Pauses are multiples of it, so that much happens at the same moment.
pub const BEAT: Duration = Duration::from_millis(50);

/// The verbs that are simulated.
#[derive(Debug, clap::Parser)]
#[command(no_binary_name = true)]
enum Typed {
    Plan(command::Plan),
    Check(command::Check),
    Apply(command::Apply),
    State(command::State),
}

/// One process of the program, with a person in front of it who confirms what is asked.
pub struct Process {
    pub project: PathBuf,
    pub context: Context,
    pub recording: Recording,
    /// Cancelled when the person wants it to stop.
    pub stop: CancellationToken,
}

impl Process {
    /// Runs a command line to its end, as the program does.
    pub async fn run(&self, words: &[&str]) -> Exit {
        let ended = match Typed::parse_from(words) {
            Typed::Plan(plan) => plan.run(self).await,
            Typed::Check(check) => check.run(self).await,
            Typed::Apply(apply) => apply.run(self).await,
            Typed::State(state) => state.run(self).await,
        };
        ended.unwrap_or_else(|error| {
            self.tell(&error);
            error.exit
        })
    }
}

impl Shell for Process {
    fn project(&self) -> &Path {
        &self.project
    }

    fn is_json(&self) -> bool {
        false
    }

    fn show(&self, view: &dyn View) -> Result<(), CommandError> {
        self.tell(view);
        Ok(())
    }

    fn tell(&self, view: &dyn View) {
        self.recording.add(view.text(Palette::new(false)));
        for event in view.events() {
            self.recording.add(serde_json::to_string(&event).expect("an event"));
        }
    }

    fn can_ask(&self) -> bool {
        true
    }

    fn confirms(&self, question: &str, expected: &str) -> bool {
        self.recording.add(format_args!("{question} {expected}"));
        true
    }

    fn files(&self) -> Arc<dyn Files> {
        Arc::clone(&self.context.files)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.context.clock)
    }

    fn context(&self) -> Result<Context, CommandError> {
        Ok(self.context.clone())
    }

    fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    fn grammar(&self) -> clap::Command {
        unreachable!("no verb here asks for the grammar")
    }

    fn run(&self, _: Vec<OsString>) -> LocalBoxFuture<'_, Exit> {
        unreachable!("no verb here runs others")
    }
}

/// Sees every request when it is sent.
pub type Watcher = Box<dyn FnMut(&Asked<'_>) + Send>;

/// The way to the sandbox, on which every request and every answer takes a time of its own and is recorded.
pub struct RecordedTransport {
    way: Arc<RouterTransport>,
    recording: Recording,
    watcher: Mutex<Option<Watcher>>,
    /// So many times as long as usual everything takes.
    slowness: u32,
    /// The pauses to come, and how many requests there were.
    random: Mutex<(fastrand::Rng, u64)>,
}

impl RecordedTransport {
    pub fn new(way: Arc<RouterTransport>, recording: Recording, slowness: u32, seed: u64) -> Self {
        let random = Mutex::new((fastrand::Rng::with_seed(seed), 0));
        Self { way, recording, watcher: Mutex::default(), slowness, random }
    }

    /// From now on this one sees every request.
    pub fn watch(&self, watcher: impl FnMut(&Asked<'_>) + Send + 'static) {
        *locked(&self.watcher) = Some(Box::new(watcher));
    }
}

#[async_trait]
impl Transport for RecordedTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (number, there, back) = {
            let (random, number) = &mut *locked(&self.random);
            *number += 1;
            // Never none: what a process does after its death is to reach nobody.
            (*number, BEAT * self.slowness * random.u32(1..6), BEAT * self.slowness * random.u32(1..6))
        };
        let body = Bytes::from(bytes_of(request.body).await);
        self.recording.add_bytes(format_args!("request {number} {} {}", request.method, request.url), &body);
        if let Some(watcher) = locked(&self.watcher).as_mut() {
            let (method, query) = (request.method.as_str(), request.url.query().unwrap_or_default());
            watcher(&Asked { method, path: request.url.path(), query, body: &body });
        }
        tokio::time::sleep(there).await;
        let answer = self.way.send(Request { body: RequestBody::Bytes(body), ..request }).await;
        let answer = match answer {
            Ok(Response { status, headers, body }) => {
                let pieces: Vec<std::io::Result<Bytes>> = body.collect().await;
                let whole = pieces.iter().flatten().flatten().copied().collect::<Vec<u8>>();
                let broken = pieces.iter().filter(|piece| piece.is_err()).count();
                self.recording.add_bytes(format_args!("answer {number} {status} {headers:?} {broken} broken"), &whole);
                Ok(Response { status, headers, body: Box::pin(futures::stream::iter(pieces)) })
            }
            Err(error) => {
                self.recording.add(format_args!("no answer {number} {error}"));
                Err(error)
            }
        };
        tokio::time::sleep(back).await;
        answer
    }
}
