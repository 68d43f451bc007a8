//! Answers to deletions that are not the system's own: what was done is looked at.

mod support;

use std::collections::BTreeMap;

use sexton::base::{Exit, PolicyName};
use sexton::sandbox::{Effect, World};
use support::route::{BULK1, BULK2, COLLECTIONS, COMPOSITE, FULCRUM_BATCH, ZUORA_SOAP};
use support::{ADDRESS, Bench, start};

#[tokio::test(start_paused = true)]
async fn a_page_of_something_in_between_says_nothing_of_what_was_deleted() {
    let (page, other) = ("<html><title>Not here</title></html>", r#"{"message":"blocked"}"#);
    for route in [COLLECTIONS, COMPOSITE, BULK2, BULK1, ZUORA_SOAP, FULCRUM_BATCH] {
        for (status, body) in [(404, page), (413, ""), (403, other)] {
            for done in [true, false] {
                let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
                route.system.add(&bench.sandbox, 10, "old");
                bench.write("sexton.yaml", &[route.system.document(ADDRESS, None), route.policy(&[])].concat());
                bench.plan().await.expect("planned");
                let effect = if done {
                    Effect::RespondAfter { status, content_type: None, body: body.to_owned() }
                } else {
                    let content_type = Some("text/html".to_owned());
                    Effect::Respond { status, content_type, body: body.to_owned(), retry_after: None }
                };
                bench.sandbox.add_fault(route.deletion_fault(effect).times(1));
                let exit = bench.apply().await.expect("applied").exit;
                let mut ends = BTreeMap::new();
                for row in bench.outcomes(&PolicyName::new("old-ones").expect("a name")) {
                    *ends.entry(row.outcome).or_insert(0) += 1;
                }
                let told = format!("{} {status} {done}", route.api);
                assert_eq!((ends, exit), ([("deleted".to_owned(), 10)].into(), Exit::Done), "{told}");
                assert!(route.system.live(&bench.sandbox).is_empty(), "{told}");
            }
        }
    }
}
