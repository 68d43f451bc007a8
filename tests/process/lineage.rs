//! Which project a state belongs to.

use super::service::Service;
use super::workplace::{Workplace, policy};

fn project(lineage: &str) -> String {
    format!("apiVersion: sexton/v1\nkind: Project\nmetadata: {{ name: retention }}\nspec: {{ lineage: {lineage} }}\n")
}

fn lineage_of_state(place: &Workplace) -> String {
    let state: serde_json::Value = serde_json::from_str(&place.read(".sexton/state.json")).expect("the state");
    state["lineage"].as_str().expect("text").to_owned()
}

#[test]
fn every_new_project_has_a_lineage_of_its_own() {
    let place = Workplace::new("http://127.0.0.1:1", "");
    let made = ["one", "two"].map(|directory| {
        place.expect(0, &["-C", directory, "init"]);
        let text = place.read(&format!("{directory}/sexton.yaml"));
        let line = text.lines().find_map(|line| line.trim().strip_prefix("lineage: ")).expect("a lineage").to_owned();
        line.split(' ').next().expect("a word").to_owned()
    });
    assert!(made.iter().all(|lineage| lineage.len() == 36 && !lineage.starts_with("00000000-0000")), "{made:?}");
    assert_ne!(made[0], made[1]);
}

#[test]
fn a_state_of_another_lineage_than_the_manifests_is_refused() {
    let (service, _) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    place.write("project.yaml", &project("ours"));
    place.expect(0, &["plan"]);
    assert_eq!(lineage_of_state(&place), "ours");
    place.write("project.yaml", &project("theirs"));
    for words in [&["plan"][..], &["apply", "plan"], &["apply", "--continue"], &["state", "list"]] {
        let told = place.told(&place.expect(1, words));
        assert!(
            told.contains("is the state of another project: its lineage is ours, and that of the manifests is theirs"),
            "{told}"
        );
    }
    assert_eq!(service.sandbox.world().count("Lead"), 3);
    place.write("project.yaml", &project("ours"));
    place.expect(0, &["apply", "plan"]);
    assert_eq!(service.sandbox.world().count("Lead"), 0);
}
