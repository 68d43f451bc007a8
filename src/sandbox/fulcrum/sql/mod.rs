//! The part of PostgreSQL's SELECT that is simulated: one table, conditions, order, limits, counts.

mod compile;
mod date_unit;
mod error;
mod expression;
#[cfg(test)]
mod judged;
mod relation;
mod scope;
mod select;
#[cfg(test)]
mod tests;

pub(super) use error::SqlError;
pub(super) use select::{ResultSet, run};
