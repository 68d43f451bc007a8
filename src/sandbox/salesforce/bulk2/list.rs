//! Lists of jobs, a page at a time.

use serde::{Deserialize, Serialize};

use super::job_info::JobInfo;

/// The most jobs on one page. Source: documented.
const PAGE_JOBS: usize = 1_000;

/// What a request for a list may ask for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListQuery {
    job_type: Option<String>,
    is_pk_chunking_enabled: Option<bool>,
    query_locator: Option<String>,
}

impl ListQuery {
    /// Whether jobs of that type are asked for. None of them is chunked by primary keys.
    pub fn wants(&self, job_type: &str) -> bool {
        self.job_type.as_deref().is_none_or(|wanted| wanted == job_type) && self.is_pk_chunking_enabled != Some(true)
    }
}

/// One page. Source of the shape: documented.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobList<'a> {
    done: bool,
    records: Vec<JobInfo<'a>>,
    next_records_url: Option<String>,
}

impl<'a> JobList<'a> {
    /// The page that the query asks for. `address` is where the list lives.
    pub fn page(jobs: impl Iterator<Item = JobInfo<'a>>, query: &ListQuery, address: &str) -> Self {
        let first = query.query_locator.as_deref().and_then(place).unwrap_or_default();
        let mut jobs = jobs.skip(first).peekable();
        let records: Vec<_> = jobs.by_ref().take(PAGE_JOBS).collect();
        let done = jobs.peek().is_none();
        let next = first + records.len();
        // The form of the locator is that of a query's; clients take it as it is.
        let next_records_url = (!done).then(|| format!("{address}?queryLocator=01gS00000000001IAA-{next}"));
        Self { done, records, next_records_url }
    }
}

fn place(locator: &str) -> Option<usize> {
    locator.rsplit_once('-')?.1.parse().ok()
}
