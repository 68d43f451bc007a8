//! ZOQL conditions, as Zuora's SOAP `query()` reads them: parse, print, compile from the typed tree.
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
mod dialect;
mod fitting;
mod moment;
mod parser;
mod print;
mod quote;

#[cfg(test)]
mod properties;

use super::{ComparisonOperator, Decimal, Path, Place, SyntaxError};
pub use compile::compile;
use condition::name;
pub use condition::{Comparison, Condition, Literal, Test};
pub use fitting::mistakes_on;
use moment::read_moment;
pub use parser::parse_condition;
#[cfg(test)]
pub(crate) use parser::tests::REFUSED;
#[cfg(test)]
pub(crate) use properties::condition;
pub use quote::Pattern;
