//! Faults as data: which requests they hit and what then goes wrong.

use std::sync::Mutex;

use serde::Deserialize;

/// One fault: which requests, and what happens to them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Fault {
    /// Which requests it hits.
    #[serde(default)]
    pub on: RequestMatch,
    /// What happens to them.
    pub then: Effect,
}

/// Which requests a fault hits. What is absent does not matter; nothing at all means every request.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RequestMatch {
    /// The method, in any case.
    pub method: Option<String>,
    /// The path without its query, with `*` for any run of characters.
    pub path: Option<String>,
    /// The operation of a SOAP request, such as `delete`: all of them go to one path.
    pub operation: Option<String>,
    /// Only the matching request of this number, counted from 1.
    pub nth: Option<u64>,
    /// Every so many matching requests.
    pub every: Option<u64>,
    /// At most so often.
    pub times: Option<u64>,
}

/// What goes wrong.
///
/// The refusals are in the words of the system that is asked. The ones from [`Effect::LockRows`] on are not about the request
/// itself but about the work it asks for: for a bulk job, match the request that creates it; in Bulk API 1.0, the one that
/// adds the batch.
#[derive(strum::EnumCount, Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// Another answer instead of the real one; nothing is done.
    Respond {
        /// The status code.
        status: u16,
        /// The media type of the body; `application/json` unless said.
        content_type: Option<String>,
        /// The body; none unless said.
        #[serde(default)]
        body: String,
        /// The number of seconds in `Retry-After`.
        retry_after: Option<u64>,
    },
    /// Everything was done, and something between here and there gives another answer.
    RespondAfter {
        /// The status code.
        status: u16,
        /// The media type of the body; `text/html` unless said.
        content_type: Option<String>,
        /// The body; none unless said.
        #[serde(default)]
        body: String,
    },
    /// 403: the organization has used up its requests for the day.
    DailyLimit,
    /// 403: too many long requests at the same time.
    ConcurrentLimit,
    /// 503 with an HTML page, as the edge sends while the organization is moved.
    Unavailable {
        /// The number of seconds in `Retry-After`.
        retry_after: Option<u64>,
    },
    /// 429.
    TooManyRequests {
        /// The number of seconds in `Retry-After`.
        retry_after: Option<u64>,
    },
    /// A SOAP fault in the envelope of the request; nothing is done.
    SoapFault {
        /// The status code.
        #[serde(default = "internal_error")]
        status: u16,
        /// The code of the fault, without a prefix.
        code: String,
        /// The text of the fault.
        message: String,
    },
    /// The connection closes without an answer; nothing was done.
    DropBefore,
    /// The connection closes without an answer; everything was done.
    DropAfter,
    /// The answer comes later.
    Delay {
        /// By how many milliseconds of tokio's time.
        milliseconds: u64,
    },
    /// The body ends early, and the length says so too: nothing but the content can tell.
    Truncate {
        /// How many bytes remain.
        bytes: usize,
    },
    /// The body breaks off: the length was larger, the connection closes.
    Cut {
        /// How many bytes arrive.
        bytes: usize,
    },
    /// The session of the request is over before it is looked at.
    ExpireSession,
    /// Rows cannot be locked. In one call: all of them. In a bulk job, or a batch of Bulk API 1.0: the chunk of this number,
    /// counted from 1. In a composite call: the rows of the subrequest of this number.
    LockRows {
        /// The chunk of 200 rows.
        #[serde(default = "one")]
        chunk: u64,
    },
    /// A bulk job fails after so many rows and leaves the rest unprocessed.
    FailJob {
        /// How many rows are processed.
        after: u64,
    },
    /// A bulk job, or a batch of Bulk API 1.0, fails before its first row.
    RefuseJob {
        /// The service's words, such as `InvalidBatch : Field name not found : X`.
        message: String,
    },
    /// The counters of a bulk job, or a batch of Bulk API 1.0, lag behind its results.
    LagCounters {
        /// By how many rows.
        rows: u64,
    },
    /// The first so many rows of a bulk job come in none of its result files.
    OmitRows {
        /// How many.
        rows: u64,
    },
    /// The results of a bulk job come in another order.
    ShuffleResults,
    /// The failed results of a bulk job have an empty `sf__Id`.
    EmptyIds,
    /// A query says another total than it has rows.
    WrongTotal {
        /// How much is added.
        by: i64,
    },
    /// A query leaves out its last rows but keeps its total.
    ShortPage {
        /// How many are left out.
        rows: usize,
    },
}

fn one() -> u64 {
    1
}

fn internal_error() -> u16 {
    500
}

/// Effects that a request carries to whoever does its work.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::sandbox) struct WorkFaults(pub Vec<Effect>);

impl WorkFaults {
    /// The rows that are to be left out of a query's page.
    pub(in crate::sandbox) fn short_by(&self) -> usize {
        self.0.iter().map(|effect| if let Effect::ShortPage { rows } = effect { *rows } else { 0 }).sum()
    }

    /// What is added to a query's total.
    pub(in crate::sandbox) fn wrong_total(&self) -> i64 {
        self.0.iter().map(|effect| if let Effect::WrongTotal { by } = effect { *by } else { 0 }).sum()
    }

    /// Whether no row of one call can be locked.
    pub(in crate::sandbox) fn locks_rows(&self) -> bool {
        self.0.iter().any(|effect| matches!(effect, Effect::LockRows { .. }))
    }

    /// Whether no row of the subrequest of this number of a composite call can be locked, counted from 1.
    pub(in crate::sandbox) fn locks_part(&self, number: u64) -> bool {
        self.0.iter().any(|effect| matches!(effect, Effect::LockRows { chunk } if *chunk == number))
    }
}

/// A text that is no list of faults.
#[derive(Debug, thiserror::Error)]
#[error("the faults cannot be read")]
pub struct FaultError {
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Fault {
    /// Reads a list of faults from YAML or JSON.
    ///
    /// ```
    /// use sexton::sandbox::{Effect, Fault};
    ///
    /// let text = "
    /// - on: { method: DELETE, path: '*/composite/sobjects', nth: 2 }
    ///   then: dropAfter
    /// - then: { delay: { milliseconds: 20 } }
    /// ";
    /// let faults = Fault::read_all(text)?;
    /// assert_eq!(faults[0].then, Effect::DropAfter);
    /// # Ok::<(), sexton::sandbox::FaultError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the text is not a list of faults.
    pub fn read_all(text: &str) -> Result<Vec<Self>, FaultError> {
        serde_yaml::from_str(text).map_err(|error| FaultError { source: Box::new(error) })
    }

    /// A fault that hits every request with this method and path.
    pub fn on(method: &str, path: &str, then: Effect) -> Self {
        let on = RequestMatch { method: Some(method.to_owned()), path: Some(path.to_owned()), ..RequestMatch::default() };
        Self { on, then }
    }

    /// A fault that hits every SOAP request for this operation.
    pub fn on_operation(operation: &str, then: Effect) -> Self {
        let on = RequestMatch { operation: Some(operation.to_owned()), ..RequestMatch::default() };
        Self { on, then }
    }

    /// The same, but only for the matching request of this number, counted from 1.
    #[must_use]
    pub fn nth(mut self, number: u64) -> Self {
        self.on.nth = Some(number);
        self
    }

    /// The same, but at most so often.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.on.times = Some(times);
        self
    }
}

/// The faults of one sandbox, with how often each has been met.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct FaultPlan {
    faults: Mutex<Vec<Armed>>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    met: u64,
    fired: u64,
}

impl FaultPlan {
    pub(in crate::sandbox) fn new(faults: Vec<Fault>) -> Self {
        let plan = Self::default();
        faults.into_iter().for_each(|fault| plan.add(fault));
        plan
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Armed>> {
        self.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(in crate::sandbox) fn add(&self, fault: Fault) {
        self.lock().push(Armed { fault, met: 0, fired: 0 });
    }

    pub(in crate::sandbox) fn clear(&self) {
        self.lock().clear();
    }

    /// What happens to this request. Counts it.
    pub(in crate::sandbox) fn effects(&self, method: &str, path: &str, operation: Option<&str>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for armed in self.lock().iter_mut() {
            let on = &armed.fault.on;
            let matches = on.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
                && on.path.as_ref().is_none_or(|pattern| matches_glob(pattern, path))
                && on.operation.as_deref().is_none_or(|wanted| Some(wanted) == operation);
            if !matches {
                continue;
            }
            armed.met += 1;
            let due = on.nth.is_none_or(|nth| nth == armed.met)
                && on.every.is_none_or(|every| every > 0 && armed.met.is_multiple_of(every))
                && on.times.is_none_or(|times| armed.fired < times);
            if due {
                armed.fired += 1;
                effects.push(armed.fault.then.clone());
            }
        }
        effects
    }
}

/// Whether `text` has the form of `pattern`, where `*` stands for any run of characters, `/` included.
pub(super) fn matches_glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    let mut rest = rest;
    for part in parts {
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use strum::EnumCount as _;

    use super::*;

    #[test]
    fn matches_paths_with_stars() {
        assert!(matches_glob("*", "/a/b"));
        assert!(matches_glob("/a/*/c", "/a/b/x/c"));
        assert!(matches_glob("*/jobs/*", "/services/data/v66.0/jobs/ingest"));
        assert!(matches_glob("/a", "/a"));
        assert!(!matches_glob("/a", "/ab"));
        assert!(!matches_glob("/a/*/c", "/a/c"));
    }

    #[test]
    fn fires_on_the_nth_and_every_kth_and_at_most_so_often() {
        let on = |nth, every, times| RequestMatch { nth, every, times, ..RequestMatch::default() };
        let hits = |on: RequestMatch| -> Vec<usize> {
            let plan = FaultPlan::new(vec![Fault { on, then: Effect::DropBefore }]);
            (1..=9).filter(|_| !plan.effects("GET", "/", None).is_empty()).collect()
        };
        assert_eq!(hits(on(Some(3), None, None)), [3]);
        assert_eq!(hits(on(None, Some(4), None)), [4, 8]);
        assert_eq!(hits(on(None, None, Some(2))), [1, 2]);
        assert_eq!(hits(on(None, Some(2), Some(2))), [2, 4]);
    }

    #[test]
    fn reads_every_kind_of_effect() {
        let text = "
- then: { respond: { status: 500, contentType: text/html, body: <html>, retryAfter: 3 } }
- then: { respondAfter: { status: 404, body: <html> } }
- then: dailyLimit
- then: concurrentLimit
- then: { unavailable: { retryAfter: 1 } }
- then: { tooManyRequests: {} }
- on: { operation: delete }
  then: { soapFault: { code: TRANSACTION_TIMEOUT, message: late } }
- then: dropBefore
- on: { method: delete, path: '*', nth: 1, every: 1, times: 1 }
  then: dropAfter
- then: { delay: { milliseconds: 5 } }
- then: { truncate: { bytes: 5 } }
- then: { cut: { bytes: 5 } }
- then: expireSession
- then: { lockRows: {} }
- then: { failJob: { after: 400 } }
- then: { refuseJob: { message: 'InvalidBatch : no' } }
- then: { lagCounters: { rows: 2 } }
- then: { omitRows: { rows: 2 } }
- then: shuffleResults
- then: emptyIds
- then: { wrongTotal: { by: -1 } }
- then: { shortPage: { rows: 1 } }
";
        assert_eq!(Fault::read_all(text).expect("valid").len(), Effect::COUNT);
        assert!(Fault::read_all("- then: { delay: { seconds: 5 } }").is_err());
        assert!(Fault::read_all("- when: {}\n  then: dropAfter").is_err());
    }
}
