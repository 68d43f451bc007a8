//! What Salesforce's own words may hold.

pub(super) use crate::provider::common::hostile::{code, code_without, page_words, refusal_words, words};

/// The message for text that should be a record's key and is not. The text is not quoted: if columns are shifted, it is the value
/// of a field.
pub(super) const NOT_AN_ID: &str = "the value in the place of the record's id is not an id (15 or 18 letters and digits)";

/// A system's words about one record, without what they repeat of the record's contents: outcomes hold none.
///
/// `DELETE_FAILED` names the record and those that depend on it (recorded: `Your attempt to delete Acme could not be completed because it
/// is associated with the following cases.: 00001000`). What is kept says why, and the outcome's id says which.
pub(super) fn record_words(code: &str, text: &str) -> String {
    if code != "DELETE_FAILED" {
        return words(text);
    }
    let reason = text.rsplit_once("could not be completed because ").map(|(_, reason)| reason);
    match reason.map(|reason| reason.split_once(".:").map_or(reason, |(reason, _)| reason)) {
        Some(reason) => words(&format!("could not be completed because {reason}")),
        None => "the system's words may repeat contents of the record and are left out".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_delete_says_why_and_not_the_names_of_records() {
        let recorded = "Your attempt to delete Acme could not be completed because it is associated with the following cases.: 00001000\n";
        assert_eq!(
            record_words("DELETE_FAILED", recorded),
            "could not be completed because it is associated with the following cases"
        );
        assert!(!record_words("DELETE_FAILED", "Acme bleibt").contains("Acme"));
        assert_eq!(record_words("ENTITY_IS_DELETED", "entity is deleted"), "entity is deleted");
    }
}
