//! What can only be judged when all documents are read: names that are used twice, and names that lead nowhere.

use std::collections::{BTreeMap, BTreeSet};

use super::lower::References;
use super::{DocumentKind, codes};
use crate::base::{Diagnostic, PolicyName, Span, did_you_mean};

/// A name that a document of some kind gives itself, also when the rest of the document is wrong.
pub(super) struct Named {
    pub kind: DocumentKind,
    pub name: String,
    pub span: Span,
}

/// Names given twice, and a second project.
pub(super) fn names(named: &[Named]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut first: BTreeMap<(DocumentKind, &str), Span> = BTreeMap::new();
    for one in named {
        // There may be one project only, whatever its name.
        let key = if one.kind == DocumentKind::Project { "" } else { one.name.as_str() };
        let Some(earlier) = first.get(&(one.kind, key)) else {
            first.insert((one.kind, key), one.span);
            continue;
        };
        let diagnostic = if one.kind == DocumentKind::Project {
            Diagnostic::error(codes::SEVERAL_PROJECTS, "there is more than one project document", one.span, "again here")
                .with_help("settings apply to the whole directory: keep one `kind: Project`")
        } else {
            let title = format!("two documents of kind `{}` have the name `{}`", one.kind.name(), one.name);
            Diagnostic::error(codes::DUPLICATE_NAME, title, one.span, "again here")
                .with_help("rename or delete one of the two")
        };
        found.push(diagnostic.with_label(*earlier, "first here"));
    }
    found
}

/// References to targets that are not there.
pub(super) fn targets<'r>(named: &[Named], references: impl Iterator<Item = &'r References>) -> Vec<Diagnostic> {
    let known = names_of(named, DocumentKind::Target);
    let none = "there is no document of kind `Target` yet: add one";
    references
        .filter_map(|references| references.target.as_ref())
        .filter(|(name, _)| !known.contains(name.as_str()))
        .map(|(name, span)| {
            Diagnostic::error(codes::UNKNOWN_TARGET, format!("the target `{name}` is not defined"), *span, "not defined")
                .with_help(did_you_mean(name.as_str(), known.iter().copied(), &known_names(&known, "targets", none)))
        })
        .collect()
}

/// Dependencies that are not there.
pub(super) fn unknown_dependencies(named: &[Named], references: &[(PolicyName, References)]) -> Vec<Diagnostic> {
    let known = names_of(named, DocumentKind::DeletionPolicy);
    let mut found = Vec::new();
    for (policy, references) in references {
        for (name, span) in references.depends_on.iter().filter(|(name, _)| !known.contains(name.as_str())) {
            let title = format!("the policy `{name}` is not defined");
            let others = known.iter().copied().filter(|other| *other != policy.as_str());
            let help = did_you_mean(name.as_str(), others, "name a document of kind `DeletionPolicy`");
            found.push(Diagnostic::error(codes::UNKNOWN_DEPENDENCY, title, *span, "not defined").with_help(help));
        }
    }
    found
}

fn names_of(named: &[Named], kind: DocumentKind) -> BTreeSet<&str> {
    named.iter().filter(|one| one.kind == kind).map(|one| one.name.as_str()).collect()
}

fn known_names(known: &BTreeSet<&str>, what: &str, none: &str) -> String {
    if known.is_empty() {
        return none.to_owned();
    }
    let shown: Vec<String> = known.iter().take(8).map(|name| format!("`{name}`")).collect();
    let more = if known.len() > 8 { ", …" } else { "" };
    format!("the {what} are {}{more}", shown.join(", "))
}

/// Policies that wait for themselves or for each other: one finding for every way back that a walk through all policies
/// meets; each policy is walked once.
///
/// The walk keeps its own stack: a chain of a thousand policies must not use up the program's.
pub(super) fn cycles(references: &[(PolicyName, References)]) -> Vec<Diagnostic> {
    let graph: BTreeMap<&PolicyName, &[(PolicyName, Span)]> =
        references.iter().map(|(policy, references)| (policy, &references.depends_on[..])).collect();
    let mut found = Vec::new();
    let mut done: BTreeSet<&PolicyName> = BTreeSet::new();
    for start in graph.keys() {
        // Each policy of the path, and how many of its edges were followed.
        let mut path: Vec<(&PolicyName, usize)> = vec![(start, 0)];
        while let Some((policy, followed)) = path.last_mut() {
            let edge = graph.get(*policy).filter(|_| !done.contains(*policy)).and_then(|edges| edges.get(*followed));
            let Some((to, span)) = edge else {
                done.insert(policy);
                path.pop();
                continue;
            };
            *followed += 1;
            match path.iter().position(|(on_path, _)| *on_path == to) {
                Some(from) => found.push(cycle(&graph, &path[from..], to, *span)),
                None if !done.contains(to) => path.push((to, 0)),
                None => {}
            }
        }
    }
    found
}

fn cycle(
    graph: &BTreeMap<&PolicyName, &[(PolicyName, Span)]>,
    path: &[(&PolicyName, usize)],
    to: &PolicyName,
    span: Span,
) -> Diagnostic {
    if path.len() == 1 {
        let title = format!("the policy `{to}` depends on itself");
        return Diagnostic::error(codes::SELF_DEPENDENCY, title, span, "itself").with_help("delete this entry");
    }
    let shown: Vec<&str> = path.iter().map(|(name, _)| name.as_str()).chain([to.as_str()]).collect();
    let title = format!("policies wait for each other: {}", shown.join(" -> "));
    let mut diagnostic = Diagnostic::error(codes::DEPENDENCY_CYCLE, title, span, "closes the cycle")
        .with_help("delete one `dependsOn` of this path");
    for (policy, followed) in &path[..path.len() - 1] {
        if let Some((to, span)) = graph.get(policy).and_then(|edges| edges.get(followed - 1)) {
            diagnostic = diagnostic.with_label(*span, format!("`{policy}` waits for `{to}`"));
        }
    }
    diagnostic
}
