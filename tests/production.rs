//! Production: what is not known to be none is not treated as none, and a person confirms it by name.

mod support;

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex};

use clap::Parser as _;
use futures::future::LocalBoxFuture;
use sexton::base::{Clock, CommandError, Exit};
use sexton::command::{self, Shell, Verb as _};
use sexton::report::View;
use sexton::sandbox::{Effect, Fault, Organization, Permissions, World, WorldBuilder};
use sexton::select::Context;
use sexton::store::Files;
use support::route::System;
use support::wire::locked;
use support::{ADDRESS, Bench, start};
use tokio_util::sync::CancellationToken;

fn policy(more: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: leads }}\nspec:\n  target: crm\n  object: Lead\n  \
         filter: everything\n  limits: {{ maxRecords: 1000, maxPercent: 100 }}\n{more}"
    )
}

/// A bench with leads, in an organization that is production or not.
fn bench(leads: u32, is_sandbox: bool) -> Bench {
    let organization = World::builder().start(start()).build().expect("a world").organization().clone();
    let organization = Organization { is_sandbox, ..organization };
    let mut world = World::builder().start(start()).organization(organization).build().expect("a world");
    world.generate("Lead", leads, 7).expect("leads");
    world.set_permissions(WorldBuilder::user_key(1), Permissions { hard_delete: true, ..Permissions::default() });
    Bench::new(world)
}

/// Writes a target that says this of its environment, and the policy.
fn declare(bench: &Bench, environment: &str, more: &str) {
    let target = System::Salesforce.document(ADDRESS, None).replace("  environment: sandbox\n", environment);
    bench.write("sexton.yaml", &format!("{target}{}", policy(more)));
}

/// From now on the next login is not told whether its organization is production.
fn silence(bench: &Bench) {
    let body = r#"[{"message":"insufficient access","errorCode":"INSUFFICIENT_ACCESS"}]"#.to_owned();
    let then = Effect::Respond { status: 403, content_type: None, body, retry_after: None };
    bench.sandbox.clear_faults();
    // The first query of a sign-in is the one for the organization.
    bench.sandbox.add_fault(Fault::on("GET", "*/query", then).nth(1));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_not_told_whether_it_is_production_deletes_where_the_target_says_it() {
    for (environment, passes) in [("", false), ("  environment: sandbox\n", true), ("  environment: production\n", true)] {
        let bench = bench(3, false);
        declare(&bench, environment, "");
        silence(&bench);
        let planned = bench.plan().await.expect("planned");
        assert_eq!(planned.header.is_refused(), !passes, "{environment:?}");
        let refusals: Vec<String> = planned.header.policies[0].refusals().map(|finding| finding.gate.clone()).collect();
        assert_eq!(refusals, if passes { vec![] } else { vec!["production"] });
        silence(&bench);
        let applied = bench.apply().await;
        assert_eq!(
            applied.map_or_else(|error| error.exit, |applied| applied.exit),
            if passes { Exit::Done } else { Exit::GateRefused }
        );
        assert_eq!(bench.sandbox.world().count("Lead"), if passes { 0 } else { 3 }, "{environment:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_knew_it_is_judged_anew_by_an_apply_that_does_not() {
    let bench = bench(3, true);
    declare(&bench, "", "");
    assert!(!bench.plan().await.expect("planned").header.is_refused());
    silence(&bench);
    let refused = bench.apply().await.expect_err("not known");
    assert_eq!(refused.exit, Exit::GateRefused);
    assert!(refused.notes[0].contains("production: neither organization"), "{:?}", refused.notes);
    assert_eq!(bench.sandbox.world().count("Lead"), 3);
}

#[tokio::test(start_paused = true)]
async fn what_a_begun_run_has_not_sent_stays_where_production_is_not_known_any_more() {
    let bench = bench(410, true);
    declare(&bench, "", "  concurrency: serial\n  via: collections\n");
    bench.plan().await.expect("planned");
    let stop = CancellationToken::new();
    let wish = stop.clone();
    bench.transport.before_deletion(move |_| wish.cancel());
    let interrupted = bench.apply_confirmed(&[], &stop).await.expect("begun");
    assert_eq!((interrupted.exit, bench.sandbox.world().count("Lead")), (Exit::Interrupted, 210));
    silence(&bench);
    let ended = bench.apply().await.expect("ended");
    assert_eq!(ended.exit, Exit::GateRefused);
    assert_eq!((ended.report.tally().deleted, ended.report.tally().skipped), (200, 210));
    assert_eq!(bench.sandbox.world().count("Lead"), 210);
}

/// The verb as it is typed.
#[derive(Debug, clap::Parser)]
#[command(no_binary_name = true)]
struct Typed {
    #[command(flatten)]
    apply: command::Apply,
}

/// A person at a terminal, who says yes to the questions with one of these words.
struct Person<'a> {
    bench: &'a Bench,
    says: &'a [&'a str],
    asked: Mutex<Vec<String>>,
}

impl<'a> Person<'a> {
    fn new(bench: &'a Bench, says: &'a [&'a str]) -> Self {
        Self { bench, says, asked: Mutex::default() }
    }

    /// Applies what was planned, and tells what was asked.
    async fn applies(&self, words: &[&str]) -> (Exit, Vec<String>) {
        let plan = self.bench.plan_directory().display().to_string();
        let typed = Typed::parse_from([plan.as_str()].iter().chain(words));
        let exit = typed.apply.run(self).await.unwrap_or_else(|error| error.exit);
        (exit, locked(&self.asked).clone())
    }
}

impl Shell for Person<'_> {
    fn project(&self) -> &Path {
        self.bench.path()
    }

    fn is_json(&self) -> bool {
        false
    }

    fn show(&self, _: &dyn View) -> Result<(), CommandError> {
        Ok(())
    }

    fn tell(&self, _: &dyn View) {}

    fn can_ask(&self) -> bool {
        true
    }

    fn confirms(&self, question: &str, expected: &str) -> bool {
        locked(&self.asked).push(question.to_owned());
        self.says.contains(&expected)
    }

    fn files(&self) -> Arc<dyn Files> {
        self.bench.host().files
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.bench.host().clock
    }

    fn context(&self) -> Result<Context, CommandError> {
        Ok(self.bench.host())
    }

    fn stop(&self) -> CancellationToken {
        CancellationToken::new()
    }

    fn grammar(&self) -> clap::Command {
        unreachable!("it does not ask for the grammar")
    }

    fn run(&self, _: Vec<OsString>) -> LocalBoxFuture<'_, Exit> {
        unreachable!("it runs no other verb")
    }
}

const PRODUCTION: &str = "  environment: production\n";
const HARD: &str = "  delete: hard\n  justification: article 17\n";

#[tokio::test(start_paused = true)]
async fn a_person_confirms_production_by_its_name() {
    for (is_sandbox, environment, more, question) in [
        (false, PRODUCTION, "", Some("This is production. Type the target's name, crm, to continue:")),
        (
            false,
            PRODUCTION,
            HARD,
            Some("These are hard deletes in production and cannot be undone. Type the target's name, crm, to continue:"),
        ),
        (
            true,
            "  environment: sandbox\n",
            HARD,
            Some("Hard deletes cannot be undone. Type the target's name, crm, to continue:"),
        ),
        (true, "  environment: sandbox\n", "", None),
    ] {
        let asked: Vec<String> = question.into_iter().map(str::to_owned).collect();
        let bench = bench(3, is_sandbox);
        declare(&bench, environment, more);
        bench.plan().await.expect("planned");
        if question.is_some() {
            assert_eq!(Person::new(&bench, &["yes"]).applies(&[]).await, (Exit::GateRefused, asked.clone()), "{question:?}");
            assert_eq!(bench.sandbox.world().count("Lead"), 3);
        }
        let person = Person::new(&bench, &["crm"]);
        let ended = person.applies(&[]).await;
        assert_eq!(ended.1, asked);
        // The sandbox's user lacks the permission for hard deletes.
        if more.is_empty() {
            assert_eq!((ended.0, bench.sandbox.world().count("Lead")), (Exit::Done, 0), "{question:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_about_a_production_in_which_nothing_is_deleted() {
    let bench = bench(0, false);
    declare(&bench, PRODUCTION, "");
    bench.plan().await.expect("planned");
    assert_eq!(Person::new(&bench, &[]).applies(&[]).await, (Exit::Done, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_production_that_only_the_manifest_knows_is_confirmed_too() {
    let bench = bench(3, false);
    declare(&bench, PRODUCTION, "");
    silence(&bench);
    bench.plan().await.expect("planned");
    let (exit, asked) = Person::new(&bench, &[]).applies(&[]).await;
    assert_eq!((exit, asked.len(), bench.sandbox.world().count("Lead")), (Exit::GateRefused, 1, 3));
    // Who has named it on the command line, or approves without being asked, is not asked.
    for words in [&["--confirm-target", "crm"][..], &["--auto-approve"]] {
        bench.plan().await.expect("planned");
        let (exit, asked) = Person::new(&bench, &[]).applies(words).await;
        assert_eq!((exit, asked.len()), (Exit::Done, 0), "{words:?}");
    }
    assert_eq!(bench.sandbox.world().count("Lead"), 0);
}
