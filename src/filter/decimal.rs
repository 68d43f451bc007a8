//! Numbers as they are written.

/// A number in the digits it was written with, since a binary fraction would change them.
///
/// **Invariants**: an optional sign, digits, and optionally a point and more digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(String);

impl Decimal {
    /// Takes `text` as a number, or `None` when it is not one.
    pub fn new(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        (digits(whole) && digits(fraction)).then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest binary number; infinite when there are too many digits.
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
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
        for text in ["", "-", "1.", ".5", "1e5", "1 OR 1", "NaN", "inf", "--1", "1.2.3", "٣"] {
            assert_eq!(Decimal::new(text), None, "{text:?}");
        }
    }
}
