//! Filter expressions: which records a policy or a hold means.
//!
//! A filter is text in the target's own language or a typed tree. Both end as the target's language: [`soql`] for
//! Salesforce. Each language has its own parser, printer and, for the sandbox, evaluator; literals are quoted in one
//! place per language.

mod field_type;
pub mod soql;
pub mod sql;
mod tree;

pub use field_type::FieldType;
pub use soql::{CompileError, SyntaxError};
pub use tree::{Comparison, Condition, Filter, Literal, TextFilter, Threshold};
