//! ZOQL as the vendor's pages define it: text to tree.
//!
//! It shares nothing with the client's own reader, so that a mistake of one is not a mistake of both.

#[cfg(test)]
mod differential;
mod moment;
mod parser;
mod text;
mod tree;

pub(super) use moment::{read_day, read_moment};
#[cfg(test)]
pub(super) use parser::read_condition;
pub(super) use parser::read_query;
pub(super) use tree::{Condition, Literal, Operator, Test};
