//! The objects every world has. Which lookups cascade, restrict or clear follows recorded describe answers, except
//! where a line says guess.

use super::definition::{FieldKind, Lookup, ObjectDefinition, OnDelete};

/// The prefix of `UserPermissionAccess`, which has none on the wire.
pub(super) const ACCESS_PREFIX: [u8; 3] = *b"0Ua";

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn picklist(values: &[&str]) -> FieldKind {
    FieldKind::Picklist(words(values))
}

fn owner() -> FieldKind {
    Lookup::to(&["User"], "Owner").into()
}

const INDUSTRIES: [&str; 8] =
    ["Agriculture", "Banking", "Education", "Energy", "Healthcare", "Manufacturing", "Retail", "Technology"];
const SOURCES: [&str; 5] = ["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"];

/// `Organization`, `User` and `UserPermissionAccess`, whose records the world keeps itself.
pub(super) fn system_objects() -> Vec<ObjectDefinition> {
    let mut organization = ObjectDefinition::new("Organization", "Organization", "Organizations", *b"00D")
        .with("Name", FieldKind::Text(80))
        .with("IsSandbox", FieldKind::Boolean)
        .with("InstanceName", FieldKind::Text(5))
        .with("OrganizationType", FieldKind::Text(40));
    organization.deletable = false;
    organization.undeletable = false;
    let mut user = ObjectDefinition::new("User", "User", "Users", *b"005")
        .with("Username", FieldKind::Text(80))
        .with("Name", FieldKind::Text(121))
        .with("Email", FieldKind::Email)
        .with("IsActive", FieldKind::Boolean);
    user.deletable = false;
    user.undeletable = false;
    // The vendor gives this object no prefix; the world needs one for its rows.
    let mut access =
        ObjectDefinition::new("UserPermissionAccess", "User Permission Access", "User Permission Access", ACCESS_PREFIX)
            .named_by("Id")
            .with("PermissionsApiEnabled", FieldKind::Boolean)
            .with("PermissionsBulkApiHardDelete", FieldKind::Boolean)
            .with("PermissionsViewSetup", FieldKind::Boolean)
            .with("PermissionsDataIntegrations", FieldKind::Boolean);
    access.deletable = false;
    access.undeletable = false;
    vec![organization, user, access]
}

/// Account, Contact, Lead, Case, Opportunity, Task, and the custom object `Log__c` with a lookup to Account.
pub(super) fn business_objects() -> Vec<ObjectDefinition> {
    vec![account(), contact(), lead(), case(), opportunity(), task(), log()]
}

fn account() -> ObjectDefinition {
    ObjectDefinition::new("Account", "Account", "Accounts", *b"001")
        .with("Name", FieldKind::Text(255))
        .with("Type", picklist(&["Prospect", "Customer", "Partner", "Other"]))
        .with("Industry", picklist(&INDUSTRIES))
        .with("AnnualRevenue", FieldKind::Currency)
        .with("NumberOfEmployees", FieldKind::Integer)
        .with("Phone", FieldKind::Phone)
        .with("Website", FieldKind::Url)
        .with("BillingCity", FieldKind::Text(40))
        .with("BillingCountry", FieldKind::Text(80))
        .with("Description", FieldKind::TextArea)
        .with("LastActivityDate", FieldKind::Date)
        .with("ParentId", Lookup::to(&["Account"], "Parent").children("ChildAccounts").into())
        .with("OwnerId", owner())
}

fn contact() -> ObjectDefinition {
    ObjectDefinition::new("Contact", "Contact", "Contacts", *b"003")
        .with("FirstName", FieldKind::Text(40))
        .with("LastName", FieldKind::Text(80))
        .with("Name", FieldKind::Text(121))
        .with("Email", FieldKind::Email)
        .with("Phone", FieldKind::Phone)
        .with("Title", FieldKind::Text(128))
        .with("MailingCity", FieldKind::Text(40))
        .with("MailingCountry", FieldKind::Text(80))
        .with("LeadSource", picklist(&SOURCES))
        .with("HasOptedOutOfEmail", FieldKind::Boolean)
        .with("Birthdate", FieldKind::Date)
        .with("LastActivityDate", FieldKind::Date)
        .with("AccountId", Lookup::to(&["Account"], "Account").children("Contacts").on_delete(OnDelete::Cascade).into())
        .with("ReportsToId", Lookup::to(&["Contact"], "ReportsTo").children("ReportsToContacts").into())
        .with("OwnerId", owner())
}

fn lead() -> ObjectDefinition {
    ObjectDefinition::new("Lead", "Lead", "Leads", *b"00Q")
        .with("FirstName", FieldKind::Text(40))
        .with("LastName", FieldKind::Text(80))
        .with("Name", FieldKind::Text(121))
        .with("Company", FieldKind::Text(255))
        .with("Title", FieldKind::Text(128))
        .with("Email", FieldKind::Email)
        .with("Phone", FieldKind::Phone)
        .with("City", FieldKind::Text(40))
        .with("Country", FieldKind::Text(80))
        .with("Status", picklist(&["Open", "Contacted", "Qualified", "Unqualified"]))
        .with("LeadSource", picklist(&SOURCES))
        .with("Industry", picklist(&INDUSTRIES))
        .with("Rating", picklist(&["Hot", "Warm", "Cold"]))
        .with("AnnualRevenue", FieldKind::Currency)
        .with("NumberOfEmployees", FieldKind::Integer)
        .with("IsConverted", FieldKind::Boolean)
        .with("HasOptedOutOfEmail", FieldKind::Boolean)
        .with("ConvertedDate", FieldKind::Date)
        .with("LastActivityDate", FieldKind::Date)
        .with("ConvertedAccountId", Lookup::to(&["Account"], "ConvertedAccount").into())
        .with("ConvertedContactId", Lookup::to(&["Contact"], "ConvertedContact").into())
        .with("ConvertedOpportunityId", Lookup::to(&["Opportunity"], "ConvertedOpportunity").into())
        .with("OwnerId", owner())
}

fn case() -> ObjectDefinition {
    ObjectDefinition::new("Case", "Case", "Cases", *b"500")
        .named_by("CaseNumber")
        .with("CaseNumber", FieldKind::AutoNumber { prefix: String::new(), digits: 8 })
        .with("Subject", FieldKind::Text(255))
        .with("Status", picklist(&["New", "Working", "Escalated", "Closed"]))
        .with("Priority", picklist(&["High", "Medium", "Low"]))
        .with("Origin", picklist(&["Email", "Phone", "Web"]))
        .with("Type", picklist(&["Question", "Problem", "Feature Request"]))
        .with("IsClosed", FieldKind::Boolean)
        .with("ClosedDate", FieldKind::DateTime)
        .with("AccountId", Lookup::to(&["Account"], "Account").children("Cases").on_delete(OnDelete::Restrict).into())
        .with("ContactId", Lookup::to(&["Contact"], "Contact").children("Cases").on_delete(OnDelete::Restrict).into())
        .with("ParentId", Lookup::to(&["Case"], "Parent").children("Cases").into())
        .with("OwnerId", owner())
}

fn opportunity() -> ObjectDefinition {
    // That a won opportunity blocks its account is documented; the flag in the describe answer is cascade alone (recorded).
    let account = Lookup::to(&["Account"], "Account").children("Opportunities");
    ObjectDefinition::new("Opportunity", "Opportunity", "Opportunities", *b"006")
        .with("Name", FieldKind::Text(120))
        .with("StageName", picklist(&["Prospecting", "Proposal", "Negotiation", "Closed Won", "Closed Lost"]))
        .with("Amount", FieldKind::Currency)
        .with("Probability", FieldKind::Percent)
        .with("CloseDate", FieldKind::Date)
        .with("IsClosed", FieldKind::Boolean)
        .with("IsWon", FieldKind::Boolean)
        .with("LeadSource", picklist(&SOURCES))
        .with("LastActivityDate", FieldKind::Date)
        .with("AccountId", account.on_delete(OnDelete::CascadeUnless("IsWon".to_owned())).into())
        .with("OwnerId", owner())
}

fn task() -> ObjectDefinition {
    // WhatId cascades from Account, Opportunity and Case (recorded). WhoId from Contact and Lead: guess.
    let what = Lookup::to(&["Account", "Opportunity", "Case"], "What").children("Tasks").on_delete(OnDelete::Cascade);
    let who = Lookup::to(&["Contact", "Lead"], "Who").children("Tasks").on_delete(OnDelete::Cascade);
    ObjectDefinition::new("Task", "Task", "Tasks", *b"00T")
        .named_by("Subject")
        .with("Subject", FieldKind::Text(255))
        .with("Status", picklist(&["Not Started", "In Progress", "Completed", "Deferred"]))
        .with("Priority", picklist(&["High", "Normal", "Low"]))
        .with("ActivityDate", FieldKind::Date)
        .with("IsClosed", FieldKind::Boolean)
        .with("Description", FieldKind::TextArea)
        .with("WhatId", what.into())
        .with("WhoId", who.into())
        .with("OwnerId", owner())
        .with("IsArchived", FieldKind::Boolean)
}

fn log() -> ObjectDefinition {
    ObjectDefinition::new("Log__c", "Log", "Logs", *b"a00")
        .with("Name", FieldKind::AutoNumber { prefix: "LOG-".to_owned(), digits: 7 })
        .with("Level__c", picklist(&["Debug", "Info", "Warning", "Error"]))
        .with("Tags__c", FieldKind::MultiPicklist(words(&["api", "batch", "login", "sync"])))
        .with("Message__c", FieldKind::TextArea)
        .with("Logged_At__c", FieldKind::DateTime)
        .with("Duration__c", FieldKind::Double)
        .with("Account__c", Lookup::to(&["Account"], "Account__r").children("Logs__r").into())
        .with("OwnerId", owner())
}
