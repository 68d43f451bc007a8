//! Parts of filter trees, for tests.

use super::{FilterTree, Literal, Predicate};
use crate::base::{Age, SourceMap, Span};

/// Where every field of [`leaf`] stands.
pub(crate) fn span() -> Span {
    Span { source: SourceMap::default().add("test", ""), start: 3, end: 7 }
}

pub(crate) fn leaf(field: &str, predicate: Predicate) -> FilterTree {
    FilterTree::Field { field: field.into(), span: span(), predicate }
}

pub(crate) fn text(text: &str) -> Literal {
    Literal::Text(text.into())
}

pub(crate) fn age(text: &str) -> Age {
    text.parse().expect("an age")
}
