//! `allOrNone`: the groups that were reviewed, and what becomes of one that fails.

mod support;

use std::collections::BTreeMap;

use sexton::base::Exit;
use sexton::base::PolicyName;
use sexton::command::AppliedPlan;
use sexton::sandbox::{ItemError, RecordKey, World};
use support::{Bench, start};

const LEADS: u32 = 450;

/// A plan to delete all leads in atomic groups of 200, of which the ones at these places are refused by the system.
async fn planned(culprits: &[usize]) -> (Bench, Vec<RecordKey>) {
    planned_as("perRequest", culprits).await
}

async fn planned_as(all_or_none: &str, culprits: &[usize]) -> (Bench, Vec<RecordKey>) {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", LEADS, 7).expect("leads");
    let leads: Vec<RecordKey> = world.ids("Lead").collect();
    for place in culprits {
        world.refuse(leads[*place], ItemError::new("FIELD_CUSTOM_VALIDATION_EXCEPTION", "keep me"), None);
    }
    let bench = Bench::new(world);
    bench.declare(&format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: leads }}\nspec:\n  target: crm\n  object: Lead\n  \
         filter: Company != 'Keep'\n  allOrNone: {all_or_none}\n  limits: {{ maxRecords: 1000, maxPercent: 100 }}\n",
    ));
    bench.plan().await.expect("planned");
    (bench, leads)
}

/// How many records came to which end.
fn ends(bench: &Bench) -> BTreeMap<String, usize> {
    let mut ends = BTreeMap::new();
    for row in bench.outcomes(&PolicyName::new("leads").expect("a name")) {
        let key = RecordKey::parse(row.id.as_str()).expect("an id");
        assert_eq!(bench.sandbox.world().exists(key), row.outcome != "deleted", "{key} is {}", row.outcome);
        *ends.entry([row.outcome, row.cause, row.code].join(" ").trim().to_owned()).or_default() += 1;
    }
    ends
}

fn counted<const N: usize>(ends: [(&str, usize); N]) -> BTreeMap<String, usize> {
    ends.into_iter().map(|(end, count)| (end.to_owned(), count)).collect()
}

fn settled(applied: &AppliedPlan) {
    assert_eq!(applied.unfinished, Vec::<String>::new());
    assert_eq!(applied.exit, Exit::SomeFailed);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_fails_stays_and_names_the_record() {
    let (bench, _) = planned(&[7]).await;
    let route = bench.bundle().header().policies[0].route.clone().expect("a route");
    assert_eq!(route.reason, "450 records, 3 atomic groups of 200, each all or none, through sObject Collections");
    settled(&bench.apply().await.expect("applied"));
    let expected = [("deleted", 250), ("failed  FIELD_CUSTOM_VALIDATION_EXCEPTION", 1), ("skipped rolled-back", 199)];
    assert_eq!(ends(&bench), counted(expected));
}

#[tokio::test(start_paused = true)]
async fn a_failing_record_is_isolated_on_request() {
    let (bench, leads) = planned(&[7, 130, 440]).await;
    settled(&bench.apply_isolating().await.expect("applied"));
    let expected = [("deleted", 447), ("failed  FIELD_CUSTOM_VALIDATION_EXCEPTION", 3)];
    assert_eq!(ends(&bench), counted(expected));
    assert!([7, 130, 440].iter().all(|place| bench.sandbox.world().exists(leads[*place])));
}

#[tokio::test(start_paused = true)]
async fn a_whole_policy_of_more_than_one_call_stays_when_one_record_fails() {
    let (bench, _) = planned_as("true", &[300]).await;
    // Isolation is for groups: here it is the whole policy or nothing.
    settled(&bench.apply_isolating().await.expect("applied"));
    assert_eq!(ends(&bench), counted([("failed  FIELD_CUSTOM_VALIDATION_EXCEPTION", 1), ("skipped rolled-back", 449)]));
    let (bench, _) = planned_as("true", &[]).await;
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    assert_eq!(ends(&bench), counted([("deleted", 450)]));
}

#[tokio::test(start_paused = true)]
async fn groups_are_those_of_the_plan_whatever_the_recheck_keeps_back() {
    let (bench, leads) = planned(&[]).await;
    bench.sandbox.world().update(leads[10], "Company", "Keep").expect("known");
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    let mut demands = bench.transport.demands();
    demands.sort_by(|one, other| one.ids.cmp(&other.ids));
    let groups: Vec<(String, usize)> = demands.iter().map(|demand| (demand.ids[0].clone(), demand.ids.len())).collect();
    let begins = |place: usize| leads[place].to_string();
    assert_eq!(groups, [(begins(0), 199), (begins(200), 200), (begins(400), 50)]);
}
