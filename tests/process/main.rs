//! The real program as a process of its own, against a sandbox on loopback: what it exits with, what it prints, what it
//! survives, and what it never shows.

#![expect(clippy::disallowed_methods, reason = "these tests are the world around the program: its files and environment")]

/// Compares what a person sees with a snapshot, once everything that differs from run to run is replaced.
macro_rules! assert_shown {
    ($text:expr, @$snapshot:literal) => {
        insta::with_settings!({ filters => crate::workplace::filters() }, {
            insta::assert_snapshot!($text, @$snapshot);
        })
    };
}

mod abandon;
mod canary;
mod check;
mod choices;
mod elsewhere;
mod errors;
mod evidence;
mod exit_codes;
mod interrupt;
mod kill;
mod lineage;
mod many;
mod no_end;
mod operating;
mod order;
mod output;
mod prune;
mod repeat;
mod repository;
mod secure;
mod service;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod widened;
mod workplace;
