//! From files to a workspace, or to everything that is wrong with them.

use std::collections::BTreeMap;

use super::check::{Named, cycles, names, targets, unknown_dependencies};
use super::fields::Findings;
use super::lower::{Header, References, Systems, header, hold, policy, project, system_kind, target};
use super::node::{Node, documents, parse, tabs};
use super::{Document, DocumentKind, MOST_FILE_BYTES, ManifestFile, ManifestFileError, NO_DIRECTORY_HELP, PassedOver};
use super::{Project, Workspace, codes, mask};
use crate::base::{Diagnostic, PolicyName, Severity, SourceId, SourceMap, Span};

/// What came of reading.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The workspace, when nothing is wrong with it. Warnings do not count.
    pub workspace: Option<Workspace>,
    /// Everything found, in the order of files and places.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts, with what may be secrets masked.
    pub sources: SourceMap,
    /// What lies beside the manifests, in the order of the names.
    pub passed_over: Vec<PassedOver>,
}

/// Reads and checks manifests. All mistakes of all files are told at once.
///
/// The order of `files` decides the order of documents, so the store gives them in a stable one. Every file is taken for one with
/// manifests: [`Sifted`](super::Sifted) tells which those are.
pub fn read(files: impl IntoIterator<Item = ManifestFile>) -> Reading {
    read_beside(files, Vec::new(), Vec::new())
}

/// The same, of files that were found beside others, and with what was found wrong on the way.
pub(super) fn read_beside(
    files: impl IntoIterator<Item = ManifestFile>,
    mut diagnostics: Vec<Diagnostic>,
    passed_over: Vec<PassedOver>,
) -> Reading {
    let mut sources = SourceMap::default();
    let mut parsed: Vec<(Span, Node)> = Vec::new();
    for file in files {
        match text_of(file, &mut sources) {
            Ok(source) => diagnostics.extend(parse_file(source, &mut sources, &mut parsed)),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    if parsed.is_empty() && diagnostics.is_empty() {
        let mut found = Diagnostic::bare(
            codes::NO_DOCUMENTS,
            "there is no manifest: no `.yaml` or `.yml` file has a document of Sexton's",
        )
        .with_help("name another directory, or write a first manifest with `sexton init`");
        if !passed_over.is_empty() {
            found = found.with_note("`sexton validate --files` lists what was passed over");
        }
        diagnostics.push(found);
    }
    let mut findings = Findings { sources: &sources, diagnostics };
    let built = build(&parsed, &mut findings);
    let mut diagnostics = findings.diagnostics;
    // Stable, so that findings without a place stay first and in the order of the files.
    diagnostics.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span));
    let wrong = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let workspace = (!wrong).then(|| Workspace { sources: sources.clone(), ..built });
    Reading { workspace, diagnostics, sources, passed_over }
}

/// What the Project document among some files says, as far as it can be read; mistakes are told by [`read`].
pub(super) fn settings(files: &[ManifestFile]) -> Project {
    let mut sources = SourceMap::default();
    for text in files.iter().filter_map(|file| std::str::from_utf8(file.content.as_ref().ok()?).ok()) {
        let name = DocumentKind::Project.name();
        for document in documents(text).into_iter().filter(|document| text[document.clone()].contains(name)) {
            let source = sources.add(String::new(), text);
            let Ok(node) = parse(source, text, &document) else { continue };
            let mut findings = Findings { sources: &sources, diagnostics: Vec::new() };
            let header = header(&node, &mut findings).filter(|header| header.kind == DocumentKind::Project);
            if let Some(project) = header.and_then(|header| project(&header, &mut findings)) {
                return project;
            }
        }
    }
    Project::default()
}

/// Keeps the file's text and gives its id.
fn text_of(file: ManifestFile, sources: &mut SourceMap) -> Result<SourceId, Box<Diagnostic>> {
    let name = file.name;
    let too_large = |bytes: &Vec<u8>| bytes.len() as u64 > MOST_FILE_BYTES;
    let content = match file.content {
        Ok(bytes) if too_large(&bytes) => {
            Err(ManifestFileError::TooLarge { bytes: bytes.len() as u64, most: MOST_FILE_BYTES })
        }
        content => content,
    };
    match content {
        Ok(bytes) => match String::from_utf8(bytes) {
            // A byte order mark says nothing about UTF-8; without it, columns count as people do.
            Ok(text) => Ok(sources.add(name, text.strip_prefix('\u{feff}').unwrap_or(&text))),
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                let title = format!("the file is not UTF-8: byte {offset} cannot be read");
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                for span in mask::secrets_of_lines(sources.add(name, &text), &text, 0) {
                    sources.mask(span);
                }
                let source = sources.iter().last().map(|(id, _)| id);
                Err(Box::new(match source {
                    Some(source) => {
                        let span = Span { source, start: offset, end: offset + char::REPLACEMENT_CHARACTER.len_utf8() };
                        Diagnostic::error(codes::NOT_UTF8, title, span, "not UTF-8 from here on")
                            .with_help("save the file as UTF-8")
                    }
                    None => Diagnostic::bare(codes::NOT_UTF8, title),
                }))
            }
        },
        Err(error) => Err(Box::new(match &error {
            ManifestFileError::TooLarge { .. } => Diagnostic::bare(codes::FILE_TOO_LARGE, format!("`{name}` {error}"))
                .with_help("split it; where it is none of Sexton's, name it in `.sextonignore`"),
            ManifestFileError::NoDirectory => {
                Diagnostic::bare(codes::FILE_UNREADABLE, format!("{error} `{name}`")).with_help(NO_DIRECTORY_HELP)
            }
            ManifestFileError::Unreadable(cause) => {
                Diagnostic::bare(codes::FILE_UNREADABLE, format!("`{name}` {error}: {cause}")).with_help(
                    "check that it is there and may be read; where it is none of Sexton's, name it in `.sextonignore`",
                )
            }
        })),
    }
}

fn parse_file(source: SourceId, sources: &mut SourceMap, parsed: &mut Vec<(Span, Node)>) -> Vec<Diagnostic> {
    let text = sources.get(source).map(|source| source.text.clone()).unwrap_or_default();
    let control = |character: &char| character.is_control() && !matches!(character, '\n' | '\r' | '\t' | '\u{85}');
    if let Some((start, character)) = text.char_indices().find(|(_, character)| control(character)) {
        for span in mask::secrets_of_lines(source, &text, 0) {
            sources.mask(span);
        }
        let title = format!("the file holds a control character, U+{:04X}", u32::from(character));
        let span = Span { source, start, end: start + character.len_utf8() };
        return vec![
            Diagnostic::error(codes::CONTROL_CHARACTER, title, span, "not allowed in YAML")
                .with_help("delete it, or write it as an escape in double quotes"),
        ];
    }
    let mut found = Vec::new();
    for document in documents(&text) {
        let masks = match parse(source, &text, &document) {
            Ok(node) => {
                let masks = mask::secrets(&node);
                found.extend(tabs(&node, &text));
                let end = document.start + text[document.clone()].trim_end().len();
                parsed.push((Span { source, start: document.start, end }, node));
                masks
            }
            Err(diagnostic) => {
                found.push(*diagnostic);
                mask::secrets_of_lines(source, &text[document.clone()], document.start)
            }
        };
        masks.into_iter().for_each(|span| sources.mask(span));
    }
    found
}

/// Lowers and checks every document. The result is a workspace only when no error was found.
fn build(parsed: &[(Span, Node)], findings: &mut Findings<'_>) -> Workspace {
    // A name may be missing only because its document could not be read: then it is not reported as missing.
    let all_read = findings.diagnostics.is_empty();
    let headers: Vec<(Span, Header<'_>)> =
        parsed.iter().filter_map(|(span, node)| header(node, findings).map(|header| (*span, header))).collect();
    let mut workspace = Workspace {
        project: Project::default(),
        targets: BTreeMap::new(),
        policies: BTreeMap::new(),
        holds: BTreeMap::new(),
        documents: Vec::new(),
        sources: SourceMap::default(),
    };
    let mut named = Vec::new();
    for (span, header) in &headers {
        if let Some(name) = header.name.clone() {
            named.push(Named { kind: header.kind, name: name.clone(), span: header.span });
            workspace.documents.push(Document { kind: header.kind, name, span: *span });
        }
        // First, since policies take the project's limits.
        if header.kind == DocumentKind::Project
            && let Some(project) = project(header, findings)
        {
            workspace.project = project;
        }
    }
    let targets_named = headers.iter().map(|(_, header)| header).filter(|header| header.kind == DocumentKind::Target);
    let systems = Systems::new(targets_named.filter_map(|header| Some((header.name.clone()?, system_kind(header)?))));
    let mut hold_references: Vec<References> = Vec::new();
    let mut policy_references: Vec<(PolicyName, References)> = Vec::new();
    for (_, header) in &headers {
        match header.kind {
            DocumentKind::Project => {}
            DocumentKind::Target => {
                if let Some(target) = target(header, findings) {
                    workspace.targets.insert(target.name.clone(), target);
                }
            }
            DocumentKind::DeletionPolicy => {
                let (policy, references) = policy(header, &workspace.project, &systems, findings);
                if let Some(name) = header.name.clone().and_then(|name| PolicyName::new(name).ok()) {
                    policy_references.push((name, references));
                }
                if let Some(policy) = policy {
                    workspace.policies.insert(policy.name.clone(), policy);
                }
            }
            DocumentKind::Hold => {
                let (hold, references) = hold(header, &systems, findings);
                hold_references.push(references);
                if let Some(hold) = hold {
                    workspace.holds.insert(hold.name.clone(), hold);
                }
            }
        }
    }
    findings.diagnostics.extend(names(&named));
    let references = policy_references.iter().map(|(_, references)| references).chain(&hold_references);
    if all_read && named.len() == parsed.len() {
        findings.diagnostics.extend(targets(&named, references));
        findings.diagnostics.extend(unknown_dependencies(&named, &policy_references));
    }
    findings.diagnostics.extend(cycles(&policy_references));
    workspace
}
