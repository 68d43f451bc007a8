//! The names of objects and fields of a system, as far as they can be judged offline.

use super::{SystemKind, salesforce};
use crate::base::shortened;

/// Whether a text is a Salesforce API name: letters, digits and `_`, a letter first.
fn is_api_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.len() <= 80
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The text, when it can be the name of an object of that system. Where the system is not known, of any.
///
/// # Errors
///
/// A sentence, when it cannot.
pub fn object_name(text: &str, system: Option<SystemKind>) -> Result<String, String> {
    let fits = match system {
        Some(SystemKind::Salesforce | SystemKind::Zuora) => is_api_name(text),
        // The name of a form is free text, and its id is opaque (documented).
        Some(SystemKind::Fulcrum) | None => !text.trim().is_empty() && text.len() <= 255 && !text.contains(char::is_control),
    };
    if !fits {
        return Err(format!("`{}` is not the name of an object", shortened(text)));
    }
    let no_record = salesforce::NO_RECORDS.iter().find(|(end, _)| text.to_ascii_lowercase().ends_with(end));
    match no_record.filter(|_| system == Some(SystemKind::Salesforce)) {
        Some((_, what)) => Err(format!("`{text}` {what}")),
        None => Ok(text.to_owned()),
    }
}

/// The text, when it can be a field or the path of a related one: at most five relationships (documented for Salesforce). The
/// fields that Fulcrum itself keeps begin with `_`.
///
/// # Errors
///
/// A sentence, when it cannot.
pub fn field_path(text: &str) -> Result<String, String> {
    let is_name = |part: &str| is_api_name(part.strip_prefix('_').unwrap_or(part));
    if text.split('.').count() <= 6 && text.split('.').all(is_name) {
        Ok(text.to_owned())
    } else {
        Err(format!("`{}` is not the name of a field", shortened(text)))
    }
}

/// Whether rows of this object are no records of their own: the history, shares, feed or change events of another one, as Salesforce
/// names them (documented), or a list of rows of several others. No hold can name them usefully, and most cannot be queried.
pub fn is_shadow(object: &str) -> bool {
    salesforce::COMPANION_SUFFIXES.iter().any(|suffix| object.ends_with(suffix)) || salesforce::LISTS.contains(&object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_and_paths_only() {
        for good in ["Id", "_record_id", "Account.Owner.Name", "Legacy_Id__c", "Parent__r.Name", "a.b.c.d.e.f"] {
            assert!(field_path(good).is_ok(), "{good}");
        }
        for bad in ["", "1d", "_", "a b", "a.", ".a", "a..b", "a.b.c.d.e.f.g", "Id)", "COUNT()", "ä", "a-b"] {
            assert!(field_path(bad).is_err(), "{bad}");
        }
        assert!(object_name("Lead", Some(SystemKind::Salesforce)).is_ok());
        for no_record in ["Setting__mdt", "Order_Event__e", "Invoice__x", "Archive__b", "setting__MDT"] {
            assert!(object_name(no_record, Some(SystemKind::Salesforce)).is_err(), "{no_record}");
            assert!(object_name(no_record, Some(SystemKind::Fulcrum)).is_ok(), "{no_record}");
        }
        assert!(object_name("Lead.Name", Some(SystemKind::Zuora)).is_err());
        assert!(object_name("Park Inventory", Some(SystemKind::Fulcrum)).is_ok());
        assert!(object_name(" ", Some(SystemKind::Fulcrum)).is_err());
    }
}
