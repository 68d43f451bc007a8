//! Queries: read, checked against the objects, run over the world, answered page by page.

mod answer;
mod check;
mod columns;
#[cfg(test)]
mod columns_tests;
mod cursor;
mod date_range;
#[cfg(test)]
mod differential;
mod evaluate;
#[cfg(test)]
mod evaluate_properties;
mod function;
mod key_test;
mod like;
mod problem;
mod route;
mod row;
mod scan;
mod semi_join;
mod statement;
#[cfg(test)]
mod tests;
mod value;

pub(in crate::sandbox) use answer::{next_page, query, query_all};
pub(in crate::sandbox) use cursor::Cursors;
pub(in crate::sandbox) use scan::RowScope;
pub(in crate::sandbox) use statement::Statement;
