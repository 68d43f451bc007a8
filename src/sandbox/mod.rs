//! The simulator: a world of records behind the vendors' own interfaces, on loopback.
//!
//! It shares no code with the providers, or client and server would agree on the same mistake.
pub mod salesforce;
