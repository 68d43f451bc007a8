//! Conditions that are too much, and those that mean nothing.

use super::corpus::shown;
use super::parse_condition;

#[test]
fn knows_what_has_no_meaning_for_an_object() {
    let conditions = [
        "Id IN (SELECT ParentId FROM account WHERE Name = 'x')",
        "IsDeleted = true",
        "A = 1 AND (isdeleted != false OR NOT__c = 1)",
        "IsDeleted IN (true)",
        "NOT IsDeleted = false",
        "NOT (A = 1 AND (NOT IsDeleted = true))",
    ];
    let told = conditions.map(|text| {
        let condition = parse_condition(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        shown(text, &super::mistakes_on(&condition, "Account"))
    });
    insta::assert_snapshot!(told.concat(), @"
    Id IN (SELECT ParentId FROM account WHERE Name = 'x')
        the subquery is about `Account` too, the object of the filter itself: [account]
            reach the other record by the name of the reference, as in `Parent.Name = '…'` in place of `ParentId IN (SELECT Id …)`
    IsDeleted = true
        this means records that are deleted already, and only others are ever selected or held: [IsDeleted = true]
            leave it out, or write `IsDeleted = false`; archived records, `IsArchived = true`, are found like any other
    A = 1 AND (isdeleted != false OR NOT__c = 1)
        this means records that are deleted already, and only others are ever selected or held: [isdeleted != false]
            leave it out, or write `IsDeleted = false`; archived records, `IsArchived = true`, are found like any other
    IsDeleted IN (true)
        this means records that are deleted already, and only others are ever selected or held: [IsDeleted IN (true)]
            leave it out, or write `IsDeleted = false`; archived records, `IsArchived = true`, are found like any other
    NOT IsDeleted = false
        this means records that are deleted already, and only others are ever selected or held: [IsDeleted = false]
            leave it out, or write `IsDeleted = false`; archived records, `IsArchived = true`, are found like any other
    NOT (A = 1 AND (NOT IsDeleted = true))
        this means records that are deleted already, and only others are ever selected or held: [IsDeleted = true]
            leave it out, or write `IsDeleted = false`; archived records, `IsArchived = true`, are found like any other
    ");
    for text in [
        "IsDeleted = false",
        "NOT IsDeleted = true",
        "Account.IsDeleted = true",
        "IsArchived = true",
        "IsDeleted IN (true, false)",
    ] {
        let condition = parse_condition(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        assert_eq!(super::mistakes_on(&condition, "Account"), [], "{text}");
    }
}

#[test]
fn bounds_length_and_depth() {
    let refused = |text: String| parse_condition(&text).expect_err("too much").remove(0).message;
    let list = |count: usize| format!("A IN ({})", vec!["1"; count].join(","));
    assert!(parse_condition(&list(49_000)).is_ok());
    let messages = [
        refused(list(50_000)),
        refused(format!("A = '{}'", "x".repeat(4_001))),
        refused(format!("A LIKE '{}'", "é".repeat(4_001))),
        refused("(".repeat(99_000)),
        refused(format!("{}A = 1{}", "(".repeat(101), ")".repeat(101))),
        refused("NOT (".repeat(19_000)),
        refused("NOT ".repeat(24_000)),
        refused("A IN (SELECT B FROM C WHERE ".repeat(3_000)),
        refused("A = ".repeat(20_000)),
        refused(format!("A {}", "x".repeat(90_000))),
    ];
    insta::assert_snapshot!(messages.join("\n"), @"
    this is 100006 characters long, and the system takes at most 100000
    this text has 4001 characters, and the system takes at most 4000
    this text has 4001 characters, and the system takes at most 4000
    parentheses are nested more than 100 deep
    parentheses are nested more than 100 deep
    parentheses are nested more than 100 deep
    `NOT` follows `NOT`
    parentheses are nested more than 100 deep
    expected a value, found `A`
    expected a comparison such as `=`, `!=`, `<`, `LIKE` or `IN`, found `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`
    ");
    assert!(parse_condition(&format!("{}A = 1{}", "(".repeat(100), ")".repeat(100))).is_ok());
    assert!(parse_condition(&format!("A = '{}'", "é".repeat(4_000))).is_ok());
    assert!(parse_condition(&"A = 1 AND ".repeat(9_000)).expect_err("unfinished").len() == 1);
    assert_eq!(parse_condition(&"~".repeat(9_000)).expect_err("wrong").len(), 20);
    assert_eq!(parse_condition(&"A = x AND ".repeat(9_000)).expect_err("wrong").len(), 20);
}
