//! Runs that ended long ago are removed, and no others.

use super::service::{Service, add_leads};
use super::workplace::{Workplace, policy};

/// The state, with the end of this run put at another moment.
fn ended(place: &Workplace, run: usize, finished: serde_json::Value) {
    let mut state: serde_json::Value = serde_json::from_str(&place.read(".sexton/state.json")).expect("the state");
    state["consumed"][run]["finished"] = finished;
    place.write(".sexton/state.json", &serde_json::to_string(&state).expect("JSON"));
}

/// The directories directly below one of the store.
fn names(place: &Workplace, below: &str) -> Vec<String> {
    let entries = std::fs::read_dir(place.path().join(".sexton").join(below)).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

#[test]
fn runs_that_ended_long_ago_are_pruned_and_unfinished_ones_never() {
    let (service, _) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    let runs = [(), (), ()].map(|()| {
        add_leads(&mut service.sandbox.world(), 2, "Old");
        let before = names(&place, "runs");
        place.expect(0, &["plan"]);
        place.expect(0, &["apply", "plan"]);
        names(&place, "runs").into_iter().find(|name| !before.contains(name)).expect("a run")
    });
    ended(&place, 0, "2020-02-29T12:00:00Z".into());
    // As if it had never ended, however long ago it began.
    ended(&place, 1, serde_json::Value::Null);
    let state = place.read(".sexton/state.json");
    let pruned = place.expect(0, &["state", "prune", "--older-than", "1 hour"]);
    assert!(place.told(&pruned).contains("removed 1 run that ended before"), "{}", place.told(&pruned));
    let mut left = vec![runs[1].clone(), runs[2].clone()];
    left.sort();
    assert_eq!((names(&place, "runs"), names(&place, "plans")), (left.clone(), left));
    assert_eq!(place.read(".sexton/state.json"), state, "which plans were used, and the history, are known as before");
    let again = place.expect(0, &["state", "prune", "--older-than", "1 hour"]);
    assert!(place.told(&again).contains("removed 0 runs"), "{}", place.told(&again));
    place.expect(1, &["state", "prune"]);
    place.expect(1, &["state", "prune", "--older-than", "90"]);
    // What is needed later was not removed.
    place.expect(0, &["apply", "--continue"]);
    place.expect(0, &["plan"]);
}
