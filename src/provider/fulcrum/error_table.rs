//! What may be done about each status: decided here, once. The system has no codes of its own.

use std::time::Duration;

use http::StatusCode;

use crate::provider::ErrorClass;

/// Our code for a status.
pub(super) fn code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "bad-request",
        401 => "unauthorized",
        402 => "payment-required",
        403 => "forbidden",
        404 => "not-found",
        406 => "not-acceptable",
        422 => "unprocessable",
        429 => "too-many-requests",
        300..=399 => "redirected",
        500..=599 => "server-error",
        _ => "refused",
    }
}

/// What may be done about a request that was answered with an error, when repeating it is harmless.
pub(super) fn request_class(status: StatusCode, wait: Option<Duration>) -> ErrorClass {
    match (status.as_u16(), wait) {
        (401, _) => ErrorClass::Unauthenticated,
        // The plan lacks the API, or the role lacks the right (meanings known from clients).
        (402 | 403, _) => ErrorClass::Denied,
        (404, _) => ErrorClass::NotFound,
        (429, wait) => ErrorClass::Throttled { wait },
        (408 | 500..=599, None) => ErrorClass::Transient,
        (408 | 500..=599, wait) => ErrorClass::Throttled { wait },
        _ => ErrorClass::Invalid,
    }
}

/// What may be done about a request that was answered with an error, when it may have let records be deleted: everything that
/// is not clearly a refusal is ambiguous.
pub(super) fn deletion_class(status: StatusCode, wait: Option<Duration>) -> ErrorClass {
    if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT {
        request_class(status, wait)
    } else {
        ErrorClass::Ambiguous
    }
}

/// What a person can do about an error.
pub(super) fn help(status: StatusCode, message: &str) -> Option<&'static str> {
    Some(match status.as_u16() {
        // PostgreSQL's own words.
        _ if message.contains("statement timeout") => {
            "the Query API allows a query 10 seconds: narrow the filter, or split the policy"
        }
        401 => "check the API token; it belongs to one user in one organization",
        402 => "the API needs a plan with the developer pack",
        403 => "give the token's user a role that may delete records (`can_delete_records`)",
        429 => "the user's calls of this hour are used up: run the same command again later",
        300..=399 => "set `url` to the API host of your region, such as `https://api.fulcrumapp.com`",
        500..=599 => {
            "the problem is on the system's side: run the same command again, and show its vendor this message if it persists"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_whole_table() {
        let name = |class: ErrorClass| match class {
            ErrorClass::Throttled { wait: None } => "Throttled".to_owned(),
            ErrorClass::Throttled { wait: Some(wait) } => format!("Throttled {} s", wait.as_secs()),
            other => format!("{other:?}"),
        };
        let mut table = String::new();
        for status in [301, 302, 304, 400, 401, 402, 403, 404, 405, 406, 408, 409, 415, 422, 429, 500, 502, 503, 504] {
            let status = StatusCode::from_u16(status).expect("valid");
            let wait = Some(Duration::from_secs(7));
            writeln!(
                table,
                "{} {:<18} {:<16} {:<16} {}",
                status.as_u16(),
                code(status),
                name(request_class(status, None)),
                name(deletion_class(status, None)),
                name(request_class(status, wait)),
            )
            .expect("in memory");
        }
        insta::assert_snapshot!(table, @"
        301 redirected         Invalid          Ambiguous        Invalid
        302 redirected         Invalid          Ambiguous        Invalid
        304 redirected         Invalid          Ambiguous        Invalid
        400 bad-request        Invalid          Invalid          Invalid
        401 unauthorized       Unauthenticated  Unauthenticated  Unauthenticated
        402 payment-required   Denied           Denied           Denied
        403 forbidden          Denied           Denied           Denied
        404 not-found          NotFound         NotFound         NotFound
        405 refused            Invalid          Invalid          Invalid
        406 not-acceptable     Invalid          Invalid          Invalid
        408 refused            Transient        Ambiguous        Throttled 7 s
        409 refused            Invalid          Invalid          Invalid
        415 refused            Invalid          Invalid          Invalid
        422 unprocessable      Invalid          Invalid          Invalid
        429 too-many-requests  Throttled        Throttled        Throttled 7 s
        500 server-error       Transient        Ambiguous        Throttled 7 s
        502 server-error       Transient        Ambiguous        Throttled 7 s
        503 server-error       Transient        Ambiguous        Throttled 7 s
        504 server-error       Transient        Ambiguous        Throttled 7 s
        ");
    }
}
