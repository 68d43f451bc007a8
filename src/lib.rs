//! Deletion as code.
//!
//! People declare in YAML which records of a SaaS system must not exist, `sexton plan` computes exactly which records
//! that is, people review it, and `sexton apply` deletes those records and nothing else.
//!
//! # The house
//!
//! Imports run from a later room to an earlier one only, and never between `provider` and `sandbox`;
//! `tests/architecture.rs` fails otherwise.
//!
//! | room | what it is | does I/O |
//! |---|---|---|
//! | [`base`] | values every room speaks in | no |
//! | [`filter`] | filter languages: parse, print, evaluate | no |
//! | [`manifest`] | what users write | no |
//! | [`plan`] | what would be deleted | no |
//! | [`apply`] | how it is deleted | no |
//! | [`state`] | what was done | no |
//! | [`provider`] | the systems | network |
//! | [`store`] | bytes on disk | files |
//! | [`sandbox`] | the simulator | loopback |
//! | [`report`] | what people and machines are shown | no |
//! | [`command`] | one file a verb | through the others |
//! | [`cli`] | arguments, printing, exit codes | terminal |

pub mod apply;
pub mod base;
pub mod cli;
pub mod command;
pub mod filter;
pub mod manifest;
pub mod plan;
pub mod provider;
pub mod report;
pub mod sandbox;
pub mod state;
pub mod store;
