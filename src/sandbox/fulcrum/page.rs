//! Lists in pages, and bodies in JSON.

use std::collections::BTreeMap;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use super::error::ApiError;

/// The most on a page, and as many as are on one unless fewer are asked for (documented).
pub(super) const LARGEST_PAGE: usize = 20_000;

/// Which page is asked for. What is no number counts as not said.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PageParameters {
    page: Option<String>,
    per_page: Option<String>,
}

impl PageParameters {
    /// The number of the page, counted from 1.
    fn page(&self) -> usize {
        self.page.as_deref().and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
    }

    fn per_page(&self) -> usize {
        self.per_page.as_deref().and_then(|text| text.parse().ok()).unwrap_or(LARGEST_PAGE).clamp(1, LARGEST_PAGE)
    }

    /// The places of what is on the page.
    pub(super) fn range(&self, total: usize) -> std::ops::Range<usize> {
        let begin = (self.page() - 1).saturating_mul(self.per_page()).min(total);
        begin..begin.saturating_add(self.per_page()).min(total)
    }

    /// The page of a list, with what the vendor says about pages beside it.
    pub(super) fn answer<T: Serialize>(&self, key: &'static str, total: usize, items: Vec<T>) -> Response {
        Json(Listing {
            list: BTreeMap::from([(key, items)]),
            current_page: self.page(),
            total_pages: total.div_ceil(self.per_page()),
            total_count: total,
            per_page: self.per_page(),
        })
        .into_response()
    }
}

#[derive(Serialize)]
struct Listing<T> {
    #[serde(flatten)]
    list: BTreeMap<&'static str, Vec<T>>,
    current_page: usize,
    total_pages: usize,
    total_count: usize,
    per_page: usize,
}

/// The JSON of a body that says it is JSON.
pub(super) fn read_json<'a, T: Deserialize<'a>>(resource: &str, headers: &HeaderMap, body: &'a [u8]) -> Result<T, ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/json") {
        return Err(ApiError::invalid_json(resource));
    }
    serde_json::from_slice(body).map_err(|_| ApiError::invalid_json(resource))
}

/// An id from the end of a path, which may carry the suffix `.json`.
pub(super) fn bare(id: &str) -> &str {
    id.strip_suffix(".json").unwrap_or(id)
}
