//! What is wrong with a query, in the vendor's words.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::sandbox::salesforce::error::ApiError;
use crate::sandbox::salesforce::soql::{Reason, Refusal};

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

    /// A problem at a place: a window of the query with a caret below, row and column, then the message (recorded form). Of a query in
    /// several rows only the row is shown (guess).
    pub(super) fn at(code: &'static str, text: &str, start: usize, message: &str) -> Self {
        let (row, before) = place(text, start);
        let before: Vec<char> = before.chars().collect();
        let rest = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let after: String = rest.chars().take(SHOWN_AFTER).collect();
        let window: String = before[before.len().saturating_sub(SHOWN_BEFORE)..].iter().collect();
        let indent = " ".repeat(window.chars().count());
        let column = before.len() + 1;
        Self { code, message: format!("\n{window}{after}\n{indent}^\nERROR at Row:{row}:Column:{column}\n{message}") }
    }

    /// A text that is no query. The words for a token, and the beginning of those for a character, are recorded; those for a text without
    /// an end are from memory.
    pub(super) fn syntax(text: &str, refusal: &Refusal) -> Self {
        let rest = text.get(refusal.start..).unwrap_or_default();
        let (row, before) = place(text, refusal.start);
        let column = before.chars().count();
        match &refusal.reason {
            Reason::Token => {
                Self::at("MALFORMED_QUERY", text, refusal.start, &format!("unexpected token: '{}'", first_token(rest)))
            }
            Reason::Character => {
                let character: String = rest.chars().take(1).collect();
                let message = format!("line {row}:{column} no viable alternative at character '{character}'");
                Self::plain("MALFORMED_QUERY", message)
            }
            Reason::OpenText => {
                let message = format!("line {row}:{column} mismatched character '<EOF>' expecting '\''");
                Self::plain("MALFORMED_QUERY", message)
            }
            Reason::Said(words) => Self::at("MALFORMED_QUERY", text, refusal.start, words),
            // The code is documented, the words are a guess.
            Reason::TooDeep => Self::plain("QUERY_TOO_COMPLICATED", "the filter conditions are too complicated"),
            Reason::Unserved(what) => Self::unserved(text, refusal.start, what),
        }
    }

    /// A query that the vendor answers and the sandbox does not.
    pub(super) fn unserved(text: &str, start: usize, what: &str) -> Self {
        Self::at("MALFORMED_QUERY", text, start, &format!("the sandbox does not serve {what}; Salesforce itself does"))
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
}

/// In which row a place is, and what stands before it there.
fn place(text: &str, start: usize) -> (usize, &str) {
    let above = text.get(..start).unwrap_or(text);
    (above.matches('\n').count() + 1, above.rsplit('\n').next().unwrap_or_default())
}

/// The token that a text begins with, as the vendor shows it.
fn first_token(rest: &str) -> &str {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let length = match rest.chars().next() {
        None => return "<EOF>",
        Some(first) if is_word(first) => rest.find(|character| !is_word(character)).unwrap_or(rest.len()),
        Some(first) => first.len_utf8(),
    };
    &rest[..length]
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
    fn counts_rows_and_shows_the_one_that_is_meant() {
        let text = "SELECT Id\nFROM Lead\nWHERE A = 1 OR é = 2\nLIMIT 5";
        let told = |reason, start| QueryProblem::syntax(text, &Refusal { start, reason }).message;
        let start = text.find("OR").expect("there");
        assert_eq!(
            told(Reason::Token, start),
            "\nWHERE A = 1 OR é = 2\n            ^\nERROR at Row:3:Column:13\nunexpected token: 'OR'"
        );
        let start = text.find('é').expect("there");
        assert_eq!(told(Reason::Character, start), "line 3:15 no viable alternative at character 'é'");
        assert!(told(Reason::Token, Refusal::END).ends_with("ERROR at Row:4:Column:8\nunexpected token: '<EOF>'"));
    }

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
