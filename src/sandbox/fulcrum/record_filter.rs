//! Which records a list is asked for.

use jiff::Timestamp;
use serde::Deserialize;

use super::error::ApiError;
use super::{Form, Record};

/// The filters of `GET /records.json`. Documented, but for what an edge belongs to: a moment itself is since it and not before it (guess).
/// The address knows no others: records of the sandbox have no changesets.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RecordFilter {
    form_id: Option<String>,
    project_id: Option<String>,
    newest_first: Option<String>,
    bounding_box: Option<String>,
    created_since: Option<String>,
    created_before: Option<String>,
    updated_since: Option<String>,
    updated_before: Option<String>,
    client_created_since: Option<String>,
    client_created_before: Option<String>,
    client_updated_since: Option<String>,
    client_updated_before: Option<String>,
}

/// The filters, read.
pub(super) struct Wanted<'a> {
    filter: &'a RecordFilter,
    /// Whether the order is turned round.
    pub newest_first: bool,
    bounds: Option<[f64; 4]>,
    spans: [Span; 4],
}

/// Between which moments one of a record's own must lie.
struct Span {
    moment: fn(&Record) -> Timestamp,
    since: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl RecordFilter {
    /// Reads the values. That one that makes no sense is answered with 400 is a guess, as are the words.
    pub(super) fn read(&self) -> Result<Wanted<'_>, ApiError> {
        let newest_first = match self.newest_first.as_deref() {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => return Err(ApiError::sql(format!("newest_first must be true or false, not {}", shown(other)))),
        };
        let read = |name: &str, text: &Option<String>| text.as_deref().map(|text| moment(name, text)).transpose();
        let spans = [
            Span {
                moment: |record| record.server_created_at,
                since: read("created_since", &self.created_since)?,
                before: read("created_before", &self.created_before)?,
            },
            Span {
                moment: |record| record.server_updated_at,
                since: read("updated_since", &self.updated_since)?,
                before: read("updated_before", &self.updated_before)?,
            },
            Span {
                moment: |record| record.created_at,
                since: read("client_created_since", &self.client_created_since)?,
                before: read("client_created_before", &self.client_created_before)?,
            },
            Span {
                moment: |record| record.updated_at,
                since: read("client_updated_since", &self.client_updated_since)?,
                before: read("client_updated_before", &self.client_updated_before)?,
            },
        ];
        let bounds = self.bounding_box.as_deref().map(bounds).transpose()?;
        Ok(Wanted { filter: self, newest_first, bounds, spans })
    }
}

impl Wanted<'_> {
    /// Whether any record of a form may be among them.
    pub(super) fn has_form(&self, form: &Form) -> bool {
        self.filter.form_id.as_ref().is_none_or(|id| *id == form.id)
    }

    /// Whether a record is among them. One without a place lies in no box.
    pub(super) fn has(&self, record: &Record) -> bool {
        let in_project = self.filter.project_id.as_ref().is_none_or(|id| record.project_id.as_ref() == Some(id));
        let in_box = self.bounds.is_none_or(|[south, west, north, east]| {
            record.latitude.zip(record.longitude).is_some_and(|(latitude, longitude)| {
                (south..=north).contains(&latitude) && (west..=east).contains(&longitude)
            })
        });
        let in_spans = self.spans.iter().all(|span| {
            let moment = (span.moment)(record);
            span.since.is_none_or(|since| moment >= since) && span.before.is_none_or(|before| moment < before)
        });
        in_project && in_box && in_spans
    }
}

/// Seconds since 1970, as the vendor's text says, or a date with its time, as the vendor's OpenAPI file says: both are taken.
fn moment(name: &str, text: &str) -> Result<Timestamp, ApiError> {
    let seconds = text.parse::<i64>().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let moment = seconds.or_else(|| text.replace(' ', "+").parse().ok());
    moment.ok_or_else(|| {
        ApiError::sql(format!("{name} must be seconds since 1970 or a date with its time, not {}", shown(text)))
    })
}

/// Bottom, left, top and right, in degrees.
fn bounds(text: &str) -> Result<[f64; 4], ApiError> {
    let degrees: Vec<f64> =
        text.split(',').filter_map(|part| part.trim().parse().ok()).filter(|part: &f64| part.is_finite()).collect();
    degrees.try_into().ok().filter(|_| text.split(',').count() == 4).ok_or_else(|| {
        ApiError::sql(format!("bounding_box must be four numbers: bottom, left, top, right, not {}", shown(text)))
    })
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
