//! A plan only reads, and is complete or is no plan: whatever request goes wrong, in whatever way.

mod support;

use std::collections::BTreeSet;

use sexton::base::PolicyName;
use sexton::sandbox::{Effect, Fault, RequestMatch, RequestRecord, Settings, Value, World};
use support::{Bench, start};

/// Both ways of reading: a page has 2,000 rows, and above 4,000 expected rows a query job is made.
const THROUGH_PAGES: u32 = 2_010;
const THROUGH_A_JOB: u32 = 4_010;

const MANIFEST: &str = "
apiVersion: sexton/v1
kind: DeletionPolicy
metadata: { name: leads }
spec:
  target: crm
  object: Lead
  filter: everything
  limits: { maxRecords: 100000, maxPercent: 100 }
---
apiVersion: sexton/v1
kind: DeletionPolicy
metadata: { name: accounts }
spec:
  target: crm
  object: Account
  filter: Name != null
  delete: hard
  justification: the law
  limits: { maxRecords: 100000, maxPercent: 100 }
---
apiVersion: sexton/v1
kind: Hold
metadata: { name: contacts }
spec:
  target: crm
  object: Contact
  filter: LastName LIKE '%a%'
  reason: Matter 7
";

/// A bench with that many leads, and a few accounts of which a hold keeps some for their contacts.
fn bench(leads: u32) -> Bench {
    let mut world = World::builder().start(start()).build().expect("a world");
    for (object, count) in [("Account", 12), ("Contact", 30), ("Lead", leads)] {
        world.generate(object, count, 7).expect("records");
    }
    // A query job brings its rows in several pages, too.
    let settings = Settings { bulk_page_rows: 1_500, ..Settings::starting_at(start()) };
    let bench = Bench::with(world, settings);
    bench.declare(MANIFEST);
    bench
}

/// Whether a request can change nothing of what a customer has in the system.
fn only_reads(request: &RequestRecord) -> bool {
    let path = request.path.as_str();
    match request.method.as_str() {
        "GET" => true,
        // Signing in, and a query job, which is how large selections are read.
        "POST" => path == "/services/oauth2/token" || path == "/services/data/v66.0/jobs/query",
        // The job is the program's own, made for this plan; it is given up or removed when it is read.
        "PATCH" | "DELETE" => path.starts_with("/services/data/v66.0/jobs/query/"),
        _ => false,
    }
}

/// Every record with the moment of its last change.
fn contents(bench: &Bench) -> Vec<(String, Option<Value>)> {
    let world = bench.sandbox.world();
    let objects = ["Account", "Contact", "Lead"];
    let keys = objects.iter().flat_map(|object| world.ids(object).collect::<Vec<_>>());
    keys.map(|key| (key.to_string(), world.value(key, "SystemModstamp"))).collect()
}

fn selected(bench: &Bench, policy: &str) -> BTreeSet<String> {
    bench.planned().remove(&PolicyName::new(policy).expect("a name")).expect("planned")
}

#[tokio::test(start_paused = true)]
async fn a_plan_sends_nothing_that_changes_anything() {
    for (leads, job) in [(THROUGH_PAGES, false), (THROUGH_A_JOB, true)] {
        let bench = bench(leads);
        let before = contents(&bench);
        bench.plan().await.expect("planned");
        let requests = bench.sandbox.requests();
        for request in &requests {
            assert!(only_reads(request), "{request:?}");
        }
        assert_eq!(requests.iter().any(|request| request.path.contains("/jobs/query")), job);
        assert_eq!(contents(&bench), before);
        assert_eq!(selected(&bench, "leads").len(), leads as usize);
        let accounts = selected(&bench, "accounts").len();
        assert!((1..12).contains(&accounts), "the hold keeps some: {accounts}");
    }
}

/// Plans once for every request of a plan whose path contains `about`, with that one request going wrong. Gives how many plans
/// failed.
async fn every_request_goes_wrong(bench: &Bench, about: &str, effect: Effect) -> usize {
    let before = contents(bench);
    bench.sandbox.clear_faults();
    bench.sandbox.forget_requests();
    bench.plan().await.expect("planned");
    let requests = bench.sandbox.requests();
    let numbered = requests.iter().zip(1_u64..).filter(|(request, _)| request.path.contains(about));
    let (leads, accounts) = (selected(bench, "leads"), selected(bench, "accounts"));
    let mut failed = 0;
    for (_, number) in numbered {
        bench.sandbox.clear_faults();
        bench.sandbox.forget_requests();
        let on = RequestMatch { nth: Some(number), ..RequestMatch::default() };
        bench.sandbox.add_fault(Fault { on, then: effect.clone() });
        let files = bench.files("plan");
        match bench.plan().await {
            Ok(_) => {
                assert_eq!(selected(bench, "leads"), leads, "{effect:?} at request {number}");
                assert_eq!(selected(bench, "accounts"), accounts, "{effect:?} at request {number}");
            }
            Err(error) => {
                failed += 1;
                assert!(
                    bench.files("plan") == files,
                    "{effect:?} at request {number}: the plan before was touched: {error}"
                );
            }
        }
        for request in bench.sandbox.requests() {
            assert!(only_reads(&request), "{effect:?} at request {number}: {request:?}");
        }
    }
    assert_eq!(contents(bench), before);
    failed
}

/// Faults of which some must be noticed, since nothing but a comparison with the declared total can tell.
#[tokio::test(start_paused = true)]
async fn a_short_or_miscounted_read_is_no_plan() {
    // Through pages: who signs in, the two selections, the hold and its cascade. Through a job: the request that makes it.
    for (leads, about, noticed) in [(THROUGH_PAGES, "", 4), (THROUGH_A_JOB, "/jobs/query", 1)] {
        let bench = bench(leads);
        for effect in [Effect::ShortPage { rows: 1 }, Effect::WrongTotal { by: 1 }, Effect::WrongTotal { by: -1 }] {
            let failed = every_request_goes_wrong(&bench, about, effect.clone()).await;
            assert!(failed >= noticed, "{effect:?}: only {failed} plans failed");
        }
    }
}

/// One lost or broken answer to a read is repeated where that can be done, and is otherwise the end of the plan.
#[tokio::test(start_paused = true)]
async fn a_read_that_breaks_off_is_repeated_or_is_no_plan() {
    for (leads, about) in [(THROUGH_PAGES, ""), (THROUGH_A_JOB, "/jobs/query")] {
        let bench = bench(leads);
        for effect in [Effect::Truncate { bytes: 300 }, Effect::Cut { bytes: 300 }, Effect::DropAfter, Effect::ExpireSession]
        {
            every_request_goes_wrong(&bench, about, effect).await;
        }
    }
}

/// One reset, one overload and one wait that the system asks for cost a plan nothing but time, wherever they come.
#[tokio::test(start_paused = true)]
async fn what_can_be_survived_is_survived_in_the_same_run() {
    for (leads, about) in [(THROUGH_PAGES, ""), (THROUGH_A_JOB, "/jobs/query")] {
        let bench = bench(leads);
        for effect in [
            Effect::DropBefore,
            Effect::DropAfter,
            Effect::Cut { bytes: 300 },
            Effect::Unavailable { retry_after: None },
            Effect::Unavailable { retry_after: Some(120) },
            Effect::TooManyRequests { retry_after: Some(600) },
        ] {
            assert_eq!(every_request_goes_wrong(&bench, about, effect.clone()).await, 0, "{effect:?}");
        }
    }
}

/// What goes wrong each time is the end of the plan, and never a shorter plan.
#[tokio::test(start_paused = true)]
async fn a_read_that_never_succeeds_is_no_plan() {
    for (leads, path) in [(THROUGH_PAGES, "*/query/*"), (THROUGH_A_JOB, "*/jobs/query/*/results")] {
        let bench = bench(leads);
        bench.plan().await.expect("planned");
        let files = bench.files("plan");
        for effect in [
            Effect::ShortPage { rows: 1 },
            Effect::Truncate { bytes: 300 },
            Effect::Cut { bytes: 300 },
            Effect::DropBefore,
            Effect::Unavailable { retry_after: None },
            Effect::Respond { status: 200, content_type: None, body: "{}".into(), retry_after: None },
            Effect::ExpireSession,
        ] {
            bench.sandbox.clear_faults();
            // Short results of a job are the job's own: the request that makes it is where they come from.
            let place = if path.contains("jobs") && effect == (Effect::ShortPage { rows: 1 }) {
                Fault::on("POST", "*/jobs/query", effect.clone())
            } else {
                Fault::on("GET", path, effect.clone())
            };
            bench.sandbox.add_fault(place);
            bench.plan().await.expect_err(&format!("{effect:?} on {path}"));
            assert!(bench.files("plan") == files, "{effect:?} on {path}: the plan before was touched");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_lost_for_good_half_way_is_no_plan() {
    for (leads, path) in [(THROUGH_PAGES, "*/query/*"), (THROUGH_A_JOB, "*/jobs/query/*/results")] {
        let bench = bench(leads);
        bench.plan().await.expect("planned");
        let files = bench.files("plan");
        bench.sandbox.add_fault(Fault::on("GET", path, Effect::ExpireSession).nth(1));
        let refusal = r#"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#;
        let refused = Effect::Respond { status: 400, content_type: None, body: refusal.into(), retry_after: None };
        bench.sandbox.add_fault(Fault::on("POST", "/services/oauth2/token", refused).nth(2));
        bench.plan().await.expect_err("nobody is signed in");
        assert!(bench.files("plan") == files, "{path}: the plan before was touched");
    }
}
