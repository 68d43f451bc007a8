//! How ZOQL is written.

use jiff::tz::TimeZone;

use super::moment::read_moment;
use super::{Decimal, Literal};
use crate::filter::lexer::Dialect;
use crate::filter::read_day;

/// ZOQL. Single quotes are documented; double ones are taken by real tenants (client).
pub(super) const ZOQL: Dialect<Literal> = Dialect {
    name: "ZOQL",
    max_characters: 10_000,
    quotes: &['\'', '"'],
    symbols: &['(', ')', ','],
    foreign: &[("<>", "another value is `!=`"), ("!", "another value is `!=`"), ("*", "name the fields")],
    value: |run| {
        let is_date = || read_day(run).is_some() || read_moment(run, &TimeZone::UTC).is_some();
        Decimal::new(run).map(Literal::Number).or_else(|| is_date().then(|| Literal::Unquoted(run.to_owned())))
    },
    value_help: |_| {
        "numbers are written `42` or `-1.5`, days `'2026-01-31'`, moments `'2026-01-31T12:00:00+00:00'`".to_owned()
    },
    example: "UOM = 'Each'",
};
