//! What lies below an account in a real organization.

use super::definition::{FieldKind, Lookup, ObjectDefinition, OnDelete};

/// The child objects, each with its field that names the account. They cascade in a recorded describe answer of `Account`; the last
/// ones stand for the packages that every organization has.
const CHILDREN: [(&str, &str); 40] = [
    ("AccountBrand", "AccountId"),
    ("AccountCleanInfo", "AccountId"),
    ("AccountContactRole", "AccountId"),
    ("AccountFeed", "ParentId"),
    ("AccountHistory", "AccountId"),
    ("AccountPartner", "AccountFromId"),
    ("AccountShare", "AccountId"),
    ("ActivityHistory", "AccountId"),
    ("Asset", "AccountId"),
    ("AssociatedLocation", "ParentRecordId"),
    ("AttachedContentDocument", "LinkedEntityId"),
    ("Attachment", "ParentId"),
    ("CollaborationGroupRecord", "RecordId"),
    ("CombinedAttachment", "ParentId"),
    ("ContactPointEmail", "ParentId"),
    ("ContactPointPhone", "ParentId"),
    ("ContentDistribution", "RelatedRecordId"),
    ("ContentDocumentLink", "LinkedEntityId"),
    ("Contract", "AccountId"),
    ("DuplicateRecordItem", "RecordId"),
    ("EntitySubscription", "ParentId"),
    ("Event", "WhatId"),
    ("FeedItem", "ParentId"),
    ("Note", "ParentId"),
    ("NoteAndAttachment", "ParentId"),
    ("OpenActivity", "AccountId"),
    ("OpportunityPartner", "AccountToId"),
    ("Order", "AccountId"),
    ("Partner", "AccountToId"),
    ("ProcessInstance", "TargetObjectId"),
    ("RecordAction", "RecordId"),
    ("SocialPersona", "ParentId"),
    ("SocialPost", "WhoId"),
    ("SurveySubject", "SubjectId"),
    ("TopicAssignment", "EntityId"),
    ("UserEmailPreferredPerson", "PersonRecordId"),
    ("vendor__Address__c", "vendor__Account__c"),
    ("vendor__Affiliation__c", "vendor__Account__c"),
    ("vendor__Score__c", "vendor__Account__c"),
    ("vendor__Usage__c", "vendor__Account__c"),
];

/// The lists that only the page of a record shows, and that no query may name.
const LISTS: [&str; 5] =
    ["ActivityHistory", "AttachedContentDocument", "CombinedAttachment", "NoteAndAttachment", "OpenActivity"];

/// Forty objects whose records go with their account, beside those that every world has: feeds, histories and shares, lists that cannot
/// be queried, links that can be asked for by their keys only, and objects of packages.
pub fn account_children() -> Vec<ObjectDefinition> {
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcd";
    let children = CHILDREN.iter().zip(digits).map(|((name, field), digit)| {
        let account = Lookup::to(&["Account"], "Account").children(name).on_delete(OnDelete::Cascade);
        let mut child = ObjectDefinition::new(name, name, name, [b'9', b'z', *digit])
            .with("Name", FieldKind::Text(80))
            .with(field, account.into());
        child.queryable = !LISTS.contains(name);
        if *name == "ContentDocumentLink" {
            child = child.with("ContentDocumentId", FieldKind::Text(18));
            child.needs_filter_on = vec!["ContentDocumentId".to_owned(), "LinkedEntityId".to_owned()];
        }
        child
    });
    children.collect()
}
