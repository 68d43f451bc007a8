//! Queries: read, checked against the objects, run over the world, answered page by page.

mod answer;
mod check;
mod cursor;
mod key_test;
mod problem;
mod route;
mod row;
mod statement;

pub(in crate::sandbox) use answer::{next_page, query, query_all};
pub(in crate::sandbox) use cursor::Cursors;
pub(in crate::sandbox) use statement::{Column, Statement};
