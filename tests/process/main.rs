//! The real program as a process of its own, against a sandbox on loopback: what it exits with, what it prints, what it
//! survives, and what it never shows.

#![expect(clippy::disallowed_methods, reason = "these tests are the world around the program: its files and environment")]

mod kill;
mod service;
mod workplace;
