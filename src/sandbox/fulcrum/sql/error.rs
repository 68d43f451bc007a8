//! What is wrong with a query, in PostgreSQL's words where they are known.

use sqlparser::parser::ParserError;

/// A query that is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in crate::sandbox::fulcrum) struct SqlError(String);

impl SqlError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The vendor's database could, the sandbox cannot.
    pub(super) fn not_simulated(what: impl std::fmt::Display) -> Self {
        Self(format!("the sandbox does not simulate {what}"))
    }
}

impl From<ParserError> for SqlError {
    fn from(error: ParserError) -> Self {
        let text = match error {
            ParserError::RecursionLimitExceeded => return Self::new("stack depth limit exceeded"),
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        };
        let found = text.split_once("found: ").map(|(_, found)| found.split(" at Line").next().unwrap_or(found));
        match found {
            Some("EOF") => Self::new("syntax error at end of input"),
            Some(found) => Self::new(format!("syntax error at or near \"{found}\"")),
            None => Self::new(format!("syntax error: {text}")),
        }
    }
}

impl From<crate::sandbox::fulcrum::ValueError> for SqlError {
    fn from(error: crate::sandbox::fulcrum::ValueError) -> Self {
        Self::new(error.to_string())
    }
}
