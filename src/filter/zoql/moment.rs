//! Moments as ZOQL writes them. Days are `2026-01-31` (documented).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::filter::calendar::has_form;

/// Reads a moment, `2026-01-31T12:00:00` with or without `+01:00` (documented). Without one it is a moment in `zone`, the
/// tenant's own (documented from WSDL 69 on).
pub(super) fn read_moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
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

/// Writes a moment in whole seconds with the documented offset.
pub(super) fn write_moment(moment: Timestamp) -> String {
    TimeZone::UTC.to_datetime(moment).strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
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
        assert_eq!(write_moment("2026-01-31T12:00:00Z".parse().expect("a moment")), "2026-01-31T12:00:00+00:00");
    }
}
