//! Reads a crate's sources into modules, and every path in them into the file that defines what the path names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

/// Which file names what of which other file: `from -> to -> the paths`.
pub type Imports = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// Every module of a crate that a build without tests has, a file's or one inside a file.
#[derive(Default)]
pub struct Sources {
    modules: Vec<Module>,
}

#[derive(Default)]
struct Module {
    /// Below the crate's `src`.
    file: PathBuf,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    /// What is defined here, apart from modules.
    items: BTreeSet<String>,
    /// Names that are given to a macro or an attribute, which may define something of the name.
    made: BTreeSet<String>,
    /// What `use` brings in: its name here, and its path.
    names: Vec<(String, Vec<String>)>,
    /// The paths of `use path::*`.
    globs: Vec<Vec<String>>,
    /// Every path written here, of `use` items that are not only handed on and of code.
    paths: BTreeSet<Vec<String>>,
    /// The methods that are called here without arguments.
    methods: BTreeSet<String>,
}

/// What a path leads to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Module(usize),
    /// Something that the module with this number defines.
    ItemOf(usize),
}

impl Sources {
    /// Reads the crate whose root is `lib.rs`; `read` gives a file's text, if there is such a file.
    pub fn read(read: &dyn Fn(&Path) -> Option<String>) -> Self {
        let mut sources = Self::default();
        let root = PathBuf::from("lib.rs");
        let text = read(&root).expect("there is a lib.rs");
        sources.add_file(root, PathBuf::new(), None, &text, read);
        sources
    }

    /// `directory` is where the files of its child modules stand.
    fn add_file(
        &mut self,
        file: PathBuf,
        directory: PathBuf,
        parent: Option<usize>,
        text: &str,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> usize {
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.add_module(file, directory, parent, &syntax.items, read)
    }

    fn add_module(
        &mut self,
        file: PathBuf,
        directory: PathBuf,
        parent: Option<usize>,
        items: &[syn::Item],
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> usize {
        let number = self.modules.len();
        self.modules.push(Module { file: file.clone(), parent, ..Module::default() });
        let mut reader = Reader::default();
        for item in items.iter().filter(|item| !is_for_tests(attributes(item))) {
            let syn::Item::Mod(module) = item else {
                reader.items.extend(name_of(item));
                reader.take_made(item);
                reader.visit_item(item);
                continue;
            };
            let name = module.ident.to_string();
            let child_directory = directory.join(&name);
            let child = if let Some((_, items)) = &module.content {
                self.add_module(file.clone(), child_directory, Some(number), items, read)
            } else {
                let beside = [directory.join(format!("{name}.rs")), child_directory.join("mod.rs")];
                let found = beside.into_iter().find_map(|path| Some((read(&path)?, path)));
                let (text, path) = found.unwrap_or_else(|| panic!("{} has no file for {name}", file.display()));
                self.add_file(path, child_directory, Some(number), &text, read)
            };
            self.modules[number].children.insert(name, child);
        }
        let module = &mut self.modules[number];
        module.items = reader.items;
        module.made = reader.made;
        module.names = reader.names;
        module.globs = reader.globs;
        module.paths = reader.paths;
        module.methods = reader.methods;
        number
    }

    /// Which file names what of which other.
    pub fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (number, module) in self.modules.iter().enumerate() {
            let targets = imports.entry(module.file.clone()).or_default();
            for path in &module.paths {
                for target in self.resolve(number, path, &mut BTreeSet::new()) {
                    if let Target::ItemOf(of) = target
                        && self.modules[of].file != module.file
                    {
                        targets.entry(self.modules[of].file.clone()).or_default().insert(path.join("::"));
                    }
                }
            }
        }
        imports
    }

    /// The paths that begin in this crate and end nowhere: what this reader does not understand.
    pub fn lost(&self) -> BTreeSet<String> {
        let mut lost = BTreeSet::new();
        for (number, module) in self.modules.iter().enumerate() {
            let own =
                module.paths.iter().filter(|path| matches!(path[0].as_str(), "crate" | "self" | "super") && path.len() > 1);
            for path in own.filter(|path| self.resolve(number, path, &mut BTreeSet::new()).is_empty()) {
                lost.insert(format!("{}: {}", module.file.display(), path.join("::")));
            }
        }
        lost
    }

    /// For every file, the paths that lead out of the crate, in full, and the methods that are called without arguments, as
    /// `.method()`.
    pub fn foreign(&self) -> BTreeMap<PathBuf, BTreeSet<String>> {
        let mut foreign: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
        for (number, module) in self.modules.iter().enumerate() {
            let found = foreign.entry(module.file.clone()).or_default();
            found.extend(module.methods.iter().map(|method| format!(".{method}()")));
            let handed_on = module.names.iter().map(|(_, path)| path).chain(&module.globs);
            for path in module.paths.iter().chain(handed_on) {
                if self.resolve(number, path, &mut BTreeSet::new()).is_empty() {
                    let brought_in = module.names.iter().find(|(name, _)| *name == path[0]);
                    let start = brought_in.map_or(&path[..1], |(_, path)| path);
                    found.insert([start, &path[1..]].concat().join("::"));
                }
            }
        }
        foreign
    }

    /// `seen` holds the names that are being looked up, since `use` items may lead in circles.
    fn resolve(&self, from: usize, path: &[String], seen: &mut BTreeSet<(usize, String)>) -> BTreeSet<Target> {
        let Some((first, mut rest)) = path.split_first() else { return BTreeSet::new() };
        let mut found = match first.as_str() {
            "crate" => BTreeSet::from([Target::Module(0)]),
            "self" => BTreeSet::from([Target::Module(from)]),
            "super" => self.modules[from].parent.map(Target::Module).into_iter().collect(),
            name => self.look_up(from, name, seen),
        };
        while let Some((name, after)) = rest.split_first() {
            let modules: Vec<usize> = found
                .iter()
                .filter_map(|target| if let Target::Module(module) = target { Some(*module) } else { None })
                .collect();
            if modules.is_empty() {
                // A variant or an associated item: its type's file has it.
                return found;
            }
            found = modules
                .into_iter()
                .flat_map(|module| match name.as_str() {
                    "self" => BTreeSet::from([Target::Module(module)]),
                    "super" => self.modules[module].parent.map(Target::Module).into_iter().collect(),
                    name => self.look_up(module, name, seen),
                })
                .collect();
            rest = after;
        }
        found
    }

    fn look_up(&self, module: usize, name: &str, seen: &mut BTreeSet<(usize, String)>) -> BTreeSet<Target> {
        let here = &self.modules[module];
        let mut found: BTreeSet<Target> = here.children.get(name).map(|child| Target::Module(*child)).into_iter().collect();
        if here.items.contains(name) {
            found.insert(Target::ItemOf(module));
        }
        if !seen.insert((module, name.to_owned())) {
            return found;
        }
        for (_, path) in here.names.iter().filter(|(known, _)| known == name) {
            found.extend(self.resolve(module, path, seen));
        }
        if found.is_empty() {
            for glob in &here.globs {
                for target in self.resolve(module, glob, seen) {
                    if let Target::Module(of) = target {
                        found.extend(self.look_up(of, name, seen));
                    }
                }
            }
        }
        seen.remove(&(module, name.to_owned()));
        if found.is_empty() && here.made.contains(name) && !here.names.iter().any(|(known, _)| known == name) {
            found.insert(Target::ItemOf(module));
        }
        found
    }
}

/// Whether a build without tests leaves this out.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.parse_args().is_ok_and(|meta| needs_tests(&meta)),
        syn::Meta::Path(path) => path.segments.last().is_some_and(|last| last.ident == "test"),
        _ => false,
    })
}

fn needs_tests(condition: &syn::Meta) -> bool {
    let parts = |list: &syn::MetaList| {
        let parser = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
        list.parse_args_with(parser).map(|parts| parts.into_iter().collect::<Vec<_>>()).unwrap_or_default()
    };
    match condition {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) if list.path.is_ident("all") => parts(list).iter().any(needs_tests),
        syn::Meta::List(list) if list.path.is_ident("any") => parts(list).iter().all(needs_tests),
        _ => false,
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &syn::Item) -> Option<String> {
    let name = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Takes what one module says, but for its child modules.
#[derive(Default)]
struct Reader {
    items: BTreeSet<String>,
    made: BTreeSet<String>,
    names: Vec<(String, Vec<String>)>,
    globs: Vec<Vec<String>>,
    paths: BTreeSet<Vec<String>>,
    methods: BTreeSet<String>,
}

impl Reader {
    /// `handed_on` says that a `pub use` brings this in: the file itself may not need it.
    fn take_tree(&mut self, before: &[String], tree: &syn::UseTree, handed_on: bool) {
        let joined = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        let mut take = |name: String, mut path: Vec<String>| {
            if path.last().is_some_and(|last| last == "self") {
                path.pop();
            }
            let name = if name == "self" { path.last().cloned().unwrap_or_default() } else { name };
            if !handed_on {
                self.paths.insert(path.clone());
            }
            self.names.push((name, path));
        };
        match tree {
            syn::UseTree::Path(path) => self.take_tree(&joined(&path.ident), &path.tree, handed_on),
            syn::UseTree::Name(name) => take(name.ident.to_string(), joined(&name.ident)),
            syn::UseTree::Rename(rename) => take(rename.rename.to_string(), joined(&rename.ident)),
            syn::UseTree::Glob(_) => {
                if !handed_on {
                    self.paths.insert(before.to_vec());
                }
                self.globs.push(before.to_vec());
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.take_tree(before, tree, handed_on)),
        }
    }

    /// The types that a macro or an attribute may define, such as the `Kind` of an enum: names in upper case.
    fn take_made(&mut self, item: &syn::Item) {
        let lists = attributes(item).iter().filter_map(|attribute| attribute.meta.require_list().ok());
        let invoked = if let syn::Item::Macro(item) = item { Some(&item.mac.tokens) } else { None };
        let mut open: Vec<TokenStream> = lists.map(|list| &list.tokens).chain(invoked).cloned().collect();
        while let Some(tokens) = open.pop() {
            for token in tokens {
                match token {
                    TokenTree::Group(group) => open.push(group.stream()),
                    TokenTree::Ident(ident) => {
                        let name = ident.to_string();
                        if name.starts_with(char::is_uppercase) {
                            self.made.insert(name);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// The paths in what a macro or an attribute is given.
    fn take_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut colons, mut after_dot) = (0, false);
        let mut end = |path: &mut Vec<String>| {
            if !path.is_empty() {
                self.paths.insert(std::mem::take(path));
            }
        };
        let mut inner = Vec::new();
        let mut called: Option<String> = None;
        let mut methods = Vec::new();
        for token in tokens {
            let method = called.take();
            match token {
                TokenTree::Ident(ident) if after_dot => {
                    end(&mut path);
                    called = Some(ident.to_string());
                    (colons, after_dot) = (0, false);
                    continue;
                }
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        end(&mut path);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Punct(punct) => {
                    end(&mut path);
                    (colons, after_dot) = (0, punct.as_char() == '.' && punct.spacing() == proc_macro2::Spacing::Alone);
                }
                TokenTree::Group(group) => {
                    end(&mut path);
                    methods.extend(method.filter(|_| group.stream().is_empty()));
                    inner.push(group.stream());
                    (colons, after_dot) = (0, false);
                }
                TokenTree::Literal(_) => {
                    end(&mut path);
                    (colons, after_dot) = (0, false);
                }
            }
        }
        end(&mut path);
        self.methods.extend(methods);
        inner.into_iter().for_each(|tokens| self.take_tokens(tokens));
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            syn::visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.take_tree(&[], &item.tree, !matches!(item.vis, syn::Visibility::Inherited));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.args.is_empty() {
            self.methods.insert(call.method.to_string());
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.take_tokens(item.tokens.clone());
        syn::visit::visit_macro(self, item);
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.take_tokens(list.tokens.clone());
        syn::visit::visit_meta_list(self, list);
    }
}

/// The largest sets of files in which every file leads to every other.
pub fn circles(imports: &Imports) -> Vec<BTreeSet<PathBuf>> {
    let reached_from = |start: &PathBuf| {
        let mut reached = BTreeSet::new();
        let mut open = vec![start.clone()];
        while let Some(file) = open.pop() {
            for to in imports.get(&file).into_iter().flat_map(BTreeMap::keys) {
                if reached.insert(to.clone()) {
                    open.push(to.clone());
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&PathBuf, BTreeSet<PathBuf>> = imports.keys().map(|file| (file, reached_from(file))).collect();
    let leads_to = |from: &PathBuf, to: &PathBuf| reached.get(from).is_some_and(|reached| reached.contains(to));
    let mut circles = BTreeSet::new();
    for file in imports.keys().filter(|file| leads_to(file, file)) {
        circles.insert(imports.keys().filter(|other| leads_to(file, other) && leads_to(other, file)).cloned().collect());
    }
    circles.into_iter().collect()
}

/// The imports that make a circle, one a line.
pub fn explain(circle: &BTreeSet<PathBuf>, imports: &Imports) -> String {
    let mut lines = String::new();
    for (from, targets) in imports.iter().filter(|(from, _)| circle.contains(*from)) {
        for (to, paths) in targets.iter().filter(|(to, _)| circle.contains(*to)) {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            lines += &format!("  {} -> {}: {}\n", from.display(), to.display(), paths.join(", "));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports_of(files: &[(&str, &str)]) -> Imports {
        let read = |path: &Path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| (*text).to_owned())
        };
        Sources::read(&read).imports()
    }

    fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let named = |circle: BTreeSet<PathBuf>| circle.iter().map(|file| file.display().to_string()).collect();
        circles(&imports_of(files)).into_iter().map(named).collect()
    }

    #[test]
    fn two_files_of_a_folder_that_import_each_other_are_a_circle() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "pub struct B; fn f() { let _ = super::a::A; }"),
        ];
        assert_eq!(circles_of(&files), [["a.rs", "b.rs"]]);
        let imports = imports_of(&files);
        let expected = "  a.rs -> b.rs: crate::b::B\n  b.rs -> a.rs: super::a::A\n";
        assert_eq!(explain(&circles(&imports)[0], &imports), expected);
    }

    #[test]
    fn a_circle_through_what_the_parent_hands_on_is_found() {
        let files = [
            ("lib.rs", "mod house;"),
            ("house/mod.rs", "mod a; mod b; mod c; pub use a::A; pub use self::b::{B as Renamed}; pub use c::*;"),
            ("house/a.rs", "use super::Renamed; pub struct A;"),
            ("house/b.rs", "pub struct B(crate::house::C);"),
            ("house/c.rs", "pub struct C; fn f() { println!(\"{}\", crate::house::A); }"),
        ];
        assert_eq!(circles_of(&files), [["house/a.rs", "house/b.rs", "house/c.rs"]]);
    }

    #[test]
    fn a_parent_that_hands_its_children_on_is_in_no_circle_with_them() {
        let files = [
            ("lib.rs", "mod house; pub use house::A;"),
            ("house/mod.rs", "mod a; mod b; mod c; pub use a::A; pub(crate) use b::B; pub use c::C;"),
            ("house/a.rs", "use super::{B, C}; pub struct A;"),
            ("house/b.rs", "use super::c; pub struct B(c::C);"),
            ("house/c.rs", "pub struct C;"),
        ];
        assert_eq!(circles_of(&files), Vec::<Vec<String>>::new());
        assert_eq!(imports_of(&files)[Path::new("house/a.rs")].len(), 2, "both are followed to their files");
    }

    #[test]
    fn a_parent_that_uses_what_its_child_makes_of_it_is_a_circle() {
        let handed_on = [
            ("lib.rs", "mod a;"),
            ("a.rs", "mod b; pub use b::B; pub struct A; fn f(_: B) {}"),
            ("a/b.rs", "use super::A; pub struct B;"),
        ];
        assert_eq!(circles_of(&handed_on), [["a/b.rs", "a.rs"]]);
        let by_child = [
            ("lib.rs", "mod a;"),
            ("a.rs", "mod b; pub const KEY: u8 = 1; fn f() { b::g(); }"),
            ("a/b.rs", "use super::*; pub fn g() -> u8 { KEY }"),
        ];
        assert_eq!(circles_of(&by_child), [["a/b.rs", "a.rs"]]);
    }

    #[test]
    fn what_only_tests_import_makes_no_circle() {
        let files = [
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod c;"),
            ("a.rs", "use crate::b::B; pub struct A; #[cfg(all(test, unix))] use crate::b::B as C;"),
            ("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; } #[test] fn f(_: crate::a::A) {}"),
        ];
        assert_eq!(circles_of(&files), Vec::<Vec<String>>::new());
        let counted = [files[0], files[1], ("b.rs", "pub struct B; #[cfg(not(test))] use crate::a::A;")];
        assert_eq!(circles_of(&counted), [["a.rs", "b.rs"]]);
    }

    #[test]
    fn foreign_paths_are_given_in_full() {
        let text = "use tokio::{time, fs as files}; use uuid::Uuid; mod own;
            fn f() { time::sleep(1); let _ = Uuid::new_v4(); p.exists(); assert!(q.try_exists() && r.is_empty(a)); own::spawn(); s.is_dir(b); }";
        let read = |path: &Path| match path.to_str() {
            Some("lib.rs") => Some(text.to_owned()),
            Some("own.rs") => Some("pub fn spawn() {}".to_owned()),
            _ => None,
        };
        let foreign = &Sources::read(&read).foreign()[Path::new("lib.rs")];
        for expected in ["tokio::time::sleep", "tokio::fs", "uuid::Uuid::new_v4", ".exists()", ".try_exists()"] {
            assert!(foreign.contains(expected), "{expected} is not in {foreign:?}");
        }
        assert!(!foreign.iter().any(|path| path.contains(".is_")), "a method with arguments is another one");
        assert!(!foreign.iter().any(|path| path.contains("spawn")), "what the crate defines is not foreign");
    }
}
