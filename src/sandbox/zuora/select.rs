//! Whole queries: `select … from … where …`.

use crate::filter::zoql::{Condition, Parser};
use crate::filter::{Path, SyntaxError};

/// A query.
///
/// **Invariants**: `fields` is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Select {
    /// What is asked for, in order.
    pub fields: Vec<Path>,
    /// Of which object.
    pub object: Path,
    /// Which records; `None` means all.
    pub condition: Option<Condition>,
}

/// Reads a whole query. A semicolon at its end is passed over (documented in samples).
///
/// # Errors
///
/// With every mistake that could be found, in the order of the text, and at least one.
pub(super) fn parse_select(text: &str) -> Result<Select, Vec<SyntaxError>> {
    let text = text.trim();
    let mut parser = Parser::new(text.strip_suffix(';').unwrap_or(text))?;
    let (fields, object) = head(&mut parser).map_err(|error| vec![error])?;
    let condition = if parser.cursor.take_word("where") { Some(parser.condition()?) } else { None };
    match parser.cursor.kind() {
        None => Ok(Select { fields, object, condition }),
        Some(_) => Err(vec![parser.cursor.expected("`where` or the end")]),
    }
}

fn head(parser: &mut Parser<'_>) -> Result<(Vec<Path>, Path), SyntaxError> {
    if !parser.cursor.take_word("select") {
        return Err(parser.cursor.expected("`select`"));
    }
    let mut fields = vec![parser.name("a field")?];
    while parser.cursor.take(',') {
        fields.push(parser.name("a field")?);
    }
    if !parser.cursor.take_word("from") {
        return Err(parser.cursor.expected("`,` or `from`"));
    }
    Ok((fields, parser.name("an object")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_queries() {
        let select =
            parse_select("SELECT Id,AccountId\n FROM Usage WHERE CreatedDate < 2026-01-31T00:00:00-08:00;").expect("valid");
        let fields: Vec<&str> = select.fields.iter().map(Path::as_str).collect();
        assert_eq!((fields, select.object.as_str()), (vec!["Id", "AccountId"], "Usage"));
        assert_eq!(select.condition.expect("there").to_string(), "CreatedDate < 2026-01-31T00:00:00-08:00");
        assert_eq!(parse_select("select Id from Usage").expect("valid").condition, None);
        for text in [
            "select * from Usage",
            "select count(Id) from Usage",
            "select Id from Usage limit 5",
            "select Id from Usage, Account",
            "select Id from Usage where",
            "select Id from Usage where A = 1 order by Id",
            "select Id from Usage;;",
            "select Id Usage",
            "delete from Usage",
        ] {
            assert!(parse_select(text).is_err(), "{text}");
        }
    }
}
