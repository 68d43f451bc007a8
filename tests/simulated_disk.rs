//! The verbs on a simulated disk: they touch no other file, say what the disk did to them, and clean up after one another.
#![expect(clippy::disallowed_methods, reason = "a look at the machine's files from outside")]

mod support;

use std::path::Path;
use std::sync::Arc;

use sexton::base::{CommandError, Exit};
use sexton::command::{self, AppliedPlan, ApplyRequest, PlanRequest, PlanToApply, Planned};
use sexton::sandbox::World;
use sexton::select::Context;
use sexton::store::{Bundle, DiskFault, Files, OpenMode, Place, SimulatedDisk};
use support::route::System;
use support::{ADDRESS, Bench, start};
use tokio_util::sync::CancellationToken;

/// No directory of this machine.
const PROJECT: &str = "/simulated/project";

const POLICY: &str = "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: { name: leads }\nspec:\n  target: crm\n  \
     object: Lead\n  filter: everything\n  limits: { maxRecords: 100, maxPercent: 100 }\n";

/// A project on a simulated disk, and a sandbox with three leads.
struct Project {
    bench: Bench,
    disk: SimulatedDisk,
}

impl Project {
    fn new(seed: u64) -> Self {
        let mut world = World::builder().start(start()).build().expect("a world");
        world.generate("Lead", 3, 7).expect("leads");
        let project = Self { bench: Bench::new(world), disk: SimulatedDisk::new(seed) };
        for directory in ["/simulated", PROJECT] {
            project.disk.create_directory(Path::new(directory)).expect("made");
        }
        let manifest = project.place("sexton.yaml").open(OpenMode::CreateNew).expect("made");
        let text = format!("{}{POLICY}", System::Salesforce.document(ADDRESS, None));
        manifest.write_all_at(text.as_bytes(), 0).expect("written");
        project
    }

    fn place(&self, relative: &str) -> Place {
        Place::new(Arc::new(self.disk.clone()), PROJECT).join(relative)
    }

    fn context(&self) -> Context {
        Context { files: Arc::new(self.disk.clone()), ..self.bench.host() }
    }

    async fn plan(&self) -> Result<Planned, CommandError> {
        command::plan(&self.context(), &PlanRequest { project: PROJECT.into(), out: None, base: None, policies: Vec::new() })
            .await
    }

    async fn apply(&self) -> Result<AppliedPlan, CommandError> {
        let request = ApplyRequest {
            project: PROJECT.into(),
            plan: PlanToApply::Bundle(self.place("plan").path().to_owned()),
            confirmed_targets: Vec::new(),
            isolate_failures: false,
            max_records: None,
            on_refusal: None,
        };
        command::apply(&self.context(), &request, &CancellationToken::new()).await
    }

    fn leads(&self) -> usize {
        self.bench.sandbox.world().count("Lead") as usize
    }

    fn names(&self, relative: &str) -> Vec<String> {
        let names = self.place(relative).list().unwrap_or_default();
        names.iter().map(|name| name.to_string_lossy().into_owned()).collect()
    }
}

/// All that a person is told.
fn told(error: &CommandError) -> String {
    let details = error.notes.iter().chain(&error.help);
    std::iter::once(&error.title).chain(details).cloned().collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn a_plan_and_an_apply_touch_no_file_of_this_machine() {
    let project = Project::new(1);
    let planned = project.plan().await.expect("planned");
    assert_eq!(project.names(""), [".sexton", "plan", "sexton.yaml"]);
    assert_eq!(Bundle::open(&project.place("plan")).expect("whole").digest(), planned.digest);
    project.apply().await.expect("applied");
    assert_eq!(project.leads(), 0);
    assert_eq!(project.names(".sexton/scratch"), [""; 0]);
    // A plan after an apply compares with the outcomes, and the next one takes its place.
    project.plan().await.expect("planned");
    project.plan().await.expect("planned");
    assert_eq!(project.names(""), [".sexton", "plan", "sexton.yaml"]);
    assert_eq!(project.names("plan"), ["SHA256SUMS", "plan.json", "records"]);
    assert!(std::fs::metadata("/simulated").is_err());
    assert_eq!(std::fs::read_dir(project.bench.path()).expect("readable").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_plan_on_a_disk_that_is_full_or_refuses_says_which_file_and_the_plan_before_stays() {
    let project = Project::new(1);
    let before = project.plan().await.expect("planned");
    let begin = project.disk.operations();
    project.plan().await.expect("planned");
    let operations = project.disk.operations() - begin;
    for fault in [DiskFault::NoSpace, DiskFault::Refused] {
        for number in 0..operations {
            project.disk.fail_at(number, fault);
            let planned = project.plan().await;
            project.disk.heal();
            let at = format!("{fault:?} at {number} of {operations}");
            let found = Bundle::open(&project.place("plan")).unwrap_or_else(|error| panic!("{at}: {error}"));
            match planned {
                Ok(planned) => assert_eq!(found.digest(), planned.digest, "{at}"),
                Err(error) => {
                    assert_eq!(error.exit, Exit::Error, "{at}");
                    let told = format!("{}\n{:?}", told(&error), error.diagnostics);
                    assert!(told.contains("`/") || told.contains("sexton.yaml"), "{at}: no file is named in {told}");
                }
            }
            assert_eq!(found.header().selected(), before.header.selected(), "{at}");
            assert_eq!(project.leads(), 3);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_plan_or_apply_leaves_is_gone_after_the_next_command() {
    let (mut left_by_plan, mut left_by_apply) = (0, 0);
    for number in (0..).step_by(3) {
        let project = Project::new(number);
        project.plan().await.expect("planned");
        project.disk.fail_at(number, DiskFault::PowerLoss);
        let ended = project.plan().await.is_ok();
        project.disk.heal();
        project.disk.kill();
        left_by_plan += project.names("").len() - 3;
        // Whoever only looks cleans up, too.
        Bundle::open(&project.place("plan")).expect("whole");
        assert_eq!(project.names(""), [".sexton", "plan", "sexton.yaml"], "killed at {number}");
        if ended {
            break;
        }
    }
    for number in (0..).step_by(7) {
        let project = Project::new(number);
        project.plan().await.expect("planned");
        project.disk.fail_at(number, DiskFault::PowerLoss);
        let ended = project.apply().await.is_ok();
        project.disk.heal();
        project.disk.kill();
        left_by_apply += project.names(".sexton/scratch").len();
        if number % 2 == 0 {
            project.plan().await.expect("planned");
        } else {
            let _ = project.apply().await;
        }
        assert_eq!(project.names(".sexton/scratch"), [""; 0], "killed at {number}");
        let temporary = project.names(".sexton").into_iter().filter(|name| name.starts_with(".sexton-")).count();
        assert!(temporary == 0 || number % 2 == 0, "only the holder of the lease removes those");
        if ended {
            break;
        }
    }
    assert!(left_by_plan > 3 && left_by_apply > 3, "{left_by_plan} and {left_by_apply} were left: nothing is tested");
}
