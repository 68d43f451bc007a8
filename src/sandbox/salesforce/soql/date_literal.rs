//! Date literals: days relative to the present one.

/// So many units from the present one, as `LAST_N_WEEKS:3` is the three weeks before this one.
///
/// **Invariant**: `first` is not above `after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct DateLiteral {
    /// Of what.
    pub unit: Unit,
    /// The first one meant; 0 is the present one.
    pub first: i64,
    /// The first one that is not meant any more.
    pub after: i64,
}

/// A stretch of days that has a beginning in the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
    FiscalQuarter,
    FiscalYear,
}

impl DateLiteral {
    /// Reads a literal, in any case.
    ///
    /// All of them are documented. What is documented in two ways is read in one: `LAST_N_DAYS` also ends at the present second there,
    /// and here with the present day; `LAST_N_YEARS:n` also begins n + 1 years ago there, and here has n years, as weeks, months and
    /// quarters have.
    pub(in crate::sandbox) fn read(text: &str) -> Option<Self> {
        let text = text.to_ascii_uppercase();
        let (name, count) = match text.split_once(':') {
            Some((name, count)) => (name, Some(i64::from(count.parse::<u32>().ok()?))),
            None => (text.as_str(), None),
        };
        let (unit, first, after) = match count {
            None => Self::fixed(name)?,
            Some(count) => Self::counted(name, count)?,
        };
        Some(Self { unit, first, after })
    }

    fn fixed(name: &str) -> Option<(Unit, i64, i64)> {
        Some(match name {
            "YESTERDAY" => (Unit::Day, -1, 0),
            "TODAY" => (Unit::Day, 0, 1),
            "TOMORROW" => (Unit::Day, 1, 2),
            // With the present day, without it.
            "LAST_90_DAYS" => (Unit::Day, -90, 1),
            "NEXT_90_DAYS" => (Unit::Day, 1, 91),
            _ => {
                let (which, unit) = name.split_once('_')?;
                let unit = Unit::read(unit).filter(|unit| *unit != Unit::Day)?;
                let first = match which {
                    "LAST" => -1,
                    "THIS" => 0,
                    "NEXT" => 1,
                    _ => return None,
                };
                (unit, first, first + 1)
            }
        })
    }

    fn counted(name: &str, count: i64) -> Option<(Unit, i64, i64)> {
        let several = |units: &str| Unit::read(units.strip_suffix('S')?);
        if let Some(unit) = name.strip_prefix("N_").and_then(|rest| several(rest.strip_suffix("_AGO")?)) {
            return Some((unit, -count, 1 - count));
        }
        if let Some(unit) = name.strip_prefix("NEXT_N_").and_then(several) {
            return Some((unit, 1, 1 + count));
        }
        let unit = name.strip_prefix("LAST_N_").and_then(several)?;
        // Only days include the present one.
        Some((unit, -count, i64::from(unit == Unit::Day)))
    }
}

impl Unit {
    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "DAY" => Self::Day,
            "WEEK" => Self::Week,
            "MONTH" => Self::Month,
            "QUARTER" => Self::Quarter,
            "YEAR" => Self::Year,
            "FISCAL_QUARTER" => Self::FiscalQuarter,
            "FISCAL_YEAR" => Self::FiscalYear,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_documented_literals_and_no_others() {
        for text in ["today", "THIS_FISCAL_YEAR", "last_n_fiscal_quarters:6", "N_WEEKS_AGO:3", "NEXT_N_DAYS:0"] {
            assert!(DateLiteral::read(text).is_some(), "{text}");
        }
        for text in [
            "THIS_DAY",
            "LAST_DAY",
            "LAST_N_DAYS",
            "LAST_N_DAYS:",
            "LAST_N_DAYS:x",
            "LAST_MONTH:3",
            "LAST_N_DAY:3",
            "N_DAYS:3",
            "N_DAY_AGO:3",
            "THIS_N_DAYS:3",
            "NEXT_80_DAYS",
            "LAST_N_DAYS:4294967296",
            "TODAY:1",
        ] {
            assert_eq!(DateLiteral::read(text), None, "{text}");
        }
    }
}
