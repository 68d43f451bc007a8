//! Many policies within a few open files.

use std::process::{Command, Output};

use crate::service::{Service, add_leads, builder};
use crate::workplace::Workplace;

/// As the promise says. A process that keeps files open for every policy has none left long before the end.
const OPEN_FILES: u32 = 256;

const POLICIES: usize = 400;

/// Few, so that more policies have something to delete than there are open files.
const HELD_EVERY: usize = 8;

/// Policies that each select one company's lead, and holds that keep some of these.
fn documents() -> String {
    let policy = |number: usize| {
        format!(
            "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: leads-{number:03} }}\nspec:\n  target: crm\n  object: Lead\n  \
             filter: Company = 'C{number}'\n  limits: {{ maxRecords: 10, maxPercent: 100 }}\n---\n"
        )
    };
    let hold = |number: usize| {
        format!(
            "apiVersion: sexton/v1\nkind: Hold\nmetadata: {{ name: hold-{number:03} }}\nspec:\n  target: crm\n  object: Lead\n  \
             filter: Company = 'C{number}'\n  reason: Matter {number}\n---\n"
        )
    };
    let project =
        "apiVersion: sexton/v1\nkind: Project\nmetadata: { name: many }\nspec:\n  objectLimits: { maxRecords: 1000 }\n---\n";
    std::iter::once(project.to_owned())
        .chain((0..POLICIES).map(policy))
        .chain((0..POLICIES).step_by(HELD_EVERY).map(hold))
        .collect()
}

/// Runs the program in a shell that allows it so many open files.
fn run_within(place: &Workplace, words: &[&str]) -> Output {
    let program = place.command(words);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {OPEN_FILES}; exec \"$0\" \"$@\"")]).arg(program.get_program());
    shell.args(program.get_args()).current_dir(place.path()).env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.output().expect("the program")
}

#[test]
fn four_hundred_policies_plan_and_apply_within_256_open_files() {
    let mut world = builder().build().expect("a world");
    for number in 0..POLICIES {
        add_leads(&mut world, 1, &format!("C{number}"));
    }
    let service = Service::of(world);
    let place = Workplace::new(&service.url, &documents());
    let planned = run_within(&place, &["plan"]);
    assert_eq!(planned.status.code(), Some(0), "{}", place.shown(&planned));
    let told = place.shown(&planned);
    let held = POLICIES / HELD_EVERY;
    assert!(told.contains(&format!("Plan: {} to delete, {held} held", POLICIES - held)), "{told}");

    let applied = run_within(&place, &["apply", "plan"]);
    let told = place.shown(&applied);
    assert_eq!(applied.status.code(), Some(0), "{told}");
    assert_eq!(service.sandbox.world().count("Lead"), held as u64, "{told}");
}
