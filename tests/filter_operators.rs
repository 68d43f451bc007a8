//! An operator of a filter tree is itself in every language: read, compiled and matched without a rest that is guessed.
#![expect(clippy::disallowed_methods, reason = "a test that reads the sources")]

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Zoned;
use sexton::base::{SourceMap, Span};
use sexton::filter::{Filter, FilterTree, Language, Literal, Predicate, PredicateKind, Threshold};
use sexton::manifest::{ManifestFile, read};
use strum::IntoEnumIterator as _;
use syn::visit::Visit;

/// The operator with something to compare with, and the same in a manifest.
fn example(kind: PredicateKind) -> (Predicate, &'static str) {
    let text = || Literal::Text("a".to_owned());
    let number = || Threshold(Literal::Number("1".to_owned()));
    let age = || "3 years".parse().expect("an age");
    match kind {
        PredicateKind::Equals => (Predicate::Equals(text()), "a"),
        PredicateKind::NotEquals => (Predicate::NotEquals(text()), "a"),
        PredicateKind::In => (Predicate::In(vec![text()]), "[a]"),
        PredicateKind::NotIn => (Predicate::NotIn(vec![text()]), "[a]"),
        PredicateKind::Less => (Predicate::Less(number()), "1"),
        PredicateKind::LessOrEqual => (Predicate::LessOrEqual(number()), "1"),
        PredicateKind::Greater => (Predicate::Greater(number()), "1"),
        PredicateKind::GreaterOrEqual => (Predicate::GreaterOrEqual(number()), "1"),
        PredicateKind::Like => (Predicate::Like("a%".to_owned()), "a%"),
        PredicateKind::IsNull => (Predicate::IsNull(true), "true"),
        PredicateKind::OlderThan => (Predicate::OlderThan(age()), "3 years"),
        PredicateKind::NewerThan => (Predicate::NewerThan(age()), "3 years"),
        PredicateKind::Includes => (Predicate::Includes(vec!["a".to_owned()]), "[a]"),
        PredicateKind::Excludes => (Predicate::Excludes(vec!["a".to_owned()]), "[a]"),
    }
}

#[test]
fn every_operator_is_read_as_itself() {
    for kind in PredicateKind::iter() {
        let (expected, value) = example(kind);
        let key: &str = kind.into();
        let text = format!(
            "apiVersion: sexton/v1\nkind: Target\nmetadata: {{ name: crm }}\n\
             spec: {{ salesforce: {{ auth: {{ sfCli: {{ targetOrg: me }} }} }} }}\n---\n\
             apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: p }}\n\
             spec: {{ target: crm, object: Lead, filter: {{ field: A, {key}: {value} }} }}\n"
        );
        let reading = read([ManifestFile { name: "a.yaml".into(), content: Ok(text.into_bytes()) }]);
        let workspace = reading.workspace.unwrap_or_else(|| panic!("{key}: {:?}", reading.diagnostics));
        let policy = workspace.policies.into_values().next().expect("a policy");
        let Filter::Tree(FilterTree::Field { predicate, .. }) = policy.filter else { panic!("{key}: no field") };
        assert_eq!(predicate, expected, "{key}");
    }
}

#[test]
fn every_language_has_every_operator_or_refuses_it() {
    let now: Zoned = "2026-11-21T10:00:00[UTC]".parse().expect("a moment");
    let span = Span { source: SourceMap::default().add("test", ""), start: 0, end: 0 };
    let mut table = String::new();
    for kind in PredicateKind::iter() {
        for language in [Language::Soql, Language::Zoql, Language::Sql] {
            for negated in [false, true] {
                let field = FilterTree::Field { field: "A".to_owned(), span, predicate: example(kind).0 };
                let tree = if negated { FilterTree::Not(Box::new(field)) } else { field };
                let compiled = match language.compile(&tree, &|_| None, &now) {
                    Ok(condition) => condition.text,
                    Err(error) => format!("refused: {error}"),
                };
                let not = if negated { "not " } else { "" };
                table.push_str(&format!("{not}{} in {}: {compiled}\n", <&str>::from(kind), language.title()));
            }
        }
    }
    insta::assert_snapshot!(table);
}

/// Types whose variants decide which records are meant. Some files call the operators of comparisons `Operator`.
const DECIDING: [&str; 6] = ["Predicate", "PredicateKind", "FilterTree", "FilterTreeKind", "ComparisonOperator", "Operator"];

/// Finds matches over these types that leave a rest to a wildcard.
#[derive(Default)]
struct Wildcards {
    matches: usize,
    wildcards: usize,
}

impl Wildcards {
    fn names_deciding_type(pattern: &syn::Pat) -> bool {
        struct Names(bool);
        impl<'ast> Visit<'ast> for Names {
            fn visit_path(&mut self, path: &'ast syn::Path) {
                let of = path.segments.iter().rev().nth(1);
                self.0 |= of.is_some_and(|of| DECIDING.iter().any(|name| of.ident == name));
            }
        }
        let mut names = Names(false);
        names.visit_pat(pattern);
        names.0
    }

    fn takes_anything(pattern: &syn::Pat) -> bool {
        match pattern {
            syn::Pat::Wild(_) => true,
            syn::Pat::Ident(ident) => ident.subpat.is_none(),
            syn::Pat::Tuple(tuple) => tuple.elems.iter().all(Self::takes_anything),
            syn::Pat::Or(or) => or.cases.iter().any(Self::takes_anything),
            _ => false,
        }
    }
}

impl<'ast> Visit<'ast> for Wildcards {
    fn visit_expr_match(&mut self, expression: &'ast syn::ExprMatch) {
        if expression.arms.iter().any(|arm| Self::names_deciding_type(&arm.pat)) {
            self.matches += 1;
            let rest = expression.arms.iter().filter(|arm| arm.guard.is_none() && Self::takes_anything(&arm.pat));
            self.wildcards += rest.count();
        }
        syn::visit::visit_expr_match(self, expression);
    }

    /// What tests leave out decides about no record.
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let is_test = module.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
        });
        if !is_test {
            syn::visit::visit_item_mod(self, module);
        }
    }
}

fn wildcards_in(text: &str) -> Wildcards {
    let mut wildcards = Wildcards::default();
    wildcards.visit_file(&syn::parse_file(text).expect("it compiles"));
    wildcards
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_match_over_operators_leaves_a_rest_to_a_wildcard() {
    let mut files = Vec::new();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut matches = 0;
    for file in files.iter().filter(|file| !file.ends_with("properties.rs")) {
        let wildcards = wildcards_in(&fs::read_to_string(file).expect("readable"));
        matches += wildcards.matches;
        assert_eq!(wildcards.wildcards, 0, "{}", file.display());
    }
    assert!(matches > 10, "the test looks at nothing: {matches} matches");
}

#[test]
fn a_wildcard_is_noticed_in_every_form() {
    let found = |arms: &str| wildcards_in(&format!("fn f() {{ match x {{ {arms} }} }}")).wildcards;
    assert_eq!(found("Predicate::Less(_) => 1, _ => 2"), 1);
    assert_eq!(found("(PredicateKind::Less, 1) => 1, (_, _) => 2"), 1);
    assert_eq!(found("Some(Predicate::Less(_)) => 1, other => 2"), 1);
    assert_eq!(found("Predicate::Less(_) => 1, Predicate::In(_) => 2"), 0);
    assert_eq!(found("Predicate::Less(_) => 1, _ if x => 2, Predicate::In(_) => 3"), 0);
    assert_eq!(found("Some(1) => 1, _ => 2"), 0);
}
