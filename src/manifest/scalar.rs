//! The place in the file of a part of a scalar's value.

use super::node::Node;
use crate::base::{Source, Span};

/// The place in the file of the bytes `start..end` of the text `value` of `node`.
///
/// Exact for unquoted and quoted scalars of one line, and for blocks of text that keep their line breaks (`|`). Where lines
/// are folded or characters are escaped in other ways, the whole scalar.
pub(super) fn place_within(source: &Source, node: &Node, value: &str, start: usize, end: usize) -> Span {
    let raw = source.text.get(node.span.start..node.span.end).unwrap_or_default();
    let find = |offset: usize| {
        if node.plain {
            return Some(node.span.start + offset);
        }
        let quoted = matches!(raw.as_bytes(), [quote @ (b'\'' | b'"'), .., last] if quote == last);
        let inside = if quoted { in_quotes(raw, value, offset).map(|at| node.span.start + at) } else { None };
        inside.or_else(|| in_block(&source.text, node.span.start, value, offset))
    };
    match (find(start), find(end)) {
        (Some(start), Some(end)) if start <= end && source.text.get(start..end).is_some() => {
            Span { start, end, ..node.span }
        }
        _ => node.span,
    }
}

/// The offset in `raw`, quotes included, of the byte `offset` of `value`. `None` when `raw` is not that value on one line.
fn in_quotes(raw: &str, value: &str, offset: usize) -> Option<usize> {
    let quote = raw.chars().next()?;
    let inner = &raw[..raw.len() - 1];
    let (mut at, mut found) = (1, None);
    for (position, character) in value.char_indices() {
        if position == offset {
            found = Some(at);
        }
        let rest = inner.get(at..)?;
        let doubled = quote == '\'' && character == '\'' && rest.starts_with("''");
        let escaped = quote == '"' && matches!(character, '"' | '\\') && rest.starts_with('\\');
        at += if doubled || escaped {
            2
        } else if rest.starts_with(character) {
            character.len_utf8()
        } else {
            return None;
        };
    }
    if at != inner.len() {
        return None;
    }
    found.or((offset == value.len()).then_some(at))
}

/// The offset in `text` of the byte `offset` of `value`, a block of text whose first character stands at `start`. `None` when
/// the lines up to there are not those of the value.
fn in_block(text: &str, start: usize, value: &str, offset: usize) -> Option<usize> {
    let indentation = start - text.get(..start)?.rfind('\n')? - 1;
    let (mut at, mut before) = (start, 0);
    for (number, line) in value.split('\n').enumerate() {
        if number > 0 {
            at += text.get(at..)?.find('\n')? + 1;
            at += text[at..].bytes().take(indentation).take_while(|byte| *byte == b' ').count();
        }
        if !text.get(at..)?.strip_prefix(line)?.trim_start_matches('\r').starts_with('\n')
            && before + line.len() < value.len()
        {
            return None;
        }
        if offset <= before + line.len() {
            return Some(at + offset - before);
        }
        before += line.len() + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SourceMap;
    use crate::manifest::node::{Value, documents, parse};

    /// What `place_within` shows of the first `bad` in the value of the first key.
    fn shown(text: &str) -> String {
        let mut sources = SourceMap::default();
        let id = sources.add("a.yaml", text);
        let node = parse(id, text, &documents(text)[0]).expect("YAML");
        let Value::Mapping(entries) = &node.value else { panic!("not a mapping") };
        let node = &entries[0].1;
        let Value::Text(value) = &node.value else { panic!("not text") };
        let start = value.find("bad").expect("there");
        let span = place_within(sources.get(id).expect("there"), node, value, start, start + 3);
        text[span.start..span.end].to_owned()
    }

    #[test]
    fn finds_the_place_in_every_style_that_keeps_the_text() {
        for text in [
            "a: x = bad",
            "a: 'x = ''y'' ö bad z'",
            "a: \"x = \\\"y\\\" \\\\ bad z\"",
            "a: |\n  x\n    y\n\n  'bad'\nb: 1\n",
            "a: |-\n  'x'\n  bad 'y'",
            "a: |2\n    bad\n",
            "a: |\r\n  x\r\n  bad\r\n",
        ] {
            assert_eq!(shown(text), "bad", "{text:?}");
        }
    }

    #[test]
    fn points_at_the_whole_scalar_where_the_text_was_changed() {
        assert_eq!(shown("a: >\n  x\n  bad\n"), "x\n  bad");
        assert_eq!(shown("a: x\n  bad"), "x\n  bad");
        assert_eq!(shown("a: \"\\x41 bad\""), "\"\\x41 bad\"");
        assert_eq!(shown("a: 'x\n\n  bad'"), "'x\n\n  bad'");
    }
}
