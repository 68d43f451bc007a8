//! The columns of queries, compared with the recorded shape.

use insta::assert_snapshot;

use crate::sandbox::salesforce::testing::Tester;

#[tokio::test(start_paused = true)]
async fn a_query_tells_its_columns_instead_of_its_rows() {
    let tester = Tester::new();
    tester.add("Account", &[]);
    let columns = tester.get("/query?q=SELECT+id,+Name,+Phone,+OwnerId+FROM+Account&columns=true").await;
    assert_snapshot!(columns.shown(), @r#"200 {"columnMetadata":[{"aggregate":false,"apexType":"Id","booleanType":false,"columnName":"Id","custom":false,"displayName":"Id","foreignKeyName":null,"insertable":false,"joinColumns":[],"numberType":false,"textType":false,"updatable":false},{"aggregate":false,"apexType":"String","booleanType":false,"columnName":"Name","custom":false,"displayName":"Name","foreignKeyName":null,"insertable":true,"joinColumns":[],"numberType":false,"textType":true,"updatable":true},{"aggregate":false,"apexType":"String","booleanType":false,"columnName":"Phone","custom":false,"displayName":"Phone","foreignKeyName":null,"insertable":true,"joinColumns":[],"numberType":false,"textType":true,"updatable":true},{"aggregate":false,"apexType":"Id","booleanType":false,"columnName":"OwnerId","custom":false,"displayName":"OwnerId","foreignKeyName":null,"insertable":true,"joinColumns":[],"numberType":false,"textType":false,"updatable":true}],"entityName":"Account","groupBy":false,"idSelected":true,"keyPrefix":"001"}"#);
    let whole = tester.get("/query?q=SELECT+Id+FROM+Account&columns=false").await;
    assert!(whole.text.contains("totalSize"), "{}", whole.text);
}

#[tokio::test(start_paused = true)]
async fn fields_of_parents_stand_below_them_and_counts_are_aggregates() {
    let tester = Tester::new();
    let names = |text: &str| -> Vec<String> {
        let body: serde_json::Value = serde_json::from_str(text).expect("JSON");
        fn walk(columns: &serde_json::Value) -> String {
            let named = columns.as_array().into_iter().flatten().map(|column| {
                let below = walk(&column["joinColumns"]);
                let below = if below.is_empty() { below } else { format!("({below})") };
                let kind = column["apexType"].as_str().or(column["foreignKeyName"].as_str()).unwrap_or("none");
                format!("{}:{kind}{below}", column["columnName"].as_str().unwrap_or(""))
            });
            named.collect::<Vec<_>>().join(" ")
        }
        vec![walk(&body["columnMetadata"]), body["idSelected"].to_string(), body["keyPrefix"].to_string()]
    };
    let query = "/query?q=SELECT+Name,Account.Name,Account.Owner.Name,CreatedDate,Account.Id+FROM+Contact&columns=true";
    let columns = tester.get(query).await;
    assert_eq!(
        names(&columns.text),
        [
            "Name:String Account:AccountId(Name:String Owner:OwnerId(Name:String) Id:Id) CreatedDate:Datetime",
            "false",
            "\"003\""
        ]
    );
    let counted = tester.get("/query?q=SELECT+COUNT(Id)+n+FROM+Contact&columns=true").await;
    assert_eq!(names(&counted.text)[0], "n:none");
    assert!(
        counted.text.contains(r#""aggregate":true"#) && counted.text.contains(r#""displayName":"count(Id)""#),
        "{}",
        counted.text
    );
    let wrong = tester.get("/query?q=SELECT+Nothing+FROM+Contact&columns=true").await;
    assert!(wrong.shown().starts_with("400") && wrong.text.contains("INVALID_FIELD"), "{}", wrong.shown());
}
