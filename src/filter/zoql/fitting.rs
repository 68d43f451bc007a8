//! What a condition compares with fields whose types are known.

use jiff::tz::TimeZone;

use super::{Comparison, ComparisonOperator, Condition, Literal, SyntaxError, Test, read_moment};
use crate::filter::field::title;
use crate::filter::read_day;
use crate::system::FieldType;

/// Every comparison of a field with what its type does not take. `field_type` tells the type, or `None` where it is not known: then
/// nothing is refused.
///
/// What the system makes of `AutoPay != 'true'` is documented nowhere. If it compares by type, as its own pages advise to write, every
/// record is unlike the text, and all of them match.
pub fn mistakes_on(condition: &Condition, field_type: &dyn Fn(&str) -> Option<FieldType>) -> Vec<SyntaxError> {
    let wrong = condition.comparisons().filter_map(|comparison| {
        let field_type = field_type(comparison.field.as_str())?;
        let help = misfit(field_type, &comparison.test)?;
        let what = what(comparison);
        let message = format!("`{}` is {} and is compared with {what}", comparison.field, title(field_type));
        Some(SyntaxError::new(comparison.place, message).with_help(help))
    });
    wrong.collect()
}

/// What to write instead, where a type does not take what is compared with it.
fn misfit(field_type: FieldType, test: &Test) -> Option<&'static str> {
    let (operator, literal) = match test {
        Test::Like(_) => return (field_type != FieldType::Text).then_some("`like` is for text: use `=`, `!=`, `<` or `>`"),
        Test::Compare(_, Literal::Null) => return None,
        Test::Compare(operator, literal) => (operator, literal),
    };
    let has_form = |reads: fn(&str) -> bool| matches!(literal, Literal::Text(text) | Literal::Unquoted(text) if reads(text));
    let (fits, help) = match field_type {
        FieldType::Boolean => (
            matches!(literal, Literal::Boolean(_))
                && matches!(operator, ComparisonOperator::Equal | ComparisonOperator::NotEqual),
            "write `= true` or `= false`, without quotes",
        ),
        FieldType::Number => {
            (matches!(literal, Literal::Number(_)), "write a number without quotes, such as `42` or `-1.5`")
        }
        FieldType::Date => (has_form(|text| read_day(text).is_some()), "write a day, such as `'2026-01-31'`"),
        FieldType::DateTime => (
            has_form(|text| read_moment(text, &TimeZone::UTC).is_some()),
            "write a moment with its offset, such as `'2026-01-31T00:00:00+00:00'`",
        ),
        FieldType::Reference | FieldType::MultiPicklist | FieldType::Text => {
            (matches!(literal, Literal::Text(_)), "write text in quotes, as in `'Each'`")
        }
    };
    (!fits).then_some(help)
}

fn what(comparison: &Comparison) -> String {
    match &comparison.test {
        Test::Like(_) => "a pattern".to_owned(),
        Test::Compare(operator, literal @ Literal::Boolean(_))
            if !matches!(operator, ComparisonOperator::Equal | ComparisonOperator::NotEqual) =>
        {
            format!("`{operator} {literal}`")
        }
        Test::Compare(_, Literal::Text(text)) if text.chars().count() > 40 => "text".to_owned(),
        Test::Compare(_, literal) => format!("`{literal}`"),
    }
}

#[cfg(test)]
mod tests {
    use crate::filter::Language;

    #[test]
    fn what_a_type_does_not_take_is_refused_by_the_fields_name() {
        let texts = [
            "AutoPay != 'true'",
            "AutoPay = 1 or autopay < true",
            "Balance != 'abc' and Balance like '1%'",
            "LastInvoiceDate < '2026-01-31T00:00:00' and LastInvoiceDate > 'soon'",
            "CreatedDate < '2026-01-31' or UpdatedDate > 2026-01-31",
            "Name = true and Name != 5 and SoldToId = 7",
        ];
        let told = texts.map(|text| {
            let errors = Language::Zoql.mistakes_on("account", text);
            let lines = errors.iter().map(|error| {
                format!("{}: {error}\n  {}", &text[error.start..error.end], error.help.as_deref().unwrap_or_default())
            });
            lines.collect::<Vec<_>>().join("\n")
        });
        insta::assert_snapshot!(told.join("\n"), @"
        AutoPay != 'true': `AutoPay` is a yes-or-no field and is compared with `'true'`
          write `= true` or `= false`, without quotes
        AutoPay = 1: `AutoPay` is a yes-or-no field and is compared with `1`
          write `= true` or `= false`, without quotes
        autopay < true: `autopay` is a yes-or-no field and is compared with `< true`
          write `= true` or `= false`, without quotes
        Balance != 'abc': `Balance` is a number field and is compared with `'abc'`
          write a number without quotes, such as `42` or `-1.5`
        Balance like '1%': `Balance` is a number field and is compared with a pattern
          `like` is for text: use `=`, `!=`, `<` or `>`
        LastInvoiceDate < '2026-01-31T00:00:00': `LastInvoiceDate` is a date field and is compared with `'2026-01-31T00:00:00'`
          write a day, such as `'2026-01-31'`
        LastInvoiceDate > 'soon': `LastInvoiceDate` is a date field and is compared with `'soon'`
          write a day, such as `'2026-01-31'`
        CreatedDate < '2026-01-31': `CreatedDate` is a date and time field and is compared with `'2026-01-31'`
          write a moment with its offset, such as `'2026-01-31T00:00:00+00:00'`
        UpdatedDate > 2026-01-31: `UpdatedDate` is a date and time field and is compared with `2026-01-31`
          write a moment with its offset, such as `'2026-01-31T00:00:00+00:00'`
        Name = true: `Name` is a text field and is compared with `true`
          write text in quotes, as in `'Each'`
        Name != 5: `Name` is a text field and is compared with `5`
          write text in quotes, as in `'Each'`
        SoldToId = 7: `SoldToId` is a field that holds a record's id and is compared with `7`
          write text in quotes, as in `'Each'`
        ");
    }

    #[test]
    fn what_fits_and_what_is_not_known_is_let_through() {
        for text in [
            "AutoPay = true and AutoPay != null",
            "Balance >= -1.5",
            "LastInvoiceDate < '2026-01-31' or LastInvoiceDate = 2026-01-31 or LastInvoiceDate = null",
            "CreatedDate < '2026-01-31T00:00:00' or CreatedDate > 2026-01-31T00:00:00+01:00",
            "Name like 'a%' and Name = 'true' and SoldToId != '5'",
            "Custom__c != 'true' and Custom__c < 5",
        ] {
            assert_eq!(Language::Zoql.mistakes_on("Account", text), [], "{text}");
            assert_eq!(Language::Zoql.mistakes_on("Unknown", text), [], "{text}");
        }
        assert_eq!(Language::Zoql.mistakes_on("Unknown", "AutoPay != 'true'"), []);
    }
}
