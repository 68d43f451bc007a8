//! What was asked of a sandbox.

use std::collections::{BTreeMap, VecDeque};

/// How many requests are remembered one by one.
const REMEMBERED: usize = 10_000;

/// One request, without the values of its query and without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// The method, in capitals.
    pub method: String,
    /// The path without the query, and without doubled slashes at its beginning or a slash at its end.
    pub path: String,
    /// The names in the query, in the order sent, joined by commas.
    pub query_shape: String,
    /// The operation of a SOAP request, such as `delete`.
    pub operation: Option<String>,
    /// The status that was answered; absent when the connection was dropped.
    pub status: Option<u16>,
}

/// The last requests, and how many there were in all.
#[derive(Debug, Default)]
pub(super) struct RequestLog {
    recent: VecDeque<RequestRecord>,
    by_method: BTreeMap<String, u64>,
}

impl RequestLog {
    pub(super) fn record(&mut self, record: RequestRecord) {
        *self.by_method.entry(record.method.clone()).or_default() += 1;
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(record);
    }

    pub(super) fn recent(&self) -> Vec<RequestRecord> {
        self.recent.iter().cloned().collect()
    }

    pub(super) fn by_method(&self) -> BTreeMap<String, u64> {
        self.by_method.clone()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The names in a query, without their values.
pub(super) fn query_shape(query: &str) -> String {
    let names = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap_or_default());
    names.collect::<Vec<_>>().join(",")
}
