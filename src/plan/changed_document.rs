//! Documents that a plan uses and that are not what they were.

use std::fmt;

use super::{SealedDocument, SealedManifests};
use crate::base::{PolicyName, TargetName, with_thousands};
use crate::manifest::DocumentKind;

/// A document that a plan uses and that is not what it was when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedDocument<'a> {
    /// What it is.
    pub kind: DocumentKind,
    /// Its name; for the Project the setting that changed.
    pub name: &'a str,
    /// As it was; `None` for a setting of the Project.
    pub before: Option<&'a SealedDocument>,
    /// As it is; `None` where it is there no more, and for a setting of the Project.
    pub now: Option<&'a SealedDocument>,
    /// The values of a setting of the Project, before and now.
    pub values: Option<(&'a str, &'a str)>,
}

impl fmt::Display for ChangedDocument<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name;
        if let Some((before, now)) = self.values {
            return write!(formatter, "the Project's `{name}` was changed since the plan, from `{before}` to `{now}`");
        }
        let kind = match self.kind {
            DocumentKind::Project => "project",
            DocumentKind::Target => "target",
            DocumentKind::DeletionPolicy => "policy",
            DocumentKind::Hold => "hold",
        };
        match (self.before, self.now) {
            (
                Some(SealedDocument { list: Some(before), digest, .. }),
                Some(SealedDocument { list: Some(list), digest: now, .. }),
            ) if digest == now => {
                let (then, now) = (with_thousands(before.ids), with_thousands(list.ids));
                write!(
                    formatter,
                    "the ids in {}, the list of {kind} `{name}`, or their order were changed since the plan ({then} then, {now} now)",
                    list.file
                )
            }
            (Some(SealedDocument { list: Some(before), .. }), Some(SealedDocument { list: None, digest: now, .. }))
                if self.before.is_some_and(|document| document.digest == *now) =>
            {
                write!(
                    formatter,
                    "the ids in {}, the list of {kind} `{name}`, cannot be used any more: `sexton validate` says why",
                    before.file
                )
            }
            (_, Some(now)) => write!(formatter, "{kind} `{name}` was changed since the plan, in {}", now.file),
            (Some(before), None) => {
                write!(formatter, "{kind} `{name}` was removed since the plan; it was in {}", before.file)
            }
            (None, None) => write!(formatter, "there never was a {kind} `{name}`"),
        }
    }
}

/// The documents that a plan of `policies` uses and that are not what they were: the policies themselves, their targets, and the
/// settings of the Project.
///
/// Other policies and targets may come, go and change while a plan waits, so that several reviewed plans can wait side by side. So
/// may holds: apply reads them anew, and they can only keep records back.
pub fn changed_documents<'a>(
    before: &'a SealedManifests,
    now: &'a SealedManifests,
    policies: impl Iterator<Item = (&'a PolicyName, &'a TargetName)>,
) -> Vec<ChangedDocument<'a>> {
    let mut used: Vec<(DocumentKind, &str)> = policies
        .flat_map(|(policy, target)| {
            [(DocumentKind::Target, target.as_str()), (DocumentKind::DeletionPolicy, policy.as_str())]
        })
        .collect();
    used.sort_unstable();
    used.dedup();
    let settings = now.project.iter().filter_map(|(key, value)| {
        let old = before.project.get(key).map_or("nothing", String::as_str);
        let values = Some((old, value.as_str())).filter(|_| before.project.get(key) != Some(value))?;
        Some(ChangedDocument { kind: DocumentKind::Project, name: key, before: None, now: None, values: Some(values) })
    });
    let documents = used.into_iter().filter_map(|(kind, name)| {
        let find = |manifests: &'a SealedManifests| {
            manifests.documents.iter().find(|document| document.kind == kind && document.name == name)
        };
        let (before, now) = (find(before), find(now));
        // Of what was never there, the settings of a policy say that they are not those of the manifests.
        let content = |document: &'a SealedDocument| (document.digest, document.list.as_ref());
        let same = before.map(content) == now.map(content);
        (!same).then_some(ChangedDocument { kind, name, before, now, values: None })
    });
    settings.chain(documents).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::Digest;

    fn document(kind: DocumentKind, name: &str, text: &str) -> SealedDocument {
        let digest = Digest::of(text.as_bytes());
        SealedDocument { kind, name: name.into(), file: format!("{name}.yaml"), digest, text: text.into(), list: None }
    }

    fn manifests(zone: &str, documents: Vec<SealedDocument>) -> SealedManifests {
        let project = BTreeMap::from([("timeZone".to_owned(), zone.to_owned())]);
        SealedManifests { project, documents, changes: String::new() }
    }

    #[test]
    fn only_what_a_plan_uses_makes_it_stale_and_is_named() {
        use DocumentKind::{DeletionPolicy, Hold, Target};
        let (policy, target) = (PolicyName::new("leads").expect("a name"), TargetName::new("crm").expect("a name"));
        let before = manifests(
            "UTC",
            vec![document(Target, "crm", "1"), document(DeletionPolicy, "leads", "1"), document(Hold, "a", "1")],
        );
        let changed = |now: &SealedManifests| -> Vec<String> {
            changed_documents(&before, now, [(&policy, &target)].into_iter()).iter().map(ToString::to_string).collect()
        };
        let others = vec![
            document(DeletionPolicy, "other", "2"),
            document(DeletionPolicy, "leads", "1"),
            document(Hold, "a", "2"),
            document(Target, "other", "2"),
            document(Target, "crm", "1"),
        ];
        assert_eq!(changed(&manifests("UTC", others)), Vec::<String>::new());
        let changes = manifests("Europe/Berlin", vec![document(Target, "crm", "2")]);
        assert_eq!(
            changed(&changes),
            [
                "the Project's `timeZone` was changed since the plan, from `UTC` to `Europe/Berlin`",
                "target `crm` was changed since the plan, in crm.yaml",
                "policy `leads` was removed since the plan; it was in leads.yaml",
            ]
        );
    }
}
