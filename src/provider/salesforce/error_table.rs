//! What may be done about each code and status: decided here, once.

use std::time::Duration;

use http::StatusCode;

use crate::base::FailureClass;
use crate::provider::{ErrorClass, ProviderError};

/// What a code says about one record of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordMeaning {
    /// The record was not found. It may be there all the same, and has failed then.
    SaidGone(FailureClass),
    /// Another record of the same atomic request failed.
    RolledBack,
    /// It was not deleted.
    Failed(FailureClass),
}

/// One code of the system.
struct Row {
    code: &'static str,
    /// What it says about a request as a whole.
    request: ErrorClass,
    /// What it says about one record.
    record: RecordMeaning,
}

const fn not_found(code: &'static str, request: ErrorClass, record: FailureClass) -> Row {
    Row { code, request, record: RecordMeaning::SaidGone(record) }
}

const fn row(code: &'static str, request: ErrorClass, record: FailureClass) -> Row {
    Row { code, request, record: RecordMeaning::Failed(record) }
}

/// Every known code, sorted by name, with its meaning for a request and for a record.
///
/// `ENTITY_IS_DELETED` is said of living records as well, which a trigger deleted in a transaction that was taken back, and
/// `INVALID_CROSS_REFERENCE_KEY` of purged ones (seen by clients). That the others which do not find a record are said of gone ones
/// too is a guess.
///
/// Bulk API 2.0 uses the exception names of Bulk API 1.0 in upper case without separators (documented, recorded). The case is
/// ignored, since they are in camel case inside a job's `errorMessage`.
const CODES: &[Row] = {
    use ErrorClass as Request;
    use FailureClass as Record;
    &[
        Row { code: "ALL_OR_NONE_OPERATION_ROLLED_BACK", request: Request::Invalid, record: RecordMeaning::RolledBack },
        row("API_CURRENTLY_DISABLED", Request::Transient, Record::Transient),
        row("API_DISABLED_FOR_ORG", Request::Denied, Record::Denied),
        row("API_ERROR", Request::Invalid, Record::Invalid),
        row("CANNOT_DELETE_LAST_DATED_CONVERSION_RATE", Request::Invalid, Record::Refused),
        row("CANNOT_DELETE_MANAGED_OBJECT", Request::Invalid, Record::Refused),
        row("CANNOT_DELETE_OWNER", Request::Invalid, Record::Refused),
        row("CANNOT_EXECUTE_FLOW_TRIGGER", Request::Invalid, Record::Refused),
        row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", Request::Invalid, Record::Refused),
        row("CLIENTINPUTERROR", Request::Invalid, Record::Invalid),
        row("DELETE_FAILED", Request::Invalid, Record::Dependent),
        row("DELETE_NOT_ALLOWED", Request::Denied, Record::Denied),
        row("DELETE_OPERATION_TOO_LARGE", Request::TooHeavy, Record::TooHeavy),
        row("DELETE_REQUIRED_ON_CASCADE", Request::Denied, Record::Denied),
        row("DEPENDENCY_EXISTS", Request::Invalid, Record::Dependent),
        row("DUPLICATE_VALUE", Request::Invalid, Record::Invalid),
        row("ENTITY_IS_ARCHIVED", Request::Invalid, Record::Refused),
        not_found("ENTITY_IS_DELETED", Request::NotFound, Record::Invalid),
        row("ENTITY_IS_LOCKED", Request::Invalid, Record::Refused),
        row("EXCEEDEDQUOTA", Request::Quota, Record::Quota),
        row("EXCEEDED_ID_LIMIT", Request::Invalid, Record::Invalid),
        row("EXCEEDED_MAX_SEMIJOIN_SUBSELECTS", Request::Invalid, Record::Invalid),
        row("FEATURENOTENABLED", Request::Denied, Record::Denied),
        row("FIELD_CUSTOM_VALIDATION_EXCEPTION", Request::Invalid, Record::Refused),
        row("FUNCTIONALITY_NOT_ENABLED", Request::Denied, Record::Denied),
        row("FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", Request::Transient, Record::Transient),
        row("GONE", Request::NotFound, Record::Invalid),
        row("HTTPSREQUIRED", Request::Invalid, Record::Invalid),
        row("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", Request::Transient, Record::Transient),
        row("INSUFFICIENT_ACCESS", Request::Denied, Record::Denied),
        not_found("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", Request::Denied, Record::Denied),
        row("INSUFFICIENT_ACCESS_OR_READONLY", Request::Denied, Record::Denied),
        row("INTERNALSERVERERROR", Request::Transient, Record::Transient),
        row("INVALIDBATCH", Request::Invalid, Record::Invalid),
        row("INVALIDENTITY", Request::Unsupported, Record::Invalid),
        row("INVALIDJOB", Request::Invalid, Record::Invalid),
        row("INVALIDJOBSTATE", Request::Invalid, Record::Invalid),
        row("INVALIDOPERATION", Request::Invalid, Record::Invalid),
        row("INVALIDSESSIONID", Request::Unauthenticated, Record::Denied),
        row("INVALIDURL", Request::Invalid, Record::Invalid),
        row("INVALIDUSER", Request::Denied, Record::Denied),
        row("INVALIDVERSION", Request::Unsupported, Record::Invalid),
        not_found("INVALID_CROSS_REFERENCE_KEY", Request::NotFound, Record::Invalid),
        row("INVALID_FIELD", Request::Invalid, Record::Invalid),
        not_found("INVALID_ID_FIELD", Request::Invalid, Record::Invalid),
        row("INVALID_LOGIN", Request::Unauthenticated, Record::Denied),
        row("INVALID_OPERATION", Request::Invalid, Record::Refused),
        row("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", Request::Unauthenticated, Record::Denied),
        row("INVALID_QUERY_FILTER_OPERATOR", Request::Invalid, Record::Invalid),
        row("INVALID_QUERY_LOCATOR", Request::Incomplete, Record::Invalid),
        row("INVALID_SESSION_ID", Request::Unauthenticated, Record::Denied),
        row("INVALID_TYPE", Request::Invalid, Record::Invalid),
        row("INVALID_TYPE_FOR_OPERATION", Request::Invalid, Record::Invalid),
        row("JSON_PARSER_ERROR", Request::Invalid, Record::Invalid),
        row("LIMIT_EXCEEDED", Request::Quota, Record::Quota),
        row("LOGIN_DURING_RESTRICTED_DOMAIN", Request::Unauthenticated, Record::Denied),
        row("LOGIN_DURING_RESTRICTED_TIME", Request::Unauthenticated, Record::Denied),
        row("LOGIN_MUST_USE_SECURITY_TOKEN", Request::Unauthenticated, Record::Denied),
        row("MALFORMED_ID", Request::Invalid, Record::Invalid),
        row("MALFORMED_QUERY", Request::Invalid, Record::Invalid),
        row("METHOD_NOT_ALLOWED", Request::Unsupported, Record::Invalid),
        row("MIXED_DML_OPERATION", Request::Invalid, Record::Invalid),
        not_found("NOT_FOUND", Request::NotFound, Record::Invalid),
        row("NUMBER_OUTSIDE_VALID_RANGE", Request::Invalid, Record::Invalid),
        row("OPERATION_TOO_LARGE", Request::Invalid, Record::Invalid),
        row("ORG_LOCKED", Request::Unauthenticated, Record::Denied),
        row("PASSWORD_LOCKOUT", Request::Unauthenticated, Record::Denied),
        Row { code: "PROCESSING_HALTED", request: Request::Invalid, record: RecordMeaning::RolledBack },
        row("QUERY_TIMEOUT", Request::Transient, Record::Transient),
        row("QUERY_TOO_COMPLICATED", Request::Invalid, Record::Invalid),
        row("REQUEST_LIMIT_EXCEEDED", Request::Quota, Record::Quota),
        row("REQUEST_RUNNING_TOO_LONG", Request::Transient, Record::Transient),
        row("REQUIRED_FIELD_MISSING", Request::Invalid, Record::Invalid),
        row("SERVER_UNAVAILABLE", Request::Transient, Record::Transient),
        row("TIMEOUT", Request::Transient, Record::Transient),
        row("TOOMANYLOCKFAILURE", Request::Transient, Record::Locked),
        row("TOO_MANY_APEX_REQUESTS", Request::Transient, Record::Transient),
        row("TRIAL_EXPIRED", Request::Unauthenticated, Record::Denied),
        row("TXN_SECURITY_METERING_ERROR", Request::Transient, Record::Transient),
        row("TXN_SECURITY_NO_ACCESS", Request::Denied, Record::Denied),
        row("UNABLE_TO_LOCK_ROW", Request::Transient, Record::Locked),
        row("UNKNOWN", Request::Transient, Record::Transient),
        row("UNKNOWN_EXCEPTION", Request::Transient, Record::Transient),
        row("UNSUPPORTEDCONTENTTYPE", Request::Invalid, Record::Invalid),
        row("UNSUPPORTED_API_VERSION", Request::Unsupported, Record::Invalid),
        row("UNSUPPORTED_MEDIA_TYPE", Request::Unsupported, Record::Invalid),
    ]
};

/// Whether a refusal of a count says that the system cannot count what was asked for, though it may be able to list it: there is no time
/// for it (a query has 120 seconds, documented), there is too much of it, or the object is to be asked for in another way (seen by
/// clients, of `ContentDocumentLink`, `FeedItem` and others).
pub(super) fn cannot_be_counted(refusal: &ProviderError) -> bool {
    match refusal.code.as_str() {
        "QUERY_TIMEOUT" | "OPERATION_TOO_LARGE" | "REQUEST_RUNNING_TOO_LONG" => true,
        "MALFORMED_QUERY" => refusal.message.contains("Implementation restriction"),
        _ => false,
    }
}

/// Codes after which a deletion may have run although the answer says that the request failed: it ended for its length, or for
/// a reason nobody names.
const MAY_HAVE_RUN: [&str; 6] =
    ["INTERNALSERVERERROR", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "TIMEOUT", "UNKNOWN", "UNKNOWN_EXCEPTION"];

fn known(code: &str) -> Option<&'static Row> {
    CODES.iter().find(|row| row.code.eq_ignore_ascii_case(code))
}

/// The codes of triggers and flows that break off, for whatever reason; the words say which.
const BROKE_OFF: [&str; 3] =
    ["CANNOT_EXECUTE_FLOW_TRIGGER", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "FIELD_CUSTOM_VALIDATION_EXCEPTION"];

/// Words of limits of one transaction (seen by clients), which fewer records may not meet.
const APEX_LIMITS: [&str; 8] = [
    "System.LimitException",
    "CPU time limit exceeded",
    "Too many SOQL queries:",
    "Too many query rows:",
    "Too many DML statements:",
    "Too many DML rows:",
    "Apex heap size too large",
    "Too many queueable jobs added to the queue:",
];

/// Whether the org's own logic met a limit of the transaction.
fn is_too_heavy(code: &str, message: &str) -> bool {
    let broke_off = BROKE_OFF.iter().any(|known| known.eq_ignore_ascii_case(code));
    broke_off && APEX_LIMITS.iter().any(|words| message.contains(words))
}

/// What a code says about one record that was to be deleted. An unknown code is never sent again.
pub(super) fn record_meaning(code: &str, message: &str) -> RecordMeaning {
    if is_too_heavy(code, message) {
        return RecordMeaning::Failed(FailureClass::TooHeavy);
    }
    known(code).map_or(RecordMeaning::Failed(FailureClass::Unrecognized), |row| row.record)
}

/// What may be done about a request that was answered with an error, when repeating it is harmless.
pub(super) fn request_class(status: StatusCode, code: &str, message: &str, wait: Option<Duration>) -> ErrorClass {
    let class = match known(code) {
        // Three limits share one code and differ by their words (recorded). An unknown fourth stops the run, which is the safe side.
        Some(row) if row.code == "REQUEST_LIMIT_EXCEEDED" && message.starts_with("Concurrent") => {
            ErrorClass::Throttled { wait }
        }
        // Said of a user without the permission (recorded); the vendor's page has it for an outage.
        Some(row) if row.code == "API_CURRENTLY_DISABLED" && message.contains("disabled for this") => ErrorClass::Denied,
        Some(_) if is_too_heavy(code, message) => ErrorClass::TooHeavy,
        Some(row) => row.request,
        // A token endpoint has codes of its own.
        None if code == "rate_limit_exceeded" => ErrorClass::Throttled { wait },
        None => status_class(status, wait),
    };
    match (class, wait) {
        // No `Retry-After` has been recorded (guess); it is honoured if it comes, also where a limit without one would end the run.
        (ErrorClass::Transient | ErrorClass::Quota, Some(_)) => ErrorClass::Throttled { wait },
        (class, _) => class,
    }
}

/// What may be done about a status without a known code.
fn status_class(status: StatusCode, wait: Option<Duration>) -> ErrorClass {
    match status.as_u16() {
        401 => ErrorClass::Unauthenticated,
        403 => ErrorClass::Denied,
        404 => ErrorClass::NotFound,
        405 | 410 | 415 => ErrorClass::Unsupported,
        // 420 and 502 are a routing problem at the vendor's edge (documented); 406 is repeated by another client.
        406 | 408 | 420 => ErrorClass::Transient,
        429 => ErrorClass::Throttled { wait },
        500..=599 => ErrorClass::Transient,
        _ => ErrorClass::Invalid,
    }
}

/// What may be done about a request that was answered with an error, when it may have deleted records: everything that is not clearly
/// a refusal is ambiguous.
pub(super) fn deletion_class(status: StatusCode, code: &str, message: &str, wait: Option<Duration>) -> ErrorClass {
    let refused = status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT;
    if !refused || MAY_HAVE_RUN.iter().any(|unclear| unclear.eq_ignore_ascii_case(code)) {
        return ErrorClass::Ambiguous;
    }
    request_class(status, code, message, wait)
}

/// What a person can do about an error.
pub(super) fn help(code: &str, message: &str) -> Option<&'static str> {
    // The words of sign-in errors are recorded.
    let message = message.to_ascii_lowercase();
    Some(match code.to_ascii_uppercase().as_str() {
        "FEATURENOTENABLED" if message.contains("harddelete") => HARD_DELETE_HELP,
        "FEATURENOTENABLED" | "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" => {
            "grant `API Enabled` to the user, and check that the org's edition has this API"
        }
        "REQUEST_LIMIT_EXCEEDED" if message.starts_with("totalrequests") => {
            "the org's daily API requests are used up; run the same command again later, as the 24-hour window moves on"
        }
        "EXCEEDEDQUOTA" | "LIMIT_EXCEEDED" => "a daily limit of the org is used up; run the same command again tomorrow",
        "INVALID_SESSION_ID" if message.contains("not valid for use with the rest api") => {
            "this session is of a kind that has no API: use one of a connected or external client app with the scope `api`; signing in \
             in the same way again gives the same"
        }
        "INVALID_SESSION_ID" => "sign in again",
        "INVALID_LOGIN" => {
            "check `username`, `password` and `securityToken`; after a few more wrong ones the user is locked out, which looks the same"
        }
        "LOGIN_MUST_USE_SECURITY_TOKEN" => {
            "set `securityToken` to the user's own, since the org does not trust this machine's address; a new password means a new token"
        }
        "PASSWORD_LOCKOUT" => {
            "the user is locked out after wrong passwords: wait until the lockout ends, or have an administrator unlock the user"
        }
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD" => EXPIRED_PASSWORD_HELP,
        "LOGIN_DURING_RESTRICTED_DOMAIN" => "sign in from an address within the login IP ranges of the user's profile",
        "LOGIN_DURING_RESTRICTED_TIME" => "sign in within the login hours of the user's profile",
        "ORG_LOCKED" | "TRIAL_EXPIRED" => "nobody can sign in to this org: ask whoever owns it",
        // The words are a guess: new orgs have it switched off (documented).
        "INVALID_OPERATION" if message.contains("login()") => {
            "switch on `Enable SOAP API login()` in Setup, User Interface; better, sign in by OAuth"
        }
        "OAUTH_APP_BLOCKED" => {
            "an administrator blocked this app for the org: have it unblocked in Setup, Connected Apps OAuth Usage"
        }
        "OAUTH_EC_APP_NOT_FOUND" => APP_NOT_INSTALLED_HELP,
        _ if message.contains("client app is not installed in this org") => APP_NOT_INSTALLED_HELP,
        "INACTIVE_USER" => INACTIVE_USER_HELP,
        "INVALID_GRANT" if message.contains("inactive user") => INACTIVE_USER_HELP,
        "INVALID_GRANT" if message.contains("ip restricted") => {
            "sign in from an address that the user's profile allows, or relax the app's IP restrictions"
        }
        "INVALID_GRANT" if message.contains("expired authorization code") => {
            "the signed statement was refused for its expiry: compare this machine's clock with the right time"
        }
        "INVALID_APP_ACCESS" => APPROVE_APP_HELP,
        "UNSUPPORTED_GRANT_TYPE" => "switch this OAuth flow on in the app's settings, or choose another `auth`",
        "RATE_LIMIT_EXCEEDED" => {
            "the user signed in too often within an hour: wait, and share one sign-in where there are many jobs"
        }
        "INVALID_GRANT" if message.contains("not supported on this domain") => {
            "client credentials work on the org's own My Domain host only: set `loginUrl` to `https://NAME.my.salesforce.com`"
        }
        "INVALID_GRANT" if message.contains("no client credentials user") => {
            "set a `Run As` user in the app's client credentials flow"
        }
        "INVALID_GRANT" if message.contains("hasn't approved") || message.contains("not admin approved") => APPROVE_APP_HELP,
        "INVALID_GRANT" if message.contains("audience") => {
            "set `audience` to `https://login.salesforce.com`, or to `https://test.salesforce.com` for a sandbox"
        }
        "INVALID_GRANT" if message.contains("expired access/refresh token") => {
            "the refresh token was revoked, has expired, or was used up, where the app rotates refresh tokens: make a new one; a pipeline is \
             better served by `clientCredentials` or `jwt`"
        }
        "INVALID_GRANT" | "INVALID_CLIENT" | "INVALID_CLIENT_ID" => {
            "check the app's consumer key and secret, and the user it runs as"
        }
        _ => return None,
    })
}

const APPROVE_APP_HELP: &str = "pre-authorize the app for this user: set its permitted users to admin approved, and add the user's profile or permission set";
const APP_NOT_INSTALLED_HELP: &str =
    "an administrator has to install this app in the org, in Setup, Connected Apps OAuth Usage or External Client Apps";
const INACTIVE_USER_HELP: &str = "the user is switched off in the org: switch it on, or sign in as another one";

/// What to do about an expired password.
pub(super) const EXPIRED_PASSWORD_HELP: &str =
    "set a new password in the browser, and put it where `password` points to; the security token changes with it";

/// What to grant for hard deletes. The permission is off for everybody, administrators too, until granted (documented).
pub(super) const HARD_DELETE_HELP: &str =
    "grant the system permission `Bulk API Hard Delete` to this user, in a permission set under System Permissions";

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn name(class: ErrorClass) -> String {
        match class {
            ErrorClass::Throttled { wait: None } => "Throttled".into(),
            ErrorClass::Throttled { wait: Some(wait) } => format!("Throttled for {} s", wait.as_secs()),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_table_is_sorted_and_names_no_code_twice() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
    }

    #[test]
    fn no_code_that_is_retried_can_have_deleted_something() {
        for row in CODES {
            let class = deletion_class(StatusCode::BAD_REQUEST, row.code, "", None);
            assert_eq!(class == ErrorClass::Ambiguous, MAY_HAVE_RUN.contains(&row.code), "{}", row.code);
        }
        for status in [200, 201, 204, 302, 303, 408, 500, 502, 503, 504] {
            let status = StatusCode::from_u16(status).expect("valid");
            assert_eq!(deletion_class(status, "SERVER_UNAVAILABLE", "", None), ErrorClass::Ambiguous, "{status}");
        }
    }

    #[test]
    fn the_whole_table_of_codes() {
        let mut table = String::new();
        for row in CODES {
            let status = StatusCode::BAD_REQUEST;
            let read = name(request_class(status, row.code, "", None));
            let deletion = name(deletion_class(status, row.code, "", None));
            let record = match row.record {
                RecordMeaning::Failed(class) => format!("{class:?}"),
                other => format!("{other:?}"),
            };
            writeln!(table, "{:<52} {read:<16} {deletion:<16} {record}", row.code).expect("in memory");
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn the_whole_table_of_statuses() {
        let mut table = String::new();
        for status in [
            300, 301, 302, 304, 307, 400, 401, 403, 404, 405, 406, 408, 409, 410, 414, 415, 420, 429, 431, 500, 502, 503,
            504,
        ] {
            let code = StatusCode::from_u16(status).expect("valid");
            let wait = Some(Duration::from_secs(7));
            writeln!(
                table,
                "{status} {:<16} {:<16} {}",
                name(request_class(code, "x", "", None)),
                name(deletion_class(code, "x", "", None)),
                name(request_class(code, "x", "", wait)),
            )
            .expect("in memory");
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn tells_the_limits_of_one_code_apart_by_their_words() {
        let class = |message| request_class(StatusCode::FORBIDDEN, "REQUEST_LIMIT_EXCEEDED", message, None);
        assert_eq!(class("TotalRequests Limit exceeded."), ErrorClass::Quota);
        let concurrent = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
        assert_eq!(class(concurrent), ErrorClass::Throttled { wait: None });
        assert_eq!(class("ConcurrentPerOrgLongTxn Limit exceeded."), ErrorClass::Throttled { wait: None });
        assert_eq!(class("something new"), ErrorClass::Quota);
        let told = Some(Duration::from_secs(600));
        let class = request_class(StatusCode::TOO_MANY_REQUESTS, "REQUEST_LIMIT_EXCEEDED", "Too many requests.", told);
        assert_eq!(class, ErrorClass::Throttled { wait: told });
    }

    #[test]
    fn every_known_refusal_of_a_sign_in_has_a_remedy_of_its_own() {
        let refusals = [
            ("OAUTH_APP_BLOCKED", "this app is blocked by admin"),
            ("OAUTH_EC_APP_NOT_FOUND", "external client app not found"),
            ("invalid_grant", "ip restricted"),
            ("inactive_user", "user is inactive"),
            ("API_CURRENTLY_DISABLED", "API is disabled for this User"),
            ("INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
            ("INVALID_SESSION_ID", "Session expired or invalid"),
            ("invalid_grant", "expired authorization code"),
            ("invalid_app_access", "user is not admin approved to access this app"),
            ("unsupported_grant_type", "grant type not supported"),
            ("rate_limit_exceeded", "login rate exceeded"),
            ("invalid_grant", "request not supported on this domain"),
            ("invalid_grant", "no client credentials user enabled"),
            ("invalid_grant", "audience is invalid"),
            ("invalid_grant", "expired access/refresh token"),
            ("invalid_client_id", "client identifier invalid"),
        ];
        let remedies: std::collections::BTreeSet<_> =
            refusals.iter().map(|(code, message)| help(code, message).expect("a remedy")).collect();
        assert_eq!(remedies.len(), refusals.len());
        let not_installed = help("invalid_client", "External client app is not installed in this org");
        assert_eq!(not_installed, help("OAUTH_EC_APP_NOT_FOUND", ""));
        let disabled = |message| request_class(StatusCode::FORBIDDEN, "API_CURRENTLY_DISABLED", message, None);
        assert_eq!(disabled("API is disabled for this User"), ErrorClass::Denied);
        assert_eq!(disabled("API functionality is temporarily unavailable"), ErrorClass::Transient);
    }

    #[test]
    fn knows_bulk_codes_in_camel_case_and_gives_up_on_unknown_ones() {
        assert_eq!(record_meaning("ExceededQuota", ""), RecordMeaning::Failed(FailureClass::Quota));
        assert_eq!(record_meaning("SOMETHING_NEW", ""), RecordMeaning::Failed(FailureClass::Unrecognized));
    }

    #[test]
    fn a_limit_of_one_transaction_is_known_by_its_words() {
        let trigger = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY";
        let words =
            "AccountTrigger: execution of BeforeDelete caused by: System.LimitException: Apex CPU time limit exceeded";
        for words in [words, "Trig: System.LimitException: Too many SOQL queries: 101", "Too many SOQL queries: 101"] {
            assert_eq!(record_meaning(trigger, words), RecordMeaning::Failed(FailureClass::TooHeavy), "{words}");
            assert_eq!(deletion_class(StatusCode::BAD_REQUEST, trigger, words, None), ErrorClass::TooHeavy, "{words}");
        }
        let crash = "Trig: execution of BeforeDelete caused by: System.NullPointerException";
        assert_eq!(record_meaning(trigger, crash), RecordMeaning::Failed(FailureClass::Refused));
        assert_eq!(record_meaning("DELETE_OPERATION_TOO_LARGE", ""), RecordMeaning::Failed(FailureClass::TooHeavy));
    }
}
