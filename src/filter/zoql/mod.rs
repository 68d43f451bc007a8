//! ZOQL conditions and queries, as Zuora's SOAP `query()` reads them: parse, print, evaluate, compile from the typed tree.
//!
//! It is not Export ZOQL, which knows joins and `is null`. This one has no parentheses: a condition is alternatives joined by
//! `or`, each of them comparisons joined by `and`.
//!
//! ```
//! use sexton::filter::zoql::parse_condition;
//!
//! let condition = parse_condition("SourceName = \"import\" AND Quantity=0 or UOM like 'Test%'")?;
//! assert_eq!(condition.to_string(), "SourceName = 'import' and Quantity = 0 or UOM like 'Test%'");
//! assert!(parse_condition("(UOM = 'Each' or Quantity = 0) and RbeStatus != null").is_err());
//! # Ok::<(), Vec<sexton::filter::SyntaxError>>(())
//! ```

mod compile;
mod condition;
mod evaluate;
mod lexer;
mod moment;
mod parser;
mod print;
mod quote;

#[cfg(test)]
mod properties;

pub use compile::compile;
pub use condition::{Comparison, Condition, Literal, Name, Operator, Select, Test};
pub use evaluate::{Context, Record, Value, evaluate};
pub use moment::{read_day, read_moment};
pub use parser::{parse_condition, parse_select};
pub use quote::Pattern;
