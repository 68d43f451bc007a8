//! Filter expressions: which records a policy or a hold means.
//!
//! A filter is text in the target's own language or a typed tree. Both end as the target's language: [`soql`] for Salesforce,
//! [`zoql`] for Zuora, [`sql`] for Fulcrum; [`Language`] tells them apart. Each language has its own parser and printer; literals
//! are quoted in one place per language. SOQL and ZOQL share tokens, names and numbers.

mod calendar;
mod comparison_operator;
mod cursor;
mod decimal;
mod error;
mod escape;
mod field;
mod joined;
mod language;
mod lexer;
mod path;
pub mod soql;
pub mod sql;
#[cfg(test)]
pub(crate) mod testing;
mod tree;
pub mod zoql;

use calendar::read_day;
pub use comparison_operator::ComparisonOperator;
pub use decimal::Decimal;
pub use error::{CompileError, Place, SyntaxError};
pub use language::{Language, NativeCondition};
pub use path::Path;
pub use tree::{Filter, FilterTree, FilterTreeKind, IdFile, Literal, Predicate, PredicateKind, TextFilter, Threshold};
