//! The names of objects and fields of a system, as far as they can be judged offline.

/// Whether a text is a Salesforce API name: letters, digits and `_`, a letter first.
fn is_api_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.len() <= 80
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The text, when it can be the name of an object.
///
/// # Errors
///
/// A sentence, when it cannot.
pub(super) fn object_name(text: &str) -> Result<String, String> {
    if is_api_name(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("`{}` is not the name of an object", super::fields::shortened(text)))
    }
}

/// The text, when it can be a field or the path of a related one: at most five relationships (documented).
///
/// # Errors
///
/// A sentence, when it cannot.
pub(super) fn field_path(text: &str) -> Result<String, String> {
    if text.split('.').count() <= 6 && text.split('.').all(is_api_name) {
        Ok(text.to_owned())
    } else {
        Err(format!("`{}` is not the name of a field", super::fields::shortened(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_and_paths_only() {
        for good in ["Id", "Account.Owner.Name", "Legacy_Id__c", "Parent__r.Name", "a.b.c.d.e.f"] {
            assert!(field_path(good).is_ok(), "{good}");
        }
        for bad in ["", "1d", "_a", "a b", "a.", ".a", "a..b", "a.b.c.d.e.f.g", "Id)", "COUNT()", "ä", "a-b"] {
            assert!(field_path(bad).is_err(), "{bad}");
        }
        assert!(object_name("Lead").is_ok());
        assert!(object_name("Lead.Name").is_err());
    }
}
