//! Numbers as they are written.

/// A number in the digits it was written with, since a binary fraction would change them, but without zeros before them: not every
/// parser of SOQL reads those (seen in a public one).
///
/// **Invariants**: an optional sign, digits of which the first is a zero only if it is the last, and optionally a point and more digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(String);

impl Decimal {
    /// Takes `text` as a number, or `None` when it is not one.
    pub fn new(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        (digits(whole) && digits(fraction)).then(|| {
            let sign = &text[..text.len() - unsigned.len()];
            let zeros = whole.len() - whole.trim_start_matches('0').len();
            Self(format!("{sign}{}", &unsigned[zeros.min(whole.len() - 1)..]))
        })
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_cannot_hold_anything_else() {
        for text in ["0", "-1", "+2.50", "100000000000000000000000.5"] {
            assert_eq!(Decimal::new(text).map(|number| number.as_str().to_owned()).as_deref(), Some(text));
        }
        for (text, written) in [("007", "7"), ("-00.50", "-0.50"), ("+000", "+0"), ("0.0", "0.0")] {
            assert_eq!(Decimal::new(text).map(|number| number.as_str().to_owned()).as_deref(), Some(written));
        }
        for text in ["", "-", "1.", ".5", "1e5", "1 OR 1", "NaN", "inf", "--1", "1.2.3", "٣"] {
            assert_eq!(Decimal::new(text), None, "{text:?}");
        }
    }
}
