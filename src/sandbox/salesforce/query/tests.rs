//! Queries as a client sees them.

use axum::body::Body;
use http::Method;

use crate::sandbox::salesforce::testing::Tester;
use crate::sandbox::{CountLimit, CountRefusal, Effect, Fault, Permissions, Sandbox, Settings, World, account_children};

async fn names(tester: &Tester, condition: &str) -> String {
    let answer = tester.query(&format!("SELECT Name FROM Account {condition}")).await;
    let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{}", answer.text));
    let Some(records) = json["records"].as_array() else { return answer.text };
    records.iter().map(|record| record["Name"].as_str().unwrap_or("null")).collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn shows_records_with_their_attributes_first() {
    let tester = Tester::new();
    let lead = tester.add("Lead", &[("LastName", "Ä\"b".into()), ("IsConverted", true.into())]);
    assert_eq!(
        tester.query("select id, lastname, isconverted, LastActivityDate, SystemModstamp from lead").await.shown(),
        format!(
            r#"200 {{"totalSize":1,"done":true,"records":[{{"attributes":{{"type":"Lead","url":"/services/data/v66.0/sobjects/Lead/{lead}"}},"Id":"{lead}","LastName":"Ä\"b","IsConverted":true,"LastActivityDate":null,"SystemModstamp":"2026-11-21T10:00:00.000+0000"}}]}}"#
        )
    );
}

#[tokio::test(start_paused = true)]
async fn nests_parents_and_shows_missing_ones_as_null() {
    let tester = Tester::new();
    let account = tester.add("Account", &[("Name", "Acme".into())]);
    let contact = tester.add("Contact", &[("AccountId", account.into())]);
    let task = tester.add("Task", &[("WhoId", contact.into())]);
    tester.add("Contact", &[]);
    let url = "/services/data/v66.0/sobjects";
    let user = tester.sandbox.world().first_user();
    let parent = format!(
        r#"{{"attributes":{{"type":"Account","url":"{url}/Account/{account}"}},"Name":"Acme","Owner":{{"attributes":{{"type":"User","url":"{url}/User/{user}"}},"Username":"admin@sandbox.example"}},"Id":"{account}"}}"#
    );
    let answer = tester
        .query("SELECT Account.Name, Account.Owner.Username, account.id FROM Contact ORDER BY Account.Name NULLS LAST")
        .await;
    assert!(answer.text.contains(&format!(r#""Account":{parent}}}"#)), "{}", answer.text);
    assert!(answer.text.ends_with(r#""Account":null}]}"#), "{}", answer.text);
    let answer = tester.query("SELECT Who.Type, Who.Name, What.Name FROM Task WHERE Who.Type = 'Contact'").await;
    assert!(answer.text.contains(r#""Type":"Contact","Name":null},"What":null"#), "{}", answer.text);
    assert!(answer.text.contains(&task.to_string()));
}

#[tokio::test(start_paused = true)]
async fn pages_keep_what_the_query_found() {
    let tester = Tester::new();
    tester.sandbox.world().generate("Lead", 450, 1).expect("known");
    let headers =
        [("authorization", format!("Bearer {}", tester.token)), ("sforce-query-options", "batchSize=200".to_owned())];
    let first = tester.raw(Method::GET, "/services/data/v66.0/query?q=SELECT+Id+FROM+Lead", &headers, Body::empty()).await;
    let json: serde_json::Value = serde_json::from_str(&first.text).expect("JSON");
    assert_eq!((&json["totalSize"], &json["done"]), (&450.into(), &false.into()));
    assert_eq!(json["nextRecordsUrl"], "/services/data/v66.0/query/01gS00000000001IAA-200");
    let mut found: Vec<String> = Vec::new();
    let mut page = json;
    let victim = tester.sandbox.world().ids("Lead").last().expect("some");
    tester.delete(&format!("/sobjects/Lead/{victim}")).await;
    loop {
        let records = page["records"].as_array().expect("a list");
        found.extend(records.iter().map(|record| record["Id"].as_str().expect("text").to_owned()));
        assert_eq!(page["totalSize"], 450);
        let Some(next) = page["nextRecordsUrl"].as_str().map(str::to_owned) else { break };
        page = serde_json::from_str(&tester.raw(Method::GET, &next, &headers, Body::empty()).await.text).expect("JSON");
    }
    assert_eq!((found.len(), &page["done"]), (450, &true.into()));
    assert!(found.is_sorted() && found.last() == Some(&victim.to_string()));
    for locator in ["01gS00000000001IAA-451", "01gS00000000002IAA-200", "x-2", "x"] {
        assert_eq!(
            tester.get(&format!("/query/{locator}")).await.shown(),
            r#"400 [{"message":"invalid query locator","errorCode":"INVALID_QUERY_LOCATOR"}]"#
        );
    }
    tester.sandbox.clock().advance(std::time::Duration::from_secs(48 * 3_600));
    let user = tester.sandbox.world().first_user();
    let later = Tester { token: tester.sandbox.access_token(user), sandbox: tester.sandbox };
    assert_eq!(later.get("/query/01gS00000000001IAA-200").await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn counts() {
    let tester = Tester::new();
    tester.add("Account", &[("Name", "a".into()), ("Phone", "1".into())]);
    let gone = tester.add("Account", &[("Name", "b".into())]);
    assert_eq!(tester.query("SELECT COUNT() FROM Account").await.shown(), r#"200 {"totalSize":2,"done":true,"records":[]}"#);
    assert_eq!(
        tester.query("SELECT COUNT(Id), COUNT(Phone) phones FROM Account").await.shown(),
        r#"200 {"totalSize":1,"done":true,"records":[{"attributes":{"type":"AggregateResult"},"expr0":2,"phones":1}]}"#
    );
    tester.delete(&format!("/sobjects/Account/{gone}")).await;
    assert_eq!(tester.query("SELECT COUNT() FROM Account").await.shown(), r#"200 {"totalSize":1,"done":true,"records":[]}"#);
    assert_eq!(
        tester.get("/queryAll?q=SELECT+COUNT()+FROM+Account+WHERE+IsDeleted=true").await.shown(),
        r#"200 {"totalSize":1,"done":true,"records":[]}"#
    );
}

#[tokio::test(start_paused = true)]
async fn selects_orders_and_cuts() {
    let tester = Tester::new();
    for (name, revenue) in [("b", Some(2.0)), ("A", None), ("c", Some(1.0)), ("d", Some(3.0))] {
        let revenue = revenue.map_or(crate::sandbox::Value::Null, Into::into);
        tester.add("Account", &[("Name", name.into()), ("AnnualRevenue", revenue)]);
    }
    let ids: Vec<String> = tester.sandbox.world().ids("Account").map(|key| key.to_string()).collect();
    for (condition, expected) in [
        ("", "b A c d"),
        ("ORDER BY Name", "A b c d"),
        ("ORDER BY Name DESC LIMIT 2", "d c"),
        ("ORDER BY AnnualRevenue", "A c b d"),
        ("ORDER BY AnnualRevenue DESC NULLS LAST, Name", "d b c A"),
        ("ORDER BY Id DESC", "d c A b"),
        ("a WHERE a.Name > 'A' AND a.Parent.Name = null ORDER BY a.Name DESC", "d c b"),
        ("USING SCOPE everything WHERE (NOT (Name IN ('b', 'c'))) AND Name LIKE '_'", "A d"),
        ("LIMIT 2 OFFSET 1", "A c"),
        ("LIMIT 0", ""),
        ("WHERE AnnualRevenue > 1 AND (NOT Name = 'd')", "b"),
        ("WHERE Name LIKE 'A%' OR Name IN ('C')", "A c"),
        ("WHERE Owner.Name = 'sandbox administrator' AND CreatedDate = TODAY", "b A c d"),
        ("WHERE Parent.Name != 'x' LIMIT 1", "b"),
        ("WHERE CreatedDate < 2026-11-21T10:00:00Z", ""),
        ("WHERE CreatedDate < 2026-11-21T10:00:00.001+0000 AND HOUR_IN_DAY(convertTimezone(CreatedDate)) = 10", "b A c d"),
        ("WHERE DAY_ONLY(CreatedDate) < 2026-11-21 OR CALENDAR_YEAR(Parent.CreatedDate) != 2026", "b A c d"),
        ("WHERE DAY_ONLY(CreatedDate) = 2026-11-21 AND CALENDAR_MONTH(CreatedDate) IN (1, 12)", ""),
        (&format!("WHERE Id = '{}'", &ids[2][..15]), "c"),
        (&format!("WHERE Id IN ('{}', '{}') AND Name = 'A'", ids[1], ids[2]), "A"),
        (&format!("WHERE Id NOT IN ('{}', '{}')", ids[1], ids[2]), "b d"),
        (&format!("WHERE Id > '{}' ORDER BY Id LIMIT 2", ids[0]), "A c"),
        (&format!("WHERE Id != '{}' AND ParentId = null", ids[0]), "A c d"),
    ] {
        assert_eq!(names(&tester, condition).await, expected, "{condition}");
    }
}

#[tokio::test(start_paused = true)]
async fn empty_references_come_first_whatever_is_asked() {
    let tester = Tester::new();
    let acme = tester.add("Account", &[("Name", "Acme".into())]);
    tester.add("Contact", &[("AccountId", acme.into()), ("Phone", "1".into())]);
    tester.add("Contact", &[]);
    for (order, expected) in [("AccountId NULLS LAST", [None, Some("1")]), ("Phone NULLS LAST", [Some("1"), None])] {
        let answer = tester.query(&format!("SELECT Phone FROM Contact ORDER BY {order}")).await;
        let json: serde_json::Value = serde_json::from_str(&answer.text).expect("JSON");
        assert_eq!([0, 1].map(|row| json["records"][row]["Phone"].as_str()), expected, "{order}");
    }
}

#[tokio::test(start_paused = true)]
async fn semi_joins_look_into_other_objects() {
    let tester = Tester::new();
    let acme = tester.add("Account", &[("Name", "Acme".into())]);
    tester.add("Account", &[("Name", "Other".into())]);
    tester.add("Contact", &[("AccountId", acme.into()), ("LastName", "A".into())]);
    tester.add("Contact", &[("LastName", "A".into())]);
    assert_eq!(names(&tester, "WHERE Id IN (SELECT AccountId FROM Contact WHERE LastName = 'A')").await, "Acme");
    assert_eq!(names(&tester, "WHERE Id NOT IN (SELECT AccountId FROM Contact)").await, "Other");
    assert_eq!(names(&tester, "WHERE Name != 'x' AND Id IN (SELECT AccountId FROM Contact WHERE LastName = 'B')").await, "");
}

#[tokio::test(start_paused = true)]
async fn refuses_what_makes_no_sense() {
    let tester = Tester::new();
    let refusal = async |text: &str| {
        let answer = tester.query(text).await;
        let json: serde_json::Value = serde_json::from_str(&answer.text).expect("JSON");
        assert_eq!((answer.status, json.as_array().map(Vec::len)), (400, Some(1)), "{text}: {}", answer.text);
        let message = json[0]["message"].as_str().expect("text").lines().last().unwrap_or_default().to_owned();
        format!("{}: {message}", json[0]["errorCode"].as_str().expect("text"))
    };
    for (text, expected) in [
        ("SELECT Id FORM Lead", "MALFORMED_QUERY: unexpected token: 'Lead'"),
        ("SELECT Id FROM", "MALFORMED_QUERY: unexpected token: '<EOF>'"),
        ("SELECT Id FROM Lead ALL ROWS", "MALFORMED_QUERY: unexpected token: 'ALL'"),
        ("SELECT Id FROM Lead GROUP BY Id", "MALFORMED_QUERY: the sandbox does not serve GROUP BY; Salesforce itself does"),
        ("SELECT Id FROM Lead WHERE Name = 'a' OR Id = null AND Name = 'b'", "MALFORMED_QUERY: unexpected token: 'AND'"),
        ("SELECT Id FROM Lead WHERE Name = 'a' AND NOT Id = null", "MALFORMED_QUERY: unexpected token: 'NOT'"),
        ("SELECT Id FROM Lead;", "MALFORMED_QUERY: line 1:19 no viable alternative at character ';'"),
        ("SELECT Id FROM Lead WHERE Name = 'a", "MALFORMED_QUERY: line 1:33 mismatched character '<EOF>' expecting '''"),
        ("SELECT COUNT(Id) FROM Lead LIMIT 1", "MALFORMED_QUERY: Aggregate queries without GROUP BY"),
        ("SELECT Id FROM Log__c WHERE Tags__c > 'a'", "INVALID_FIELD: invalid operator on multipicklist field"),
        ("SELECT Id FROM Lead WHERE OwnerId = 5", "INVALID_FIELD: value of filter criterion for field 'OwnerId' must be of"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 1699-12-31T00:00:00Z", "MALFORMED_QUERY: the date is not between"),
        ("SELECT Name n FROM Lead", "MALFORMED_QUERY: only aggregate expressions use field aliasing"),
        ("SELECT Name, COUNT(Id) FROM Lead", "MALFORMED_QUERY: Field must be grouped or aggregated: Name"),
        ("SELECT Id, id FROM Lead", "INVALID_FIELD: duplicate field selected: Id"),
        ("SELECT Id FROM Laed", "INVALID_TYPE: sObject type 'Laed' is not supported. If you are attempting to us"),
        ("SELECT Id, X FROM Lead", "INVALID_FIELD: No such column 'X' on entity 'Lead'. If you are attempting to us"),
        (
            "SELECT Id FROM Lead WHERE X = 1",
            "INVALID_FIELD: No such column 'X' on entity 'Lead'. If you are attempting to us",
        ),
        (
            "SELECT Id FROM Lead ORDER BY X",
            "INVALID_FIELD: No such column 'X' on entity 'Lead'. If you are attempting to us",
        ),
        ("SELECT Account.X FROM Contact", "INVALID_FIELD: No such column 'X' on entity 'Account'. If you are attempting to"),
        (
            "SELECT Acount.Name FROM Contact",
            "INVALID_FIELD: Didn't understand relationship 'Acount' in field path. If you ar",
        ),
        ("SELECT Id FROM Lead WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR: invalid ID field: abc"),
        ("SELECT Id FROM Lead WHERE OwnerId LIKE '0%'", "INVALID_QUERY_FILTER_OPERATOR: invalid operator on id field"),
        (
            "SELECT Id FROM Lead WHERE IsConverted = 'false'",
            "INVALID_FIELD: value of filter criterion for field 'IsConverted' must be of typ",
        ),
        (
            "SELECT Id FROM Lead WHERE CreatedDate < 2026-01-01",
            "INVALID_FIELD: value of filter criterion for field 'CreatedDate' must be of typ",
        ),
        (
            "SELECT Id FROM Account WHERE Description = 'x'",
            "INVALID_FIELD: field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Account WHERE Id IN (SELECT ParentId FROM account)",
            "MALFORMED_QUERY: The inner and outer selects should not be on the same object type",
        ),
        (
            "SELECT Id FROM Account WHERE Name != 'x' AND (Id IN (SELECT AccountId FROM Contact))",
            "MALFORMED_QUERY: Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested",
        ),
        (
            "SELECT Id FROM Account WHERE Name != 'x' AND (Name = 'y' OR Id IN (SELECT AccountId FROM Contact))",
            "MALFORMED_QUERY: Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested",
        ),
        (
            "SELECT Id FROM Account WHERE Name != 'x' OR Id IN (SELECT AccountId FROM Contact)",
            "MALFORMED_QUERY: Semi join sub-selects are not allowed with the 'OR' operator",
        ),
        (
            "SELECT Id FROM Account WHERE NOT Id IN (SELECT AccountId FROM Contact)",
            "MALFORMED_QUERY: Semi join sub-selects are not allowed with the 'NOT' operator",
        ),
        (
            "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT ContactId FROM Case))",
            "MALFORMED_QUERY: Nesting of semi join sub-selects is not supported",
        ),
        (
            "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact) AND Id IN (SELECT AccountId FROM Case) \
             AND Id NOT IN (SELECT AccountId FROM Opportunity)",
            "EXCEEDED_MAX_SEMIJOIN_SUBSELECTS: maximum number of semi join sub-selects is 2",
        ),
        (
            "SELECT Id FROM Account WHERE Name IN (SELECT LastName FROM Contact)",
            "MALFORMED_QUERY: Semi join sub-selects are only allowed between ID and reference fields",
        ),
        (
            "SELECT Id FROM Lead WHERE DAY_ONLY(LastActivityDate) = TODAY",
            "INVALID_FIELD: DAY_ONLY is not supported on field",
        ),
        (
            "SELECT Id FROM Lead WHERE CALENDAR_YEAR(Company) = 2020",
            "INVALID_FIELD: CALENDAR_YEAR is not supported on field",
        ),
        ("SELECT Id FROM Lead WHERE toLabel(Company) = 'x'", "INVALID_FIELD: toLabel is not supported on field 'Company'"),
        ("SELECT Id FROM Account WHERE AnnualRevenue > USD5", "MALFORMED_QUERY: the sandbox does not serve amounts in a"),
        ("SELECT Id FROM Account WHERE AnnualRevenue IN (USD5, 7)", "MALFORMED_QUERY: amounts with and without an ISO code"),
        (
            "SELECT Id FROM Account WHERE AnnualRevenue > 01:00:00Z",
            "INVALID_FIELD: value of filter criterion for field 'Ann",
        ),
        (
            "SELECT Id FROM Account WHERE DISTANCE(BillingAddress, GEOLOCATION(1, 2), 'km') < 5",
            "INVALID_FIELD: No such column 'BillingAddress' on entity 'Account'",
        ),
        (
            "SELECT Id FROM Account WHERE DISTANCE(Name, GEOLOCATION(1, 2), 'km') < 5",
            "MALFORMED_QUERY: the sandbox does not serve DISTANCE",
        ),
        (
            "SELECT Id FROM Account WHERE DISTANCE(Name, GEOLOCATION(1, 2), 'km') <= 5",
            "MALFORMED_QUERY: DISTANCE is only compared by < and >",
        ),
        (
            "SELECT Id FROM Account WHERE CALENDAR_YEAR(CreatedDate) = THIS_YEAR",
            "INVALID_FIELD: the result of a date function",
        ),
        (
            "SELECT Id FROM Account WHERE Id IN (SELECT WhatId FROM Task)",
            "MALFORMED_QUERY: Entity 'Task' is not supported for semi join inner selects",
        ),
        (
            "SELECT Id FROM Contact WHERE Account.Id IN (SELECT AccountId FROM Opportunity)",
            "MALFORMED_QUERY: The left operand of a semi join",
        ),
        ("SELECT Id FROM Lead LIMIT 5 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE: Maximum SOQL offset allowed is 2000"),
    ] {
        let refusal = refusal(text).await;
        assert!(refusal.starts_with(expected), "{text}: {refusal}");
    }
    assert_eq!(tester.get("/query").await.status, 400);
    assert_eq!(tester.get("/query?q=%FF").await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn the_organization_and_the_own_permissions_can_be_queried() {
    let tester = Tester::new();
    let answer = tester.query("SELECT Id, Name, IsSandbox, InstanceName, OrganizationType FROM Organization").await;
    let json: serde_json::Value = serde_json::from_str(&answer.text).expect("JSON");
    let organization = tester.sandbox.world().organization().key.to_string();
    assert_eq!(json["records"][0]["Id"], organization);
    assert_eq!(json["records"][0]["IsSandbox"], true);
    assert!(tester.token.starts_with(&organization[..15]));
    let hard = async || {
        let answer = tester.query("SELECT PermissionsBulkApiHardDelete FROM UserPermissionAccess").await.text;
        let json: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(json["totalSize"], 1);
        json["records"][0]["PermissionsBulkApiHardDelete"].as_bool().expect("a flag")
    };
    assert!(!hard().await);
    let user = tester.sandbox.world().first_user();
    tester.sandbox.world().set_permissions(user, Permissions { hard_delete: true, ..Permissions::default() });
    assert!(hard().await);
}

#[tokio::test(start_paused = true)]
async fn a_faulty_query_lies_about_its_total_or_its_rows() {
    let tester = Tester::new();
    tester.sandbox.world().generate("Lead", 10, 1).expect("known");
    let path = "*/query";
    tester.sandbox.add_fault(Fault::on("GET", path, Effect::WrongTotal { by: 1 }).nth(1));
    tester.sandbox.add_fault(Fault::on("GET", path, Effect::ShortPage { rows: 3 }).nth(2));
    let shown = async || {
        let json: serde_json::Value = serde_json::from_str(&tester.query("SELECT Id FROM Lead").await.text).expect("JSON");
        (json["totalSize"].as_i64().expect("a number"), json["records"].as_array().expect("a list").len())
    };
    assert_eq!([shown().await, shown().await, shown().await], [(11, 10), (10, 7), (10, 10)]);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_there_is_no_time_for_is_refused_and_the_rows_come_all_the_same() {
    for (refusal, code) in
        [(CountRefusal::QueryTimeout, "QUERY_TIMEOUT"), (CountRefusal::OperationTooLarge, "OPERATION_TOO_LARGE")]
    {
        let tester = Tester::with(|settings| settings.count_limit = Some(CountLimit { rows: 2, refusal }));
        let count = async |object: &str| tester.query(&format!("SELECT COUNT() FROM {object}")).await;
        (0..2).for_each(|_| _ = tester.add("Lead", &[]));
        assert_eq!(count("Lead").await.status, 200);
        tester.add("Lead", &[]);
        let refused = count("Lead").await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains(code), "{}", refused.text);
        assert_eq!(tester.query("SELECT COUNT(Id) FROM Lead").await.status, 400);
        assert!(tester.query("SELECT Id FROM Lead").await.text.starts_with(r#"{"totalSize":3"#));
    }
}

#[tokio::test(start_paused = true)]
async fn the_approximate_count_is_some_time_old_and_leaves_out_what_a_login_does_not_see() {
    let tester = Tester::with(|settings| settings.record_count_percent = 150);
    (0..4).for_each(|_| _ = tester.add("Lead", &[]));
    let counts = async || tester.get("/limits/recordCount?sObjects=Lead").await.text;
    assert_eq!(counts().await, r#"{"sObjects":[{"count":6,"name":"Lead"}]}"#);
    let user = tester.sandbox.world().first_user();
    let read_denied = std::iter::once("Lead".to_owned()).collect();
    tester.sandbox.world().set_permissions(user, Permissions { read_denied, ..Permissions::default() });
    assert_eq!(counts().await, r#"{"sObjects":[]}"#);
}

#[tokio::test(start_paused = true)]
async fn an_account_may_have_forty_more_cascading_children_some_of_which_cannot_be_asked() {
    let start = "2026-11-21T10:00:00Z".parse().expect("valid");
    let builder = account_children().into_iter().fold(World::builder().start(start), |builder, child| builder.object(child));
    let sandbox = Sandbox::new(builder.build().expect("consistent"), Settings::starting_at(start));
    let token = sandbox.access_token(sandbox.world().first_user());
    let tester = Tester { sandbox, token };
    let described: serde_json::Value =
        serde_json::from_str(&tester.get("/sobjects/Account/describe").await.text).expect("JSON");
    let children = described["childRelationships"].as_array().expect("a list");
    assert_eq!(children.iter().filter(|child| child["cascadeDelete"] == true).count(), 43);
    assert!(tester.get("/sobjects/CombinedAttachment/describe").await.text.contains(r#""queryable":false"#));

    let account = tester.add("Account", &[]);
    tester.add("ContentDocumentLink", &[("LinkedEntityId", account.into())]);
    let mut told = Vec::new();
    for asked in [
        "CombinedAttachment".to_owned(),
        "ContentDocumentLink".to_owned(),
        "ContentDocumentLink WHERE LinkedEntityId IN (SELECT Id FROM Account)".to_owned(),
        format!("ContentDocumentLink WHERE LinkedEntityId IN ('{account}')"),
        format!("ContentDocumentLink WHERE Name = null AND LinkedEntityId = '{account}'"),
    ] {
        told.push(tester.query(&format!("SELECT COUNT() FROM {asked}")).await.shown());
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    400 [{"message":"entity type CombinedAttachment does not support query","errorCode":"INVALID_TYPE_FOR_OPERATION"}]
    400 [{"message":"Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN operator.","errorCode":"MALFORMED_QUERY"}]
    400 [{"message":"Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN operator.","errorCode":"MALFORMED_QUERY"}]
    200 {"totalSize":1,"done":true,"records":[]}
    200 {"totalSize":1,"done":true,"records":[]}
    "#);
}
