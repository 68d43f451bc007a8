//! Conditions as people write them, and the mistakes they make.

use super::{SyntaxError, parse_condition};

/// What is a condition.
pub(crate) const READ: &[&str] = &[
    "Name = 'Sandy'",
    "name='Sandy' and NOT__c != 'x'",
    "LastName LIKE 'appl%'",
    r"Name LIKE 'Ter\%%' AND Name LIKE '_\__'",
    r"Name = 'Bob\'s BBQ'",
    r#"Name = 'tab\there, \"quoted\", back\\slash, caf\u00e9, line\nend'"#,
    "BillingState IN ('California', 'New York')",
    "BillingState NOT IN ('California','New York')",
    "Name = ''",
    "Name IN ('a', null)",
    "MSP1__c includes ('AAA;BBB','CCC')",
    "MSP1__c EXCLUDES ('AAA')",
    "MSP1__c = 'AAA;BBB'",
    "ActivityDate != null",
    "ActivityDate <> NULL",
    "Test_c = null",
    "IsDeleted = TRUE",
    "Amount > 1000",
    "Amount >= -0.50 AND Amount <= +2",
    "AnnualRevenue>0 AND (NOT Type='Prospect')",
    "NOT Type = 'Prospect'",
    "NOT (Type = 'Prospect' OR Type = 'Other')",
    "((Name = 'x'))",
    "(A = 1 OR B = 2) AND (C = 3 OR (D = 4 AND E = 5))",
    "LastName = 'Young' or Account.Name = 'Quarry'",
    "Contact.Account.Owner.Manager.Profile.Name = 'x'",
    "Parent__r.Name LIKE 'a%'",
    "CreatedDate > 2005-10-08T01:02:03Z",
    "CreatedDate > 1999-01-01T23:01:01+01:00",
    "CreatedDate < 1999-01-01T23:01:01-08:00",
    "CreatedDate < 2011-04-26T10:00:00.000Z",
    "CloseDate = 1999-01-01",
    "CreatedDate = YESTERDAY",
    "CreatedDate < today",
    "CloseDate > LAST_MONTH",
    "CreatedDate = LAST_N_DAYS:365",
    "CloseDate > NEXT_N_QUARTERS:2 AND CloseDate < NEXT_N_YEARS:5",
    "CloseDate = N_DAYS_AGO:25 OR CloseDate = N_WEEKS_AGO:3 OR CloseDate = N_FISCAL_YEARS_AGO:3",
    "CreatedDate IN (TODAY, LAST_90_DAYS)",
    "LastActivityDate < LAST_N_YEARS:3\n  AND\tIsConverted = false",
    "Id IN (SELECT AccountId FROM Opportunity WHERE StageName = 'Closed Lost')",
    "WhoId IN ( SELECT Id FROM Contact WHERE MailingCity = 'Twin Falls' )",
    "Id NOT IN (SELECT AccountId FROM Opportunity WHERE IsClosed = false)",
    "Id IN (SELECT AccountId FROM Contact WHERE LastName LIKE 'apple%') AND Id IN (SELECT AccountId FROM Opportunity WHERE isClosed = false)",
    "OwnerId IN (SELECT Id FROM Group)",
    "Id IN (SELECT AccountId FROM Case WHERE (A = 1 OR B = 2) AND C IN ('x'))",
    "Parent__c NOT IN (SELECT Id FROM Parent__c) AND ((A = 1))",
    "CALENDAR_YEAR(CreatedDate) = 2020",
    "calendar_quarter(CreatedDate) >= 3 AND DAY_IN_WEEK(Account.CreatedDate) IN (1, 7)",
    "DAY_ONLY(CreatedDate) < 2020-01-31 AND DAY_ONLY(converttimezone(LastModifiedDate)) = 2020-01-30",
    "HOUR_IN_DAY(convertTimezone(CreatedDate)) != 12 OR FISCAL_YEAR(CloseDate) = null",
    "toLabel(Owner__r.Status__c) = 'Schlüssel' AND TOLABEL(Status) LIKE 'Ge%'",
    "DISTANCE(Location__c, GEOLOCATION(37.775,-122.418), 'mi') < 20",
    "distance(Location__c, geolocation(37, +122), 'KM') > 1.5",
    "AnnualRevenue > USD5000 AND Amount IN (EUR10, JPY10.5)",
    "EUR5000 = 1",
    "CreatedDate > 2011-04-26T10:00:00.000+0000",
    "CreatedDate > 2011-04-26T10:00:00-0730",
    "Opens__c < 01:00:00.000Z AND Closes__c >= 23:59:59Z",
    "IsArchived = true",
];

/// What is none, or breaks a rule of the language.
pub(crate) const REFUSED: &[&str] = &[
    "",
    "  \n",
    "WHERE Name = 'x'",
    "SELECT Id FROM Lead WHERE Status = 'Closed' LIMIT 5",
    "SELECT Id FROM Lead",
    "Name LIEK 'x'",
    "Name = 'a' ADN Age = 1",
    "Name = 'a' AND B = 2 OR C = 3",
    "(A = 1 OR B = 2 AND C = 3) AND D = 4",
    "A = 1 AND NOT B = 2",
    "NOT A = 1 AND B = 2",
    "NOT NOT A = 1",
    "Name NOT LIKE 'x'",
    "Name IS NULL",
    "Name IS NOT NULL",
    "Age BETWEEN 1 AND 2",
    "Name == 'x'",
    "A = 1 && B = 2",
    "!A",
    "Name = \"x\" AND B = 1",
    "Name = ‘x’",
    "Name = x",
    "Flag = ture",
    "D > LAST_MOTNH",
    "D > LAST_N_DAYS",
    "D > LAST_N_DAYS:x",
    "D > LAST_N_DAYS:-1",
    "D > LAST_MONTH:3",
    "D > :when",
    "D > 2026-1-31",
    "D > 2026-02-30",
    "D > 2026-01-31T00:00:00",
    "Amount > 1,000",
    "Amount > 1e5",
    "Name = 'x",
    r"Name = 'x\'",
    r"Name = 'x\d'",
    r"Name = '50\%'",
    "Name LIKE 5",
    "Name LIKE",
    "Name",
    "Name =",
    "= 'x'",
    "Name = 'x' AND",
    "AND Name = 'x'",
    "Name = 'x' ORDER BY Name",
    "Name = 'x' LIMIT 10",
    "Name = 'x' ALL ROWS",
    "Name = 'x' FOR UPDATE",
    "Name = 'x';",
    "Name = 'x') OR (Id != ''",
    "Name = 'x'))",
    "((Name = 'x')",
    "()",
    "Name = 'x' -- all",
    "Name = 'x' /* all */ OR Id != ''",
    "Name IN 'x'",
    "Name IN ()",
    "Name IN ('x',)",
    "Name IN ('x' 'y')",
    "M INCLUDES (1)",
    "COUNT(Id) > 1",
    "convertCurrency(Amount) > 1",
    "convertTimezone(CreatedDate) = TODAY",
    "CALENDAR_YEAR(CreatedDate) = '2020'",
    "CALENDAR_YEAR(CreatedDate) LIKE '20%'",
    "CALENDAR_YEAR(CreatedDate, 1) = 2020",
    "DAY_ONLY(CreatedDate) = 2020",
    "DAY_ONLY(CreatedDate) = LAST_N_DAYS:30",
    "CALENDAR_YEAR(CreatedDate) = THIS_YEAR",
    "toLabel(Status) = 1",
    "toLabel(Contact.recordtype.name) = 'x'",
    "Amount IN (USD5, 10)",
    "DISTANCE(L__c, GEOLOCATION(1, 2), 'mi') = 20",
    "DISTANCE(L__c, GEOLOCATION(1, 2), 'm') < 20",
    "DISTANCE(L__c, GEOLOCATION(1), 'km') < 20",
    "DISTANCE(L__c, 5, 'km') < 20",
    "DISTANCE(GEOLOCATION(1, 2), L__c, 'km') < 20",
    "Amount > usd5000",
    "Amount > USD-5000",
    "T > 1:00:00Z",
    "T > 01:00:00",
    "D > 2011-04-26T10:00:00+00",
    "title = 'v1' AND NOT",
    "NOT",
    "A.B.C.D.E.F.G = 1",
    "A..B = 1",
    "Na-me = 1",
    "Näme = 1",
    "Name\u{a0}= 1",
    "SELECT = 1",
    "Id IN (SELECT AccountId FROM A) OR B = 1",
    "NOT Id IN (SELECT AccountId FROM A)",
    "Id IN (SELECT XId FROM A) AND Id IN (SELECT XId FROM B) AND Id NOT IN (SELECT XId FROM C)",
    "Id IN (SELECT XId FROM A WHERE Id IN (SELECT YId FROM B))",
    "Account.Id IN (SELECT XId FROM A)",
    "Name IN (SELECT Name FROM A)",
    "(Id IN (SELECT XId FROM A))",
    "B = 1 AND (C = 2 AND Id IN (SELECT XId FROM A WHERE (D = 1)))",
    "B = 1 AND (C = 2 OR Id IN (SELECT XId FROM A))",
    "CALENDAR_YEAR(Id) IN (SELECT XId FROM A)",
    "Id IN (SELECT Account.Id FROM A)",
    "Id IN (SELECT WhatId FROM Task)",
    "Id NOT IN (SELECT ItemId FROM AccountTag)",
    "Id IN (SELECT X, Y FROM A)",
    "Id IN (SELECT COUNT() FROM A)",
    "Id IN (SELECT X FROM A ORDER BY X LIMIT 1)",
    "Id IN (SELECT X FROM A",
    "Id IN (SELECT X A WHERE B = 1)",
    "A LIEK 'x' AND B = y AND (C = 1 AND D ~ 2)",
    "A LIEK 'x' AND B = y AND (C = 1 AND D IS 2)",
];

#[test]
fn reads_what_people_write() {
    let printed = READ.iter().map(|text| {
        let condition = parse_condition(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        let printed = condition.to_string();
        assert_eq!(parse_condition(&printed).as_ref(), Ok(&condition), "{printed}");
        printed
    });
    insta::assert_snapshot!(printed.collect::<Vec<_>>().join("\n"), @r#"
    Name = 'Sandy'
    name = 'Sandy' AND NOT__c != 'x'
    LastName LIKE 'appl%'
    Name LIKE 'Ter\%%' AND Name LIKE '_\__'
    Name = 'Bob\'s BBQ'
    Name = 'tab\there, "quoted", back\\slash, café, line\nend'
    BillingState IN ('California', 'New York')
    BillingState NOT IN ('California', 'New York')
    Name = ''
    Name IN ('a', null)
    MSP1__c INCLUDES ('AAA;BBB', 'CCC')
    MSP1__c EXCLUDES ('AAA')
    MSP1__c = 'AAA;BBB'
    ActivityDate != null
    ActivityDate != null
    Test_c = null
    IsDeleted = true
    Amount > 1000
    Amount >= -0.50 AND Amount <= +2
    AnnualRevenue > 0 AND (NOT Type = 'Prospect')
    NOT Type = 'Prospect'
    NOT (Type = 'Prospect' OR Type = 'Other')
    Name = 'x'
    (A = 1 OR B = 2) AND (C = 3 OR (D = 4 AND E = 5))
    LastName = 'Young' OR Account.Name = 'Quarry'
    Contact.Account.Owner.Manager.Profile.Name = 'x'
    Parent__r.Name LIKE 'a%'
    CreatedDate > 2005-10-08T01:02:03Z
    CreatedDate > 1999-01-01T22:01:01Z
    CreatedDate < 1999-01-02T07:01:01Z
    CreatedDate < 2011-04-26T10:00:00Z
    CloseDate = 1999-01-01
    CreatedDate = YESTERDAY
    CreatedDate < TODAY
    CloseDate > LAST_MONTH
    CreatedDate = LAST_N_DAYS:365
    CloseDate > NEXT_N_QUARTERS:2 AND CloseDate < NEXT_N_YEARS:5
    CloseDate = N_DAYS_AGO:25 OR CloseDate = N_WEEKS_AGO:3 OR CloseDate = N_FISCAL_YEARS_AGO:3
    CreatedDate IN (TODAY, LAST_90_DAYS)
    LastActivityDate < LAST_N_YEARS:3 AND IsConverted = false
    Id IN (SELECT AccountId FROM Opportunity WHERE StageName = 'Closed Lost')
    WhoId IN (SELECT Id FROM Contact WHERE MailingCity = 'Twin Falls')
    Id NOT IN (SELECT AccountId FROM Opportunity WHERE IsClosed = false)
    Id IN (SELECT AccountId FROM Contact WHERE LastName LIKE 'apple%') AND Id IN (SELECT AccountId FROM Opportunity WHERE isClosed = false)
    OwnerId IN (SELECT Id FROM Group)
    Id IN (SELECT AccountId FROM Case WHERE (A = 1 OR B = 2) AND C IN ('x'))
    Parent__c NOT IN (SELECT Id FROM Parent__c) AND A = 1
    CALENDAR_YEAR(CreatedDate) = 2020
    CALENDAR_QUARTER(CreatedDate) >= 3 AND DAY_IN_WEEK(Account.CreatedDate) IN (1, 7)
    DAY_ONLY(CreatedDate) < 2020-01-31 AND DAY_ONLY(convertTimezone(LastModifiedDate)) = 2020-01-30
    HOUR_IN_DAY(convertTimezone(CreatedDate)) != 12 OR FISCAL_YEAR(CloseDate) = null
    toLabel(Owner__r.Status__c) = 'Schlüssel' AND toLabel(Status) LIKE 'Ge%'
    DISTANCE(Location__c, GEOLOCATION(37.775, -122.418), 'mi') < 20
    DISTANCE(Location__c, GEOLOCATION(37, +122), 'km') > 1.5
    AnnualRevenue > USD5000 AND Amount IN (EUR10, JPY10.5)
    EUR5000 = 1
    CreatedDate > 2011-04-26T10:00:00Z
    CreatedDate > 2011-04-26T17:30:00Z
    Opens__c < 01:00:00.000Z AND Closes__c >= 23:59:59.000Z
    IsArchived = true
    "#);
}

fn visible(text: &str) -> String {
    text.replace('\n', "\\n").replace('\u{a0}', "\\u{a0}")
}

/// The mistakes, each with the text that would be underlined and the help.
pub(super) fn shown(text: &str, errors: &[SyntaxError]) -> String {
    let mut shown = visible(text) + "\n";
    for error in errors {
        shown.push_str(&format!("    {error}: [{}]\n", visible(&text[error.start..error.end])));
        if let Some(help) = &error.help {
            shown.push_str(&format!("        {help}\n"));
        }
    }
    shown
}

#[test]
fn explains_what_is_wrong_with_a_condition() {
    let explained: Vec<String> = REFUSED.iter().map(|text| shown(text, &parse_condition(text).expect_err(text))).collect();
    insta::assert_snapshot!(explained.concat(), @r#"

        the filter is empty: []
            write a condition, such as `Status = 'Closed'`; an empty filter would mean every record
      \n
        the filter is empty: [  \n]
            write a condition, such as `Status = 'Closed'`; an empty filter would mean every record
    WHERE Name = 'x'
        the filter starts with `WHERE`: [WHERE]
            leave the word out: the condition alone is the filter
    SELECT Id FROM Lead WHERE Status = 'Closed' LIMIT 5
        the filter is a whole query, not a condition: [SELECT]
            write only what follows `WHERE`: `Status = 'Closed'`
    SELECT Id FROM Lead
        the filter is a whole query, not a condition: [SELECT]
            write only a condition, such as `Status = 'Closed'`
    Name LIEK 'x'
        expected a comparison such as `=`, `!=`, `<`, `LIKE` or `IN`, found `LIEK`: [LIEK]
            did you mean `LIKE`?
    Name = 'a' ADN Age = 1
        expected `AND`, `OR` or the end of the condition, found `ADN`: [ADN]
            did you mean `AND`?
    Name = 'a' AND B = 2 OR C = 3
        `OR` is mixed with `AND` without parentheses: [OR]
            say which belong together: `(Name = 'a' AND B = 2) OR C = 3` or `Name = 'a' AND (B = 2 OR C = 3)`
    (A = 1 OR B = 2 AND C = 3) AND D = 4
        `AND` is mixed with `OR` without parentheses: [AND]
            say which belong together: `(A = 1 OR B = 2) AND C = 3` or `A = 1 OR (B = 2 AND C = 3)`
    A = 1 AND NOT B = 2
        `NOT` is mixed with another condition without parentheses: [NOT]
            write `(NOT B = 2)`
    NOT A = 1 AND B = 2
        `NOT` is mixed with another condition without parentheses: [NOT]
            write `(NOT A = 1)`
    NOT NOT A = 1
        `NOT` follows `NOT`: [NOT]
            write `NOT (NOT …)`, or leave both out
    Name NOT LIKE 'x'
        expected `IN` after `NOT`, found `LIKE`: [LIKE]
            write `(NOT Name LIKE '…')`
    Name IS NULL
        expected a comparison such as `=`, `!=`, `<`, `LIKE` or `IN`, found `IS`: [IS]
            write `Name = null`
    Name IS NOT NULL
        expected a comparison such as `=`, `!=`, `<`, `LIKE` or `IN`, found `IS`: [IS]
            write `Name != null`
    Age BETWEEN 1 AND 2
        expected a comparison such as `=`, `!=`, `<`, `LIKE` or `IN`, found `BETWEEN`: [BETWEEN]
            write `Age >= … AND Age <= …`
    Name == 'x'
        SOQL has no `==`: [==]
            equality is written `=`
    A = 1 && B = 2
        SOQL has no `&&`: [&&]
            write `AND`
    !A
        SOQL has no `!`: [!]
            write `!=` for another value and `NOT (…)` to negate a condition
    Name = "x" AND B = 1
        unexpected quotation mark `"`: ["x"]
            text is written in straight single quotes, as in `Status = 'Closed'`
    Name = ‘x’
        unexpected quotation mark `‘`: [‘x’]
            text is written in straight single quotes, as in `Status = 'Closed'`
    Name = x
        expected a value, found `x`: [x]
            text goes in single quotes: `'x'`
    Flag = ture
        expected a value, found `ture`: [ture]
            did you mean `true`? Text goes in single quotes, as in `'ture'`
    D > LAST_MOTNH
        expected a value, found `LAST_MOTNH`: [LAST_MOTNH]
            did you mean `LAST_MONTH`? Text goes in single quotes, as in `'LAST_MOTNH'`
    D > LAST_N_DAYS
        `LAST_N_DAYS` needs a number: [LAST_N_DAYS]
            as in `LAST_N_DAYS:3`
    D > LAST_N_DAYS:x
        expected a whole number after `:`: [LAST_N_DAYS:x]
            as in `LAST_N_DAYS:30`
    D > LAST_N_DAYS:-1
        expected a whole number after `:`: [LAST_N_DAYS:-1]
            as in `LAST_N_DAYS:30`
    D > LAST_MONTH:3
        `LAST_MONTH` takes no number: [LAST_MONTH]
    D > :when
        expected a value, found `:`: [:]
            there are no variables here: write the value itself
    D > 2026-1-31
        `2026-1-31` is not a value in SOQL: [2026-1-31]
            dates are written `2026-01-31`, moments `2026-01-31T12:00:00Z` or `2026-01-31T12:00:00+01:00`, from the year 1700 to 4000
    D > 2026-02-30
        `2026-02-30` is not a value in SOQL: [2026-02-30]
            dates are written `2026-01-31`, moments `2026-01-31T12:00:00Z` or `2026-01-31T12:00:00+01:00`, from the year 1700 to 4000
    D > 2026-01-31T00:00:00
        `2026-01-31T00:00:00` is not a value in SOQL: [2026-01-31T00:00:00]
            dates are written `2026-01-31`, moments `2026-01-31T12:00:00Z` or `2026-01-31T12:00:00+01:00`, from the year 1700 to 4000
    Amount > 1,000
        expected `AND`, `OR` or the end of the condition, found `,`: [,]
            several values follow `IN` in parentheses, as in `IN (1, 2)`; numbers have no `,`
    Amount > 1e5
        `1e5` is not a value in SOQL: [1e5]
            numbers are written `42` or `-1.5`; text goes in single quotes
    Name = 'x
        this text has no closing quotation mark: [']
            end it with `'`; a quotation mark inside text is written `\'`
    Name = 'x\'
        this text has no closing quotation mark: [']
            end it with `'`; a quotation mark inside text is written `\'`
    Name = 'x\d'
        `\d` is not an escape sequence: [\d]
            a backslash that stands for itself is written twice; the sequences are `\'` `\"` `\\` `\n` `\r` `\t` `\f` `\u00E9`, and `\_` `\%` after `LIKE`
    Name = '50\%'
        `\%` is not an escape sequence: [\%]
            only `LIKE` knows `\%`: leave the backslash out
    Name LIKE 5
        expected text in single quotes after `LIKE`, found `5`: [5]
    Name LIKE
        expected text in single quotes after `LIKE`, found the end: []
    Name
        expected a comparison such as `=`, `!=`, `<`, `LIKE` or `IN`, found the end: []
            as in `Name = true` or `Name != null`
    Name =
        expected a value, found the end: []
            text goes in single quotes, as in `'Closed'`
    = 'x'
        expected a condition, found `=`: [=]
    Name = 'x' AND
        expected a condition, found the end: []
    AND Name = 'x'
        expected a field, found `AND`: [AND]
    Name = 'x' ORDER BY Name
        `ORDER` does not belong in a condition: [ORDER]
            leave it out: a condition only says which records are meant, not how many or in which order
    Name = 'x' LIMIT 10
        `LIMIT` does not belong in a condition: [LIMIT]
            leave it out: a condition only says which records are meant, not how many or in which order
    Name = 'x' ALL ROWS
        `ALL` does not belong in a condition: [ALL]
            leave it out: a condition only says which records are meant, not how many or in which order
    Name = 'x' FOR UPDATE
        `FOR` does not belong in a condition: [FOR]
            leave it out: a condition only says which records are meant, not how many or in which order
    Name = 'x';
        SOQL has no `;`: [;]
            leave it out
    Name = 'x') OR (Id != ''
        this parenthesis closes nothing: [)]
            leave it out
    Name = 'x'))
        this parenthesis closes nothing: [)]
            leave it out
    ((Name = 'x')
        this parenthesis is never closed: [(]
    ()
        expected a condition, found `)`: [)]
    Name = 'x' -- all
        SOQL has no comments: [--]
            leave it out; a manifest can hold comments outside the filter
    Name = 'x' /* all */ OR Id != ''
        SOQL has no comments: [/*]
            leave it out; a manifest can hold comments outside the filter
    Name IN 'x'
        expected `(`, found `'x'`: ['x']
            values go in parentheses, as in `('a', 'b')`
    Name IN ()
        expected a value, found `)`: [)]
    Name IN ('x',)
        expected a value, found `)`: [)]
    Name IN ('x' 'y')
        expected `)`, found `'y'`: ['y']
    M INCLUDES (1)
        expected text in single quotes, found `1`: [1]
    COUNT(Id) > 1
        the function `COUNT` is not supported in a filter: [COUNT]
            compare the field itself, or what a date function such as `CALENDAR_YEAR`, `toLabel` or `DISTANCE` makes of it
    convertCurrency(Amount) > 1
        the function `convertCurrency` is not supported in a filter: [convertCurrency]
            compare the field itself, or what a date function such as `CALENDAR_YEAR`, `toLabel` or `DISTANCE` makes of it
    convertTimezone(CreatedDate) = TODAY
        the function `convertTimezone` is not supported in a filter: [convertTimezone]
            compare the field itself, or what a date function such as `CALENDAR_YEAR`, `toLabel` or `DISTANCE` makes of it
    CALENDAR_YEAR(CreatedDate) = '2020'
        `CALENDAR_YEAR(CreatedDate)` cannot be compared like this: [CALENDAR_YEAR(CreatedDate) = '2020']
            it gives a number: compare it with one, as in `CALENDAR_YEAR(CreatedDate) < 2020`
    CALENDAR_YEAR(CreatedDate) LIKE '20%'
        `CALENDAR_YEAR(CreatedDate)` cannot be compared like this: [CALENDAR_YEAR(CreatedDate) LIKE '20%']
            it gives a number: compare it with one, as in `CALENDAR_YEAR(CreatedDate) < 2020`
    CALENDAR_YEAR(CreatedDate, 1) = 2020
        expected `)`, found `,`: [,]
    DAY_ONLY(CreatedDate) = 2020
        `DAY_ONLY(CreatedDate)` cannot be compared like this: [DAY_ONLY(CreatedDate) = 2020]
            it gives a day: compare it with one such as `2026-01-31`; a date literal such as `LAST_YEAR` is compared with the field itself
    DAY_ONLY(CreatedDate) = LAST_N_DAYS:30
        `DAY_ONLY(CreatedDate)` cannot be compared like this: [DAY_ONLY(CreatedDate) = LAST_N_DAYS:30]
            it gives a day: compare it with one such as `2026-01-31`; a date literal such as `LAST_YEAR` is compared with the field itself
    CALENDAR_YEAR(CreatedDate) = THIS_YEAR
        `CALENDAR_YEAR(CreatedDate)` cannot be compared like this: [CALENDAR_YEAR(CreatedDate) = THIS_YEAR]
            it gives a number: compare it with one, as in `CALENDAR_YEAR(CreatedDate) < 2020`
    toLabel(Status) = 1
        `toLabel(Status)` cannot be compared like this: [toLabel(Status) = 1]
            it gives text: compare it with text in single quotes, as in `toLabel(Status) = 'Closed'`
    toLabel(Contact.recordtype.name) = 'x'
        the system does not filter by the label of `RecordType.Name`: [Contact.recordtype.name]
            compare the value itself, as in `Contact.recordtype.name = '…'`
    Amount IN (USD5, 10)
        amounts with a currency stand beside amounts without one: [Amount IN (USD5, 10)]
            write the currency before each of them, as in `IN (USD10, USD20)`, or before none
    DISTANCE(L__c, GEOLOCATION(1, 2), 'mi') = 20
        `DISTANCE(L__c, GEOLOCATION(1, 2), 'mi')` cannot be compared like this: [DISTANCE(L__c, GEOLOCATION(1, 2), 'mi') = 20]
            compare a distance by `<` or `>` with a number
    DISTANCE(L__c, GEOLOCATION(1, 2), 'm') < 20
        a distance is in `'km'` or `'mi'`: ['m']
            as in `DISTANCE(Location__c, GEOLOCATION(37.77, -122.41), 'km') < 20`
    DISTANCE(L__c, GEOLOCATION(1), 'km') < 20
        expected a latitude and a longitude before this, found `,`: [,]
            as in `DISTANCE(Location__c, GEOLOCATION(37.77, -122.41), 'km') < 20`
    DISTANCE(L__c, 5, 'km') < 20
        expected `GEOLOCATION(…)` or a field, found `5`: [5]
            as in `DISTANCE(Location__c, GEOLOCATION(37.77, -122.41), 'km') < 20`
    DISTANCE(GEOLOCATION(1, 2), L__c, 'km') < 20
        expected `,` and another place, found `(`: [(]
            as in `DISTANCE(Location__c, GEOLOCATION(37.77, -122.41), 'km') < 20`
    Amount > usd5000
        expected a value, found `usd5000`: [usd5000]
            text goes in single quotes: `'usd5000'`
    Amount > USD-5000
        expected a value, found `USD`: [USD]
            text goes in single quotes: `'USD'`
    T > 1:00:00Z
        `1:00:00Z` is not a value in SOQL: [1:00:00Z]
            times of the day are written `13:00:00Z`
    T > 01:00:00
        `01:00:00` is not a value in SOQL: [01:00:00]
            times of the day are written `13:00:00Z`
    D > 2011-04-26T10:00:00+00
        `2011-04-26T10:00:00+00` is not a value in SOQL: [2011-04-26T10:00:00+00]
            dates are written `2026-01-31`, moments `2026-01-31T12:00:00Z` or `2026-01-31T12:00:00+01:00`, from the year 1700 to 4000
    title = 'v1' AND NOT
        expected a condition, found the end: []
    NOT
        expected a condition, found the end: []
    A.B.C.D.E.F.G = 1
        `A.B.C.D.E.F.G` goes through 6 parents: [A.B.C.D.E.F.G]
            the system follows at most 5
    A..B = 1
        `A..B` is not a field: [A..B]
            names are letters, digits and `_`, start with a letter, and are joined by single dots
    Na-me = 1
        unexpected character `-`: [-]
    Näme = 1
        unexpected character `ä`: [ä]
    Name\u{a0}= 1
        unexpected character `\u{a0}`: [\u{a0}]
    SELECT = 1
        the filter is a whole query, not a condition: [SELECT]
            write only a condition, such as `Status = 'Closed'`
    Id IN (SELECT AccountId FROM A) OR B = 1
        a subquery cannot be inside `OR`: [Id IN (SELECT AccountId FROM A)]
            make two policies, one for each side of the `OR`
    NOT Id IN (SELECT AccountId FROM A)
        a subquery cannot be inside `NOT`: [Id IN (SELECT AccountId FROM A)]
            write `Id NOT IN (SELECT …)` without the `NOT` before it
    Id IN (SELECT XId FROM A) AND Id IN (SELECT XId FROM B) AND Id NOT IN (SELECT XId FROM C)
        this is the third subquery, and a condition holds at most 2: [Id NOT IN (SELECT XId FROM C)]
    Id IN (SELECT XId FROM A WHERE Id IN (SELECT YId FROM B))
        a subquery is nested in a subquery: [Id IN (SELECT XId FROM A WHERE Id IN (SELECT YId FROM B))]
    Account.Id IN (SELECT XId FROM A)
        `Account.Id` goes through a parent and is compared with a subquery: [Account.Id]
            use the field of this object that refers to the parent, such as `AccountId`
    Name IN (SELECT Name FROM A)
        `Name` is no id and refers to no record, so no subquery can be about it: [Name]
            subqueries compare ids, as in `Id IN (SELECT AccountId FROM Contact)`
        `Name` is no id and refers to no record, so no subquery can be about it: [Name]
            subqueries compare ids, as in `Id IN (SELECT AccountId FROM Contact)`
    (Id IN (SELECT XId FROM A))
        a subquery stands in parentheses: [Id IN (SELECT XId FROM A)]
            write it outside all parentheses, joined to the other conditions by `AND`
    B = 1 AND (C = 2 AND Id IN (SELECT XId FROM A WHERE (D = 1)))
        a subquery stands in parentheses: [Id IN (SELECT XId FROM A WHERE (D = 1))]
            write it outside all parentheses, joined to the other conditions by `AND`
    B = 1 AND (C = 2 OR Id IN (SELECT XId FROM A))
        a subquery stands in parentheses: [Id IN (SELECT XId FROM A)]
            write it outside all parentheses, joined to the other conditions by `AND`
    CALENDAR_YEAR(Id) IN (SELECT XId FROM A)
        `CALENDAR_YEAR(Id)` cannot be compared like this: [CALENDAR_YEAR(Id) IN (SELECT XId FROM A)]
            it gives a number: compare it with one, as in `CALENDAR_YEAR(CreatedDate) < 2020`
    Id IN (SELECT Account.Id FROM A)
        `Account.Id` goes through a parent, in a subquery: [Account.Id]
            select the field that refers to the parent, such as `AccountId`
    Id IN (SELECT WhatId FROM Task)
        the system takes no subquery about `Task`: [Task]
            there are none about activities, notes, attachments and tags: select by a field of the object itself
    Id NOT IN (SELECT ItemId FROM AccountTag)
        the system takes no subquery about `AccountTag`: [AccountTag]
            there are none about activities, notes, attachments and tags: select by a field of the object itself
    Id IN (SELECT X, Y FROM A)
        a subquery selects exactly one field: [SELECT X,]
            as in `(SELECT AccountId FROM Contact)`
    Id IN (SELECT COUNT() FROM A)
        a subquery selects exactly one field: [SELECT COUNT(]
            as in `(SELECT AccountId FROM Contact)`
    Id IN (SELECT X FROM A ORDER BY X LIMIT 1)
        `ORDER` does not belong in a subquery: [ORDER]
            leave it out
    Id IN (SELECT X FROM A
        this parenthesis is never closed: [(]
    Id IN (SELECT X A WHERE B = 1)
        expected `FROM`, found `A`: [A]
    A LIEK 'x' AND B = y AND (C = 1 AND D ~ 2)
        unexpected character `~`: [~]
    A LIEK 'x' AND B = y AND (C = 1 AND D IS 2)
        expected a comparison such as `=`, `!=`, `<`, `LIKE` or `IN`, found `LIEK`: [LIEK]
            did you mean `LIKE`?
        expected a value, found `y`: [y]
            text goes in single quotes: `'y'`
        expected a comparison such as `=`, `!=`, `<`, `LIKE` or `IN`, found `IS`: [IS]
            write `D = null`
    "#);
}
