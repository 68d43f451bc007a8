//! The nearest known name to a misspelt one.

/// The known name that is near enough to `given` to be meant, or `None`.
///
/// Case and the punctuation between words are forgiven wholly, so that `max_records` finds `maxRecords`.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|character| !matches!(character, '_' | '-' | ' '))
            .flat_map(char::to_lowercase)
            .take(64)
            .collect()
    };
    let given = plain(given);
    let (distance, name) = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&given, &plain(name)), name))
        .min_by_key(|(distance, _)| *distance)?;
    let longest = given.chars().count().max(name.chars().count());
    (distance <= (longest / 3).max(1) && distance < longest).then_some(name)
}

/// `did you mean …?` for the nearest known name, or else `otherwise`.
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    match nearest(given, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None => otherwise.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_near_names_and_no_far_ones() {
        let known = ["filter", "limits", "maxRecords", "dependsOn"];
        assert_eq!(nearest("fliter", known), Some("filter"));
        assert_eq!(nearest("max_records", known), Some("maxRecords"));
        assert_eq!(nearest("DEPENDSON", known), Some("dependsOn"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("x", []), None);
    }
}
