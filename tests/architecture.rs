//! Holds the house to its plan: which folder may import which.
#![expect(clippy::disallowed_methods, reason = "a test that reads the sources")]

#[path = "architecture/imports.rs"]
mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// The folders as the data goes. A folder may use what stands before it, and itself.
const FOLDERS: [&str; 15] = [
    "base", "system", "filter", "manifest", "plan", "apply", "state", "provider", "store", "select", "execute", "sandbox",
    "report", "command", "cli",
];

/// Pairs that may not know each other in either direction, although the order alone would allow one.
const STRANGERS: [(&str, &str); 5] =
    [("sandbox", "provider"), ("store", "provider"), ("sandbox", "store"), ("sandbox", "select"), ("sandbox", "execute")];

fn may_import(from: &str, to: &str) -> bool {
    let rank = |folder: &str| FOLDERS.iter().position(|candidate| *candidate == folder);
    let strangers = STRANGERS.iter().any(|pair| *pair == (from, to) || *pair == (to, from));
    match (rank(from), rank(to)) {
        (Some(from), Some(to)) => to <= from && !strangers,
        _ => false,
    }
}

/// Collects the first segment after `crate::` of every path, in `use` items and in expressions.
#[derive(Default)]
struct CratePaths {
    folders: Vec<String>,
}

impl CratePaths {
    fn take_tree(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.folders.push(path.ident.to_string()),
            syn::UseTree::Name(name) => self.folders.push(name.ident.to_string()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.take_tree(item)),
            syn::UseTree::Rename(rename) => self.folders.push(rename.ident.to_string()),
            syn::UseTree::Glob(_) => self.folders.push("*".into()),
        }
    }
}

impl<'ast> Visit<'ast> for CratePaths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if let syn::UseTree::Path(path) = &item.tree
            && path.ident == "crate"
        {
            self.take_tree(&path.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if segments.next().is_some_and(|segment| segment.ident == "crate")
            && let Some(folder) = segments.next()
        {
            self.folders.push(folder.ident.to_string());
        }
        syn::visit::visit_path(self, path);
    }
}

fn imports_of(text: &str) -> Vec<String> {
    let file = syn::parse_file(text).expect("the crate compiles");
    let mut paths = CratePaths::default();
    paths.visit_file(&file);
    paths.folders
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(directory).expect("readable").map(|entry| entry.expect("readable").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn imports_run_downward_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut judged = 0;
    for file in files {
        let relative = file.strip_prefix(&source).expect("below src");
        let folder = relative.components().next().expect("a file").as_os_str().to_string_lossy().into_owned();
        if folder == "main.rs" || folder == "lib.rs" {
            continue;
        }
        for to in imports_of(&fs::read_to_string(&file).expect("readable")) {
            judged += 1;
            if !may_import(&folder, &to) {
                wrong.entry(relative.display().to_string()).or_default().push(to);
            }
        }
    }
    assert!(judged > 20, "the test looks at nothing: {judged} imports");
    assert!(wrong.is_empty(), "imports that run upward or between strangers: {wrong:#?}");
}

/// The crate as a build without tests has it.
fn sources() -> imports::Sources {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    imports::Sources::read(&|file| fs::read_to_string(source.join(file)).ok())
}

#[test]
fn no_two_files_import_each_other() {
    let sources = sources();
    assert_eq!(sources.lost(), BTreeSet::new(), "paths that the test does not follow");
    let imports = sources.imports();
    let judged: usize = imports.values().map(BTreeMap::len).sum();
    assert!(judged > 1000, "the test looks at nothing: {judged} imports");
    let circles = imports::circles(&imports);
    let explained: Vec<String> = circles.iter().map(|circle| imports::explain(circle, &imports)).collect();
    assert!(circles.is_empty(), "files that import each other, {} circles:\n{}", circles.len(), explained.join("\n"));
}

/// What client and simulator share, they get wrong together.
#[test]
fn the_sandbox_reads_queries_without_the_client() {
    let imports = sources().imports();
    let shared = imports.iter().filter(|(from, _)| from.starts_with("sandbox"));
    let shared: Vec<String> = shared
        .flat_map(|(from, targets)| {
            let of_filter = targets.keys().filter(|to| to.starts_with("filter"));
            of_filter.map(|to| format!("{} uses {}", from.display(), to.display()))
        })
        .collect();
    assert!(imports.keys().filter(|file| file.starts_with("sandbox")).count() > 50, "the test looks at nothing");
    assert!(shared.is_empty(), "{shared:#?}");
}

/// What only an adapter may do, and the files that do it. An entry that is not needed any more fails too.
const EFFECTS: [(&str, &[&str]); 21] = [
    (
        "tokio::time",
        &[
            // The timer that everybody else is handed.
            "cli/machine.rs",
            // Providers and their transport wait for the network, secrets for a person or a program; they have no other timer yet.
            "provider/common/retry.rs",
            "provider/salesforce/bulk_query.rs",
            "provider/salesforce/command_line_login.rs",
            "provider/secrets.rs",
            "provider/transport/http.rs",
            "provider/transport/pace.rs",
            // The sandbox is a service of its own: its clock goes on, its answers are late.
            "sandbox/clock.rs",
            "sandbox/gate.rs",
            "sandbox/server.rs",
        ],
    ),
    // The listener for signals, and the sandbox's connections.
    ("tokio::spawn", &["cli/interrupt.rs", "sandbox/server.rs"]),
    ("tokio::task::spawn", &[]),
    // The system's keyring, and the files of a store.
    ("spawn_blocking", &["provider/secrets.rs", "store/directory_store.rs"]),
    ("tokio::fs", &[]),
    // Whoever asks whether a file is there takes what cannot be seen for what is not.
    (".exists()", &[]),
    (".try_exists()", &[]),
    // The adapter to the machine's files. The others stand where nothing of the store may be used: what the machine says of itself, a
    // secret, a seed of the sandbox.
    ("std::fs", &["cli/machine.rs", "provider/secrets.rs", "sandbox/seed/files.rs", "store/local_files.rs"]),
    (".is_dir()", &["sandbox/seed/files.rs", "store/local_files.rs"]),
    (".is_file()", &["sandbox/seed/files.rs", "store/local_files.rs"]),
    (".symlink_metadata()", &[]),
    (".canonicalize()", &[]),
    (".read_dir()", &[]),
    ("csv::Reader::from_path", &[]),
    ("csv::Writer::from_path", &[]),
    ("tempfile", &["store/local_files.rs"]),
    // The ids that everybody else is handed.
    ("Uuid::new_v4", &["cli/machine.rs"]),
    // The others make the names of temporary files of it.
    ("process::id", &["cli/session.rs", "command/demo.rs"]),
    // It wakes those that wait in an order of chance.
    ("sync::watch", &[]),
    // They are walked in another order in every process. These only look up in them.
    ("HashMap", &["sandbox/world/build.rs", "sandbox/world/table.rs", "sandbox/world/world.rs"]),
    ("HashSet", &["sandbox/salesforce/query/check.rs", "sandbox/salesforce/query/key_test.rs", "store/directory_store.rs"]),
];

/// Whether a path or a called method is this effect: `tokio::time` stands for everything in it, and `.exists()` for the function
/// `Path::exists` as well, which need not be called where it is named.
fn is_effect(effect: &str, path: &str) -> bool {
    let method = effect.strip_prefix('.').and_then(|effect| effect.strip_suffix("()"));
    method.is_some_and(|method| path == format!("std::path::Path::{method}"))
        || format!("::{path}::").contains(&format!("::{effect}::"))
}

#[test]
fn effects_stand_in_their_adapters_only() {
    let mut wrong = Vec::new();
    let foreign = sources().foreign();
    for (effect, allowed) in EFFECTS {
        let mut used = BTreeSet::new();
        for (file, paths) in &foreign {
            for path in paths.iter().filter(|path| is_effect(effect, path)) {
                let file = file.display().to_string();
                if !allowed.contains(&file.as_str()) {
                    wrong.push(format!("{file} uses {path}"));
                }
                used.insert(file);
            }
        }
        let idle = allowed.iter().filter(|file| !used.contains(**file));
        wrong.extend(idle.map(|file| format!("{file} does not use {effect} any more: take it off the list")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// How many `select!` a text has, and how many of them take by chance what is ready.
fn selects(text: &str) -> (usize, usize) {
    let bodies: Vec<&str> = text.split("select! {").skip(1).collect();
    (bodies.len(), bodies.iter().filter(|body| !body.trim_start().starts_with("biased;")).count())
}

#[test]
fn every_choice_between_what_is_ready_has_an_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    rust_files(&root.join("tests"), &mut files);
    files.retain(|file| !file.ends_with(file!()));
    let counted: Vec<(PathBuf, (usize, usize))> =
        files.into_iter().map(|file| (file.clone(), selects(&fs::read_to_string(file).expect("readable")))).collect();
    assert!(counted.iter().map(|(_, (all, _))| all).sum::<usize>() > 5, "the test looks at nothing");
    let by_chance: Vec<&PathBuf> =
        counted.iter().filter(|(_, (_, by_chance))| *by_chance > 0).map(|(file, _)| file).collect();
    assert!(by_chance.is_empty(), "`select!` without `biased;`: {by_chance:#?}");
    assert_eq!(selects("tokio::select! {\n  biased;\n a = b => {} } tokio::select! { a = b => {} }"), (2, 1));
}

#[test]
fn an_upward_import_is_noticed_wherever_it_stands() {
    assert_eq!(imports_of("use crate::{base::Span, cli};"), ["base", "cli"]);
    assert_eq!(imports_of("fn f() { let _ = crate::command::run(); }"), ["command"]);
    assert_eq!(imports_of("fn f(x: Option<crate::sandbox::World>) {}"), ["sandbox"]);
    assert!(!may_import("base", "filter"));
    assert!(!may_import("sandbox", "provider"));
    assert!(!may_import("provider", "sandbox"));
    assert!(may_import("command", "provider"));
    assert!(!may_import("plan", "*"));
}

#[test]
fn well_known_secrets_stand_in_the_sandbox_and_its_verbs_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    files.extend(["salesforce", "zuora", "fulcrum"].map(|system| source.join(format!("command/init/{system}.yaml"))));
    for file in files {
        let relative = file.strip_prefix(&source).expect("below src");
        // A build without the feature has none of these.
        if relative.starts_with("sandbox") || relative == "command/sandbox.rs" || relative == "command/demo.rs" {
            continue;
        }
        let text = fs::read_to_string(&file).expect("readable");
        for secret in ["sandbox-secret", "sandbox-password", "sandbox-token"] {
            assert!(!text.contains(secret), "{} has {secret}", relative.display());
        }
    }
}

/// The verbs: the file under `src/command` that has one, and the name of its arguments.
fn verbs(source: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    rust_files(&source.join("command"), &mut files);
    let mut verbs = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        let names = text.lines().filter_map(|line| line.strip_prefix("impl Verb for ")?.strip_suffix(" {"));
        verbs.extend(names.map(|name| (file.clone(), name.to_owned())));
    }
    verbs
}

#[test]
fn a_verb_is_its_own_file_its_lines_in_mod_rs_and_its_row() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let verbs = verbs(&source);
    assert!(verbs.len() > 12, "only {} verbs were found", verbs.len());
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).expect("readable")).collect();
    let rows: Vec<&str> = texts.iter().filter_map(|text| text.split_once("verbs! {\n")).map(|(_, rows)| rows).collect();
    for (own, name) in &verbs {
        assert_eq!(verbs.iter().filter(|(file, _)| file == own).count(), 1, "{} has two verbs", own.display());
        let row = format!("::{name}),\n");
        assert_eq!(rows.iter().map(|rows| rows.matches(&row).count()).sum::<usize>(), 1, "{name} has one row");
        // Nobody else knows it: it is only ever run through its row.
        let path = format!("command::{name}");
        let known = texts.iter().flat_map(|text| text.split(&path).skip(1));
        let known = known.filter(|rest| !rest.starts_with(|next: char| next.is_alphanumeric())).count();
        assert!(known <= 1, "{path} is named elsewhere than in its row");
    }
}

#[test]
fn every_backend_has_its_row_in_the_conformance_suite() {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let suite = fs::read_to_string(store.join("conformance.rs")).expect("readable");
    let mut files = Vec::new();
    rust_files(&store, &mut files);
    let mut backends = 0;
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        for backend in text.lines().filter_map(|line| line.strip_prefix("impl Backend for ")) {
            let name = backend.trim_end_matches(" {");
            assert!(suite.contains(&format!("{name}::new")), "{name} of {} has no row in conformance.rs", file.display());
            backends += 1;
        }
    }
    assert!(backends >= 3, "{backends} backends were found");
}
