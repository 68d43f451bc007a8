//! A policy that was widened, through the program: what people, comments and machines are told.

use serde_json::{Value as Json, json};
use sexton::sandbox::Value;

use crate::service::Service;
use crate::workplace::{Workplace, policy};

#[test]
fn what_a_policy_adds_is_told_everywhere_and_refused_until_it_is_accepted() {
    let (service, _) = Service::of_leads(10);
    let add = |count: usize, company: &str| {
        for _ in 0..count {
            let fields = [("LastName", Value::from("x")), ("Company", company.into())];
            service.sandbox.world().insert("Lead", fields).expect("a lead");
        }
    };
    add(4, "Gone");
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan", "--out", "plans/reviewed"]);
    add(2, "Old");
    let widened = |most: u64| {
        policy("")
            .replace("Company = 'Old'", "Company IN ('Old', 'Gone')")
            .replace("maxPercent: 100", &format!("maxPercent: 100, maxWidened: {most}"))
    };
    place.write("policies.yaml", &widened(3));
    let shown = place.shown(&place.expect(4, &["plan", "--base", "plans/reviewed"]));
    let told = |label: &str| {
        let lines = shown.lines().filter_map(|line| line.trim_start().strip_prefix(label));
        lines.map(str::trim).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(told("why "), "4 more by the policy, 2 more by the data");
    assert_eq!(
        told("REFUSED "),
        "max-widened: the policy adds 4 records to the base, and `limits.maxWidened` is 3: narrow the filter, or write \
         `maxWidened: 4` at policies.yaml:8:48 to accept them"
    );
    place.expect(4, &["apply", "plan"]);

    place.write("policies.yaml", &widened(4));
    let output = place.expect(0, &["plan", "--base", "plans/reviewed", "--json"]).stdout;
    let lines = String::from_utf8(output).expect("text");
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let planned = lines.iter().find(|line| line["type"] == "policy_planned").expect("a policy");
    let numbers = json!({
        "addedByPolicy": 4, "addedByData": 2, "droppedByPolicy": 0, "droppedByData": 0, "holdsChanged": false
    });
    assert_eq!(planned["changes"]["attribution"], numbers);
    assert_eq!(planned["changes"]["cause"], "policy-and-data");
    let sealed: Json = serde_json::from_str(&place.read("plan/plan.json")).expect("JSON");
    assert_eq!(sealed["policies"][0]["comparison"]["attribution"], numbers);
    assert_eq!(sealed["policies"][0]["comparison"].get("notAttributed"), None);
    assert_eq!(sealed["policies"][0]["settings"]["maxWidened"], 4);
    let comment = place.shown(&place.expect(0, &["show", "plan", "--format", "markdown"]));
    assert!(comment.contains("| 6 (4 by the policy) | 0 |"), "{comment}");
    assert!(comment.contains("\n- why: 4 more by the policy, 2 more by the data\n"), "{comment}");
    place.expect(0, &["apply", "plan"]);
    assert_eq!(service.sandbox.world().count("Lead"), 0);
}
