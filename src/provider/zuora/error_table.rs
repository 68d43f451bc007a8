//! What may be done about each code, text and status: decided here, once.

use std::time::Duration;

use http::StatusCode;

use crate::base::FailureClass;
use crate::provider::ErrorClass;

/// What a fault says about a `delete()` as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// It was refused before any record was processed.
    None,
    /// Some records may be gone: each is a transaction of its own (documented), and what the fault stopped is not said.
    Unclear,
}

/// One code of the system.
struct Row {
    code: &'static str,
    /// What it says about a request that only reads.
    request: ErrorClass,
    /// What it says about a `delete()` as a whole.
    effect: Effect,
    /// What it says about one record.
    record: FailureClass,
}

const fn row(code: &'static str, request: ErrorClass, effect: Effect, record: FailureClass) -> Row {
    Row { code, request, effect, record }
}

/// Every code of WSDL 78 with what may be done about it, sorted by name. What clients retry is transient here.
const CODES: &[Row] = {
    use ErrorClass as Request;
    use FailureClass as Record;
    &[
        row("ACCOUNTING_PERIOD_CLOSED", Request::Invalid, Effect::Unclear, Record::Refused),
        row("API_DISABLED", Request::Transient, Effect::None, Record::Transient),
        row("BATCH_FAIL_ERROR", Request::Invalid, Effect::Unclear, Record::Refused),
        row("CANNOT_DELETE", Request::Invalid, Effect::Unclear, Record::Refused),
        row("CREDIT_CARD_PROCESSING_FAILURE", Request::Invalid, Effect::Unclear, Record::Refused),
        row("DUPLICATE_VALUE", Request::Invalid, Effect::Unclear, Record::Invalid),
        row("INVALID_FIELD", Request::Invalid, Effect::Unclear, Record::Invalid),
        row("INVALID_ID", Request::Invalid, Effect::Unclear, Record::Invalid),
        row("INVALID_LOGIN", Request::Unauthenticated, Effect::None, Record::Denied),
        row("INVALID_SESSION", Request::Unauthenticated, Effect::None, Record::Denied),
        row("INVALID_TEMPLATE", Request::Invalid, Effect::Unclear, Record::Invalid),
        row("INVALID_TYPE", Request::NotFound, Effect::None, Record::Invalid),
        row("INVALID_VALUE", Request::Invalid, Effect::Unclear, Record::Invalid),
        row("INVALID_VERSION", Request::Unsupported, Effect::None, Record::Invalid),
        row("LOCK_COMPETITION", Request::Transient, Effect::Unclear, Record::Locked),
        row("MALFORMED_QUERY", Request::Invalid, Effect::None, Record::Invalid),
        row("MAX_RECORDS_EXCEEDED", Request::Invalid, Effect::None, Record::Invalid),
        row("MISSING_REQUIRED_VALUE", Request::Invalid, Effect::Unclear, Record::Invalid),
        row("NO_PERMISSION", Request::Denied, Effect::None, Record::Denied),
        row("PDF_QUERY_ERROR", Request::Invalid, Effect::Unclear, Record::Refused),
        // The documentation seems to have swapped what the two mean; both are waited for.
        row("REQUEST_EXCEEDED_LIMIT", Request::Throttled { wait: None }, Effect::None, Record::Transient),
        row("REQUEST_EXCEEDED_RATE", Request::Throttled { wait: None }, Effect::None, Record::Transient),
        row("REQUEST_REJECTED", Request::Invalid, Effect::None, Record::Refused),
        row("SERVER_UNAVAILABLE", Request::Transient, Effect::Unclear, Record::Transient),
        row("TEMPORARY_ERROR", Request::Transient, Effect::Unclear, Record::Transient),
        row("TRANSACTION_FAILED", Request::Invalid, Effect::Unclear, Record::Refused),
        // The vendor's advice is a smaller request, which later rounds make (documented).
        row("TRANSACTION_TERMINATED", Request::Transient, Effect::Unclear, Record::Transient),
        row("TRANSACTION_TIMEOUT", Request::Transient, Effect::Unclear, Record::Transient),
        row("UNKNOWN_ERROR", Request::Transient, Effect::Unclear, Record::Transient),
    ]
};

/// How the texts begin by which the server's XML layer refuses a request before anything else sees it (client, documented). Their code is the
/// envelope's own, such as `Server`.
const NOT_UNDERSTOOD: [&str; 5] =
    ["Id is invalid", "Invalid value", "date string can not be", "Unexpected subelement", "com.ctc.wstx."];

fn known(code: &str) -> Option<&'static Row> {
    CODES.iter().find(|row| row.code == code)
}

/// Whether the words are those of a lock, which also come under other codes (client).
fn is_lock(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("lock competition") || message.contains("optimistic locking failed")
}

/// What a code says about one record that was not deleted. An unknown code is never sent again.
pub(super) fn record_class(code: &str, message: &str) -> FailureClass {
    if is_lock(message) {
        return FailureClass::Locked;
    }
    known(code).map_or(FailureClass::Unrecognized, |row| row.record)
}

/// Whether a record refused with this code may no longer exist. Which code that has is a guess, so its presence is checked.
pub(super) fn may_be_gone(code: &str) -> bool {
    matches!(code, "INVALID_VALUE" | "INVALID_ID")
}

/// The code of an answer that has none.
pub(super) const NO_CODE: &str = "no-code";

/// What may be done about a request that was refused, with the pause the system asked for. After one that deletes, whatever is not
/// certain to be a refusal is ambiguous.
pub(super) fn request_class(
    deletes: bool,
    status: StatusCode,
    code: &str,
    message: &str,
    wait: Option<Duration>,
) -> ErrorClass {
    // Without a word of the system's own, something between here and there may have answered, and does not know what was done.
    if deletes && code == NO_CODE {
        return ErrorClass::Ambiguous;
    }
    // JSON reasons end in the kind of error (documented): 70 is a limit.
    let over_the_limit = status == StatusCode::TOO_MANY_REQUESTS
        || (code.len() <= 8 && code.ends_with("70") && code.bytes().all(|byte| byte.is_ascii_digit()));
    if over_the_limit {
        return ErrorClass::Throttled { wait };
    }
    let (class, effect) = match known(code) {
        Some(row) if is_lock(message) => (ErrorClass::Transient, row.effect),
        Some(row) => (row.request, row.effect),
        None if NOT_UNDERSTOOD.iter().any(|text| message.starts_with(text)) => (ErrorClass::Invalid, Effect::None),
        None => status_class(status),
    };
    match (class, wait) {
        _ if deletes && effect == Effect::Unclear => ErrorClass::Ambiguous,
        // What is to be deleted is not found by its type: the request is wrong.
        (ErrorClass::NotFound, _) if deletes && known(code).is_some() => ErrorClass::Invalid,
        (ErrorClass::Throttled { .. }, _) | (ErrorClass::Transient, Some(_)) => ErrorClass::Throttled { wait },
        (class, _) => class,
    }
}

/// What may be done about a status without a known code.
fn status_class(status: StatusCode) -> (ErrorClass, Effect) {
    match status.as_u16() {
        401 => (ErrorClass::Unauthenticated, Effect::None),
        403 => (ErrorClass::Denied, Effect::None),
        404 => (ErrorClass::NotFound, Effect::None),
        408 => (ErrorClass::Transient, Effect::Unclear),
        300..=499 => (ErrorClass::Invalid, Effect::None),
        // A fault can come with 200 (documented), and says no less then.
        _ => (ErrorClass::Transient, Effect::Unclear),
    }
}

/// What a person can do about an error.
pub(super) fn help(status: StatusCode, code: &str, message: &str) -> Option<&'static str> {
    Some(match code {
        // The words of both are recorded; they share their code with any wrong value.
        _ if message.contains("User name and password do not match") => "check the user name and the password",
        _ if message.starts_with("Your IP address may be restricted") => {
            "let the tenant's security policies allow this machine's address"
        }
        "INVALID_SESSION" => "sign in again",
        "INVALID_LOGIN" => "check the user name and the password",
        "INVALID_VERSION" => "set `wsdlVersion` of the target to a version that the tenant serves",
        "INVALID_TYPE" => "write the object's name exactly as in the WSDL, and check that records of it can be deleted",
        "NO_PERMISSION" => "give the user's role the permission `API Write Access`, and the one to delete such objects",
        "MALFORMED_QUERY" | "INVALID_FIELD" => "check the filter's fields against the tenant's WSDL",
        "MAX_RECORDS_EXCEEDED" => "a call takes 50 ids",
        "API_DISABLED" => {
            "the tenant's API is disabled, or down for maintenance: ask its administrator, and run the same command again"
        }
        _ if status == StatusCode::TOO_MANY_REQUESTS => {
            "the tenant accepts no more requests now: run the same command again later, or lower `maxCalls` of the target"
        }
        _ if status.is_redirection() || status == StatusCode::NOT_FOUND => {
            "set `url` of the target to the tenant's own SOAP host"
        }
        _ if status == StatusCode::FORBIDDEN => "the network's edge refuses this machine: ask the tenant's administrator",
        _ if status.is_server_error() && known(code).is_none() => {
            "the system is not available now: run the same command again later"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_class_for_reads_deletions_and_records() {
        let fault = StatusCode::INTERNAL_SERVER_ERROR;
        let line = |row: &Row| {
            let class = |deletes| format!("{:?}", request_class(deletes, fault, row.code, "", None));
            format!("{:<31} {:<25} {:<25} {:?}", row.code, class(false), class(true), record_class(row.code, ""))
        };
        insta::assert_snapshot!(CODES.iter().map(line).collect::<Vec<_>>().join("\n"), @"
        ACCOUNTING_PERIOD_CLOSED        Invalid                   Ambiguous                 Refused
        API_DISABLED                    Transient                 Transient                 Transient
        BATCH_FAIL_ERROR                Invalid                   Ambiguous                 Refused
        CANNOT_DELETE                   Invalid                   Ambiguous                 Refused
        CREDIT_CARD_PROCESSING_FAILURE  Invalid                   Ambiguous                 Refused
        DUPLICATE_VALUE                 Invalid                   Ambiguous                 Invalid
        INVALID_FIELD                   Invalid                   Ambiguous                 Invalid
        INVALID_ID                      Invalid                   Ambiguous                 Invalid
        INVALID_LOGIN                   Unauthenticated           Unauthenticated           Denied
        INVALID_SESSION                 Unauthenticated           Unauthenticated           Denied
        INVALID_TEMPLATE                Invalid                   Ambiguous                 Invalid
        INVALID_TYPE                    NotFound                  Invalid                   Invalid
        INVALID_VALUE                   Invalid                   Ambiguous                 Invalid
        INVALID_VERSION                 Unsupported               Unsupported               Invalid
        LOCK_COMPETITION                Transient                 Ambiguous                 Locked
        MALFORMED_QUERY                 Invalid                   Invalid                   Invalid
        MAX_RECORDS_EXCEEDED            Invalid                   Invalid                   Invalid
        MISSING_REQUIRED_VALUE          Invalid                   Ambiguous                 Invalid
        NO_PERMISSION                   Denied                    Denied                    Denied
        PDF_QUERY_ERROR                 Invalid                   Ambiguous                 Refused
        REQUEST_EXCEEDED_LIMIT          Throttled { wait: None }  Throttled { wait: None }  Transient
        REQUEST_EXCEEDED_RATE           Throttled { wait: None }  Throttled { wait: None }  Transient
        REQUEST_REJECTED                Invalid                   Invalid                   Refused
        SERVER_UNAVAILABLE              Transient                 Ambiguous                 Transient
        TEMPORARY_ERROR                 Transient                 Ambiguous                 Transient
        TRANSACTION_FAILED              Invalid                   Ambiguous                 Refused
        TRANSACTION_TERMINATED          Transient                 Ambiguous                 Transient
        TRANSACTION_TIMEOUT             Transient                 Ambiguous                 Transient
        UNKNOWN_ERROR                   Transient                 Ambiguous                 Transient
        ");
    }

    #[test]
    fn every_status_and_every_text_without_a_known_code_has_a_class() {
        let wait = Some(Duration::from_secs(120));
        let cases = [
            (200, "no-code", "", None),
            (302, "no-code", "", None),
            (400, "no-code", "", None),
            (401, "no-code", "", None),
            (403, "no-code", "Access Denied", None),
            (404, "no-code", "", None),
            (408, "no-code", "", None),
            (429, "UNKNOWN_ERROR", "", wait),
            (429, "no-code", "", None),
            (200, "REQUEST_EXCEEDED_RATE", "", None),
            (200, "70", "", wait),
            (200, "50000070", "", None),
            (200, "50000040", "", None),
            (500, "Server", "Id is invalid", None),
            (500, "Receiver", "com.ctc.wstx.exc.WstxUnexpectedCharException", None),
            (500, "Server", "something else", None),
            (500, "BATCH_FAIL_ERROR", "Optimistic locking failed", None),
            (500, "NEW_CODE", "", None),
            (503, "no-code", "", wait),
        ];
        let line = |(status, code, message, wait): (u16, &str, &str, Option<Duration>)| {
            let status = StatusCode::from_u16(status).expect("a status");
            let class = |deletes| format!("{:?}", request_class(deletes, status, code, message, wait));
            format!("{} {code} {message:.20}: {} | {}", status.as_u16(), class(false), class(true))
        };
        insta::assert_snapshot!(cases.map(line).join("\n"), @"
        200 no-code : Transient | Ambiguous
        302 no-code : Invalid | Ambiguous
        400 no-code : Invalid | Ambiguous
        401 no-code : Unauthenticated | Ambiguous
        403 no-code Access Denied: Denied | Ambiguous
        404 no-code : NotFound | Ambiguous
        408 no-code : Transient | Ambiguous
        429 UNKNOWN_ERROR : Throttled { wait: Some(120s) } | Throttled { wait: Some(120s) }
        429 no-code : Throttled { wait: None } | Ambiguous
        200 REQUEST_EXCEEDED_RATE : Throttled { wait: None } | Throttled { wait: None }
        200 70 : Throttled { wait: Some(120s) } | Throttled { wait: Some(120s) }
        200 50000070 : Throttled { wait: None } | Throttled { wait: None }
        200 50000040 : Transient | Ambiguous
        500 Server Id is invalid: Invalid | Invalid
        500 Receiver com.ctc.wstx.exc.Wst: Invalid | Invalid
        500 Server something else: Transient | Ambiguous
        500 BATCH_FAIL_ERROR Optimistic locking f: Transient | Ambiguous
        500 NEW_CODE : Transient | Ambiguous
        503 no-code : Throttled { wait: Some(120s) } | Ambiguous
        ");
        assert_eq!(record_class("BATCH_FAIL_ERROR", "... due to a lock competition, ..."), FailureClass::Locked);
        assert_eq!(record_class("NEW_CODE", ""), FailureClass::Unrecognized);
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
    }
}
