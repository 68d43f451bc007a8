//! A project at the root of a repository, beside the files of other tools; and how one begins there.

use std::sync::Arc;

use serde_json::Value as Json;
use sexton::sandbox::fulcrum::Organization;
use sexton::sandbox::seed::Seed;
use sexton::sandbox::{Sandbox, Tenant};

use crate::service::{Memory, Service, start};
use crate::workplace::{Workplace, policy};

const HOLD: &str = "apiVersion: sexton/v1
kind: Hold
metadata: { name: acme }
spec: { target: crm, object: Lead, filter: Company = 'Acme', reason: the lawsuit }
";

/// Files that lie in many repositories, none of them Sexton's.
const OTHERS: [(&str, &str); 10] = [
    (".gitlab-ci.yml", "stages: [test]\ntest:\n  script: !reference [.setup, script]\n"),
    (".pre-commit-config.yaml", "repos:\n  - repo: https://github.com/pre-commit/pre-commit-hooks\n    rev: v4.6.0\n"),
    (
        "charts/web/templates/project.yaml",
        "{{- if .Values.on }}\napiVersion: argoproj.io/v1alpha1\nkind: Project\n{{- end }}\n",
    ),
    ("charts/web/values.yaml", "image:\n\ttag: tabbed\n"),
    ("deploy/app.yaml", "apiVersion: v1\nkind: ConfigMap\n---\napiVersion: apps/v1\nkind: Deployment\n"),
    ("docker-compose.yml", "services:\n  db: { image: postgres }\n"),
    ("docs/latin.yaml", "title: caf\u{e9}\n"),
    ("empty.yaml", "# nothing yet\n"),
    ("mkdocs.yml", "markdown_extensions:\n  - x: !!python/name:material.extensions.emoji.twemoji\n"),
    (".github/workflows/sexton.yaml", "on: push\n"),
];

fn repository() -> (Service, Workplace) {
    let (service, _keys) = Service::of_leads(5);
    let place = Workplace::new(&service.url, &policy(""));
    for (name, text) in OTHERS {
        place.write(name, text);
    }
    place.write("api/openapi.yaml", &"# a line of a large description\n".repeat(60_000));
    (service, place)
}

#[test]
fn a_project_lives_beside_the_files_of_other_tools() {
    let (_service, place) = repository();
    assert_shown!(place.shown(&place.expect(0, &["validate"])), @"
    valid: 1 target, 1 policy, 0 holds
    2 files read, 10 passed over; `sexton validate --files` lists them
    ");
    assert_shown!(place.shown(&place.expect(0, &["validate", "--files"])), @"
    read         policies.yaml
    read         target.yaml
    passed over  .github: a hidden directory, not searched
    passed over  .gitlab-ci.yml: no document of it is Sexton's
    passed over  .pre-commit-config.yaml: no document of it is Sexton's
    passed over  api/openapi.yaml: no document of it is Sexton's
    passed over  charts/web/templates/project.yaml: no document of it is Sexton's
    passed over  charts/web/values.yaml: no document of it is Sexton's
    passed over  deploy/app.yaml: no document of it is Sexton's
    passed over  docker-compose.yml: no document of it is Sexton's
    passed over  docs/latin.yaml: no document of it is Sexton's
    passed over  empty.yaml: no document of it is Sexton's
    passed over  mkdocs.yml: no document of it is Sexton's
    valid: 1 target, 1 policy, 0 holds
    ");
    let output = place.expect(0, &["validate", "--files", "--json"]).stdout;
    let lines: Vec<Json> =
        String::from_utf8_lossy(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let files = lines.iter().find(|line| line["type"] == "files").expect("the files");
    assert_eq!((&files["readCount"], &files["passedOverCount"]), (&2.into(), &10.into()));
    assert_eq!(files["read"], serde_json::json!(["policies.yaml", "target.yaml"]));
    assert_eq!(files["passedOver"].as_array().map(Vec::len), Some(11), "with the hidden directory");
    let output = place.expect(0, &["validate", "--json"]).stdout;
    assert!(String::from_utf8_lossy(&output).contains(r#""passedOverCount":10}"#));

    place.expect(0, &["plan"]);
    let sealed = place.read("plan/plan.json");
    assert!(sealed.contains("policies.yaml") && !sealed.contains("docker-compose"), "a plan seals manifests alone");
    place.expect(0, &["apply", "plan"]);
}

#[test]
fn a_hold_is_never_passed_over() {
    for (wrong, title) in [
        (HOLD.replace("apiVersion: sexton/v1\n", ""), "a document needs `apiVersion`"),
        (HOLD.replace("sexton/v1", "v1"), "the format `v1` is not known"),
        (HOLD.replace("kind: Hold", "kind: Holds"), "the kind `Holds` is not known"),
        (HOLD.replace("reason: the", "reason: 'the"), "the text is not YAML"),
        (format!("theirs: 1\n---\n{HOLD}"), "a document needs `apiVersion`"),
        (format!("{HOLD}# {}\n", "x".repeat(1 << 20)), "more than the 1,048,576 a manifest may have"),
    ] {
        let (_service, place) = repository();
        place.write("holds/acme.yaml", &wrong);
        let told = place.told(&place.expect(1, &["validate"]));
        assert!(told.contains("holds/acme.yaml") && told.contains(title), "{told}");
        place.write(".sextonignore", "holds/\n");
        let told = place.told(&place.expect(1, &["plan"]));
        assert!(told.contains("`.sextonignore` names `holds/acme.yaml`, in which there is a hold"), "{told}");
    }
}

#[test]
fn what_looks_like_sextons_and_is_not_can_be_ignored() {
    let (_service, place) = repository();
    place.write("templates/policy.yaml", "{{ range .Policies }}\napiVersion: sexton/v1\nkind: DeletionPolicy\n{{ end }}\n");
    place.write("cdk/project.yaml", "kind: Project\nname: web\n");
    let told = place.told(&place.expect(1, &["validate"]));
    assert!(told.contains("templates/policy.yaml") && told.contains("cdk/project.yaml"), "{told}");
    assert!(told.contains("name it in `.sextonignore`"), "{told}");
    place.write(".sextonignore", "# theirs\n/templates/\ncdk/*.yaml\n");
    let shown = place.shown(&place.expect(0, &["validate", "--files"]));
    assert!(shown.contains("passed over  cdk/project.yaml: named in .sextonignore\n"), "{shown}");
    place.write(".sextonignore", "[z-a]\n");
    let told = place.told(&place.expect(1, &["validate"]));
    assert!(told.contains("`.sextonignore` has no pattern in line 1: "), "{told}");
}

#[test]
fn a_manifest_where_sexton_writes_is_told_and_only_the_named_directories_are_such() {
    let (_service, place) = repository();
    // Not the plan directory any more, so what lies in it counts.
    place.write("plan/more.yaml", &policy("").replace("stale-leads", "more"));
    place.write(
        "project.yaml",
        "apiVersion: sexton/v1\nkind: Project\nmetadata: { name: a }\nspec: { planDirectory: out/plan }\n",
    );
    let shown = place.shown(&place.expect(0, &["validate"]));
    assert!(shown.contains("valid: 1 target, 2 policies, 0 holds"), "{shown}");
    place.write("out/plan/values.yaml", "a: 1\n");
    place.expect(0, &["validate"]);
    place.write("plans/pr-17/plan.json", "{}");
    place.write("plans/pr-17/SHA256SUMS", "");
    for (name, what) in [
        ("out/plan/hold.yaml", "the plan directory"),
        (".sexton/runs/hold.yaml", "the directory of the store"),
        ("plans/pr-17/records/hold.yaml", "the bundle of a plan"),
    ] {
        place.write(name, HOLD);
        let told = place.told(&place.expect(1, &["validate"]));
        assert!(told.contains(&format!("there is a manifest in {what}, where none is looked for: `{name}`")), "{told}");
        std::fs::remove_file(place.path().join(name)).expect("removed");
    }
    for wrong in ["../plan", "/tmp/plan", "a/../../b", "."] {
        let text =
            format!("apiVersion: sexton/v1\nkind: Project\nmetadata: {{ name: a }}\nspec: {{ planDirectory: {wrong} }}\n");
        place.write("project.yaml", &text);
        let told = place.told(&place.expect(1, &["validate"]));
        assert!(told.contains("project.yaml:4:"), "{told}");
        assert!(told.contains(&format!("the plan directory `{wrong}` is not one below the project's")), "{told}");
    }
}

#[test]
fn init_leads_to_a_first_plan_that_passes_for_each_system() {
    let generated = ["Lead=1000", "zuora/Account=20", "zuora/Usage=1000", "fulcrum/Park Inventory=1000"];
    let seed = Seed::default().with_generated(generated.map(|text| text.parse().expect("a count")));
    let (world, settings) = seed.build(start()).expect("a world");
    let service = Service::tapped(Sandbox::new(world, settings), Arc::new(Memory::default()));
    for system in ["salesforce", "zuora", "fulcrum"] {
        let place = Workplace::new(&service.url, "");
        place.expect(0, &["-C", "first", "init", "--system", system]);
        let manifest = place.read("first/sexton.yaml");
        assert!(manifest.contains("http://127.0.0.1:8800"), "the sandbox's usual address");
        place.write("first/sexton.yaml", &manifest.replace("http://127.0.0.1:8800", &service.url));
        let run = |code: i32, words: &[&str]| {
            let mut command = place.command(words);
            command.current_dir(place.path().join("first"));
            command.env("BILLING_PASSWORD", Tenant::PASSWORD).env("FIELD_DATA_TOKEN", Organization::TOKEN);
            let output = command.output().expect("the program");
            let shown = place.shown(&output);
            assert_eq!(output.status.code(), Some(code), "{system}: {shown}");
            shown
        };
        run(0, &["validate"]);
        let shown = run(2, &["plan", "--detailed-exitcode"]);
        assert!(shown.contains("gates      all passed") && shown.contains("by hold do-not-delete"), "{system}: {shown}");
        for left in ["sexton.schema.json", ".gitattributes", ".gitignore"] {
            assert!(!place.read(&format!("first/{left}")).is_empty(), "{left}");
        }
        let targets = ["crm", "billing", "field-data"].into_iter();
        let targets: Vec<&str> = targets.filter(|name| manifest.contains(&format!("name: {name} }}"))).collect();
        let [target] = targets.as_slice() else { panic!("{targets:?} in {manifest}") };
        run(0, &["apply", "plan", "--auto-approve", "--confirm-target", target]);
    }
}

#[test]
fn init_changes_no_file_and_says_which_lines_to_add() {
    let (_service, place) = repository();
    place.write("new/.gitattributes", "* text=auto\n");
    place.write("new/.gitignore", ".sexton/lease\n");
    assert_shown!(place.shown(&place.expect(0, &["-C", "new", "init"])), @"
    warning: new/.gitattributes was left as it is; add to it: `plan.json -text`, `SHA256SUMS -text`, `**/records/*.csv* -text`, `.sexton/** -text`
    warning: new/.gitignore was left as it is; add to it: `.*.new-*`, `.*.previous`, `.sexton/.lock`, `.sexton/.sexton-*`, `.sexton/calls/`, `.sexton/scratch/`
    wrote new/sexton.yaml: its first lines say how to try it; then edit it
    ");
    assert_eq!(place.read("new/.gitattributes"), "* text=auto\n");
    assert_eq!(place.read("new/.gitignore"), ".sexton/lease\n");
}

#[test]
fn a_checkout_that_changes_line_ends_is_told_and_the_attributes_prevent_it() {
    let git = |place: &Workplace, words: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "core.autocrlf=true"]);
        command.args(words).current_dir(place.path()).env("GIT_CONFIG_GLOBAL", "/dev/null").output()
    };
    let (_service, place) = repository();
    // Not every machine has git; where it is missing there is nothing to check out.
    if git(&place, &["init", "--quiet"]).is_err() {
        return;
    }
    // Not the directory that `init` could know of.
    place.expect(0, &["plan", "--out", "reviews/pr-17"]);
    let checkout = || {
        std::fs::remove_dir_all(place.path().join("reviews")).expect("removed");
        git(&place, &["checkout", "--quiet", "--", "reviews"]).expect("git");
    };
    for words in [&["add", "reviews"][..], &["commit", "--quiet", "-m", "plan"]] {
        assert!(git(&place, words).expect("git").status.success(), "{words:?}");
    }
    checkout();
    let told = place.told(&place.expect(5, &["apply", "reviews/pr-17"]));
    assert!(told.contains("probably because git changed them on checkout"), "{told}");
    place.expect(0, &["-C", "first", "init"]);
    // What the message says to write is what `init` writes.
    let lines = place.read("first/.gitattributes");
    let advised: Vec<&str> = told.split('`').filter(|quoted| quoted.ends_with(" -text")).collect();
    assert!(advised.len() == 3 && advised.iter().all(|line| lines.lines().any(|own| own == *line)), "{told}");
    std::fs::copy(place.path().join("first/.gitattributes"), place.path().join(".gitattributes")).expect("copied");
    std::fs::remove_dir_all(place.path().join("first")).expect("removed");
    checkout();
    place.expect(0, &["apply", "reviews/pr-17"]);
}
