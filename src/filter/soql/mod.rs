//! SOQL conditions: parse, print, compile from the typed tree.
//!
//! ```
//! use sexton::filter::soql::parse_condition;
//!
//! let condition = parse_condition("IsConverted=false and (Status = 'Closed' or LastActivityDate < LAST_N_YEARS:3)")?;
//! assert_eq!(
//!     condition.to_string(),
//!     "IsConverted = false AND (Status = 'Closed' OR LastActivityDate < LAST_N_YEARS:3)"
//! );
//! assert!(parse_condition("Name = 'a' OR Id != ''; DELETE").is_err());
//! # Ok::<(), Vec<sexton::filter::SyntaxError>>(())
//! ```

mod compile;
mod condition;
mod date_literal;
mod dialect;
mod fitting;
mod function;
mod level;
mod parser;
mod print;
mod quote;
mod rules;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod corpus_limits;
#[cfg(test)]
mod judged;
#[cfg(test)]
mod properties;

use super::{ComparisonOperator, Decimal, Path, Place, SyntaxError};
pub use compile::compile;
use condition::field_path;
pub use condition::{Comparison, Condition, Literal, Subquery, Test};
#[cfg(test)]
pub(crate) use corpus::{READ, REFUSED};
use date_literal::Named;
pub use date_literal::{DateLiteral, Period};
pub use function::{DatePart, Destination, DistanceUnit, Function};
pub use parser::parse_condition;
#[cfg(test)]
pub(crate) use properties::condition;
pub use quote::{Pattern, PatternPart};
pub use rules::mistakes_on;
