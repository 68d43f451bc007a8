//! Ranges of days relative to the present one, such as `LAST_N_DAYS:30`.

use std::fmt;

/// What a date literal counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Days.
    Day,
    /// Weeks; the day they start on depends on the user's locale (documented).
    Week,
    /// Calendar months.
    Month,
    /// Calendar quarters.
    Quarter,
    /// Calendar years.
    Year,
    /// Fiscal quarters, as set up in each organization.
    FiscalQuarter,
    /// Fiscal years, as set up in each organization.
    FiscalYear,
}

impl Period {
    const ALL: [Self; 7] =
        [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year, Self::FiscalQuarter, Self::FiscalYear];

    fn word(self) -> &'static str {
        match self {
            Self::Day => "DAY",
            Self::Week => "WEEK",
            Self::Month => "MONTH",
            Self::Quarter => "QUARTER",
            Self::Year => "YEAR",
            Self::FiscalQuarter => "FISCAL_QUARTER",
            Self::FiscalYear => "FISCAL_YEAR",
        }
    }
}

/// A range of days relative to the present one.
///
/// It is not a duration: `LAST_MONTH` is the whole month before this one, not the last thirty days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateLiteral {
    /// The period before the present one: `YESTERDAY`, `LAST_WEEK`, …
    Last(Period),
    /// The present period: `TODAY`, `THIS_WEEK`, …
    This(Period),
    /// The period after the present one: `TOMORROW`, `NEXT_WEEK`, …
    Next(Period),
    /// `LAST_90_DAYS`: the 90 days before today, and today.
    Last90Days,
    /// `NEXT_90_DAYS`: the 90 days after today.
    Next90Days,
    /// `LAST_N_WEEKS:n` and the like: the n periods before the present one, and, of days only, today.
    LastN(Period, u32),
    /// `NEXT_N_WEEKS:n` and the like: the n periods after the present one.
    NextN(Period, u32),
    /// `N_WEEKS_AGO:n` and the like: the one period that lies n before the present one.
    NAgo(Period, u32),
}

/// What a name says about a date literal.
pub(super) enum Named {
    /// The name is all of it.
    Fixed(DateLiteral),
    /// The name needs `:n`.
    Counted(Period, fn(Period, u32) -> DateLiteral),
}

impl DateLiteral {
    /// The literal that a name stands for, whatever its case; `None` if there is none.
    pub(super) fn named(name: &str) -> Option<Named> {
        Self::names().into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, named)| named)
    }

    /// Every name there is.
    pub(super) fn names() -> Vec<(String, Named)> {
        let mut names = Vec::new();
        let mut fixed = |literal: Self| names.push((literal.to_string(), Named::Fixed(literal)));
        fixed(Self::Last90Days);
        fixed(Self::Next90Days);
        for period in Period::ALL {
            fixed(Self::Last(period));
            fixed(Self::This(period));
            fixed(Self::Next(period));
        }
        for period in Period::ALL {
            let word = period.word();
            names.push((format!("LAST_N_{word}S"), Named::Counted(period, Self::LastN)));
            names.push((format!("NEXT_N_{word}S"), Named::Counted(period, Self::NextN)));
            names.push((format!("N_{word}S_AGO"), Named::Counted(period, Self::NAgo)));
        }
        names
    }
}

impl fmt::Display for DateLiteral {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last(Period::Day) => formatter.write_str("YESTERDAY"),
            Self::This(Period::Day) => formatter.write_str("TODAY"),
            Self::Next(Period::Day) => formatter.write_str("TOMORROW"),
            Self::Last(period) => write!(formatter, "LAST_{}", period.word()),
            Self::This(period) => write!(formatter, "THIS_{}", period.word()),
            Self::Next(period) => write!(formatter, "NEXT_{}", period.word()),
            Self::Last90Days => formatter.write_str("LAST_90_DAYS"),
            Self::Next90Days => formatter.write_str("NEXT_90_DAYS"),
            Self::LastN(period, count) => write!(formatter, "LAST_N_{}S:{count}", period.word()),
            Self::NextN(period, count) => write!(formatter, "NEXT_N_{}S:{count}", period.word()),
            Self::NAgo(period, count) => write!(formatter, "N_{}S_AGO:{count}", period.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_written_as_it_is_read() {
        for (name, named) in DateLiteral::names() {
            let (literal, written) = match named {
                Named::Fixed(literal) => (literal, name.clone()),
                Named::Counted(period, make) => (make(period, 3), format!("{name}:3")),
            };
            assert_eq!(literal.to_string(), written);
            assert!(DateLiteral::named(&name.to_lowercase()).is_some());
        }
    }
}
