//! Seeds as people write them.

use std::error::Error;

use insta::assert_snapshot;
use jiff::Timestamp;

use super::{Seed, SeedError};
use crate::sandbox::{RecordKey, Value, World};

fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().expect("valid")
}

fn build(files: &[(&str, &str)]) -> Result<World, SeedError> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    Ok(Seed::from_files(files)?.build(start())?.0.salesforce)
}

fn key(text: &str) -> RecordKey {
    RecordKey::parse(text).expect("valid")
}

/// The error with all its causes.
fn refusal(files: &[(&str, &str)]) -> String {
    let error = build(files).expect_err("refused");
    let mut shown = error.to_string();
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(error) = cause {
        shown = format!("{shown}: {error}");
        cause = error.source();
    }
    shown
}

#[test]
fn reads_exports_in_any_case_and_order() {
    let accounts = "\u{feff}\"ID\",\"NAME\",\"ANNUALREVENUE\",\"CREATEDDATE\",\"OWNER.NAME\"\n\
                    \"001S00000000009AAA\",\"Acme, \"\"Inc\"\"\",\"1500.5\",\"2019-05-01T08:00:00.000Z\",\"x\"\n";
    let accounts = accounts.replace("001S00000000009AAA", &RecordKey::numbered(*b"001", 9).to_string());
    let contacts = format!(
        "LastName,AccountId,IsDeleted,Region__c,Score__c,Joined__c,Vip__c\r\nB,{0},false,North,1.5,2020-01-02,true\r\nA,,true,,2,,false\r\n",
        RecordKey::numbered(*b"001", 9)
    );
    let mut world = build(&[("Account.csv", &accounts), ("Contact.csv", &contacts)]).expect("valid");
    let account = RecordKey::numbered(*b"001", 9);
    assert_eq!(world.value(account, "Name"), Some("Acme, \"Inc\"".into()));
    assert_eq!(world.value(account, "AnnualRevenue"), Some(1500.5.into()));
    assert_eq!(world.value(account, "CreatedDate").expect("there").to_text(), "2019-05-01T08:00:00.000Z");
    assert_eq!(world.count("Contact"), 1, "the other one is in the bin");
    let contact = world.ids("Contact").next().expect("one");
    assert_eq!(world.value(contact, "AccountId"), Some(Value::Reference(account)));
    assert_eq!(world.value(contact, "Name"), Some("B".into()));
    let kinds = ["Region__c", "Score__c", "Joined__c", "Vip__c"].map(|field| world.value(contact, field).expect("made"));
    assert_eq!(kinds, ["North".into(), 1.5.into(), Value::Date(jiff::civil::date(2020, 1, 2)), true.into()]);
    let next = world.insert("Account", []).expect("known");
    assert!(next != account);
}

#[test]
fn defines_objects_and_what_deletion_does_to_them() {
    let yaml = "
objects:
- name: Invoice__c
  keyPrefix: a07
  fields:
  - { name: Amount__c, type: currency }
  - { name: Account__c, type: lookup, to: [Account], childrenName: Invoices__r, onDelete: restrict }
- name: Account
  fields:
  - { name: Tier__c, type: picklist, values: [gold, silver] }
";
    let invoices = "Id,Name,Amount__c,Account__c\n,I-1,12.50,\n";
    let world = build(&[("world.yaml", yaml), ("Invoice__c.csv", invoices)]).expect("valid");
    let invoice = world.ids("Invoice__c").next().expect("one");
    assert_eq!(invoice.prefix(), *b"a07");
    assert_eq!(world.value(invoice, "Amount__c"), Some(12.5.into()));
    assert_eq!(world.value(invoice, "OwnerId"), Some(Value::Reference(world.first_user())));
    assert!(world.objects().contains(&"Invoice__c") && world.objects().contains(&"Account"));
}

#[test]
fn generated_records_follow_the_files() {
    let account = RecordKey::numbered(*b"001", 1).to_string();
    let files = vec![("Account.csv".to_owned(), format!("Id,Name\n{account},Acme\n").into_bytes())];
    let generated = ["Contact=20".parse().expect("valid")];
    let (worlds, _) = Seed::from_files(files).expect("valid").with_generated(generated).build(start()).expect("consistent");
    let world = worlds.salesforce;
    assert_eq!(world.count("Contact"), 20);
    assert!(world.ids("Contact").all(|contact| world.value(contact, "AccountId") == Some(key(&account).into())));
}

#[test]
fn a_folder_holds_the_records_of_another_system() {
    let account = "2c92c0f8000000000000000000000abc";
    let accounts =
        format!("Id,name,Balance,CreatedDate,Region__c\n{account},\"Acme, Inc\",1.5,2019-05-01T08:00:00Z,North\n");
    let files = vec![("zuora/Account.csv".to_owned(), accounts.into_bytes())];
    let generated = ["zuora/Usage=3".parse().expect("valid")];
    let (worlds, _) = Seed::from_files(files).expect("valid").with_generated(generated).build(start()).expect("consistent");
    let tenant = worlds.zuora;
    let values = ["Name", "balance", "CreatedDate", "Region__c"].map(|field| tenant.value(account, field).expect("there"));
    assert_eq!(values, ["Acme, Inc", "1.5", "2019-05-01T01:00:00.000-07:00", "North"]);
    assert_eq!(tenant.count("Usage"), 3);
    assert!(tenant.ids("Usage").all(|usage| tenant.value(usage, "AccountId").as_deref() == Some(account)));
}

#[test]
fn a_folder_holds_the_forms_of_fulcrum() {
    let visits = "\u{feff}_record_id,customer,_created_at,visited_on,rating,_title\nvisit-1,Acme,2019-05-01 08:00:00 UTC,2019-05-01,4,x\n,,,,,\n";
    let files = vec![
        ("fulcrum/Site Visits.csv".to_owned(), visits.as_bytes().to_vec()),
        ("fulcrum/Storm Drains.csv".to_owned(), b"depth,seen\n1.5,2020-01-01\n2,\n".to_vec()),
    ];
    let generated = ["fulcrum/Testing App=3".parse().expect("valid")];
    let (worlds, _) = Seed::from_files(files).expect("valid").with_generated(generated).build(start()).expect("consistent");
    let organization = worlds.fulcrum;
    let visits = organization.form("Site Visits").expect("there");
    let visit = &visits.records()["visit-1"];
    assert_eq!((visit.created_at.to_string(), organization.count("Site Visits")), ("2019-05-01T08:00:00Z".to_owned(), 2));
    let shown: Vec<String> = visit.values.iter().map(|value| format!("{value:?}")).collect();
    assert_eq!(shown.join(" "), "Text(\"Acme\") Null Date(2019-05-01) Null Integer(4)");
    let drains = organization.form("Storm Drains").expect("made");
    let kinds: Vec<String> = drains.fields.iter().map(|field| format!("{} {:?}", field.name, field.kind)).collect();
    assert_eq!(kinds, ["depth Double", "seen Date"]);
    assert_eq!(organization.count("Testing App"), 3);
}

#[test]
fn says_what_is_wrong_and_where() {
    let refusals = [
        refusal(&[("notes.txt", "")]),
        refusal(&[("Nothing.csv", "Id\n")]),
        refusal(&[("Lead.csv", "Id,LastName\nabc,x\n")]),
        refusal(&[("Lead.csv", "Id,LastName\n001D000000ISUr3IAH,x\n")]),
        refusal(&[("Lead.csv", "LastName,IsConverted\nx,true\ny,maybe\n")]),
        refusal(&[("world.yaml", "objects: [{ name: X__c, fields: [{ name: Y__c, type: lookup }] }]")]),
        refusal(&[("world.yaml", "objects: [{ name: X__c, fields: [{ name: Y__c, type: lookup, to: [Z] }] }]")]),
        refusal(&[("world.yaml", "users: [{ username: a }]\nclients: [{ id: c, runAs: b }]")]),
        refusal(&[("world.yaml", "organization: { id: 001D000000ISUr3IAH }")]),
        refusal(&[("zuora/Nothing.csv", "Id\n")]),
        refusal(&[("zuora/Usage.csv", "Id,Quantity\n,1\nabc,2\n")]),
        refusal(&[("zuora/Usage.csv", "Quantity\nmany\n")]),
        refusal(&[("fulcrum/Testing App.csv", "title,amount\nx,1\ny,many\n")]),
    ];
    assert_snapshot!(refusals.join("\n"), @r#"
    `notes.txt` is neither a CSV file named after an object nor `world.yaml`
    there is no object `Nothing`: define it in `world.yaml`
    `Lead.csv` line 2: the id cannot be used: `abc` is not a Salesforce id: 15 or 18 letters and digits
    `Lead.csv` line 2: the record cannot be added: `001D000000ISUr3IAH` cannot be the key of a Lead: it has another prefix
    `Lead.csv` line 3: the value of `IsConverted` cannot be used: 'maybe' is not a valid value for the type xsd:boolean
    `world.yaml`: the lookup `Y__c` does not say what it points to
    the world cannot be built: there is no object `Z`
    `world.yaml`: the client `c` names the unknown user `b`
    `world.yaml`: `001D000000ISUr3IAH` is not an id that begins with 00D
    `zuora/Nothing.csv` line 1: the record cannot be added: there is no object `Nothing`
    `zuora/Usage.csv` line 3: the record cannot be added: `abc` is not a free id of 32 lower-case hexadecimal digits
    `zuora/Usage.csv` line 2: the record cannot be added: the value of `Quantity` cannot be used
    `fulcrum/Testing App.csv` line 3: the value of `amount` cannot be used: invalid input syntax for type double precision: "many"
    "#);
    assert!(refusal(&[("world.yaml", "usres: []")]).contains("usres"));
    assert!(refusal(&[("Lead.csv", "LastName,Company\nx\n")]).contains("found record with 1 fields"));
}

#[test]
fn a_large_export_in_random_order_is_read_quickly() {
    let mut text = String::from("Id,LastName\n");
    for number in 0..20_000u64 {
        let number = number * 7_919 % 20_000;
        text.push_str(&format!("{},x\n", RecordKey::numbered(*b"00Q", number + 1)));
    }
    let world = build(&[("Lead.csv", &text)]).expect("valid");
    assert_eq!(world.count("Lead"), 20_000);
    assert!(world.ids("Lead").is_sorted());
}
