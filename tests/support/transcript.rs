//! Whether the output that a page shows is what the program says, and all of it.

use std::fs;
use std::path::Path;

/// What one command said on standard output and on standard error. A person sees both, in an order of their own.
#[derive(Clone, Debug)]
pub struct Said {
    pub out: String,
    pub error: String,
}

/// What a page shows below one command.
#[derive(Debug, Default)]
struct Shown {
    /// The command line; empty where a block begins without one.
    command: String,
    /// Lines that stand below each other. Between two of these groups the page leaves some out, with `[...]`.
    groups: Vec<Vec<String>>,
}

/// What a page shows in its console blocks, command by command.
fn shown(page: &Path) -> Vec<Shown> {
    let text = fs::read_to_string(page).expect("a page");
    let (mut console, mut goes_on, mut all) = (false, false, Vec::new());
    for line in text.lines() {
        if line.starts_with("```") {
            console = line == "```console";
            if console {
                all.push(Shown { groups: vec![Vec::new()], ..Shown::default() });
            }
        } else if console {
            let starts = line.starts_with("$ ");
            let command = starts || goes_on;
            goes_on = command && line.ends_with('\\');
            if starts {
                all.push(Shown { command: line.to_owned(), groups: vec![Vec::new()] });
            }
            let groups = &mut all.last_mut().expect("begun").groups;
            match line {
                _ if command => {}
                "[...]" => groups.push(Vec::new()),
                "" => {}
                line => groups.last_mut().expect("one group").push(line.to_owned()),
            }
        }
    }
    all.retain(|shown| shown.groups.iter().any(|lines| !lines.is_empty()));
    all
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

/// Whether the groups are all of two streams but for what lies between the groups. Each stream keeps its order.
fn is_all(groups: &[Vec<String>], out: &[String], error: &[String]) -> bool {
    let Some((first, later)) = groups.split_first() else { return out.is_empty() && error.is_empty() };
    if let Some((line, rest)) = first.split_first() {
        let rest: Vec<Vec<String>> = [&[rest.to_vec()], later].concat();
        return [(out, error, true), (error, out, false)].into_iter().any(|(from, other, is_out)| {
            from.split_first().is_some_and(|(said, from)| {
                said == line && if is_out { is_all(&rest, from, other) } else { is_all(&rest, other, from) }
            })
        });
    }
    if later.is_empty() {
        return out.is_empty() && error.is_empty();
    }
    // Here the page leaves lines out: any number of each stream.
    (0..=out.len()).any(|out_from| (0..=error.len()).any(|from| is_all(later, &out[out_from..], &error[from..])))
}

/// The commands of a page, with what it shows below them, whose output was another one, or which left lines out without saying
/// so. Of a command of another program every line must have been said by somebody. Without `numbers` those are not compared.
/// `other` is how lines begin that nobody compares.
pub fn invented(page: &Path, said: &[Said], other: &[&str], numbers: bool) -> Vec<String> {
    let alike = |line: &str| if numbers { settled(line) } else { without_numbers(&settled(line)) };
    let lines = |text: &str| text.lines().filter(|line| !line.is_empty()).map(alike).collect::<Vec<_>>();
    let said: Vec<(Vec<String>, Vec<String>)> = said.iter().map(|said| (lines(&said.out), lines(&said.error))).collect();
    let mut wrong = Vec::new();
    for Shown { command, groups } in shown(page) {
        if groups.iter().flatten().any(|line| other.iter().any(|start| line.starts_with(start))) {
            continue;
        }
        let alike_groups: Vec<Vec<String>> =
            groups.iter().map(|lines| lines.iter().map(|line| alike(line)).collect()).collect();
        let is_said = if command.starts_with("$ sexton ") || command.is_empty() {
            said.iter().any(|(out, error)| is_all(&alike_groups, out, error))
        } else {
            let by_somebody = |line| said.iter().any(|(out, error)| out.contains(line) || error.contains(line));
            alike_groups.iter().flatten().all(by_somebody)
        };
        if !is_said {
            let shown: Vec<String> = groups.iter().map(|lines| lines.join("\n")).collect();
            wrong.push(format!("{command}\n{}", shown.join("\n[...]\n")));
        }
    }
    wrong
}
