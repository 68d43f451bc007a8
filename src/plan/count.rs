//! How many records there are, as far as a system says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::counted;

/// How many records match, as a system counted them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exact(u64),
    /// The system could not count them, and why, in its own words, which are hostile text. It may be able to list them all the same.
    /// This is never zero.
    Unknown(String),
}

impl Count {
    /// The number, where there is one.
    pub fn exact(&self) -> Option<u64> {
        match self {
            Self::Exact(records) => Some(*records),
            Self::Unknown(_) => None,
        }
    }
}

/// How many records an object has, filter or not. Written as a number, as `{"about": number}`, or as `"unknown"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Population {
    /// About so many: the system keeps a number that is some time old and leaves some records out.
    About(u64),
    /// The system does not say.
    Unknown,
    /// So many, counted.
    #[serde(untagged)]
    Exact(u64),
}

impl Population {
    /// The number, where it was counted.
    pub fn exact(self) -> Option<u64> {
        match self {
            Self::Exact(records) => Some(records),
            Self::About(_) | Self::Unknown => None,
        }
    }

    /// The number by which a share of the records is judged: half of an approximate one, which may be too large; `None` where there is
    /// none.
    pub fn judged_by(self) -> Option<u64> {
        match self {
            Self::Exact(records) => Some(records),
            Self::About(about) => Some(about / 2),
            Self::Unknown => None,
        }
    }

    /// The larger of two that were told of the same object at different times; of different kinds, the one that lets less go.
    #[must_use]
    pub fn larger(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact(one), Self::Exact(other)) => Self::Exact(one.max(other)),
            (Self::About(one), Self::About(other)) => Self::About(one.max(other)),
            _ if self.judged_by() <= other.judged_by() => self,
            _ => other,
        }
    }

    /// The same without so many records.
    #[must_use]
    pub fn less(self, records: u64) -> Self {
        match self {
            Self::Exact(all) => Self::Exact(all.saturating_sub(records)),
            Self::About(about) => Self::About(about.saturating_sub(records)),
            Self::Unknown => Self::Unknown,
        }
    }

    /// In words, such as `about 4,000 records`.
    pub fn told(self) -> String {
        match self {
            Self::Exact(records) => counted(records, "record"),
            Self::About(about) => format!("about {}", counted(about, "record")),
            Self::Unknown => "an unknown number of records".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Population = Population::Exact(100);
    const ABOUT: Population = Population::About(100);

    #[test]
    fn is_written_so_that_a_counted_number_is_a_number() {
        for (population, text) in [(EXACT, "100"), (ABOUT, r#"{"about":100}"#), (Population::Unknown, r#""unknown""#)] {
            assert_eq!(serde_json::to_string(&population).expect("written"), text);
            assert_eq!(serde_json::from_str::<Population>(text).expect("read"), population);
        }
        for text in [r#""100""#, "null", "-1", "1.5", r#"{"exact":1}"#, r#"{"about":-1}"#] {
            assert!(serde_json::from_str::<Population>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn half_of_an_approximate_number_counts_and_nothing_of_an_unknown_one() {
        assert_eq!([EXACT, ABOUT, Population::Unknown].map(Population::judged_by), [Some(100), Some(50), None]);
        assert_eq!([EXACT, ABOUT, Population::Unknown].map(Population::exact), [Some(100), None, None]);
        let told = [EXACT, ABOUT, Population::Unknown].map(Population::told);
        assert_eq!(told, ["100 records", "about 100 records", "an unknown number of records"]);
    }

    #[test]
    fn of_different_kinds_the_one_counts_that_lets_less_go() {
        assert_eq!(EXACT.larger(Population::Exact(120)), Population::Exact(120));
        assert_eq!(ABOUT.larger(Population::About(120)), Population::About(120));
        assert_eq!((EXACT.larger(ABOUT), ABOUT.larger(Population::Exact(40))), (ABOUT, Population::Exact(40)));
        assert_eq!(
            (EXACT.larger(Population::Unknown), Population::Unknown.larger(ABOUT)),
            (Population::Unknown, Population::Unknown)
        );
    }
}
