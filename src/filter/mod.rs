//! Filter expressions: which records a policy or a hold means.
//!
//! A filter is text in the target's own language or a typed tree. Both end as the target's language: [`soql`] for
//! Salesforce, [`zoql`] for Zuora, [`sql`] for Fulcrum; [`Language`] tells them apart. Each language has its own parser, printer and, for the sandbox, evaluator; literals are quoted in one
//! place per language.

mod decimal;
mod error;
mod language;
pub mod soql;
pub mod sql;
mod tree;
pub mod zoql;

pub use decimal::Decimal;
pub use error::{CompileError, Place, SyntaxError};
pub use language::{Language, NativeCondition};
pub use tree::{Comparison, Condition, Filter, Literal, TextFilter, Threshold};
