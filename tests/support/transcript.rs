//! Whether the output that a page shows is what the program says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The lines of a page's console blocks that are neither commands, nor their continuation, nor `[...]`.
fn shown(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).expect("a page");
    let (mut console, mut goes_on, mut lines) = (false, false, Vec::new());
    for line in text.lines() {
        if line.starts_with("```") {
            console = line == "```console";
        } else if console {
            let command = line.starts_with("$ ") || goes_on;
            goes_on = command && line.ends_with('\\');
            if !command && line != "[...]" && !line.is_empty() {
                lines.push(line.to_owned());
            }
        }
    }
    lines
}

/// A line without what is another one every time: digests, days, times.
fn settled(line: &str) -> String {
    let words = line.trim_end().split(' ').map(|word| {
        let digits =
            |from: usize, to: usize| word.get(from..to).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        match word {
            _ if digits(0, 4) && digits(5, 7) && word.get(4..5) == Some("-") => "DAY".to_owned(),
            _ if word.len() == 5 && digits(0, 2) && digits(3, 5) => "TIME".to_owned(),
            _ => word.split('/').map(without_digest).collect::<Vec<_>>().join("/"),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn without_digest(part: &str) -> String {
    let name = part.trim_matches([':', ',', '`']);
    let is_digest = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest { part.replace(name, "PLAN") } else { part.to_owned() }
}

/// A line with every number, and the spaces before it, as one mark: for records that are made relative to the day.
fn without_numbers(line: &str) -> String {
    let mut text = String::new();
    let mut after_number = false;
    for letter in line.chars() {
        let is_number = letter.is_ascii_digit() || (after_number && [',', '.'].contains(&letter));
        if is_number && !after_number {
            text.truncate(text.trim_end().len());
            text.push('N');
        }
        if !is_number {
            text.push(letter);
        }
        after_number = is_number;
    }
    text
}

/// The lines that a page shows and `said` does not have. Without `numbers` they are not compared. `other` is how lines begin
/// that other programs print there.
pub fn invented(page: &Path, said: &str, other: &[&str], numbers: bool) -> Vec<String> {
    let alike = |line: &str| if numbers { settled(line) } else { without_numbers(&settled(line)) };
    let said: BTreeSet<String> = said.lines().map(alike).collect();
    let lines = shown(page).into_iter();
    lines.filter(|line| !said.contains(&alike(line)) && !other.iter().any(|start| line.starts_with(start))).collect()
}
