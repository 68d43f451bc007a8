//! Filters up to the system's own limit: a list of ids too long for an address is planned and applied through a query job.

mod support;

use sexton::base::Exit;
use sexton::sandbox::{RecordKey, World};
use support::{Bench, start};

#[tokio::test(start_paused = true)]
async fn a_list_of_thousands_of_ids_is_planned_and_applied() {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", 4_100, 7).expect("leads");
    world.generate("Task", 300, 7).expect("tasks");
    let bench = Bench::new(world);
    let leads: Vec<RecordKey> = bench.sandbox.world().ids("Lead").collect();
    let named: Vec<String> = leads.iter().take(4_000).map(|lead| format!("'{lead}'")).collect();
    bench.declare(&format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: ticket }}\nspec:\n  target: crm\n  object: Lead\n  \
         filter: \"Id IN ({})\"\n  limits: {{ maxRecords: 10000, maxPercent: 100 }}\n",
        named.join(", ")
    ));
    let planned = bench.plan().await.expect("planned");
    let policy = &planned.header.policies[0];
    let refusals: Vec<&str> = policy.refusals().map(|finding| finding.message.as_str()).collect();
    assert_eq!((policy.selected, refusals), (4_000, vec![]));
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    let world = bench.sandbox.world();
    assert_eq!(leads.iter().filter(|lead| world.exists(**lead)).count(), 100);
}
