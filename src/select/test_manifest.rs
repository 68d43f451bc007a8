//! Manifests and an object for tests of this folder.

use crate::manifest::{self, ManifestFile, Policy, Workspace};
use crate::plan::{FieldFacts, ObjectFacts};
use crate::system::{Capabilities, FieldType, SystemKind};

/// A workspace with one policy `leads`; `lines` are further lines of its `spec`.
pub(super) fn workspace(lines: &[&str]) -> Workspace {
    let text = format!(
        "apiVersion: sexton/v1\nkind: Target\nmetadata: {{ name: crm }}\nspec:\n  salesforce:\n    loginUrl: https://example.com\n    \
         auth:\n      clientCredentials: {{ clientId: {{ env: A }}, clientSecret: {{ env: B }} }}\n---\n\
         apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: leads }}\nspec:\n  target: crm\n  object: Lead\n  \
         limits: {{ maxRecords: 10, maxPercent: 100 }}\n  {}\n",
        lines.join("\n  ")
    );
    let reading = manifest::read([ManifestFile { name: "test.yaml".into(), content: Ok(text.into_bytes()) }]);
    reading.workspace.unwrap_or_else(|| panic!("{:?}", reading.diagnostics))
}

/// Its policy.
pub(super) fn policy(workspace: &Workspace) -> &Policy {
    workspace.policies.values().next().expect("a policy")
}

/// Leads with a text and a day.
pub(super) fn lead() -> ObjectFacts {
    let field = |name: &str, kind| FieldFacts {
        name: name.into(),
        kind,
        filterable: true,
        nillable: true,
        relationship_name: None,
        reference_to: Vec::new(),
    };
    ObjectFacts {
        name: "Lead".into(),
        deletable: true,
        undeletable: true,
        queryable: true,
        key_prefix: None,
        fields: vec![field("Company", FieldType::Text), field("LastActivityDate", FieldType::Date)],
        knows_all_fields: true,
        children: Vec::new(),
    }
}

/// A system that shows when a record changed.
pub(super) fn capabilities(change_stamp: Option<&'static str>) -> Capabilities {
    Capabilities {
        system: SystemKind::Salesforce,
        key: "Id",
        change_stamp,
        budget: None,
        routes: &[],
        page_size: 2_000,
        presence_size: 2_000,
    }
}
