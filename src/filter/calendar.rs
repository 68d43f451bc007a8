//! Days and moments in the forms that manifests and the languages have in common.

use jiff::civil::Date;
use jiff::{Timestamp, Unit};

/// Reads `2026-01-31`, and nothing that only resembles it.
pub fn read_day(text: &str) -> Option<Date> {
    has_form(text, "0000-00-00").then(|| text.parse().ok()).flatten()
}

/// Reads `2026-01-31T12:00:00Z`, with `+01:00` or `-08:00` in place of the `Z`, and with a fraction of the second.
pub(super) fn read_moment(text: &str) -> Option<Timestamp> {
    let (civil, rest) = text.split_at_checked("0000-00-00T00:00:00".len())?;
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            Some(offset).filter(|offset| offset.len() < fraction.len())?
        }
        None => rest,
    };
    let has_offset = offset == "Z" || has_form(offset, "+00:00") || has_form(offset, "-00:00");
    (has_form(civil, "0000-00-00T00:00:00") && has_offset).then(|| text.parse().ok()).flatten()
}

/// Whether `text` has a digit wherever `form` has `0`, and the same characters elsewhere.
pub(super) fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
}

/// The second a moment is in: systems compare whole seconds, and the earlier one never makes a record older than it is.
pub(super) fn whole_second(moment: Timestamp) -> Timestamp {
    let floor = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Floor);
    moment.round(floor).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_days_in_one_form_only() {
        assert!(read_day("2026-01-31").is_some());
        for text in ["2026-02-30", "2026-1-31", "20260131", "2026-01-31 ", "+2026-01-31", ""] {
            assert_eq!(read_day(text), None, "{text}");
        }
    }

    #[test]
    fn reads_moments_in_one_form_only() {
        for text in [
            "1999-01-01T23:01:01+01:00",
            "1999-01-01T23:01:01-08:00",
            "1999-01-01T23:01:01Z",
            "1999-01-01T23:01:01.000Z",
            "1999-01-01T23:01:01.123456+01:00",
        ] {
            assert!(read_moment(text).is_some(), "{text}");
        }
        for text in [
            "1999-01-01",
            "1999-01-01T23:01Z",
            "1999-01-01t23:01:01Z",
            "1999-01-01T23:01:01z",
            "1999-01-01 23:01:01Z",
            "1999-01-01T23:01:01",
            "1999-01-01T23:01:01+0100",
            "1999-01-01T23:01:01.Z",
            "1999-01-01T25:01:01Z",
            "1999-02-30T23:01:01Z",
            "1999-01-01T23:01:01Z[UTC]",
            "1999-01-01T23:01:01é",
        ] {
            assert_eq!(read_moment(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_in_the_second_that_began_before_it() {
        let second = |text: &str| whole_second(text.parse().expect("a moment")).to_string();
        assert_eq!(second("2026-01-31T12:00:00.999Z"), "2026-01-31T12:00:00Z");
        assert_eq!(second("1969-12-31T23:59:59.5Z"), "1969-12-31T23:59:59Z");
    }
}
