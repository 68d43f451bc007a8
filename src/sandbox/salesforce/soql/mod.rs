//! SOQL as the vendor's pages define it: text to tree.
//!
//! It shares nothing with the client's own reader, so that a mistake of one is not a mistake of both. What fits the objects of an
//! organization is judged behind it, in `query`.

mod condition;
mod date_literal;
mod lexer;
mod literal;
mod name;
mod query;
mod refusal;
mod text;
mod token;
mod tree;

#[cfg(test)]
pub(in crate::sandbox) use condition::read_condition;
pub(in crate::sandbox) use date_literal::{DateLiteral, Unit};
pub(in crate::sandbox) use query::read_query;
pub(in crate::sandbox) use refusal::{Reason, Refusal};
pub(in crate::sandbox) use text::{Pattern, PatternPart};
#[cfg(test)]
pub(in crate::sandbox) use tree::Place;
pub(in crate::sandbox) use tree::{
    Comparison, Condition, DatePart, Function, Item, Literal, Operator, Path, Query, Subquery, Test,
};
