//! What a plan seals: apply takes nothing of it on the bundle's word that the manifests say too.
#![expect(clippy::disallowed_methods, reason = "it alters files of a plan")]

mod support;

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use sexton::base::{Digest, Exit};
use sexton::report::{PlanView, plan_markdown};
use sexton::sandbox::World;
use support::{Bench, start};

fn policy(most: u64) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: leads }}\nspec:\n  target: crm\n  object: Lead\n  \
         filter: everything\n  limits: {{ maxRecords: {most}, maxPercent: 100 }}\n"
    )
}

fn bench() -> Bench {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", 3, 7).expect("leads");
    let bench = Bench::new(world);
    bench.declare(&policy(10));
    bench
}

/// Every setting, also those that [`policy`] does not give and a plan then leaves out.
const SETTINGS: [&str; 15] = [
    "target",
    "object",
    "delete",
    "justification",
    "allOrNone",
    "limits",
    "via",
    "concurrency",
    "groupBy",
    "dependsOn",
    "recheck",
    "sendAs",
    "reviewFields",
    "reviewBy",
    "accept",
];

/// Another value of each setting than the one in [`policy`].
fn other(setting: &str) -> Value {
    match setting {
        "target" => json!("billing"),
        "object" => json!("Contact"),
        "delete" => json!("hard"),
        "justification" => json!("because"),
        "allOrNone" => json!("perRequest"),
        "limits" => json!({ "maxRecords": 11, "maxPercent": 100 }),
        "via" => json!("bulk2"),
        "concurrency" => json!("serial"),
        "groupBy" => json!("Company"),
        "dependsOn" => json!(["others"]),
        "recheck" => json!("unchanged"),
        "sendAs" => json!("query"),
        "reviewFields" => json!(["Company"]),
        "reviewBy" => json!("2099-01-31"),
        "accept" => json!({ "unknownCascades": ["Task"] }),
        other => panic!("give `{other}` another value here"),
    }
}

/// Whether a value is `null`, or holds one.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Policy tools ask whether a key is there, and compare numbers.
#[tokio::test(start_paused = true)]
async fn a_plan_leaves_out_what_is_absent_and_its_numbers_are_numbers() {
    let bench = bench();
    bench.plan().await.expect("planned");
    let sealed = fs::read(bench.plan_directory().join("plan.json")).expect("a plan");
    let sealed: Value = serde_json::from_slice(&sealed).expect("JSON");
    assert!(!has_null(&sealed), "{sealed:#}");
    assert_eq!(sealed["policies"][0]["settings"]["limits"]["maxPercent"], json!(100));
}

#[tokio::test(start_paused = true)]
async fn a_plan_with_any_other_setting_than_the_manifests_is_refused() {
    let bench = bench();
    bench.plan().await.expect("planned");
    let file = |name: &str| bench.plan_directory().join(name);
    let sealed: Value = serde_json::from_slice(&fs::read(file("plan.json")).expect("a plan")).expect("JSON");
    let sums = fs::read_to_string(file("SHA256SUMS")).expect("sums");
    let (_, other_sums) = sums.split_once('\n').expect("lines");
    bench.transport.forget();
    let settings = sealed["policies"][0]["settings"].as_object().expect("settings");
    assert!(
        settings.keys().all(|key| SETTINGS.contains(&key.as_str())),
        "a new setting belongs into the list: {settings:?}"
    );
    for setting in SETTINGS {
        let mut altered = sealed.clone();
        altered["policies"][0]["settings"][setting] = other(setting);
        let text = format!("{}\n", serde_json::to_string_pretty(&altered).expect("JSON"));
        fs::write(file("plan.json"), &text).expect("written");
        fs::write(file("SHA256SUMS"), format!("{}  plan.json\n{other_sums}", Digest::of(text.as_bytes()))).expect("written");
        let error = bench.apply().await.expect_err(setting);
        assert_eq!(error.exit, Exit::PlanUnusable, "{setting}: {error} {:?}", error.notes);
        let named = format!("policy `leads`: the manifests give a different `{setting}`");
        assert!(error.notes.contains(&named), "{error} {:?}", error.notes);
    }
    assert_eq!(bench.transport.demands(), [], "nothing was asked for");
    assert_eq!(bench.sandbox.world().count("Lead"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_pull_request_shows_how_the_manifests_changed_since_the_plan_before() {
    let bench = bench();
    let shown = |bench: &Bench| {
        let bundle = bench.bundle();
        let view = PlanView { header: bundle.header(), digest: None, samples: &BTreeMap::new(), place: "plan" };
        plan_markdown(&view, 65_000)
    };
    bench.plan().await.expect("planned");
    assert!(!shown(&bench).contains("Manifests changed"), "{}", shown(&bench));
    bench.declare(&policy(20));
    bench.plan().await.expect("planned");
    let text = shown(&bench);
    assert!(text.contains("Manifests changed since plan "), "{text}");
    assert!(
        text.contains("\n-  limits: { maxRecords: 10, maxPercent: 100 }\n+  limits: { maxRecords: 20, maxPercent: 100 }\n"),
        "{text}"
    );
}
