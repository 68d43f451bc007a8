//! Holds as people write them: misspelt, on objects nobody thought of, on parents, and where a login does not see everything.

#![expect(clippy::disallowed_methods, reason = "a test writes files as a person would, while the program runs")]

mod support;

use std::collections::BTreeMap;

use sexton::base::{CommandError, Exit, PolicyName};
use sexton::manifest::{ManifestFile, read};
use sexton::plan::{FindingKind, HoldReach, PlannedHold};
use sexton::report::{Palette, PlanView, plan_markdown, plan_text};
use sexton::sandbox::{Effect, RecordKey, Value, World};
use support::route::{System, ZUORA_SOAP};
use support::{ADDRESS, Bench, login_without, object_below, start};

fn policy(name: &str, target: &str, object: &str, filter: &str, delete: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: {name} }}\nspec:\n  target: {target}\n  object: {object}\n  \
         filter: {filter}\n  delete: {delete}\n  justification: a test\n  limits: {{ maxRecords: 1000, maxPercent: 100 }}\n---\n"
    )
}

fn hold(name: &str, target: &str, object: &str, filter: &str, more: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: Hold\nmetadata: {{ name: {name} }}\nspec:\n  target: {target}\n  object: {object}\n  \
         filter: {filter}\n  reason: Matter 7\n{more}---\n"
    )
}

fn crm_hold(name: &str, object: &str, filter: &str, more: &str) -> String {
    hold(name, "crm", object, filter, more)
}

/// Two accounts, `Kept` and `Other`, with this many usages each, in Zuora.
fn billing() -> (Bench, [String; 2]) {
    let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
    let accounts = ["Kept", "Other"].map(|name| {
        let mut tenant = bench.sandbox.zuora();
        let account = tenant.insert("Account", [("Name", name), ("Status", "Active")]).expect("an account");
        for _ in 0..19 {
            tenant.insert("Usage", [("AccountId", account.as_str()), ("UOM", "Each")]).expect("a usage");
        }
        account
    });
    (bench, accounts)
}

fn declare_billing(bench: &Bench, documents: &str) {
    bench.write("sexton.yaml", &format!("{}{documents}", System::Zuora.document(ADDRESS, None)));
}

/// What is told of an error: its title, its finding with the text that is marked, notes and help.
fn told(error: &CommandError) -> String {
    let Some(found) = &error.diagnostics else { return format!("{}: {:?}", error.title, error.notes) };
    let (diagnostics, sources) = &**found;
    let one = &diagnostics[0];
    let span = one.labels[0].span;
    let text = &sources.get(span.source).expect("a source").text;
    let line = text[..span.start].lines().count();
    format!(
        "{} {}\nline {line}: {}\nnote: {}\nhelp: {}",
        one.code.0,
        one.title,
        &text[span.start..span.end],
        one.notes.join("; "),
        one.help.clone().unwrap_or_default()
    )
}

async fn refused(bench: &Bench) -> CommandError {
    match bench.plan().await {
        Ok(planned) => panic!("planned {} records", planned.header.selected()),
        Err(error) => error,
    }
}

async fn holds(bench: &Bench) -> Vec<PlannedHold> {
    bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error))).header.holds
}

fn reach(policy: &str, records: u64) -> HoldReach {
    HoldReach { policy: PolicyName::new(policy).expect("a name"), records }
}

/// Kind: a name that the system does not know counts as "nothing held". Looked at as well: the object of a policy, the object of
/// a lookup, and a field of a lookup.
#[tokio::test(start_paused = true)]
async fn a_hold_on_an_object_that_is_not_there_is_refused_with_the_systems_own_answer() {
    let (bench, _) = billing();
    let usages = policy("usages", "billing", "Usage", "UOM = 'Each'", "hard");
    declare_billing(&bench, &(usages.clone() + &hold("typo", "billing", "Usages", "UOM = 'Each'", "")));
    insta::assert_snapshot!(told(&refused(&bench).await), @r#"
    Q0103 hold `typo`: Zuora has no object `Usages`, or this login may not see it
    line 30: Usages
    note: Zuora answered: could not count Usages records: HTTP 500 INVALID_TYPE: invalid type of object: Usages
    help: did you mean `Usage`?
    "#);

    // Of an object that is not known, it is not known either what its records belong to.
    let accounts = policy("accounts", "billing", "Account", "Status = 'Active'", "hard");
    declare_billing(&bench, &(accounts + &hold("typo", "billing", "Usages", "UOM = 'Each'", "")));
    assert!(told(&refused(&bench).await).starts_with("Q0103 hold `typo`: Zuora has no object `Usages`"));

    declare_billing(&bench, &policy("usages", "billing", "Usages", "UOM = 'Each'", "hard"));
    insta::assert_snapshot!(told(&refused(&bench).await), @r#"
    Q0103 policy `usages`: Zuora has no object `Usages`, or this login may not see it
    line 19: Usages
    note: Zuora answered: could not count Usages records: HTTP 500 INVALID_TYPE: invalid type of object: Usages
    help: did you mean `Usage`?
    "#);

    let lookup = "  children: [Usage.AcountId]\n";
    declare_billing(&bench, &(usages + &hold("lookup", "billing", "Account", "Name = 'Kept'", lookup)));
    assert!(told(&refused(&bench).await).contains("lookup"), "the system refuses the field, and the hold is named");
}

#[tokio::test(start_paused = true)]
async fn a_hold_of_salesforce_that_misspells_its_object_is_refused_where_it_stands() {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", 20, 7).expect("records");
    let bench = Bench::new(world);
    let leads = policy("leads", "crm", "Lead", "everything", "soft");
    bench.declare(&(leads.clone() + &crm_hold("typo", "Leads", "everything", "")));
    insta::assert_snapshot!(told(&refused(&bench).await), @r#"
    Q0103 hold `typo`: Salesforce has no object `Leads`, or this login may not see it
    line 30: Leads
    note: Salesforce answered: could not describe Leads: HTTP 404 NOT_FOUND: The requested resource does not exist
    help: did you mean `Lead`?
    "#);
    bench.declare(&(leads.clone() + &crm_hold("typo", "Lead", "everything", "  children: [Cas.Lead__c]\n")));
    insta::assert_snapshot!(told(&refused(&bench).await), @r#"
    Q0103 hold `typo`: Salesforce has no object `Cas`, or this login may not see it
    line 33: Cas.Lead__c
    note: Salesforce answered: could not describe Cas: HTTP 404 NOT_FOUND: The requested resource does not exist
    help: check the name `Cas` (custom objects end in `__c`), and that this user may read the object
    "#);
    bench.declare(&(leads + &crm_hold("typo", "Account", "everything", "  children: [Contact.OwnerId]\n")));
    insta::assert_snapshot!(told(&refused(&bench).await), @r#"
    Q0104 `OwnerId` of Contact looks up to User, and not to Account, the object of hold `typo`
    line 33: Contact.OwnerId
    note: 
    help: the fields that do are Contact.AccountId
    "#);
}

/// Kind: what our own table does not know counts as nothing.
#[tokio::test(start_paused = true)]
async fn a_hold_on_a_newer_object_keeps_the_account_above_it() {
    let (bench, [kept, _]) = billing();
    bench.sandbox.zuora().insert("CreditMemo", [("AccountId", kept.as_str()), ("Status", "Posted")]).expect("a memo");
    let accounts = policy("accounts", "billing", "Account", "Status = 'Active'", "hard");
    declare_billing(&bench, &(accounts + &hold("memos", "billing", "CreditMemo", "Status = 'Posted'", "")));
    let planned = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!((planned.header.policies[0].matched, planned.header.policies[0].selected), (2, 1));
    assert_eq!(planned.header.holds[0].policies, [reach("accounts", 1)]);
    bench.apply().await.expect("applied");
    assert!(bench.sandbox.zuora().exists(&kept));
}

#[tokio::test(start_paused = true)]
async fn a_newer_object_of_which_nobody_knows_what_it_belongs_to_is_doubt() {
    let (bench, _) = billing();
    bench.sandbox.zuora().insert("CreditMemoItem", [("SkuName", "A")]).expect("an item");
    let accounts = policy("accounts", "billing", "Account", "Status = 'Active'", "hard");
    let item = hold("items", "billing", "CreditMemoItem", "SkuName = 'A'", "");
    declare_billing(&bench, &(accounts.clone() + &item));
    let planned = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    let refusals: Vec<String> = planned.header.policies[0].refusals().map(ToString::to_string).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"held-cascade: deleting `Account` may delete records that hold `items` keeps, over Account > CreditMemoItem, and it is not known whether it does: let this login see CreditMemoItem, or accept that with `accept: { unknownCascades: [CreditMemoItem] }` in the policy, its target or the project"#);
    let accept = "  accept: { unknownCascades: [CreditMemoItem] }\n---\n";
    declare_billing(&bench, &(accounts.replace("---\n", accept) + &item));
    let planned = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert!(!planned.header.is_refused());
    assert_eq!(planned.header.policies[0].warnings().count(), 1);
}

/// Kind: protection that is not there looks like protection. Shown in the text, the comment, the JSON and the sealed plan.
#[tokio::test(start_paused = true)]
async fn a_hold_that_protects_nothing_is_told() {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", 20, 7).expect("records");
    world.generate("Contact", 20, 7).expect("records");
    let bench = Bench::new(world);
    let leads = policy("leads", "crm", "Lead", "everything", "soft");
    let holds = [
        crm_hold("elsewhere", "Contact", "everything", ""),
        crm_hold("nothing", "Lead", "Company = 'No such company'", ""),
        crm_hold("some", "Lead", "Company != 'No such company'", ""),
    ];
    bench.declare(&(leads + &holds.concat()));
    let planned = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    let matched: Vec<_> = planned.header.holds.iter().map(|hold| (hold.hold.as_str(), hold.matched)).collect();
    assert_eq!(matched, [("elsewhere", None), ("nothing", Some(0)), ("some", Some(20))]);
    let view = PlanView { header: &planned.header, digest: None, samples: &BTreeMap::new(), place: "plan" };
    let text = plan_text(&view, Palette::new(false));
    let block: Vec<&str> = text.lines().skip_while(|line| *line != "holds:").take_while(|line| !line.is_empty()).collect();
    insta::assert_snapshot!(block.join("\n"), @r#"
    holds:
      # nothing: Lead in crm: 0 records; keeps 0 in leads
        because Matter 7
      # some: Lead in crm: 20 records; keeps 20 in leads
        because Matter 7
      warning  hold elsewhere does not keep records that look up to held ones by Lead.ConvertedContactId; with `children` it does
      warning  hold nothing names no record: nothing of Lead matches its filter now
      warning  1 hold reaches no policy of this plan: elsewhere
    "#);
    let markdown = plan_markdown(&view, 65_000);
    let block: Vec<&str> = markdown
        .lines()
        .skip_while(|line| !line.starts_with("| hold"))
        .take_while(|line| !line.starts_with("<details"))
        .collect();
    insta::assert_snapshot!(block.join("\n"), @r#"
    | hold | object | named | keeps | because |
    |---|---|--:|---|---|
    | nothing | `Lead` | 0 | 0 in leads | Matter 7 |
    | some | `Lead` | 20 | 20 in leads | Matter 7 |

    - **warning**: hold elsewhere does not keep records that look up to held ones by Lead.ConvertedContactId; with \`children\` it does
    - **warning**: hold nothing names no record&#58; nothing of Lead matches its filter now
    - **warning**: 1 hold reaches no policy of this plan&#58; elsewhere
    "#);
}

/// Kind: a hold names records, and counsel means a customer.
fn customer() -> (World, BTreeMap<&'static str, usize>) {
    let mut world = World::builder().start(start()).build().expect("a world");
    let account =
        |world: &mut World, name: &str| world.insert("Account", [("Name", Value::from(name))]).expect("an account");
    let (kept, other) = (account(&mut world, "Kept"), account(&mut world, "Other"));
    for (number, owner) in [kept, other, kept, other, other].into_iter().enumerate() {
        let case = [("AccountId", Value::from(owner)), ("Subject", Value::from(format!("case {number}").as_str()))];
        let case = world.insert("Case", case).expect("a case");
        let contact = [("AccountId", Value::from(owner)), ("LastName", Value::from("Person"))];
        world.insert("Contact", contact).expect("a contact");
        world.insert("Task", [("Subject", Value::from("about it")), ("WhatId", Value::from(owner))]).expect("a task");
        world.insert("Task", [("Subject", Value::from("about the case")), ("WhatId", Value::from(case))]).expect("a task");
    }
    (world, BTreeMap::from([("cases", 5), ("contacts", 5), ("tasks", 10)]))
}

fn of_customer() -> String {
    [("cases", "Case"), ("contacts", "Contact"), ("tasks", "Task")]
        .map(|(name, object)| policy(name, "crm", object, "everything", "soft"))
        .concat()
}

#[tokio::test(start_paused = true)]
async fn a_hold_on_a_customer_says_which_of_its_records_it_does_not_keep() {
    let bench = Bench::new(customer().0);
    bench.declare(&(of_customer() + &crm_hold("counsel", "Account", "Name = 'Kept'", "")));
    let hold = &holds(&bench).await[0];
    // Deleting a contact takes its tasks along, and no account.
    assert_eq!(hold.policies, []);
    assert_eq!(hold.not_followed, ["Case.AccountId", "Contact.AccountId", "Task.WhatId"]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_reaches_down_keeps_the_records_of_a_customer_through_plan_and_apply() {
    let (world, before) = customer();
    let bench = Bench::new(world);
    bench.declare(&(of_customer() + &crm_hold("counsel", "Account", "Name = 'Kept'", "  children: all\n")));
    let planned = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    // The tasks of the account; and those of its cases go with a case only, which is kept.
    let reached = [reach("cases", 2), reach("contacts", 2), reach("tasks", 2)];
    assert_eq!(planned.header.holds[0].policies, reached);
    let ways =
        &planned.header.policies.iter().find(|policy| policy.policy.as_str() == "tasks").expect("planned").holds[0].ways;
    insta::assert_snapshot!(
        ways.iter().map(|way| format!("{} {}", way.records, way.because)).collect::<Vec<_>>().join("\n"), @r#"2 since Task.WhatId names a held record"#);
    bench.apply().await.expect("applied");
    let left = |object: &str| bench.sandbox.world().ids(object).count();
    assert_eq!((left("Case"), left("Contact")), (2, 2));
    assert!(left("Task") >= 2 && left("Task") <= before["tasks"]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_may_name_the_lookups_that_it_follows_and_reach_over_an_object_between() {
    let bench = Bench::new(customer().0);
    let named = "  children: [Case.AccountId, Contact.Account.ParentId]\n";
    bench.declare(&(of_customer() + &crm_hold("counsel", "Account", "Name = 'Kept'", named)));
    {
        let mut world = bench.sandbox.world();
        let accounts: Vec<RecordKey> = world.ids("Account").collect();
        // The other account belongs to the one that is held.
        world.update(accounts[1], "ParentId", accounts[0]).expect("known");
    }
    let counsel = &holds(&bench).await[0];
    assert_eq!(counsel.policies, [reach("cases", 2), reach("contacts", 3)]);
    assert_eq!(counsel.not_followed, ["Contact.AccountId", "Task.WhatId"]);
}

/// A hold that is set after the plan was approved reaches down as well.
#[tokio::test(start_paused = true)]
async fn a_hold_that_is_set_after_the_plan_reaches_down_at_apply() {
    let bench = Bench::new(customer().0);
    bench.declare(&of_customer());
    bench.plan().await.expect("planned");
    bench.declare(&(of_customer() + &crm_hold("counsel", "Account", "Name = 'Kept'", "  children: all\n")));
    let applied = bench.apply().await.expect("applied");
    let skipped = applied.report.policies.iter().map(|policy| (policy.policy.as_str(), policy.tally.skipped));
    assert_eq!(skipped.collect::<BTreeMap<_, _>>(), BTreeMap::from([("cases", 2), ("contacts", 2), ("tasks", 2)]));
}

/// In Zuora nothing describes the lookups but the names of fields.
#[tokio::test(start_paused = true)]
async fn a_hold_on_an_account_of_zuora_reaches_down_to_its_usage() {
    let (bench, _) = billing();
    let usages = policy("usages", "billing", "Usage", "UOM = 'Each'", "hard");
    declare_billing(&bench, &(usages.clone() + &hold("counsel", "billing", "Account", "Name = 'Kept'", "")));
    let counsel = &holds(&bench).await[0];
    assert_eq!(
        (counsel.policies.as_slice(), counsel.not_followed.as_slice()),
        (&[][..], &["Usage.AccountId".to_owned()][..])
    );
    declare_billing(&bench, &(usages + &hold("counsel", "billing", "Account", "Name = 'Kept'", "  children: all\n")));
    assert_eq!(holds(&bench).await[0].policies, [reach("usages", 19)]);
}

/// A policy on Top__c, which takes Middle__c along, that Deep__c and that Leaf__c; the login does not see `hidden`.
fn chain(hidden: &[&str]) -> Bench {
    let mut world = World::builder()
        .start(start())
        .user(login_without(hidden))
        .object(object_below("Top__c", b'1', None))
        .object(object_below("Middle__c", b'2', Some("Top__c")))
        .object(object_below("Deep__c", b'5', Some("Middle__c")))
        .object(object_below("Leaf__c", b'3', Some("Deep__c")))
        .object(object_below("Other__c", b'4', None))
        .build()
        .expect("a world");
    for number in 0..3 {
        let name = |text: &str| [("Name", Value::from(format!("{text} {number}").as_str()))];
        let top = world.insert("Top__c", name("top")).expect("a record");
        let middle = world.insert("Middle__c", [("Up__c", Value::from(top))]).expect("a record");
        let deep = world.insert("Deep__c", [("Up__c", Value::from(middle))]).expect("a record");
        let [named] = name("leaf");
        world.insert("Leaf__c", [("Up__c", Value::from(deep)), named]).expect("a record");
        world.insert("Other__c", name("other")).expect("a record");
    }
    Bench::new(world)
}

#[tokio::test(start_paused = true)]
async fn what_may_lie_below_an_object_that_cannot_be_seen_refuses_or_is_accepted_by_name() {
    let tops = policy("tops", "crm", "Top__c", "everything", "soft");
    let leaf = crm_hold("leaf", "Leaf__c", "Name = 'leaf 1'", "");
    let bench = chain(&[]);
    bench.declare(&(tops.clone() + &leaf));
    let seen = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!((seen.header.is_refused(), seen.header.policies[0].selected), (false, 2));

    let bench = chain(&["Deep__c"]);
    bench.declare(&(tops.clone() + &leaf));
    let unseen = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    let refusals: Vec<String> = unseen.header.policies[0].refusals().map(ToString::to_string).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"held-cascade: deleting `Top__c` may delete records that hold `leaf` keeps, over Top__c > Deep__c > Leaf__c, and it is not known whether it does: let this login see Deep__c, or accept that with `accept: { unknownCascades: [Deep__c] }` in the policy, its target or the project"#);

    // Without a hold that can lie there, the plan says it, and goes on.
    bench.declare(&(tops.clone() + &crm_hold("other", "Other__c", "everything", "")));
    let told_only = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert!(!told_only.header.is_refused());
    assert_eq!(told_only.header.policies[0].unseen_cascades, ["Deep__c"]);

    // To accept another object accepts nothing of this one.
    for (name, passes) in [("Leaf__c", false), ("deep__c", true)] {
        let accept = format!("  accept: {{ unknownCascades: [{name}] }}\n---\n");
        bench.declare(&(tops.replace("---\n", &accept) + &leaf));
        let planned = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
        assert_eq!(planned.header.is_refused(), !passes, "{name}");
    }
    let accepted = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    let kinds = accepted.header.policies[0].gates.iter().filter(|gate| gate.kind == FindingKind::Warn);
    assert_eq!(kinds.map(|gate| gate.gate.as_str()).collect::<Vec<_>>(), ["held-cascade"]);
}

/// Five hundred old records in Zuora, whose deletions take a while each, and a policy for them.
fn slow_deletions(more: &str) -> (Bench, Vec<String>) {
    let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
    let mut ids = System::Zuora.add(&bench.sandbox, 500, "old");
    ids.sort();
    bench.sandbox.add_fault(ZUORA_SOAP.deletion_fault(Effect::Delay { milliseconds: 100_000 }));
    let project =
        "apiVersion: sexton/v1\nkind: Project\nmetadata: { name: retention }\nspec: { holdRefresh: 1 minute }\n---\n";
    declare_billing(&bench, &format!("{project}{}{more}", ZUORA_SOAP.policy(&[])));
    (bench, ids)
}

/// Kind: what was read at the beginning is taken for what is so now. Looked at as well: matches of a policy that waited.
#[tokio::test(start_paused = true)]
async fn a_hold_that_is_set_during_a_run_keeps_what_is_not_yet_sent() {
    let (bench, ids) = slow_deletions(&ZUORA_SOAP.hold_document());
    bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    let (first, last) = (ids[0].clone(), ids[499].clone());
    let held = [first.clone(), last.clone()];
    bench.transport.before_deletion(move |sandbox| held.iter().for_each(|id| System::Zuora.hold(sandbox, id)));
    let applied = bench.apply().await.expect("applied");
    assert_eq!((applied.report.tally().deleted, applied.report.tally().skipped), (499, 1));
    assert!(bench.sandbox.zuora().exists(&last), "it was not sent yet");
    assert!(!bench.sandbox.zuora().exists(&first), "it was under way when the hold was set");
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_is_written_during_a_run_is_read_with_the_others() {
    let (bench, ids) = slow_deletions("");
    bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    let (file, hold) = (bench.path().join("midnight.yaml"), ZUORA_SOAP.hold_document());
    let last = ids[499].clone();
    bench.transport.before_deletion(move |sandbox| {
        System::Zuora.hold(sandbox, &last);
        std::fs::write(file, hold).expect("written");
    });
    let applied = bench.apply().await.expect("applied");
    assert_eq!((applied.report.tally().deleted, applied.report.tally().skipped), (499, 1));
}

#[tokio::test(start_paused = true)]
async fn where_holds_cannot_be_read_again_nothing_new_is_sent_and_the_run_can_be_continued() {
    let (bench, _) = slow_deletions("");
    bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    let file = bench.path().join("midnight.yaml");
    let broken = file.clone();
    bench
        .transport
        .before_deletion(move |_| std::fs::write(broken, "apiVersion: sexton/v1\nkind: Hold\n").expect("written"));
    let applied = bench.apply().await.expect("it ends");
    assert_eq!(applied.unfinished.len(), 1, "{:?}", applied.unfinished);
    insta::assert_snapshot!(applied.unfinished[0].replace(&bench.path().display().to_string(), "DIR"), @r#"policy old-ones: nothing new is sent, since the holds could not be read again: the manifests in DIR have 2 mistakes"#);
    let deleted = applied.report.tally().deleted;
    assert!(deleted > 0 && deleted < 500, "{deleted}");
    std::fs::remove_file(file).expect("removed");
    let applied = bench.apply().await.expect("continued");
    assert_eq!((applied.report.tally().deleted, applied.unfinished.len()), (500, 0));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_waited_for_another_reads_holds_and_matches_again() {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", 20, 7).expect("records");
    world.generate("Case", 20, 7).expect("records");
    let bench = Bench::new(world);
    let first = policy("first", "crm", "Case", "everything", "soft");
    let second =
        policy("second", "crm", "Lead", "Company != 'Young'", "soft").replace("  delete", "  dependsOn: [first]\n  delete");
    bench.declare(&(first + &second + &crm_hold("counsel", "Lead", "Company = 'Held'", "")));
    bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    bench.transport.before_deletion(|sandbox| {
        let mut world = sandbox.world();
        let leads: Vec<RecordKey> = world.ids("Lead").collect();
        world.update(leads[3], "Company", "Held").expect("known");
        world.update(leads[4], "Company", "Young").expect("known");
    });
    let applied = bench.apply().await.expect("applied");
    let of_second = applied.report.policies.iter().find(|policy| policy.policy.as_str() == "second").expect("applied");
    assert_eq!((of_second.tally.deleted, of_second.tally.skipped), (18, 2));
    assert_eq!(bench.sandbox.world().ids("Lead").count(), 2);
}

/// What goes as a whole or not at all does not go without what came to be held while it waited.
#[tokio::test(start_paused = true)]
async fn a_whole_of_which_a_part_is_held_while_it_waits_does_not_go() {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", 20, 7).expect("records");
    world.generate("Case", 20, 7).expect("records");
    let bench = Bench::new(world);
    let first = policy("first", "crm", "Case", "everything", "soft");
    let whole = policy("whole", "crm", "Lead", "everything", "soft")
        .replace("  delete", "  dependsOn: [first]\n  allOrNone: true\n  delete");
    bench.declare(&(first + &whole + &crm_hold("counsel", "Lead", "Company = 'Held'", "")));
    bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    bench.transport.before_deletion(|sandbox| {
        let mut world = sandbox.world();
        let lead = world.ids("Lead").next().expect("a lead");
        world.update(lead, "Company", "Held").expect("known");
    });
    let applied = bench.apply().await.expect("it ends");
    insta::assert_snapshot!(applied.unfinished.join("\n"), @r#"policy whole: while it waited, 1 record came to be held, changed or no longer match, so that not all can go together"#);
    let applied = bench.apply().await.expect("it ends");
    assert_eq!((applied.exit, applied.unfinished.len()), (Exit::GateRefused, 0));
    assert_eq!(bench.sandbox.world().ids("Lead").count(), 20);
}

/// Kind: a comparison that says what a field is not, and means less than people read. A tree means what people mean.
#[test]
fn a_text_hold_that_passes_over_empty_fields_is_warned_of() {
    let warned = |system: System, filter: &str| -> Vec<String> {
        let hold = hold("matter", system.target(), system.object(), filter, "");
        let text = format!("{}{hold}", system.document(ADDRESS, None));
        let reading = read([ManifestFile { name: "hold.yaml".into(), content: Ok(text.into_bytes()) }]);
        assert!(reading.workspace.is_some(), "{filter}: {:?}", reading.diagnostics);
        let found = reading.diagnostics.iter().filter(|one| one.code.0 == "M0406");
        found.map(|one| format!("{}; {}", one.title, one.help.clone().unwrap_or_default())).collect()
    };
    insta::assert_snapshot!(warned(System::Fulcrum, "status <> 'free'").join("\n"), @r#"the hold passes over records whose `status` is empty; add ` or status IS NULL` to keep them too, or write a tree, whose `notEquals` keeps them"#);
    insta::assert_snapshot!(warned(System::Zuora, "UOM != 'Free'").join("\n"), @r#"the hold may pass over records whose `UOM` is empty; add ` or UOM = null` to keep them too, or write a tree, whose `notEquals` keeps them"#);
    for (system, filter) in [
        (System::Salesforce, "Status != 'Free'"),
        (System::Zuora, "UOM != 'Free' or UOM = null"),
        (System::Zuora, "UOM != null"),
        (System::Zuora, "{ field: UOM, notEquals: Free }"),
        (System::Fulcrum, "status <> 'free' OR status IS NULL"),
        (System::Fulcrum, "status IS DISTINCT FROM 'free'"),
        (System::Fulcrum, "status = 'free'"),
    ] {
        assert_eq!(warned(system, filter), Vec::<String>::new(), "{filter}");
    }
    for filter in
        ["status NOT IN ('a', 'b')", "NOT (status = 'a')", "status NOT LIKE 'a%'", "status NOT BETWEEN 'a' AND 'b'"]
    {
        assert_eq!(warned(System::Fulcrum, filter).len(), 1, "{filter}");
    }
}

/// Somebody writes a hold in a hurry, with a mistake in its filter, and applies the plan that was approved before.
#[tokio::test(start_paused = true)]
async fn a_hold_that_names_nothing_is_told_at_apply_as_well() {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", 20, 7).expect("records");
    let bench = Bench::new(world);
    let leads = policy("leads", "crm", "Lead", "everything", "soft");
    bench.declare(&leads);
    bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    bench.declare(&(leads + &crm_hold("hurry", "Lead", "Company = 'Acmee'", "")));
    bench.apply().await.expect("applied");
    let said: Vec<String> = bench.recorder.warnings().into_iter().filter(|told| told.contains("hurry")).collect();
    assert_eq!(said, ["hold hurry names no record: nothing of Lead matches its filter now"]);
}

/// A hold that is set during a run and that nobody can follow to its end is doubt, as in a plan.
#[tokio::test(start_paused = true)]
async fn a_doubt_that_comes_up_during_a_run_stops_what_is_not_yet_sent() {
    let bench = chain(&["Deep__c"]);
    bench.sandbox.world().generate("Lead", 20, 7).expect("records");
    let first = policy("first", "crm", "Lead", "everything", "soft");
    let tops = policy("tops", "crm", "Top__c", "everything", "soft").replace("  delete", "  dependsOn: [first]\n  delete");
    bench.declare(&(first + &tops));
    bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    let (file, leaf) = (bench.path().join("leaf.yaml"), crm_hold("leaf", "Leaf__c", "Name = 'leaf 1'", ""));
    bench.transport.before_deletion(move |_| std::fs::write(file, leaf).expect("written"));
    let applied = bench.apply().await.expect("it ends");
    insta::assert_snapshot!(applied.unfinished.join("\n"), @r#"policy tops: it is not known whether the deletion takes records along that hold `leaf` keeps by now, over Top__c > Deep__c > Leaf__c"#);
    assert_eq!(bench.sandbox.world().ids("Top__c").count(), 3);
    let applied = bench.apply().await.expect("it ends");
    assert_eq!((applied.exit, applied.unfinished.len()), (Exit::GateRefused, 0));
    assert_eq!(bench.sandbox.world().ids("Top__c").count(), 3);
}

/// More policies than are carried out at once: the last waits for its turn as long as others wait for what they depend on.
#[tokio::test(start_paused = true)]
async fn a_policy_that_waited_long_for_its_turn_reads_its_matches_again() {
    let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
    bench.sandbox.add_fault(ZUORA_SOAP.deletion_fault(Effect::Delay { milliseconds: 100_000 }));
    let mut documents =
        "apiVersion: sexton/v1\nkind: Project\nmetadata: { name: retention }\nspec: { holdRefresh: 1 minute }\n---\n"
            .to_owned();
    let mut ids = Vec::new();
    for number in 0..17 {
        let unit = format!("unit-{number:02}");
        ids.push(bench.sandbox.zuora().insert("Usage", [("UOM", unit.as_str())]).expect("a usage"));
        documents += &policy(&unit, "billing", "Usage", &format!("UOM = '{unit}'"), "hard");
    }
    declare_billing(&bench, &documents);
    bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    let last = ids[16].clone();
    let renewed = last.clone();
    bench.transport.before_deletion(move |sandbox| System::Zuora.renew(sandbox, &renewed));
    let applied = bench.apply().await.expect("applied");
    assert_eq!((applied.report.tally().deleted, applied.report.tally().skipped), (16, 1));
    assert!(bench.sandbox.zuora().exists(&last));
}
