//! Conditions in PostgreSQL's language: parse, print, compile from the typed tree.
//!
//! A condition is one expression over the fields of one form, and nothing besides: no second statement, no comment, no
//! subquery, no function that is not known to be harmless, and nothing that depends on the clock.
//!
//! ```
//! use sexton::filter::sql::parse_condition;
//!
//! let condition = parse_condition("_status='closed' and (\"Park\" is null or _server_updated_at < '2023-01-01')")?;
//! assert_eq!(
//!     condition.to_string(),
//!     "_status = 'closed' AND (\"Park\" IS NULL OR _server_updated_at < '2023-01-01')"
//! );
//! assert!(parse_condition("_status = 'a'; DROP TABLE x").is_err());
//! assert!(parse_condition("_created_at < now()").is_err());
//! # Ok::<(), Vec<sexton::filter::SyntaxError>>(())
//! ```

mod compile;
mod condition;
mod functions;
mod parse;
mod print;
#[cfg(test)]
mod properties;

pub use compile::compile;
pub use condition::Condition;
use condition::{Expression, Field, FormName, IsTest, Operator, TypeName};
pub use parse::parse_condition;
