//! Deletion as code.
//!
//! People declare in YAML which records of a SaaS system must not exist, `sexton plan` computes exactly which records
//! that is, people review it, and `sexton apply` deletes those records and nothing else.
//!
//! # The house
//!
//! The folders stand in the order in which the data goes. Imports run from a later folder to an earlier one only, and never
//! between `sandbox` and what it simulates; `tests/architecture.rs` fails otherwise.
//!
//! | folder | what it is | does I/O |
//! |---|---|---|
//! | [`base`] | values every folder speaks in | no |
//! | [`system`] | what is known of each system without asking it | no |
//! | [`filter`] | filter languages: parse, check, compile, print | no |
//! | [`manifest`] | what users write | no |
//! | [`plan`] | what would be deleted | no |
//! | [`apply`] | how it is deleted | no |
//! | [`state`] | what was done | no |
//! | [`provider`] | the systems | network |
//! | [`store`] | what outlives a command | files |
//! | [`select`] | which records a policy means now | through the others |
//! | [`execute`] | a plan carried out | through the others |
//! | [`sandbox`] | the simulator | loopback |
//! | [`report`] | what people and machines are shown | no |
//! | [`command`] | one file a verb | through the others |
//! | [`cli`] | arguments, printing, exit codes | terminal |

pub mod apply;
pub mod base;
pub mod cli;
pub mod command;
pub mod execute;
pub mod filter;
pub mod manifest;
pub mod plan;
pub mod provider;
pub mod report;
pub mod sandbox;
pub mod select;
pub mod state;
pub mod store;
pub mod system;
