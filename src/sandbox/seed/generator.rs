//! How many records of an object to make up.

use std::str::FromStr;

/// How many records of an object to make up, written `Lead=1000000`, `zuora/Usage=1000` or `fulcrum/Testing App=1000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedRecords {
    /// The object.
    pub object: String,
    /// How many.
    pub count: u32,
}

/// Text that does not say how many records to make up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not OBJECT=COUNT, such as Lead=1000")]
pub struct GeneratorError(String);

impl FromStr for GeneratedRecords {
    type Err = GeneratorError;

    fn from_str(text: &str) -> Result<Self, GeneratorError> {
        let error = || GeneratorError(text.to_owned());
        let (object, count) = text.split_once('=').ok_or_else(error)?;
        let count = count.replace('_', "").parse().map_err(|_| error())?;
        if object.is_empty() { Err(error()) } else { Ok(Self { object: object.to_owned(), count }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_object_and_a_count() {
        assert_eq!("Lead=1_000".parse(), Ok(GeneratedRecords { object: "Lead".into(), count: 1_000 }));
        for text in ["", "Lead", "Lead=", "=5", "Lead=-1", "Lead=x"] {
            assert!(text.parse::<GeneratedRecords>().is_err(), "{text}");
        }
    }
}
