//! The parts of a whole SOQL query, as data.

use super::{Condition, Path, Place};

/// A query: `SELECT … FROM … WHERE … ORDER BY … LIMIT … OFFSET …`.
///
/// **Invariants**: `items` is not empty; [`SelectItem::CountRows`] stands alone; `object` and aliases have no dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// What is asked for, in order.
    pub items: Vec<SelectItem>,
    /// Of which object.
    pub object: Path,
    /// Which records; `None` means all.
    pub condition: Option<Condition>,
    /// In which order; empty means any.
    pub order_by: Vec<OrderBy>,
    /// At most how many.
    pub limit: Option<u64>,
    /// After leaving out how many.
    pub offset: Option<u64>,
    /// Where the whole query stands.
    pub place: Place,
}

/// One thing a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectItem {
    /// A field, with the name it has in the answer when that is another one.
    Field(Path, Option<Path>),
    /// `COUNT()`: no rows, only how many there are.
    CountRows,
    /// `COUNT(field)`: in how many records the field is not empty, with the name it has in the answer.
    CountField(Path, Option<Path>),
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBy {
    /// By which field.
    pub path: Path,
    /// From the greatest to the smallest.
    pub descending: bool,
    /// Empty fields after all others; without it they come first in either direction (documented).
    pub nulls_last: bool,
}
