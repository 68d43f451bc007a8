//! An app that rotates refresh tokens: each is good for one sign-in.

mod support;

use sexton::base::Exit;
use sexton::sandbox::{Client, Settings, World, WorldBuilder};
use support::route::COLLECTIONS;
use support::{ADDRESS, Bench, start};

/// A bench whose target signs in with a refresh token; whether the app rotates them is the question.
fn bench(rotates_refresh_tokens: bool) -> Bench {
    let admin = WorldBuilder::user_key(1);
    let mut client = Client::confidential("sandbox-client", "sandbox-secret", admin);
    client.refresh_tokens.push(("sandbox-token".into(), admin));
    let world = World::builder().start(start()).client(client).build().expect("a world");
    let bench = Bench::with(world, Settings { rotates_refresh_tokens, ..Settings::starting_at(start()) });
    COLLECTIONS.system.add(&bench.sandbox, 5, "old");
    let target = format!(
        "apiVersion: sexton/v1\nkind: Target\nmetadata: {{ name: crm }}\nspec:\n  environment: sandbox\n  salesforce:\n    \
         loginUrl: {ADDRESS}\n    auth:\n      refreshToken:\n        clientId: {{ env: CLIENT_ID }}\n        \
         refreshToken: {{ env: FIELD_TOKEN }}\n---\n"
    );
    bench.write("sexton.yaml", &(target + &COLLECTIONS.policy(&[])));
    bench
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_stays_says_nothing() {
    let bench = bench(false);
    bench.plan().await.expect("planned");
    bench.plan().await.expect("planned again");
    assert_eq!(bench.recorder.warnings(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_was_replaced_is_kept_for_the_command_and_told() {
    let bench = bench(true);
    // The session ends under way, so that the command signs in a second time, with the token that it was given.
    bench.sandbox.add_fault(COLLECTIONS.system.reading_fault(sexton::sandbox::Effect::ExpireSession).nth(3));
    bench.plan().await.expect("planned");
    let sign_ins = bench.sandbox.requests().into_iter().filter(|request| request.path.ends_with("/token")).count();
    assert_eq!(sign_ins, 2);
    let warnings = bench.recorder.warnings();
    insta::assert_snapshot!(warnings.join("\n"), @"target `crm`: the org has replaced the refresh token, and the one in the target does not work any more (the app rotates refresh tokens): this command goes on, and the next one cannot sign in; use `clientCredentials` or `jwt`, or switch the rotation off in the app and put a new refresh token in place");
    let refused = bench.plan().await.expect_err("the token in the target is used up");
    assert_eq!(refused.exit, Exit::Error);
    let help = refused.help.as_deref().expect("a remedy");
    assert!(refused.to_string().contains("invalid_grant") && help.contains("rotates refresh tokens"), "{refused}: {help}");
    let (files, secret) = (bench.files("."), "5Aep861");
    assert!(files.values().all(|bytes| !String::from_utf8_lossy(bytes).contains(secret)), "a refresh token was written");
}
