//! Whole queries, clause by clause in the documented order.

use winnow::combinator::{alt, cut_err, eof, opt, peek, preceded, separated};
use winnow::error::{ErrMode, ParserError as _};
use winnow::prelude::*;
use winnow::token::any;

use super::condition::condition;
use super::lexer::{Read, at_sign, at_word, keyword, parenthesized, sign, tokens};
use super::name::{alias, object, path};
use super::refusal::{Reason, Refusal};
use super::token::{Kind, Token, Tokens};
use super::tree::{Item, OrderBy, Path, Query};

/// The longest query, in characters (documented).
const LONGEST: usize = 100_000;

/// Functions of a list of fields that the sandbox does not serve: those that make one value of many rows, those that present a value in
/// another way, and those that take a part of it (all documented).
const UNSERVED_FUNCTIONS: [&str; 24] = [
    "AVG",
    "CALENDAR_MONTH",
    "CALENDAR_QUARTER",
    "CALENDAR_YEAR",
    "convertCurrency",
    "COUNT_DISTINCT",
    "DAY_IN_MONTH",
    "DAY_IN_WEEK",
    "DAY_IN_YEAR",
    "DAY_ONLY",
    "DISTANCE",
    "FIELDS",
    "FISCAL_MONTH",
    "FISCAL_QUARTER",
    "FISCAL_YEAR",
    "FORMAT",
    "GROUPING",
    "HOUR_IN_DAY",
    "MAX",
    "MIN",
    "SUM",
    "toLabel",
    "WEEK_IN_MONTH",
    "WEEK_IN_YEAR",
];

/// Reads a whole query.
pub(in crate::sandbox) fn read_query(text: &str) -> Result<Query, Refusal> {
    if text.chars().count() > LONGEST {
        // The bound is documented, the words are a guess.
        return Err(Refusal { start: 0, reason: Reason::Said("the query is longer than 100000 characters") });
    }
    let tokens = tokens(text)?;
    let mut unserved = None;
    let mut whole = |input: &mut Tokens<'_>| query(input, &mut unserved);
    let query = whole.parse(Tokens::new(&tokens)).map_err(winnow::error::ParseError::into_inner)?;
    // Only of a query that is one is it true that the sandbox alone cannot answer it.
    match unserved {
        Some(refusal) => Err(refusal),
        None => Ok(query),
    }
}

/// The first thing in a query that the sandbox does not serve.
type Unserved = Option<Refusal>;

fn note(unserved: &mut Unserved, input: &Tokens<'_>, what: impl Into<String>) {
    unserved.get_or_insert(Refusal { reason: Reason::Unserved(what.into()), ..Refusal::from_input(input) });
}

fn query(input: &mut Tokens<'_>, unserved: &mut Unserved) -> Read<Query> {
    keyword("SELECT").parse_next(input)?;
    let items = items(input, unserved)?;
    keyword("FROM").parse_next(input)?;
    let object = object(input)?;
    let alias = opt(alias).parse_next(input)?;
    while at_sign(input, ",") {
        note(unserved, input, "several objects behind FROM");
        (sign(","), path, opt(super::name::alias)).parse_next(input)?;
    }
    scope(input, unserved)?;
    let filter = |input: &mut Tokens<'_>| condition(input, 0);
    let condition = opt(preceded(keyword("WHERE"), cut_err(filter))).parse_next(input)?;
    skipped_clauses(input, unserved)?;
    let mut order_by = Vec::new();
    if at_word(input, "ORDER") {
        (keyword("ORDER"), keyword("BY")).parse_next(input)?;
        let key = |input: &mut Tokens<'_>| order(input, unserved);
        order_by = separated(1.., cut_err(key), sign(",")).parse_next(input)?;
    }
    let limit = number_after(input, "LIMIT")?;
    let offset = number_after(input, "OFFSET")?;
    endings(input, unserved)?;
    eof.parse_next(input)?;
    Ok(Query { items, object, alias, condition, order_by, limit, offset })
}

fn items(input: &mut Tokens<'_>, unserved: &mut Unserved) -> Read<Vec<Item>> {
    let count = (keyword("COUNT"), sign("("), sign(")")).value(vec![Item::CountRows]);
    if let Some(alone) = opt(count).parse_next(input)? {
        return Ok(alone);
    }
    separated(1.., cut_err(|input: &mut Tokens<'_>| item(input, unserved)), sign(",")).parse_next(input)
}

/// Reads one thing that is asked for. What is not served stands in the list as a field, which nobody sees: the query is refused.
fn item(input: &mut Tokens<'_>, unserved: &mut Unserved) -> Read<Item> {
    if at_sign(input, "(") {
        note(unserved, input, "child subqueries");
        let start = Refusal::from_input(input).start;
        (peek((sign("("), keyword("SELECT"))), parenthesized).parse_next(input)?;
        return Ok(Item::Field(Path { text: String::new(), start }, None));
    }
    if at_word(input, "TYPEOF") {
        note(unserved, input, "TYPEOF");
        (keyword("TYPEOF"), path, peek(keyword("WHEN"))).parse_next(input)?;
        while !at_word(input, "END") {
            any.verify(|token: &&Token<'_>| token.kind == Kind::Word || token.is_symbol(",")).parse_next(input)?;
        }
        return keyword("END")
            .map(|end: &Token<'_>| Item::Field(Path { text: String::new(), start: end.start }, None))
            .parse_next(input);
    }
    let name_input = *input;
    let name = path(input)?;
    if !at_sign(input, "(") {
        return Ok(Item::Field(name, opt(alias).parse_next(input)?));
    }
    if name.text.eq_ignore_ascii_case("COUNT") {
        let counted = (sign("("), path, sign(")")).map(|(_, path, _)| path);
        return (counted, opt(alias)).map(|(path, alias)| Item::CountField(path, alias)).parse_next(input);
    }
    let Some(function) = UNSERVED_FUNCTIONS.iter().find(|known| known.eq_ignore_ascii_case(&name.text)) else {
        return Err(ErrMode::Cut(Refusal::from_input(input)));
    };
    note(unserved, &name_input, format!("{function}() behind SELECT"));
    (parenthesized, opt(alias)).parse_next(input)?;
    Ok(Item::Field(name, None))
}

fn scope(input: &mut Tokens<'_>, unserved: &mut Unserved) -> Read<()> {
    if at_word(input, "USING") {
        (keyword("USING"), keyword("SCOPE")).parse_next(input)?;
        if !at_word(input, "everything") {
            note(unserved, input, "USING SCOPE but for everything");
        }
        any.verify(|token: &&Token<'_>| token.is_name()).parse_next(input)?;
    }
    Ok(())
}

/// Passes over `WITH` and `GROUP BY`.
fn skipped_clauses(input: &mut Tokens<'_>, unserved: &mut Unserved) -> Read<()> {
    if at_word(input, "WITH") {
        note(unserved, input, "WITH");
        keyword("WITH").parse_next(input)?;
        // These are for Apex alone (documented).
        if ["SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"].iter().any(|word| at_word(input, word)) {
            return Err(ErrMode::Cut(Refusal::from_input(input)));
        }
        clause(input)?;
    }
    if at_word(input, "GROUP") {
        note(unserved, input, "GROUP BY");
        (keyword("GROUP"), keyword("BY")).parse_next(input)?;
        clause(input)?;
        if at_word(input, "HAVING") {
            keyword("HAVING").parse_next(input)?;
            clause(input)?;
        }
    }
    Ok(())
}

/// Passes over everything up to the next clause, at least one token.
fn clause(input: &mut Tokens<'_>) -> Read<()> {
    const NEXT: [&str; 7] = ["GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "UPDATE"];
    loop {
        if at_sign(input, "(") {
            parenthesized(input)?;
        } else {
            any.verify(|token: &&Token<'_>| !token.is_symbol(")")).parse_next(input)?;
        }
        if input.first().is_none_or(|token| NEXT.iter().any(|word| token.is_word(word))) {
            return Ok(());
        }
    }
}

fn order(input: &mut Tokens<'_>, unserved: &mut Unserved) -> Read<OrderBy> {
    let name = *input;
    let path = path(input)?;
    if at_sign(input, "(") {
        note(unserved, &name, "functions behind ORDER BY");
        parenthesized(input)?;
    }
    let descending = opt(alt((keyword("DESC").value(true), keyword("ASC").value(false)))).parse_next(input)?;
    let nulls = preceded(keyword("NULLS"), cut_err(alt((keyword("LAST").value(true), keyword("FIRST").value(false)))));
    let nulls_last = opt(nulls).parse_next(input)?;
    Ok(OrderBy { path, descending: descending.unwrap_or(false), nulls_last: nulls_last.unwrap_or(false) })
}

fn number_after(input: &mut Tokens<'_>, word: &'static str) -> Read<Option<u64>> {
    let number = any.verify_map(|token: &Token<'_>| {
        let is_whole = token.text.bytes().all(|digit| digit.is_ascii_digit());
        (token.kind == Kind::Number && is_whole).then(|| token.text.parse().ok()).flatten()
    });
    opt(preceded(keyword(word), cut_err(number))).parse_next(input)
}

/// Passes over `FOR …` and `UPDATE …`.
fn endings(input: &mut Tokens<'_>, unserved: &mut Unserved) -> Read<()> {
    for (first, seconds) in
        [("FOR", ["VIEW", "REFERENCE"]), ("UPDATE", ["TRACKING", "VIEWSTAT"]), ("FOR", ["UPDATE", "UPDATE"])]
    {
        let [one, other] = seconds;
        if let Some((_, second)) = peek(opt((keyword(first), alt((keyword(one), keyword(other)))))).parse_next(input)? {
            note(unserved, input, format!("{first} {}", second.text.to_ascii_uppercase()));
            (keyword(first), any).parse_next(input)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_queries() {
        let read = |text: &str| read_query(text).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"));
        let full = read(
            "select id, c.name, account.name from contact c using scope everything where name='x' order by name desc nulls last, \
             id asc nulls first limit 10 offset 5",
        );
        assert_eq!((full.items.len(), full.object.text.as_str(), full.alias.as_deref()), (3, "contact", Some("c")));
        assert_eq!((full.limit, full.offset, full.condition.is_some()), (Some(10), Some(5), true));
        let order: Vec<_> =
            full.order_by.iter().map(|key| (key.path.text.as_str(), key.descending, key.nulls_last)).collect();
        assert_eq!(order, [("name", true, true), ("id", false, false)]);
        assert_eq!(read("SELECT COUNT() FROM Lead WHERE IsConverted = false").items, [Item::CountRows]);
        let named = read("SELECT COUNT(Id) n, Name Label FROM Lead").items;
        let [Item::CountField(_, Some(n)), Item::Field(_, Some(label))] = &named[..] else { panic!("{named:?}") };
        assert_eq!((n.as_str(), label.as_str()), ("n", "Label"));
        let inner = read("SELECT Id FROM Group WHERE Id IN (SELECT GroupId FROM GroupMember) ORDER BY Id");
        assert!(inner.object.text == "Group" && inner.condition.expect("there").has_subquery());
        assert_eq!(read("SELECT Id FROM Order LIMIT 0").limit, Some(0));
    }

    /// The text behind which reading stops.
    fn stop<'text>(text: &'text str, reason: &Reason) -> &'text str {
        let refusal = read_query(text).expect_err(text);
        assert_eq!(refusal.reason, *reason, "{text}");
        text.get(refusal.start..).unwrap_or_default()
    }

    #[test]
    fn refuses_what_is_no_query_at_its_place() {
        for (text, rest) in [
            ("", ""),
            ("Name = 'x'", "Name = 'x'"),
            ("SELECT FROM Lead", "FROM Lead"),
            ("SELECT Id Lead", ""),
            ("SELECT Id FORM Lead", "Lead"),
            ("SELECT Id,, Name FROM Lead", ", Name FROM Lead"),
            ("SELECT Id FROM", ""),
            ("SELECT Id FROM WHERE A = 1", "WHERE A = 1"),
            ("SELECT COUNT(), Id FROM Lead", ", Id FROM Lead"),
            ("SELECT Id, COUNT() FROM Lead", ") FROM Lead"),
            ("SELECT MAXIMUM(Id) FROM Lead", "(Id) FROM Lead"),
            ("SELECT Id FROM Lead WHERE", ""),
            ("SELECT Id FROM Lead WHERE A LIEK 'x' LIMIT 5", "LIEK 'x' LIMIT 5"),
            ("SELECT Id FROM Lead WHERE (A = 1 LIMIT 5)", "LIMIT 5)"),
            ("SELECT Id FROM Lead WHERE A = 1 AND B = 2 OR C = 3", "OR C = 3"),
            ("SELECT Id FROM Lead WHERE A = 1 AND NOT B = 2", "NOT B = 2"),
            ("SELECT Id FROM Lead WHERE NOT A = 1 AND B = 2", "AND B = 2"),
            ("SELECT Id FROM Lead WHERE A IN ('x',)", ")"),
            ("SELECT Id FROM Lead LIMIT x", "x"),
            ("SELECT Id FROM Lead LIMIT -1", "-1"),
            ("SELECT Id FROM Lead LIMIT 5 ORDER BY Id", "ORDER BY Id"),
            ("SELECT Id FROM Lead ORDER Id", "Id"),
            ("SELECT Id FROM Lead ORDER BY Id NULLS", ""),
            ("SELECT Id FROM Lead ALL ROWS", "ALL ROWS"),
            ("SELECT Id FROM Lead WHERE A = 1)", ")"),
            ("SELECT Id FROM Lead WITH SECURITY_ENFORCED", "SECURITY_ENFORCED"),
            ("SELECT Id, (SELECT Id FROM Contacts FROM Account", ""),
            ("SELECT (Id) FROM Account", "Id) FROM Account"),
            ("SELECT FIELDS(ALL) FROM", ""),
        ] {
            assert_eq!(stop(text, &Reason::Token), rest, "{text}");
        }
        assert_eq!(stop("SELECT Id FROM Lead; DELETE", &Reason::Character), "; DELETE");
        let variable = Reason::Said("Bind variables only allowed in Apex code");
        assert_eq!(stop("SELECT Id FROM Lead WHERE A = :b", &variable), ":b");
    }

    #[test]
    fn says_of_a_query_that_it_does_not_serve_what_it_would_have_to_know() {
        for (text, what, rest) in [
            ("SELECT Id, (SELECT Id FROM Contacts LIMIT 5) FROM Account", "child subqueries", "(SELECT Id FROM"),
            ("SELECT FIELDS(ALL) FROM Account LIMIT 200", "FIELDS() behind SELECT", "FIELDS(ALL)"),
            ("SELECT max(Amount) m FROM Opportunity", "MAX() behind SELECT", "max(Amount)"),
            ("SELECT toLabel(Status), FORMAT(convertCurrency(Amount)) a FROM X", "toLabel() behind SELECT", "toLabel("),
            ("SELECT TYPEOF What WHEN Account THEN Phone, Name ELSE Name END FROM Event", "TYPEOF", "TYPEOF What"),
            (
                "SELECT Name, COUNT(Id) FROM Lead GROUP BY ROLLUP(Name) HAVING COUNT(Id) > 1 ORDER BY Name",
                "GROUP BY",
                "GROUP BY",
            ),
            ("SELECT Id FROM Contact c, c.Account a WHERE a.Name = 'x'", "several objects behind FROM", ", c.Account"),
            ("SELECT Id FROM Lead USING SCOPE mine", "USING SCOPE but for everything", "mine"),
            ("SELECT Id FROM Question WITH DATA CATEGORY A__c AT (B__c, C__c) LIMIT 5", "WITH", "WITH DATA"),
            (
                "SELECT Id FROM W__c ORDER BY DISTANCE(L__c, GEOLOCATION(1,2), 'mi') DESC",
                "functions behind ORDER BY",
                "DISTANCE(",
            ),
            ("SELECT Id FROM Lead LIMIT 5 FOR VIEW", "FOR VIEW", "FOR VIEW"),
            ("SELECT Id FROM Lead FOR reference FOR UPDATE", "FOR REFERENCE", "FOR reference"),
            ("SELECT Id FROM X UPDATE VIEWSTAT", "UPDATE VIEWSTAT", "UPDATE VIEWSTAT"),
            ("SELECT Id FROM A WHERE Id IN (SELECT AId FROM B GROUP BY AId)", "GROUP BY in a subquery", "GROUP BY AId"),
        ] {
            let found = stop(text, &Reason::Unserved(what.to_owned()));
            assert!(found.starts_with(rest), "{text}: {found}");
        }
    }

    #[test]
    fn bounds_length_and_depth() {
        let refused =
            |condition: String| read_query(&format!("SELECT Id FROM Lead WHERE {condition}")).expect_err("too much").reason;
        let nested = |count: usize| format!("{}A = 1{}", "(".repeat(count), ")".repeat(count));
        assert!(read_query(&format!("SELECT Id FROM Lead WHERE {}", nested(100))).is_ok());
        assert_eq!(refused(nested(101)), Reason::TooDeep);
        assert_eq!(refused("NOT (".repeat(19_000)), Reason::TooDeep);
        assert_eq!(refused("A IN (SELECT B FROM C WHERE ".repeat(3_000)), Reason::TooDeep);
        assert_eq!(refused("NOT ".repeat(19_000)), Reason::Token);
        assert!(matches!(refused(format!("A IN ({})", vec!["1"; 50_000].join(","))), Reason::Said(_)));
        assert!(matches!(refused(format!("A LIKE '{}'", "é".repeat(4_001))), Reason::Said(_)));
        assert!(read_query(&format!("SELECT Id FROM Lead WHERE A IN ({})", vec!["1"; 49_000].join(","))).is_ok());
        assert_eq!(read_query(&format!("SELECT {}", "(".repeat(90_000))).expect_err("nothing").reason, Reason::Token);
    }

    #[test]
    fn no_row_of_words_makes_it_panic() {
        use proptest::prelude::*;
        proptest!(ProptestConfig::with_cases(256), |(words in proptest::collection::vec(proptest::sample::select(vec![
            "Name", "A.B", "=", "IN", "AND", "(", ")", ",", ":", "'x'", "'", "null", "3", "SELECT", "FROM", "WHERE", "ORDER", "BY",
            "LIMIT", "OFFSET", "NULLS", "DESC", "COUNT", "é", "--", "TYPEOF", "WHEN", "END", "GROUP", "WITH", "FOR", "UPDATE", "NOT",
            "DISTANCE", "USD1.5", "\\",
        ]), 0..30), glue in proptest::sample::select(vec!["", " "]))| {
            let text = words.join(glue);
            if let Err(refusal) = read_query(&text) {
                prop_assert!(refusal.start == Refusal::END || text.get(refusal.start..).is_some(), "{refusal:?}");
            }
        });
    }
}
