//! Items with something between them.

use std::fmt::{self, Formatter};

/// Writes `items` with `separator` between them.
pub(super) fn write_joined<T>(
    formatter: &mut Formatter<'_>,
    items: &[T],
    separator: &str,
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            formatter.write_str(separator)?;
        }
        write(formatter, item)?;
    }
    Ok(())
}
