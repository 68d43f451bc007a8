//! How ZOQL is written.

use jiff::tz::TimeZone;

use super::moment::read_moment;
use super::{Decimal, Literal};
use crate::filter::lexer::Dialect;

/// ZOQL. Single quotes are documented; double ones are taken by real tenants (client).
pub(super) const ZOQL: Dialect<Literal> = Dialect {
    name: "ZOQL",
    max_characters: 10_000,
    quotes: &['\'', '"'],
    symbols: &['(', ')', ','],
    foreign: &[("<>", "another value is `!=`"), ("!", "another value is `!=`"), ("*", "name the fields")],
    value: |run| {
        let moment = || read_moment(run, &TimeZone::UTC).map(|_| Literal::Moment(run.to_owned()));
        Decimal::new(run).map(Literal::Number).or_else(moment)
    },
    value_help: |_| {
        "numbers are written `42` or `-1.5`, days `'2026-01-31'`, moments `'2026-01-31T12:00:00+00:00'`".to_owned()
    },
    example: "UOM = 'Each'",
};
