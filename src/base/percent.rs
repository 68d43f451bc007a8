//! A share of a population.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A share of a counted population, from 0 % to 100 %, exact to a hundredth of a percent.
///
/// It is a whole number of hundredths, since plans are sealed and a binary fraction has more than one spelling.
/// Zero means that nothing may go; it does not mean "no limit".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    hundredths: u16,
}

impl Percent {
    /// All of a population.
    pub const ALL: Self = Self { hundredths: 10_000 };

    /// Nothing of a population.
    pub const NONE: Self = Self { hundredths: 0 };

    /// A whole number of percent.
    ///
    /// # Errors
    ///
    /// When it is above 100.
    pub fn whole(percent: u16) -> Result<Self, PercentError> {
        if percent <= 100 {
            Ok(Self { hundredths: percent * 100 })
        } else {
            Err(PercentError { shown: percent.to_string() })
        }
    }

    /// The smallest share that `part` of `population` does not exceed; `None` when `part` is more than `population`.
    pub fn needed_for(part: u64, population: u64) -> Option<Self> {
        if part > population {
            return None;
        }
        if part == 0 {
            return Some(Self::NONE);
        }
        let hundredths = (u128::from(part) * 10_000).div_ceil(u128::from(population));
        u16::try_from(hundredths).ok().map(|hundredths| Self { hundredths })
    }

    /// The most records of `population` that do not exceed this share.
    pub fn most_of(self, population: u64) -> u64 {
        let most = u128::from(population) * u128::from(self.hundredths) / 10_000;
        u64::try_from(most).unwrap_or(population)
    }

    /// Whether `part` of `population` is more than this share.
    ///
    /// Any part of an empty population is more than any share: a share of nothing cannot be judged.
    pub fn is_exceeded_by(self, part: u64, population: u64) -> bool {
        part > 0 && u128::from(part) * 10_000 > u128::from(population) * u128::from(self.hundredths)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.hundredths / 100, self.hundredths % 100);
        match rest {
            0 => write!(formatter, "{whole}"),
            tenths if tenths % 10 == 0 => write!(formatter, "{whole}.{}", tenths / 10),
            _ => write!(formatter, "{whole}.{rest:02}"),
        }
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let error = || PercentError { shown: text.chars().take(24).collect() };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 2 || whole.len() > 3 {
            return Err(error());
        }
        let whole: u16 = whole.parse().map_err(|_| error())?;
        let mut hundredths: u16 = fraction.parse().map_err(|_| error())?;
        if fraction.len() == 1 {
            hundredths *= 10;
        }
        let hundredths = whole * 100 + hundredths;
        if hundredths > 10_000 { Err(error()) } else { Ok(Self { hundredths }) }
    }
}

impl JsonSchema for Percent {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "maximum": 100 })
    }
}

/// A number with at most two decimals, in the one spelling that its value has: `5`, `12.5`.
impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.hundredths % 100 {
            0 => serializer.serialize_u16(self.hundredths / 100),
            _ => serializer.serialize_f64(f64::from(self.hundredths) / 100.0),
        }
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let text = number.to_string();
        // Integers and fractions are written alike, whatever the program that wrote them.
        text.strip_suffix(".0").unwrap_or(&text).parse().map_err(serde::de::Error::custom)
    }
}

/// A number that is no share between 0 and 100 with at most two decimals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a percentage: 0 to 100 with at most two decimals")]
pub struct PercentError {
    shown: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_number_in_one_spelling_for_policy_tools() {
        for (text, written) in
            [("0", "0"), ("5", "5"), ("12.5", "12.5"), ("0.07", "0.07"), ("99.99", "99.99"), ("100", "100")]
        {
            let percent: Percent = text.parse().expect("valid");
            assert_eq!(serde_json::to_string(&percent).expect("a number"), written);
            assert_eq!(serde_json::from_str::<Percent>(written).expect("a share"), percent);
        }
        for hundredths in 0..=10_000 {
            let percent = Percent { hundredths };
            let written = serde_json::to_string(&percent).expect("a number");
            assert_eq!(serde_json::from_str::<Percent>(&written).expect("a share"), percent, "{written}");
        }
        for refused in ["-1", "100.01", "5.001", "\"5\"", "null", "101"] {
            assert!(serde_json::from_str::<Percent>(refused).is_err(), "{refused}");
        }
        assert_eq!(serde_json::from_str::<Percent>("5.0").expect("as other tools print it"), Percent { hundredths: 500 });
    }

    #[test]
    fn is_exact_at_its_boundary() {
        let ten: Percent = "10".parse().expect("valid");
        assert!(!ten.is_exceeded_by(10, 100));
        assert!(ten.is_exceeded_by(11, 100));
        assert!(ten.is_exceeded_by(1, 0));
        assert!(!ten.is_exceeded_by(0, 0));
        assert!(Percent::whole(0).expect("valid").is_exceeded_by(1, u64::MAX));
        assert!(!Percent::ALL.is_exceeded_by(u64::MAX, u64::MAX));
    }

    #[test]
    fn names_the_smallest_share_and_the_largest_part_that_pass() {
        for (part, population) in
            [(0, 0), (0, 7), (1, 3), (2, 3), (3, 3), (1, u64::MAX), (u64::MAX, u64::MAX), (12_001, 80_000)]
        {
            let needed = Percent::needed_for(part, population).expect("a part");
            assert!(!needed.is_exceeded_by(part, population), "{part} of {population}");
            assert!(needed.most_of(population) >= part, "{part} of {population}");
        }
        assert_eq!(Percent::needed_for(1, 0), None);
        let ten = Percent::whole(10).expect("valid");
        assert_eq!(ten.most_of(19), 1);
        assert!(ten.is_exceeded_by(2, 19));
    }

    #[test]
    fn prints_what_it_reads() {
        for text in ["0", "5", "10.5", "0.01", "99.99", "100"] {
            assert_eq!(text.parse::<Percent>().expect(text).to_string(), text);
        }
        for text in ["", "-1", "101", "100.01", "1.234", "1e2", "5%", "NaN"] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
    }
}
