//! What is wrong with a query, in the vendor's words.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::sandbox::salesforce::error::ApiError;

/// How much of the query is shown before the mistake (recorded: 32 characters) and after it (guess).
const SHOWN_BEFORE: usize = 32;
const SHOWN_AFTER: usize = 48;

/// A query that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct QueryProblem {
    /// The code, such as `MALFORMED_QUERY`.
    pub code: &'static str,
    /// The message.
    pub message: String,
}

impl QueryProblem {
    /// A problem without a place in the text.
    pub(super) fn plain(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A problem at a place: a window of the query with a caret below, the column, then the message (recorded form).
    pub(super) fn at(code: &'static str, text: &str, start: usize, message: &str) -> Self {
        let before: Vec<char> = text.get(..start).unwrap_or(text).chars().collect();
        let after: String = text.get(start..).unwrap_or_default().chars().take(SHOWN_AFTER).collect();
        let window: String = before[before.len().saturating_sub(SHOWN_BEFORE)..].iter().collect();
        let indent = " ".repeat(window.chars().count());
        let column = before.len() + 1;
        Self { code, message: format!("\n{window}{after}\n{indent}^\nERROR at Row:1:Column:{column}\n{message}") }
    }

    /// An object that does not exist (recorded text).
    pub(super) fn no_such_object(text: &str, start: usize, object: &str) -> Self {
        let message = format!(
            "sObject type '{object}' is not supported. If you are attempting to use a custom object, be sure to append the \
             '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
        );
        Self::at("INVALID_TYPE", text, start, &message)
    }

    /// A field that does not exist (recorded text).
    pub(super) fn no_such_field(text: &str, start: usize, field: &str, object: &str) -> Self {
        let message = format!(
            "No such column '{field}' on entity '{object}'. If you are attempting to use a custom field, be sure to append \
             the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
        );
        Self::at("INVALID_FIELD", text, start, &message)
    }

    /// The same in the key order of the Bulk API.
    pub(in crate::sandbox) fn bulk(self) -> ApiError {
        ApiError::bulk(StatusCode::BAD_REQUEST, self.code, self.message)
    }
}

impl From<QueryProblem> for ApiError {
    fn from(problem: QueryProblem) -> Self {
        Self::new(StatusCode::BAD_REQUEST, problem.code, problem.message)
    }
}

impl IntoResponse for QueryProblem {
    fn into_response(self) -> Response {
        ApiError::from(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_recorded_window() {
        let text = "SELECT Id,Name,BillingCity,IsDeleted FROM Accout";
        let start = text.find("Accout").expect("there");
        assert_eq!(
            QueryProblem::no_such_object(text, start, "Accout").message,
            "\nName,BillingCity,IsDeleted FROM Accout\n                                ^\nERROR at Row:1:Column:43\n\
             sObject type 'Accout' is not supported. If you are attempting to use a custom object, be sure to append the \
             '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
        );
    }
}
