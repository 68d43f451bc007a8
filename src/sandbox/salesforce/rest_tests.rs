//! Records and collections as a client sees them, against the documented and recorded shapes.

use axum::body::Body;
use http::Method;

use super::testing::Tester;
use crate::sandbox::{Effect, Fault, Permissions, RecordKey};

const ROLLED_BACK: &str = r#"{"statusCode":"ALL_OR_NONE_OPERATION_ROLLED_BACK","message":"Record rolled back because not all records were valid and the request was using AllOrNone header","fields":[]}"#;

#[tokio::test(start_paused = true)]
async fn collections_answer_in_the_order_of_the_request() {
    let tester = Tester::new();
    let account = tester.add("Account", &[("Name", "Acme".into())]);
    let lead = tester.add("Lead", &[]);
    let gone = tester.add("Lead", &[]);
    tester.delete(&format!("/sobjects/Lead/{gone}")).await;
    let path = format!("/composite/sobjects?ids={account},001RM000003oLrB000,{gone},{}&allOrNone=false", lead.fifteen());
    assert_eq!(
        tester.delete(&path).await.shown(),
        format!(r#"200 [{{"id":"{account}","success":true,"errors":[]}},"#)
            + r#"{"success":false,"errors":[{"statusCode":"MALFORMED_ID","message":"malformed id 001RM000003oLrB000","fields":[]}]},"#
            + &format!(
                r#"{{"id":"{gone}","success":false,"errors":[{{"statusCode":"ENTITY_IS_DELETED","message":"entity is deleted","fields":[]}}]}},{{"id":"{lead}","success":true,"errors":[]}}]"#
            )
    );
    assert!(tester.sandbox.world().in_bin(account) && tester.sandbox.world().in_bin(lead));
}

#[tokio::test(start_paused = true)]
async fn all_or_none_is_asked_for_in_the_address() {
    let tester = Tester::new();
    let lead = tester.add("Lead", &[]);
    let answer = tester.delete(&format!("/composite/sobjects?ids={lead},00QS00000000009MAA&allOrNone=true")).await;
    assert_eq!(
        answer.shown(),
        format!(
            r#"200 [{{"id":"{lead}","success":false,"errors":[{ROLLED_BACK}]}},{{"id":"00QS00000000009MAA","success":false,"errors":[{{"statusCode":"INVALID_CROSS_REFERENCE_KEY","message":"invalid cross reference id","fields":[]}}]}}]"#
        )
    );
    assert!(tester.sandbox.world().exists(lead));
}

#[tokio::test(start_paused = true)]
async fn collections_take_one_to_two_hundred_ids() {
    let tester = Tester::new();
    let ids = |count: u64| {
        (1..=count).map(|number| RecordKey::numbered(*b"00Q", number).to_string()).collect::<Vec<_>>().join(",")
    };
    assert_eq!(tester.delete(&format!("/composite/sobjects?ids={}", ids(200))).await.status, 200);
    assert_eq!(
        tester.delete(&format!("/composite/sobjects?ids={}", ids(201))).await.shown(),
        r#"400 [{"message":"record limit reached. cannot submit more than 200 records into this call","errorCode":"EXCEEDED_ID_LIMIT"}]"#
    );
    let none = r#"400 [{"message":"At least 1 Id is required.","errorCode":"REQUIRED_FIELD_MISSING"}]"#;
    assert_eq!(tester.delete("/composite/sobjects?ids=").await.shown(), none);
    assert_eq!(tester.delete("/composite/sobjects").await.shown(), none);
}

#[tokio::test(start_paused = true)]
async fn encoded_commas_and_doubled_slashes_are_understood() {
    let tester = Tester::new();
    let ids = [tester.add("Lead", &[]), tester.add("Lead", &[])];
    let path = format!("//services/data/v66.0/composite/sobjects?ids={}%2C{}", ids[0], ids[1]);
    let headers = [("authorization", format!("Bearer {}", tester.token))];
    let answer = tester.raw(Method::DELETE, &path, &headers, Body::empty()).await;
    assert_eq!(answer.text.matches(r#""success":true"#).count(), 2, "{}", answer.text);
}

#[tokio::test(start_paused = true)]
async fn locked_rows_fail_together_and_stay() {
    let tester = Tester::new();
    let ids = [tester.add("Lead", &[]), tester.add("Lead", &[])];
    let fault = Fault::on("DELETE", "*/composite/sobjects", Effect::LockRows { chunk: 1 }).times(1);
    tester.sandbox.add_fault(fault);
    let path = format!("/composite/sobjects?ids={},{}", ids[0], ids[1]);
    let error = format!(
        r#"{{"statusCode":"UNABLE_TO_LOCK_ROW","message":"unable to obtain exclusive access to this record or 2 records: {},{}","fields":[]}}"#,
        ids[0], ids[1]
    );
    let item = |id| format!(r#"{{"id":"{id}","success":false,"errors":[{error}]}}"#);
    assert_eq!(tester.delete(&path).await.shown(), format!("200 [{},{}]", item(ids[0]), item(ids[1])));
    assert_eq!(tester.sandbox.world().count("Lead"), 2);
    assert_eq!(tester.delete(&path).await.text.matches("true").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn single_deletions_have_no_body_and_their_own_errors() {
    let tester = Tester::new();
    let account = tester.add("Account", &[("Name", "Acme".into())]);
    let case = tester.add("Case", &[("AccountId", account.into())]);
    assert_eq!(
        tester.delete(&format!("/sobjects/Account/{account}")).await.shown(),
        r#"400 [{"message":"Your attempt to delete Acme could not be completed because it is associated with the following cases.: 00001000\n","errorCode":"DELETE_FAILED","fields":[]}]"#
    );
    assert_eq!(tester.delete(&format!("/sobjects/Case/{case}")).await.shown(), "204 ");
    assert_eq!(
        tester.delete(&format!("/sobjects/Case/{case}")).await.shown(),
        r#"404 [{"message":"entity is deleted","errorCode":"ENTITY_IS_DELETED","fields":[]}]"#
    );
    assert_eq!(
        tester.delete("/sobjects/Case/nonsense").await.shown(),
        r#"404 [{"message":"Provided external ID field does not exist or is not accessible: nonsense","errorCode":"NOT_FOUND"}]"#
    );
    assert_eq!(
        tester.delete(&format!("/sobjects/Contact/{account}")).await.shown(),
        format!(
            r#"400 [{{"message":"Contact ID: id value of incorrect type: {account}","errorCode":"MALFORMED_ID","fields":["Id"]}}]"#
        )
    );
    let missing = r#"404 [{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]"#;
    assert_eq!(tester.delete(&format!("/sobjects/Nothing/{account}")).await.shown(), missing);
    assert_eq!(tester.get("/nothing").await.shown(), missing);
    assert_eq!(tester.send(Method::PUT, "/limits", Body::empty()).await.status, 405);
}

#[tokio::test(start_paused = true)]
async fn records_can_be_made_read_changed_and_deleted() {
    let tester = Tester::new();
    let made = tester
        .send(Method::POST, "/sobjects/Account", r#"{"Name":"Acme","AnnualRevenue":1000,"NumberOfEmployees":7}"#)
        .await;
    let id = tester.sandbox.world().ids("Account").next().expect("made");
    assert_eq!(made.shown(), format!(r#"201 {{"id":"{id}","success":true,"errors":[]}}"#));
    let changed = tester.send(Method::PATCH, &format!("/sobjects/Account/{id}"), r#"{"Name":"Acme \"2\""}"#).await;
    assert_eq!(changed.shown(), "204 ");
    assert_eq!(
        tester
            .get(&format!("/sobjects/Account/{id}?fields=Id,Name,AnnualRevenue,NumberOfEmployees,ParentId,CreatedDate"))
            .await
            .shown(),
        format!(
            r#"200 {{"attributes":{{"type":"Account","url":"/services/data/v66.0/sobjects/Account/{id}"}},"Id":"{id}","Name":"Acme \"2\"","AnnualRevenue":1000.0,"NumberOfEmployees":7,"ParentId":null,"CreatedDate":"2026-11-21T10:00:00.000+0000"}}"#
        )
    );
    assert!(tester.get(&format!("/sobjects/Account/{id}")).await.text.contains(r#""IsDeleted":false"#));
    assert_eq!(
        tester.send(Method::POST, "/sobjects/Account", r#"{"Nmae":"x"}"#).await.shown(),
        r#"400 [{"message":"No such column 'Nmae' on sobject of type Account","errorCode":"INVALID_FIELD"}]"#
    );
    assert!(tester.send(Method::POST, "/sobjects/Account", "{").await.shown().contains("JSON_PARSER_ERROR"));
}

#[tokio::test(start_paused = true)]
async fn records_are_read_by_id_with_null_for_what_is_not_there() {
    let tester = Tester::new();
    let lead = tester.add("Lead", &[("LastName", "A".into())]);
    let gone = tester.add("Lead", &[]);
    tester.delete(&format!("/sobjects/Lead/{gone}")).await;
    let body = format!(r#"{{"ids":["{gone}","{lead}","x"],"fields":["lastname"]}}"#);
    assert_eq!(
        tester.send(Method::POST, "/composite/sobjects/Lead", body).await.shown(),
        format!(
            r#"200 [null,{{"attributes":{{"type":"Lead","url":"/services/data/v66.0/sobjects/Lead/{lead}"}},"LastName":"A"}},null]"#
        )
    );
}

#[tokio::test(start_paused = true)]
async fn describes_children_the_way_deletion_treats_them() {
    let tester = Tester::new();
    let described: serde_json::Value =
        serde_json::from_str(&tester.get("/sobjects/account/describe").await.text).expect("JSON");
    let flags: Vec<String> = described["childRelationships"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|child| {
            let flag = |name: &str| child[name].as_bool().expect("a flag");
            let name = |name: &str| child[name].as_str().unwrap_or("-").to_owned();
            format!(
                "{}.{} {} cascade={} restricted={}",
                name("childSObject"),
                name("field"),
                name("relationshipName"),
                flag("cascadeDelete"),
                flag("restrictedDelete")
            )
        })
        .collect();
    assert_eq!(
        flags,
        [
            "Account.ParentId ChildAccounts cascade=false restricted=false",
            "Case.AccountId Cases cascade=false restricted=true",
            "Contact.AccountId Contacts cascade=true restricted=false",
            "Lead.ConvertedAccountId - cascade=false restricted=false",
            "Log__c.Account__c Logs__r cascade=false restricted=false",
            "Opportunity.AccountId Opportunities cascade=true restricted=false",
            "Task.WhatId Tasks cascade=true restricted=false",
        ]
    );
    assert_eq!((&described["keyPrefix"], &described["deletable"]), (&"001".into(), &true.into()));
    let field = |name: &str| {
        described["fields"].as_array().expect("a list").iter().find(|field| field["name"] == name).cloned().expect("there")
    };
    assert_eq!(field("CreatedDate")["type"], "datetime");
    assert_eq!(field("ParentId")["referenceTo"], serde_json::json!(["Account"]));
    assert_eq!(field("ParentId")["relationshipName"], "Parent");
    assert_eq!(field("Id")["type"], "id");
    assert_eq!(field("AnnualRevenue")["type"], "currency");
    let all: serde_json::Value = serde_json::from_str(&tester.get("/sobjects").await.text).expect("JSON");
    assert_eq!((&all["encoding"], &all["maxBatchSize"]), (&"UTF-8".into(), &200.into()));
    assert_eq!(all["sobjects"].as_array().expect("a list").len(), 10);
    assert_eq!(tester.get("/sobjects/Nothing/describe").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn limits_need_a_permission_and_counts_drop_unknown_names() {
    let tester = Tester::new();
    tester.add("Lead", &[]);
    let limits: serde_json::Value = serde_json::from_str(&tester.get("/limits").await.text).expect("JSON");
    assert_eq!(limits["DailyApiRequests"], serde_json::json!({ "Max": 5_000_000, "Remaining": 4_999_999 }));
    assert_eq!(
        tester.get("/limits/recordCount?sObjects=Lead,Nothing,account").await.shown(),
        r#"200 {"sObjects":[{"count":1,"name":"Lead"},{"count":0,"name":"Account"}]}"#
    );
    let user = tester.sandbox.world().first_user();
    tester.sandbox.world().set_permissions(user, Permissions { view_setup: false, ..Permissions::default() });
    assert_eq!(tester.get("/limits").await.status, 403);
}
