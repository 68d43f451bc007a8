//! Days and moments as ZOQL writes them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Reads a day, `2026-01-31` (documented), and nothing that only resembles it.
pub fn read_day(text: &str) -> Option<Date> {
    has_form(text, "0000-00-00").then(|| text.parse().ok()).flatten()
}

/// Reads a moment, `2026-01-31T12:00:00` with or without `+01:00` (documented). Without one it is a moment in `zone`, the
/// tenant's own (documented from WSDL 69 on).
pub fn read_moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    const CIVIL: usize = "0000-00-00T00:00:00".len();
    let (civil, offset) = text.split_at_checked(CIVIL)?;
    if !has_form(civil, "0000-00-00T00:00:00") {
        return None;
    }
    if offset.is_empty() {
        let civil: DateTime = civil.parse().ok()?;
        return zone.to_timestamp(civil).ok();
    }
    (has_form(offset, "+00:00") || has_form(offset, "-00:00")).then(|| text.parse().ok()).flatten()
}

/// Writes a moment with the documented offset in whole seconds, the earlier one, which never makes a record older than it is.
pub(super) fn write_moment(moment: Timestamp) -> String {
    let second = Timestamp::from_second(moment.as_nanosecond().div_euclid(1_000_000_000).try_into().unwrap_or(i64::MIN));
    TimeZone::UTC.to_datetime(second.unwrap_or(moment)).strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// Whether `text` has a digit wherever `form` has `0`, and the same characters elsewhere.
pub(super) fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_documented_forms_only() {
        let pacific = TimeZone::fixed(jiff::tz::offset(-8));
        let moment = |text| read_moment(text, &pacific).map(|moment| moment.to_string());
        assert_eq!(moment("2026-01-31T12:00:00").as_deref(), Some("2026-01-31T20:00:00Z"));
        assert_eq!(moment("2026-01-31T12:00:00+01:00").as_deref(), Some("2026-01-31T11:00:00Z"));
        for text in ["2026-01-31", "2026-01-31T12:00", "2026-01-31T12:00:00Z", "2026-01-31 12:00:00", "2026-02-30T12:00:00"]
        {
            assert_eq!(moment(text), None, "{text}");
        }
        assert!(read_day("2026-01-31").is_some() && read_day("2026-1-31").is_none() && read_day("2026-02-30").is_none());
    }

    #[test]
    fn writes_the_earlier_whole_second() {
        let written = |text: &str| write_moment(text.parse().expect("a moment"));
        assert_eq!(written("2026-01-31T12:00:00.999Z"), "2026-01-31T12:00:00+00:00");
        assert_eq!(written("1969-12-31T23:59:59.5Z"), "1969-12-31T23:59:59+00:00");
    }
}
