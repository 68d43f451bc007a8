//! SOQL conditions and queries: parse, print, evaluate, compile from the typed tree.
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
mod evaluate;
mod level;
mod lexer;
mod nearest;
mod parser;
mod print;
mod query_parser;
mod quote;
mod rules;
mod select;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod properties;

use super::{Decimal, Place, SyntaxError};
pub use compile::compile;
pub use condition::{Comparison, Condition, Literal, Operator, Path, Test};
use date_literal::Named;
pub use date_literal::{DateLiteral, Period};
pub use evaluate::{Context, Record, Value, evaluate};
use nearest::nearest;
pub use parser::{parse_condition, parse_select};
pub use quote::{Pattern, PatternPart};
pub use select::{OrderBy, Select, SelectItem};
