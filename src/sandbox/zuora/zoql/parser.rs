//! Whole queries: `select … from … where …` (documented, in this form; Export ZOQL is another language).

use winnow::ascii::multispace0;
use winnow::combinator::{alt, eof, opt, preceded, separated};
use winnow::error::ModalResult;
use winnow::prelude::*;
use winnow::token::{any, one_of, take_while};

use super::text::{Pattern, quoted};
use super::tree::{Comparison, Condition, Literal, Operator, Query, Test};
use super::{read_day, read_moment};

/// The longest query, in characters (documented).
const LONGEST: usize = 10_000;
/// The most comparisons (documented).
const MOST_COMPARISONS: usize = 200;

/// Words of the language, after which nothing is called.
const RESERVED: [&str; 9] = ["and", "false", "from", "like", "null", "or", "select", "true", "where"];

/// Reads a whole query, with a semicolon at its end or without (documented in samples); `None` when it is none.
pub(in crate::sandbox::zuora) fn read_query(text: &str) -> Option<Query> {
    if text.chars().count() > LONGEST {
        return None;
    }
    let fields = separated(1.., name, sign(','));
    let filter = opt(preceded(word("where"), condition));
    let mut whole = (word("select"), fields, word("from"), name, filter, opt(sign(';')), multispace0, eof);
    let (_, fields, _, object, condition, ..) = whole.parse(text).ok()?;
    let query = Query { fields, object, condition };
    let comparisons = query.condition.iter().flat_map(Condition::comparisons).count();
    (comparisons <= MOST_COMPARISONS).then_some(query)
}

fn condition(rest: &mut &str) -> ModalResult<Condition> {
    let row = |rest: &mut &str| -> ModalResult<Vec<Comparison>> { separated(1.., comparison, word("and")).parse_next(rest) };
    separated(1.., row, word("or")).map(Condition).parse_next(rest)
}

fn comparison(rest: &mut &str) -> ModalResult<Comparison> {
    let field = name(rest)?;
    let like = preceded(word("like"), preceded(multispace0, quoted).verify_map(|text| Pattern::read(&text)));
    // Nothing but `=` and `!=` goes with `null` (documented).
    let compare = (operator, literal).verify(|(operator, literal)| !(operator.is_ordered() && *literal == Literal::Null));
    let test = alt((like.map(Test::Like), compare.map(|(operator, literal)| Test::Compare(operator, literal))));
    preceded(multispace0, test).map(|test| Comparison { field: field.clone(), test }).parse_next(rest)
}

fn operator(rest: &mut &str) -> ModalResult<Operator> {
    alt((
        "!=".value(Operator::NotEqual),
        "<=".value(Operator::LessOrEqual),
        ">=".value(Operator::GreaterOrEqual),
        '='.value(Operator::Equal),
        '<'.value(Operator::Less),
        '>'.value(Operator::Greater),
    ))
    .parse_next(rest)
}

fn literal(rest: &mut &str) -> ModalResult<Literal> {
    let constant = any_word.verify_map(|word: &str| match word.to_ascii_lowercase().as_str() {
        "null" => Some(Literal::Null),
        "true" => Some(Literal::Boolean(true)),
        "false" => Some(Literal::Boolean(false)),
        _ => None,
    });
    let belongs = |next: char| next.is_ascii_alphanumeric() || ":.+-_".contains(next);
    let bare = (one_of(|first: char| first.is_ascii_digit() || first == '+' || first == '-'), take_while(0.., belongs));
    let bare = preceded(multispace0, bare.take()).verify_map(|written: &str| {
        let is_time = read_day(written).is_some() || read_moment(written, &jiff::tz::TimeZone::UTC).is_some();
        if is_time { Some(Literal::Bare(written.to_owned())) } else { decimal(written).map(Literal::Number) }
    });
    alt((preceded(multispace0, quoted).map(Literal::Text), constant, bare)).parse_next(rest)
}

/// Digits, with a sign and a fraction perhaps. That there is no exponent is a guess.
fn decimal(written: &str) -> Option<f64> {
    let unsigned = written.strip_prefix(['+', '-']).unwrap_or(written);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
    (is_digits(whole) && is_digits(fraction)).then(|| written.parse().ok()).flatten()
}

fn any_word<'text>(rest: &mut &'text str) -> ModalResult<&'text str> {
    let word = (
        one_of(|first: char| first.is_ascii_alphabetic()),
        take_while(0.., |next: char| next.is_ascii_alphanumeric() || next == '_'),
    );
    preceded(multispace0, word.take()).parse_next(rest)
}

/// A word of the language, in any case (recorded).
fn word<'text>(wanted: &'static str) -> impl Parser<&'text str, (), winnow::error::ErrMode<winnow::error::ContextError>> {
    any_word.verify(move |found: &str| found.eq_ignore_ascii_case(wanted)).void()
}

fn sign<'text>(wanted: char) -> impl Parser<&'text str, (), winnow::error::ErrMode<winnow::error::ContextError>> {
    preceded(multispace0, any.verify(move |found: &char| *found == wanted)).void()
}

/// The name of a field or an object: no dots, since nothing is joined (documented).
fn name(rest: &mut &str) -> ModalResult<String> {
    let is_free = |found: &&str| !RESERVED.iter().any(|word| word.eq_ignore_ascii_case(found));
    any_word.verify(is_free).map(str::to_owned).parse_next(rest)
}

/// Reads a condition alone, for tests.
#[cfg(test)]
pub(in crate::sandbox::zuora) fn read_condition(text: &str) -> Option<Condition> {
    read_query(&format!("select Id from Usage where {text}"))?.condition
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_queries() {
        let query = read_query("\n SELECT Id,AccountId\n FROM Usage WHERE CreatedDate < 2026-01-31T00:00:00-08:00 ; ")
            .expect("valid");
        assert_eq!((query.fields, query.object.as_str()), (vec!["Id".to_owned(), "AccountId".to_owned()], "Usage"));
        let [row] = &query.condition.expect("there").0[..] else { panic!("one row") };
        let bare = Literal::Bare("2026-01-31T00:00:00-08:00".to_owned());
        assert_eq!(row[0].test, Test::Compare(Operator::Less, bare));
        assert_eq!(read_query("select Id from Usage").expect("valid").condition, None);
        let rows = read_condition("A = 1 OR B=-2.5 AND C!='x'and D like \"%x\" or E = null").expect("valid");
        assert_eq!(rows.0.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 1]);
    }

    #[test]
    fn refuses_what_is_no_query() {
        for text in [
            "",
            "select * from Usage",
            "select count(Id) from Usage",
            "select Id from Usage limit 5",
            "select Id from Usage, Account",
            "select Id from Usage where",
            "select Id from Usage where A = 1 order by Id",
            "select Id from Usage;;",
            "select Id Usage",
            "select Id from Usage u",
            "select Account.Id from Usage",
            "selectId from Usage",
            "delete from Usage",
        ] {
            assert_eq!(read_query(text), None, "{text}");
        }
        for text in [
            "(A = 1)",
            "A in ('x')",
            "not A = 1",
            "A is null",
            "A <> 1",
            "A == 1",
            "A < null",
            "A = x",
            "A = today",
            "A = 1e5",
            "A = 2026-1-31",
            "A = 2026-01-31T00:00:00Z",
            "A like 5",
            "A like '%a%'",
            "A not like 'a'",
            "A = 'a' and",
            "or A = 'a'",
            "A = 1 -- all",
            "A between 1 and 2",
            "A.B = 1",
            "and = 1",
            "é = 1",
        ] {
            assert_eq!(read_condition(text), None, "{text}");
        }
        let many = |count: usize| vec!["A = 1"; count].join(" or ");
        assert!(read_condition(&many(MOST_COMPARISONS)).is_some());
        assert_eq!(read_condition(&many(MOST_COMPARISONS + 1)), None);
        assert_eq!(read_condition(&format!("A = '{}'", "x".repeat(10_000))), None);
    }

    #[test]
    fn no_row_of_words_makes_it_panic() {
        use proptest::prelude::*;
        proptest!(ProptestConfig::with_cases(256), |(words in proptest::collection::vec(proptest::sample::select(vec![
            "Name", "=", "!=", "<", "like", "and", "or", "(", ",", ";", "'x'", "'", "\"", "\\", "null", "2026-01-01", "select", "from",
            "where", "é", "%",
        ]), 0..30), glue in proptest::sample::select(vec!["", " "]))| {
            let _ = read_query(&words.join(glue));
        });
    }
}
