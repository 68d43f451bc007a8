//! Whole queries: `SELECT … FROM … WHERE … ORDER BY … LIMIT … OFFSET …`.

use crate::filter::soql::{Condition, Parser};
use crate::filter::{Path, SyntaxError};

/// A query.
///
/// **Invariants**: `items` is not empty; [`SelectItem::CountRows`] stands alone; `object` and aliases have no dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Select {
    /// What is asked for, in order.
    pub items: Vec<SelectItem>,
    /// Of which object.
    pub object: Path,
    /// Which records; `None` means all.
    pub condition: Option<Condition>,
    /// In which order; empty means any.
    pub order_by: Vec<OrderBy>,
    /// At most how many.
    pub limit: Option<u64>,
    /// After leaving out how many.
    pub offset: Option<u64>,
}

/// One thing a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SelectItem {
    /// A field, with the name it has in the answer when that is another one.
    Field(Path, Option<Path>),
    /// `COUNT()`: no rows, only how many there are.
    CountRows,
    /// `COUNT(field)`: in how many records the field is not empty, with the name it has in the answer.
    CountField(Path, Option<Path>),
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrderBy {
    /// By which field.
    pub path: Path,
    /// From the greatest to the smallest.
    pub descending: bool,
    /// Empty fields after all others; without it they come first in either direction (documented).
    pub nulls_last: bool,
}

/// Reads a whole query, without regard to what a semi-join may be: [`super::semi_join`] judges that.
///
/// # Errors
///
/// With every mistake that could be found, in the order of the text, and at least one.
pub(super) fn parse_select(text: &str) -> Result<Select, Vec<SyntaxError>> {
    let mut parser = Parser::new(text)?;
    let select = select(&mut parser).unwrap_or_else(|error| {
        parser.error(error);
        None
    });
    parser.finish(select)
}

/// `None` when the condition was wrong, which is then reported already.
fn select(parser: &mut Parser<'_>) -> Result<Option<Select>, SyntaxError> {
    let start = parser.cursor.here();
    if !parser.cursor.take_word("SELECT") {
        return Err(parser.cursor.expected("`SELECT`"));
    }
    let items = parser.separated(item)?;
    if items.len() > 1 && items.contains(&SelectItem::CountRows) {
        return Err(SyntaxError::new(start, "`COUNT()` stands beside other fields"));
    }
    if !parser.cursor.take_word("FROM") {
        return Err(parser.cursor.expected("`,` or `FROM`"));
    }
    let object = parser.object()?;
    let condition = parser.where_clause();
    if parser.stopped {
        return Ok(None);
    }
    let mut order_by = Vec::new();
    if parser.cursor.take_word("ORDER") {
        if !parser.cursor.take_word("BY") {
            return Err(parser.cursor.expected("`BY` after `ORDER`"));
        }
        order_by = parser.separated(order)?;
    }
    let limit = number_after(parser, "LIMIT")?;
    let offset = number_after(parser, "OFFSET")?;
    if condition.is_some() && parser.cursor.kind().is_some() {
        return Err(parser.cursor.expected("the end of the query"));
    }
    Ok(condition.map(|condition| Select { items, object, condition, order_by, limit, offset }))
}

fn item(parser: &mut Parser<'_>) -> Result<SelectItem, SyntaxError> {
    let path = parser.path("a field")?;
    if !parser.cursor.at('(') {
        return Ok(SelectItem::Field(path, alias(parser)?));
    }
    if !path.is_any_of(&["COUNT"]) {
        return Err(SyntaxError::new(path.place, format!("the function `{path}` is not supported")));
    }
    let counted = parser.in_parentheses(|parser| {
        let is_empty = parser.cursor.at(')');
        Ok(Some(if is_empty { None } else { Some(parser.path("a field or `)`")?) }))
    })?;
    Ok(match counted.flatten() {
        Some(path) => SelectItem::CountField(path, alias(parser)?),
        None => SelectItem::CountRows,
    })
}

fn alias(parser: &mut Parser<'_>) -> Result<Option<Path>, SyntaxError> {
    if parser.cursor.word().is_none() || parser.cursor.at_word("FROM") {
        return Ok(None);
    }
    let alias = parser.path("a name")?;
    if alias.parents() > 0 {
        return Err(SyntaxError::new(alias.place, format!("`{alias}` cannot be the name of a column: it has dots")));
    }
    Ok(Some(alias))
}

fn order(parser: &mut Parser<'_>) -> Result<OrderBy, SyntaxError> {
    let path = parser.path("a field")?;
    let descending = parser.cursor.take_word("DESC");
    if !descending {
        parser.cursor.take_word("ASC");
    }
    let mut nulls_last = false;
    if parser.cursor.take_word("NULLS") {
        nulls_last = parser.cursor.take_word("LAST");
        if !nulls_last && !parser.cursor.take_word("FIRST") {
            return Err(parser.cursor.expected("`FIRST` or `LAST` after `NULLS`"));
        }
    }
    Ok(OrderBy { path, descending, nulls_last })
}

fn number_after(parser: &mut Parser<'_>, word: &str) -> Result<Option<u64>, SyntaxError> {
    if !parser.cursor.take_word(word) {
        return Ok(None);
    }
    let error = || parser.cursor.expected(&format!("a whole number after `{word}`"));
    let number = parser.whole_number().ok_or_else(error)?;
    parser.cursor.advance();
    Ok(Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_queries() {
        let read = |text: &str| parse_select(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        let full = read(
            "select id, name, account.name from contact where name='x' order by name desc nulls last, id asc nulls first \
             limit 10 offset 5",
        );
        let items: Vec<String> = full.items.iter().map(|item| format!("{item:?}")).collect();
        assert_eq!((items.len(), full.object.as_str(), full.limit, full.offset), (3, "contact", Some(10), Some(5)));
        assert_eq!(full.condition.expect("there").to_string(), "name = 'x'");
        let order: Vec<_> = full.order_by.iter().map(|key| (key.path.as_str(), key.descending, key.nulls_last)).collect();
        assert_eq!(order, [("name", true, true), ("id", false, false)]);
        let counted = read("SELECT COUNT() FROM Lead WHERE IsConverted = false");
        assert_eq!((counted.items, counted.condition.is_some()), (vec![SelectItem::CountRows], true));
        let SelectItem::CountField(field, None) = &read("SELECT COUNT(Id) FROM Lead").items[0] else { panic!("no count") };
        assert_eq!(field.as_str(), "Id");
        let named = read("SELECT COUNT(Id) n, Name Label FROM Lead").items;
        let [SelectItem::CountField(_, Some(n)), SelectItem::Field(_, Some(label))] = &named[..] else {
            panic!("{named:?}")
        };
        assert_eq!((n.as_str(), label.as_str()), ("n", "Label"));
        let inner = read("SELECT Id FROM Group WHERE Id IN (SELECT GroupId FROM GroupMember) ORDER BY Id");
        assert_eq!((inner.object.as_str(), inner.condition.expect("there").subqueries().len()), ("Group", 1));
        assert_eq!(read("SELECT Id FROM Order LIMIT 0").limit, Some(0));
    }

    #[test]
    fn refuses_what_is_no_query_at_its_place() {
        let first = |text: &str| {
            let errors = parse_select(text).expect_err(text);
            format!("{text}\n    {}: [{}]\n", errors[0], &text[errors[0].start..errors[0].end])
        };
        let texts = [
            "",
            "Name = 'x'",
            "SELECT FROM Lead",
            "SELECT Id Lead",
            "SELECT Id FROM",
            "SELECT Id FROM WHERE A = 1",
            "SELECT COUNT(), Id FROM Lead",
            "SELECT MAX(Id) FROM Lead",
            "SELECT Id FROM Lead WHERE",
            "SELECT Id FROM Lead WHERE A LIEK 'x' LIMIT 5",
            "SELECT Id FROM Lead WHERE (A = 1 LIMIT 5)",
            "SELECT Id FROM Lead LIMIT x",
            "SELECT Id FROM Lead LIMIT 5 ORDER BY Id",
            "SELECT Id FROM Lead ORDER Id",
            "SELECT Id FROM Lead ORDER BY Id NULLS",
            "SELECT Id FROM Lead GROUP BY Name",
            "SELECT Id FROM Lead ALL ROWS",
            "SELECT Id FROM Lead WHERE A = 1)",
            "SELECT Id FROM Lead; DELETE",
            "SELECT (SELECT Id FROM Contacts) FROM Account",
        ];
        insta::assert_snapshot!(texts.map(first).concat(), @"

            expected `SELECT`, found the end: []
        Name = 'x'
            expected `SELECT`, found `Name`: [Name]
        SELECT FROM Lead
            expected a field, found `FROM`: [FROM]
        SELECT Id Lead
            expected `,` or `FROM`, found the end: []
        SELECT Id FROM
            expected the name of an object, found the end: []
        SELECT Id FROM WHERE A = 1
            expected the name of an object, found `WHERE`: [WHERE]
        SELECT COUNT(), Id FROM Lead
            `COUNT()` stands beside other fields: [SELECT]
        SELECT MAX(Id) FROM Lead
            the function `MAX` is not supported: [MAX]
        SELECT Id FROM Lead WHERE
            expected a condition, found the end: []
        SELECT Id FROM Lead WHERE A LIEK 'x' LIMIT 5
            expected a comparison such as `=`, `!=`, `<`, `LIKE` or `IN`, found `LIEK`: [LIEK]
        SELECT Id FROM Lead WHERE (A = 1 LIMIT 5)
            `LIMIT` does not belong in a condition: [LIMIT]
        SELECT Id FROM Lead LIMIT x
            expected a whole number after `LIMIT`, found `x`: [x]
        SELECT Id FROM Lead LIMIT 5 ORDER BY Id
            expected the end of the query, found `ORDER`: [ORDER]
        SELECT Id FROM Lead ORDER Id
            expected `BY` after `ORDER`, found `Id`: [Id]
        SELECT Id FROM Lead ORDER BY Id NULLS
            expected `FIRST` or `LAST` after `NULLS`, found the end: []
        SELECT Id FROM Lead GROUP BY Name
            expected the end of the query, found `GROUP`: [GROUP]
        SELECT Id FROM Lead ALL ROWS
            expected the end of the query, found `ALL`: [ALL]
        SELECT Id FROM Lead WHERE A = 1)
            expected the end of the query, found `)`: [)]
        SELECT Id FROM Lead; DELETE
            SOQL has no `;`: [;]
        SELECT (SELECT Id FROM Contacts) FROM Account
            expected a field, found `(`: [(]
        ");
    }

    #[test]
    fn no_row_of_words_makes_the_parser_panic() {
        use proptest::prelude::*;
        proptest!(ProptestConfig::with_cases(128), |(words in proptest::collection::vec(proptest::sample::select(vec![
            "Name", "A.B", "=", "IN", "AND", "(", ")", ",", ":", "'x'", "'", "null", "3", "SELECT", "FROM", "WHERE", "ORDER", "BY",
            "LIMIT", "OFFSET", "NULLS", "DESC", "COUNT", "é", "--",
        ]), 0..30), glue in proptest::sample::select(vec!["", " "]))| {
            let text = words.join(glue);
            for error in parse_select(&text).err().into_iter().flatten() {
                prop_assert!(text.get(error.start..error.end).is_some(), "{:?}", error);
            }
        });
    }
}
