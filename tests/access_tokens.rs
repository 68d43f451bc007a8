//! Access tokens in JWT format: long, and without their organization.

mod support;

use sexton::sandbox::{Settings, World};
use support::route::{BULK1, BULK2, COLLECTIONS, COMPOSITE, Route};
use support::{ADDRESS, Bench, start};

fn bench(route: Route, bulk1_takes_jwts: bool) -> Bench {
    let world = World::builder().start(start()).build().expect("a world");
    let settings = Settings { jwt_access_tokens: true, bulk1_takes_jwts, ..Settings::starting_at(start()) };
    let bench = Bench::with(world, settings);
    route.system.add(&bench.sandbox, 5, "old");
    let organization = route.system.organization(&bench.sandbox);
    bench.write("sexton.yaml", &(route.system.document(ADDRESS, Some(&organization)) + &route.policy(&[])));
    bench
}

#[tokio::test(start_paused = true)]
async fn jwts_delete_through_every_api_and_are_held_to_their_organization() {
    for route in [COLLECTIONS, COMPOSITE, BULK1, BULK2] {
        let bench = bench(route, true);
        bench.plan().await.expect("planned");
        bench.apply().await.expect("applied");
        assert!(route.system.live(&bench.sandbox).is_empty(), "{}", route.api);
        assert!(bench.transport.credentials().iter().all(|token| token.split('.').count() == 3));
        let other = route.system.document(ADDRESS, Some(route.system.another_organization()));
        bench.write("sexton.yaml", &(other + &route.policy(&[])));
        bench.plan().await.expect_err("another organization");
    }
}

#[tokio::test(start_paused = true)]
async fn where_bulk_api_1_refuses_a_jwt_the_error_says_what_to_do() {
    let bench = bench(BULK1, false);
    bench.plan().await.expect("planned");
    let applied = bench.apply().await.expect("nothing is lost");
    assert_eq!(BULK1.system.live(&bench.sandbox).len(), 5);
    let unfinished = format!("{:?}", applied.unfinished);
    let warnings = bench.recorder.warnings().join("\n");
    assert!(warnings.contains("InvalidSessionId"), "{warnings} {unfinished}");
    assert!(format!("{warnings} {unfinished}").contains("JWT format"), "{warnings} {unfinished}");
    assert!(!bench.run().join("outcomes").exists(), "the run goes on later");
}
