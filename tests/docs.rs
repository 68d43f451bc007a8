//! What the pages promise: every relative link leads somewhere, and every command line that is shown can be typed.

#![expect(clippy::disallowed_methods, reason = "a test of the pages has to read them")]

use std::fs;
use std::path::{Path, PathBuf};

use sexton::cli::grammar;
use sexton::sandbox::seed::Seed;
use sexton::sandbox::{Effect, Fault};
use strum::EnumCount as _;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every page of the project, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join("docs"), root().join("examples")];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.push(root().join("README.md"));
    found.sort();
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("text"))).collect()
}

/// The lines of a page with the language of the fence they stand in, if they stand in one.
fn fenced(text: &str) -> Vec<(Option<&str>, &str)> {
    let mut fence = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), fence) {
            (Some(language), None) => fence = Some(language),
            (Some(_), Some(_)) => fence = None,
            (None, _) => lines.push((fence, line)),
        }
    }
    lines
}

/// The anchor that a heading gets: lower case, without punctuation, with `-` for spaces.
fn anchor(heading: &str) -> String {
    let kept =
        heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c)).collect::<String>();
    kept.trim().replace(' ', "-")
}

fn anchors(text: &str) -> Vec<String> {
    let headings = fenced(text).into_iter().filter(|(fence, line)| fence.is_none() && line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#'))).collect()
}

/// The targets of `[text](target)` in a line, code in backquotes left out.
fn links(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (number, part) in line.split('`').enumerate() {
        // Text between backquotes is code; a link's own text may be code, so the opening bracket is not looked for.
        if number % 2 == 0 {
            found.extend(part.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
        }
    }
    found
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut count = 0;
    for (page, text) in pages() {
        for (_, line) in fenced(&text).into_iter().filter(|(fence, _)| fence.is_none()) {
            for link in links(line).into_iter().filter(|link| !link.contains("://")) {
                count += 1;
                let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
                let target = if file.is_empty() { page.clone() } else { page.parent().expect("a folder").join(file) };
                assert!(target.exists(), "{}: {link} leads nowhere", page.display());
                if !fragment.is_empty() {
                    let text = fs::read_to_string(&target).expect("text");
                    assert!(
                        anchors(&text).iter().any(|known| known == fragment),
                        "{}: {link} has no heading",
                        page.display()
                    );
                }
            }
        }
    }
    assert!(count > 30, "only {count} links were found");
}

#[test]
fn every_page_below_docs_can_be_reached_from_its_index() {
    let index = fs::read_to_string(root().join("docs/README.md")).expect("text");
    let docs = root().join("docs");
    for (page, _) in pages() {
        let Ok(relative) = page.strip_prefix(&docs) else { continue };
        let relative = relative.to_string_lossy().replace('\\', "/");
        assert!(relative == "README.md" || index.contains(&format!("]({relative})")), "{relative} is not in the index");
    }
}

/// The words after `sexton` or `cargo run ... --` of a line that is typed at a prompt, as a simple shell splits them.
fn typed(line: &str) -> Option<Vec<String>> {
    let line = line.trim_start().strip_prefix("$ ")?;
    let start = match line.find("sexton ") {
        Some(0) => 0,
        _ => line.find("cargo run --release -- ").map(|place| place + "cargo run --release ".len())?,
    };
    let command = line[start..].split(['|', '>', ';', '#', '&']).next().unwrap_or_default();
    Some(command.split_whitespace().map(|word| word.trim_matches(['\'', '"']).to_owned()).collect())
}

/// The lines of console blocks, those that end in a backslash joined with the next.
fn console_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (_, line) in fenced(text).into_iter().filter(|(fence, _)| *fence == Some("console")) {
        match lines.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => {
                last.pop();
                last.push_str(line.trim_start());
            }
            None => lines.push(line.to_owned()),
        }
    }
    lines
}

#[test]
fn every_command_line_can_be_typed() {
    let mut count = 0;
    for (page, text) in pages() {
        for line in console_lines(&text) {
            let Some(words) = typed(&line) else { continue };
            count += 1;
            let parsed = grammar().try_get_matches_from(&words);
            let is_help = parsed.as_ref().is_err_and(|error| !error.use_stderr());
            assert!(parsed.is_ok() || is_help, "{}: `{line}`\n{}", page.display(), parsed.expect_err("wrong"));
        }
    }
    assert!(count > 25, "only {count} command lines were found");
}

/// The YAML blocks of a page.
fn yaml_blocks(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for (fence, line) in fenced(text) {
        match blocks.last_mut() {
            Some(block) if fence == Some("yaml") => {
                block.push_str(line);
                block.push('\n');
            }
            Some(block) if !block.is_empty() => blocks.push(String::new()),
            _ => {}
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

#[test]
fn every_manifest_on_a_page_can_be_read() {
    for (page, text) in pages() {
        yaml_blocks(&text).iter().for_each(|block| check(&page, block));
    }
}

#[test]
fn the_sandbox_takes_the_world_and_every_fault_that_its_page_shows() {
    let text = fs::read_to_string(root().join("docs/reference/sandbox.md")).expect("text");
    let blocks = yaml_blocks(&text);
    let [world, faults] = &blocks[..] else { panic!("a world and faults, not {blocks:?}") };
    let seed = Seed::from_files(vec![("world.yaml".to_owned(), world.clone().into_bytes())]).expect("a seed");
    seed.build("2026-11-20T12:00:00Z".parse().expect("a moment")).expect("a world");
    assert_eq!(Fault::read_all(faults).expect("faults").len(), 3);

    let table = text.split("| `then` |").nth(1).expect("the table of effects");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let effects: Vec<String> = rows
        .map(|row| row.replace("SECONDS", "3").replace("TEXT", "text").replace('N', "5"))
        .map(|effect| format!("- then: {effect}\n"))
        .collect();
    assert_eq!(Fault::read_all(&effects.concat()).expect("effects").len(), Effect::COUNT, "the page has every effect");
}

/// Manifests must be YAML that the schema takes; other YAML must be YAML.
fn check(page: &Path, block: &str) {
    let documents: Vec<serde_json::Value> =
        serde_yaml::from_multiple(block).unwrap_or_else(|error| panic!("{}: {error}\n{block}", page.display()));
    let validator = jsonschema::draft7::new(&sexton::manifest::json_schema()).expect("a schema");
    for document in documents.iter().filter(|document| document["apiVersion"] == "sexton/v1") {
        let wrong: Vec<String> = validator.iter_errors(document).map(|error| error.to_string()).collect();
        assert_eq!(wrong, Vec::<String>::new(), "{}:\n{block}", page.display());
    }
}
