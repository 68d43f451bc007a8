//! Counts that a system does not give: selections, populations and what goes along are planned all the same, or refused by name.

mod support;

use sexton::base::CommandError;
use sexton::plan::{PlannedPolicy, Population};
use sexton::sandbox::{
    CountLimit, CountRefusal, Effect, Fault, RecordKey, RequestMatch, Settings, Value, World, account_children,
};
use support::{Bench, login_without, start};

const REFUSALS: [CountRefusal; 2] = [CountRefusal::QueryTimeout, CountRefusal::OperationTooLarge];

/// An org with so many leads in which counts get as far as `rows`.
fn bench(leads: u32, rows: u64, refusal: CountRefusal) -> Bench {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", leads, 7).expect("records");
    Bench::with(world, Settings { count_limit: Some(CountLimit { rows, refusal }), ..Settings::starting_at(start()) })
}

fn policy(filter: &str, limits: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: leads }}\nspec:\n  target: crm\n  object: Lead\n  \
         filter: {filter}\n  limits: {{ {limits} }}\n---\n"
    )
}

async fn planned(bench: &Bench) -> PlannedPolicy {
    bench.sandbox.forget_requests();
    let planned = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    planned.header.policies[0].clone()
}

fn told(error: &CommandError) -> String {
    format!("{error:?}")
}

/// What the gate of that name said.
fn said(policy: &PlannedPolicy, gate: &str) -> String {
    let finding = policy.gates.iter().find(|finding| finding.gate == gate).expect("asked");
    format!("{:?}: {}", finding.kind, finding.message)
}

/// How many requests had a path that ends so.
fn requests(bench: &Bench, end: &str) -> usize {
    bench.sandbox.requests().iter().filter(|request| request.path.ends_with(end)).count()
}

/// Nobody answers how many records there are about.
fn without_approximate_counts(bench: &Bench) {
    let path = Some("*/limits/recordCount".to_owned());
    let body = r#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#.to_owned();
    let then = Effect::Respond { status: 404, content_type: None, body, retry_after: None };
    bench.sandbox.add_fault(Fault { on: RequestMatch { path, ..RequestMatch::default() }, then });
}

#[tokio::test(start_paused = true)]
async fn a_selection_that_cannot_be_counted_is_read_in_bulk_and_deleted() {
    for refusal in REFUSALS {
        let bench = bench(300, 200, refusal);
        bench.declare(&policy("everything", "maxRecords: 1000, maxPercent: 100"));
        let leads = planned(&bench).await;
        assert_eq!((leads.matched, leads.selected, leads.population), (300, 300, Population::About(300)));
        assert!(!leads.is_refused(), "{:?}", leads.gates);
        // The selection is the population too, and takes minutes: it is counted once.
        let refused = bench.sandbox.requests().iter().filter(|request| request.status == Some(400)).count();
        assert_eq!((refused, requests(&bench, "/jobs/query"), requests(&bench, "/recordCount")), (1, 1, 1));
        bench.apply().await.unwrap_or_else(|error| panic!("{}", told(&error)));
        assert_eq!(bench.sandbox.world().count("Lead"), 0);
        let state = bench.state();
        let history = state.policies.values().next().expect("a policy");
        assert_eq!(history.population, None, "what was not counted left nobody knows how many");
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_not_as_many_as_the_query_job_says_are_no_selection() {
    for effect in [Effect::WrongTotal { by: 1 }, Effect::ShortPage { rows: 1 }] {
        let bench = bench(300, 200, CountRefusal::QueryTimeout);
        bench.declare(&policy("everything", "maxRecords: 1000, maxPercent: 100"));
        let path = Some("*/jobs/query*".to_owned());
        bench.sandbox.add_fault(Fault { on: RequestMatch { path, ..RequestMatch::default() }, then: effect.clone() });
        let error = bench.plan().await.expect_err("not complete");
        assert!(error.title.contains("rows"), "{effect:?}: {}", told(&error));
    }
}

#[tokio::test(start_paused = true)]
async fn half_of_an_approximate_population_bounds_the_share() {
    let of = async |percent: u64, limits: &str| {
        let mut world = World::builder().start(start()).build().expect("a world");
        world.generate("Lead", 400, 7).expect("records");
        let count_limit = Some(CountLimit { rows: 200, refusal: CountRefusal::QueryTimeout });
        let settings = Settings { count_limit, record_count_percent: percent, ..Settings::starting_at(start()) };
        let bench = Bench::with(world, settings);
        bench.declare(&policy("IsConverted = true", &format!("maxRecords: 1000, {limits}")));
        let leads = planned(&bench).await;
        assert!(leads.selected < 200, "the selection itself was counted");
        said(&leads, "max-percent")
    };
    let table = [of(100, "maxPercent: 99").await, of(100, "maxPercent: 20").await, of(300, "maxPercent: 20").await];
    insta::assert_snapshot!(table.join("\n"), @"
    Warn: 136 of about 400 records (they could not be counted, so the share is taken of half that number), at most 99 % may go
    Refuse: 136 of about 400 records (they could not be counted, so the share is taken of half that number) and `limits.maxPercent` is 20, so at most 40 may go: raise it to 68, or narrow the filter by 96 records
    Refuse: 136 of about 1,200 records (they could not be counted, so the share is taken of half that number) and `limits.maxPercent` is 20, so at most 120 may go: raise it to 22.67, or narrow the filter by 16 records
    ");
}

#[tokio::test(start_paused = true)]
async fn without_any_population_the_share_is_refused_with_the_line_that_answers_it() {
    let bench = bench(300, 200, CountRefusal::QueryTimeout);
    without_approximate_counts(&bench);
    bench.declare(&policy("everything", "maxRecords: 1000, maxPercent: 99"));
    let leads = planned(&bench).await;
    assert_eq!((leads.selected, leads.population, leads.refusals().count()), (300, Population::Unknown, 1));
    insta::assert_snapshot!(said(&leads, "max-percent"), @"Refuse: it is not known how many records `Lead` has, so the share of these 300 cannot be computed: if `maxRecords` alone is to bound them, write `limits: { maxRecords: 1000, maxPercent: 100 }` into the policy");
    bench.declare(&policy("everything", "maxRecords: 1000, maxPercent: 100"));
    let leads = planned(&bench).await;
    assert!(!leads.is_refused(), "{:?}", leads.gates);
    bench.apply().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!(bench.sandbox.world().count("Lead"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_cannot_be_counted_holds() {
    let bench = bench(300, 200, CountRefusal::OperationTooLarge);
    let hold = "apiVersion: sexton/v1\nkind: Hold\nmetadata: { name: all }\nspec:\n  target: crm\n  object: Lead\n  \
                filter: everything\n  reason: Matter 7\n---\n";
    bench.declare(&(policy("everything", "maxRecords: 1000, maxPercent: 100") + hold));
    let leads = planned(&bench).await;
    assert_eq!((leads.matched, leads.selected, leads.holds[0].records), (300, 0, 300));
}

/// An org in which accounts have forty more children, of which the login does not see `hidden`, with so many accounts and contacts.
fn accounts(hidden: &[&str], accounts: u32, contacts: u32, count_limit: Option<u64>) -> Bench {
    let builder = account_children()
        .into_iter()
        .fold(World::builder().start(start()).user(login_without(hidden)), |builder, child| builder.object(child));
    let mut world = builder.build().expect("a world");
    world.generate("Account", accounts, 7).expect("records");
    let keys: Vec<RecordKey> = world.ids("Account").collect();
    for number in 0..contacts as usize {
        world.insert("Contact", [("AccountId", Value::from(keys[number % keys.len()]))]).expect("a contact");
    }
    for key in keys.iter().take(3) {
        world.insert("ContentDocumentLink", [("LinkedEntityId", Value::from(*key))]).expect("a link");
        world.insert("vendor__Score__c", [("vendor__Account__c", Value::from(*key))]).expect("a score");
    }
    let count_limit = count_limit.map(|rows| CountLimit { rows, refusal: CountRefusal::QueryTimeout });
    Bench::with(world, Settings { count_limit, ..Settings::starting_at(start()) })
}

fn account_policy(more: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: accounts }}\nspec:\n  target: crm\n  object: Account\n  \
         filter: everything\n  limits: {{ maxRecords: 5000, maxPercent: 100 }}\n{more}---\n"
    )
}

/// How many records of a child go along; `None` where it is not known.
fn along(policy: &PlannedPolicy, child: &str) -> Option<u64> {
    policy.cascades.iter().find(|cascade| cascade.child == child).expect("told").records
}

/// The line of YAML that a message asks to paste.
fn line_to_paste(message: &str) -> String {
    let begin = message.find("accept: {").expect("a line");
    let end = message[begin..].find('`').expect("its end");
    format!("  {}\n", &message[begin..begin + end])
}

#[tokio::test(start_paused = true)]
async fn an_account_with_forty_more_children_is_planned_in_a_question_for_each() {
    let bench = accounts(&[], 20, 30, None);
    bench.declare(&account_policy(""));
    let accounts = planned(&bench).await;
    assert!(!accounts.is_refused(), "{:?}", accounts.gates);
    assert_eq!(
        ["Contact", "ContentDocumentLink", "vendor__Score__c", "Order"].map(|child| along(&accounts, child)),
        [Some(30), Some(3), Some(3), Some(0)]
    );
    // Lists, feeds, histories and shares are nothing of their own.
    assert_eq!(accounts.cascades.len(), 43 - 8);
    // Tasks may be archived and are asked for in another way.
    let questions = requests(&bench, "/query") + requests(&bench, "/queryAll");
    // The organization, the object, the selection and its page, the 35 children, the links by their keys, and the cases that may keep an
    // account; and each object once before.
    assert_eq!((questions, requests(&bench, "/describe")), (41, 37));
    let quota = said(&accounts, "quota");
    assert!(quota.contains("; 71 of them count what goes along"), "{quota}");
    bench.apply().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!(["Account", "Contact", "ContentDocumentLink"].map(|object| bench.sandbox.world().count(object)), [0; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_sees_half_of_the_children_accepts_them_with_one_line() {
    let hidden: Vec<String> = account_children().into_iter().map(|child| child.name).step_by(2).collect();
    let hidden: Vec<&str> = hidden.iter().map(String::as_str).collect();
    let bench = accounts(&hidden, 20, 30, None);
    bench.declare(&account_policy(""));
    let refused = planned(&bench).await;
    let refusals: Vec<String> = refused.refusals().map(ToString::to_string).collect();
    insta::assert_snapshot!(refusals.join("\n"), @"cascade: the system may also delete what belongs to them, and it is not known how many records of 16 objects: `AccountBrand` by `AccountId` (this login cannot see it), `AccountContactRole` by `AccountId` (this login cannot see it), `Asset` by `AccountId` (this login cannot see it), and 13 more; let this login see and count them, or accept that with `accept: { unknownCascades: [AccountBrand, AccountContactRole, Asset, CollaborationGroupRecord, ContactPointEmail, ContentDistribution, Contract, EntitySubscription, FeedItem, OpportunityPartner, Partner, RecordAction, SocialPost, TopicAssignment, vendor__Address__c, vendor__Score__c] }` in the policy, its target or the project");
    assert_eq!((along(&refused, "Contact"), along(&refused, "Asset")), (Some(30), None), "what is seen is counted");
    bench.declare(&account_policy(&line_to_paste(&refusals[0])));
    let accepted = planned(&bench).await;
    assert!(!accepted.is_refused(), "{:?}", accepted.gates);
    assert!(said(&accepted, "cascade").starts_with("Warn"), "{}", said(&accepted, "cascade"));
    bench.apply().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!(bench.sandbox.world().count("Account"), 0);
}

#[tokio::test(start_paused = true)]
async fn children_that_are_too_many_to_count_at_once_are_counted_by_the_keys_of_their_parents() {
    let bench = accounts(&[], 400, 800, Some(700));
    bench.declare(&account_policy(""));
    let accounts = planned(&bench).await;
    assert_eq!((along(&accounts, "Contact"), accounts.is_refused()), (Some(800), false), "{:?}", accounts.gates);
    bench.apply().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!(bench.sandbox.world().count("Contact"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cascade_that_cannot_be_counted_in_any_way_refuses_and_never_counts_as_none() {
    let bench = accounts(&[], 400, 800, Some(500));
    bench.declare(&account_policy(""));
    let refused = planned(&bench).await;
    assert_eq!(along(&refused, "Contact"), None);
    let cascade = said(&refused, "cascade");
    insta::assert_snapshot!(cascade, @"Refuse: the system may also delete what belongs to them, and it is not known how many records of 1 object: `Contact` by `AccountId` (QUERY_TIMEOUT: Your query request was running for too long.); let this login see and count them, or accept that with `accept: { unknownCascades: [Contact] }` in the policy, its target or the project");
    bench.declare(&account_policy(&line_to_paste(&cascade)));
    assert!(!planned(&bench).await.is_refused());
    // What was accepted for the plan and is no longer accepted stops the apply.
    bench.declare(&account_policy(&line_to_paste(&cascade).replace("Contact", "Contract")));
    let stopped = bench.apply().await.expect_err("the manifests are others");
    assert!(bench.sandbox.world().count("Account") == 400, "{}", told(&stopped));
}
