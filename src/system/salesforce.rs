//! What is known of Salesforce without asking an org.

use super::{Api, ApiShape, Capabilities, JobAbort, JobShape, JobStart, RouteCapability, SystemKind};

/// The most ids of one request of sObject Collections (documented).
pub const COLLECTIONS_MOST_IDS: usize = 200;
/// The most ids of one Composite request: of its subrequests five may be Collections (documented).
pub const COMPOSITE_MOST_IDS: usize = 5 * COLLECTIONS_MOST_IDS;
/// The most ids of one Bulk API 2.0 job.
///
/// An upload may have 100 MB (documented), which is 5 million ids. A fifth of that keeps what a broken upload costs small, and the
/// journal learns something at least every million records.
pub const BULK2_MOST_IDS: u64 = 1_000_000;
/// The most ids of one Bulk API 1.0 batch (documented). They have a fortieth of the 10 MB that it may have.
pub const BULK1_MOST_IDS: u64 = 10_000;
/// The most ids of one check of presence. An id takes 27 bytes in an address, which may have 16,384 with the headers (documented).
pub const PRESENCE_MOST_IDS: usize = 400;

/// sObject Collections.
pub(super) const COLLECTIONS: RouteCapability = RouteCapability {
    api: Api::Collections,
    shape: ApiShape::Requests,
    soft: true,
    hard: false,
    batch_size: COLLECTIONS_MOST_IDS as u64,
    atomic_size: COLLECTIONS_MOST_IDS as u64,
    serial: true,
    takes_queries: false,
    // Only requests of 20 seconds and more count towards the limit of 25 (documented; 5 in developer orgs).
    parallel: 5,
    calls_per_batch: 1,
    // The vendor's own advice (documented).
    preferred_up_to: Some(2_000),
};

/// Composite. As five requests in one that are not atomic it would save calls and nothing else.
pub(super) const COMPOSITE: RouteCapability = RouteCapability {
    api: Api::Composite,
    batch_size: 0,
    atomic_size: COMPOSITE_MOST_IDS as u64,
    preferred_up_to: None,
    ..COLLECTIONS
};

/// Bulk API 2.0.
pub(super) const BULK2: RouteCapability = RouteCapability {
    api: Api::Bulk2,
    // A job waits for `UploadComplete` (documented) and takes one upload only (recorded).
    shape: ApiShape::Jobs(JobShape {
        starts: JobStart::ByStart,
        may_be_loaded_again: false,
        may_be_aborted: JobAbort::AnyTime,
    }),
    soft: true,
    hard: true,
    batch_size: BULK2_MOST_IDS,
    atomic_size: 0,
    // The mode is the server's own and always parallel (documented).
    serial: false,
    takes_queries: false,
    parallel: 5,
    // Create, upload, start, and three lists of results with a poll before them.
    calls_per_batch: 7,
    preferred_up_to: None,
};

/// Bulk API 1.0.
pub(super) const BULK1: RouteCapability = RouteCapability {
    api: Api::Bulk1,
    // The upload of a batch queues it at once; closing the job says that no more will come (documented).
    shape: ApiShape::Jobs(JobShape {
        starts: JobStart::OnLoad,
        may_be_loaded_again: false,
        may_be_aborted: JobAbort::AnyTime,
    }),
    batch_size: BULK1_MOST_IDS,
    serial: true,
    // Create, add the batch, close, and the results with a poll before them.
    calls_per_batch: 5,
    ..BULK2
};

/// What Salesforce can do.
pub const CAPABILITIES: Capabilities = Capabilities {
    system: SystemKind::Salesforce,
    key: "Id",
    change_stamp: Some("SystemModstamp"),
    // A day's calls are counted by `/limits`, and nothing else is documented.
    budget: None,
    routes: &[COLLECTIONS, BULK2, BULK1, COMPOSITE],
    // Of the REST query; a bulk query gives more.
    page_size: 2_000,
    presence_size: PRESENCE_MOST_IDS,
};

/// The codes by which it says that other work held a record's lock (recorded; the second is Bulk API 1.0's, documented).
pub(super) const LOCK_CODES: &[&str] = &["UNABLE_TO_LOCK_ROW", "TooManyLockFailure"];

/// How the names of objects end, in lower case, whose rows no deletion API takes, and what they are (documented).
pub(super) const NO_RECORDS: &[(&str, &str)] = &[
    ("__mdt", "is a custom metadata type: its rows are deployed, and not deleted as records"),
    ("__e", "is a platform event: it is delivered, and not kept as records"),
    ("__x", "is an external object: its rows are kept in another system, and have to be deleted there"),
    ("__b", "is a big object: its rows are deleted by an API of their own, which this version does not have"),
];

/// The objects that the Bulk APIs refuse, for reading and for deleting (recorded: forcedotcom/cli issue 3400). There may be others:
/// those are read in another way, and a deletion ends with the system's own refusal.
pub(super) const NOT_IN_BULK: &[&str] = &["ApexLog"];

/// How the names of the objects end that the platform keeps beside each object (documented): their rows follow a record and are
/// none of their own.
pub(super) const COMPANION_SUFFIXES: &[&str] = &["History", "Share", "Feed", "ChangeEvent"];

/// The lists of other objects' rows that only the page of a record shows: describe lists them as children that cascade (recorded), and
/// no query may name them (documented). What they show is counted as what it is.
pub(super) const LISTS: &[&str] = &[
    "ActivityHistory",
    "AttachedContentDocument",
    "AttachedContentNote",
    "CombinedAttachment",
    "FolderedContentDocument",
    "LookedUpFromActivity",
    "NoteAndAttachment",
    "OpenActivity",
    "OwnedContentDocument",
];

/// The ends of the My Domain hosts of orgs without real data: sandboxes, and developers' own (documented).
const NOT_PRODUCTION_ENDS: &[&str] = &[".sandbox.my.salesforce.com", ".develop.my.salesforce.com"];
/// Where users of sandboxes, and nobody else, sign in (documented).
const SANDBOX_SIGN_IN: &str = "test.salesforce.com";

/// Whether a host is that of an org with real data, by the vendor's forms of hosts. A plain My Domain host does not say: without
/// enhanced domains other orgs have one too.
pub(super) fn is_production_host(host: &str) -> Option<bool> {
    let says_no = host == SANDBOX_SIGN_IN || NOT_PRODUCTION_ENDS.iter().any(|end| host.ends_with(end));
    says_no.then_some(false)
}
