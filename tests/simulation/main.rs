//! Whole lives of the program in one thread and no time: the real verbs over the real providers, joined to the sandbox, with the store
//! on a simulated disk. Everything comes from one number, so that a life that ended badly can be lived again.
#![expect(clippy::disallowed_methods, reason = "a test asks how many lives it shall live, and reads evidence back")]
#![expect(clippy::print_stdout, reason = "it tells the numbers of its lives")]

mod life;
mod process;
mod project;
mod promises;
mod stage;
mod step;
#[path = "../support/mod.rs"]
mod support;
mod transcript;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::LazyLock;

use life::simulate;
use transcript::Transcript;

/// How many lives are lived unless `PROPTEST_CASES` says otherwise.
const USUAL: u64 = 24;

/// The numbers of the lives; those after `PROPTEST_RNG_SEED` where it is set.
fn seeds() -> impl Iterator<Item = u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("PROPTEST_RNG_SEED").unwrap_or(1);
    (0..number("PROPTEST_CASES").unwrap_or(USUAL)).map(move |seed| first + seed)
}

/// The lives, lived once for all tests.
static LIVES: LazyLock<BTreeMap<u64, Transcript>> = LazyLock::new(|| seeds().map(|seed| (seed, simulate(seed))).collect());

#[test]
fn a_life_that_is_lived_again_is_the_same_to_the_byte() {
    for (seed, life) in &*LIVES {
        assert_eq!(life.difference(&simulate(*seed)), None, "life {seed}");
    }
}

/// What is by chance once in a process, as the order of a `HashMap` of std may be, shows in another one.
#[test]
fn another_process_lives_the_same_lives() {
    let ours: BTreeMap<u64, String> = LIVES.iter().map(|(seed, life)| (*seed, life.digest().to_string())).collect();
    let program = std::env::current_exe().expect("this program");
    let words = ["--exact", "--ignored", "--nocapture", "tells_its_lives"];
    let output = Command::new(program).args(words).output().expect("another process");
    let text = String::from_utf8(output.stdout).expect("text");
    let told = text.lines().filter_map(|line| line.strip_prefix("lived ")?.split_once(' '));
    let theirs: BTreeMap<u64, String> =
        told.map(|(seed, digest)| (seed.parse().expect("a number"), digest.to_owned())).collect();
    let others: Vec<u64> = ours.keys().filter(|seed| ours.get(seed) != theirs.get(seed)).copied().collect();
    assert!(others.is_empty() && !ours.is_empty(), "lived in another way elsewhere: {others:?}");
}

/// What the other process does. With `--nocapture` it is also how to read a life.
#[test]
#[ignore = "run by another test, in a process of its own"]
fn tells_its_lives() {
    for (seed, life) in &*LIVES {
        println!("{life}\nlived {seed} {}", life.digest());
    }
}

#[test]
fn lives_are_eventful() {
    // A handful that somebody asked for need not be.
    if (LIVES.len() as u64) < USUAL {
        return;
    }
    let events = [
        ("ended None", "nobody died"),
        ("trouble: Some(StopAt(", "nobody wanted a command to stop"),
        ("$ sexton apply --continue", "nothing was continued"),
        ("$ sexton state abandon", "nobody abandoned a run"),
        (" was used: its apply finished", "no used plan was refused"),
        ("RestoreState", "no older state was restored"),
        ("RestorePlan", "no earlier plan was restored"),
        ("more of its records are planned by policy", "no policies overlap"),
        ("soft-and-hard: ", "no soft and hard policies overlap"),
        ("clock: this machine's clock is ", "no clock was wrong"),
        ("the person writes Hold", "no hold was written"),
        ("the person writes Limit", "no limit was changed"),
    ];
    let missing: Vec<&str> = events
        .iter()
        .filter(|(event, _)| !LIVES.values().any(|life| life.has(event)))
        .map(|(_, missing)| *missing)
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}
