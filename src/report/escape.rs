//! Text from elsewhere, made safe for where it is shown.

use std::borrow::Cow;

use crate::base::is_dangerous;

/// One line for a terminal or a log: control characters and direction marks are shown as `\u{..}`, line breaks as `\n`.
///
/// ```
/// assert_eq!(sexton::report::terminal_line("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
/// ```
pub fn terminal_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_dangerous(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Text for one cell of a Markdown table, or inside a Markdown line: nothing in it is a link, an image, markup, HTML or a
/// mention.
pub fn markdown_cell(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 8);
    for character in terminal_line(text).chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '@' => shown.push_str("&#64;"),
            ':' => shown.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '~' | '$' => {
                shown.push('\\');
                shown.push(character);
            }
            _ => shown.push(character),
        }
    }
    shown
}

/// Text as a code span of Markdown, in which nothing is markup and nobody is mentioned. In a table it needs [`markdown_code_cell`].
///
/// ```
/// assert_eq!(sexton::report::markdown_code("a`b"), "``a`b``");
/// ```
pub fn markdown_code(text: &str) -> String {
    let line = terminal_line(text);
    if line.trim().is_empty() {
        return "(blank)".to_owned();
    }
    let longest = line.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    // A fence longer than any run of backticks in the text cannot be closed by it.
    let fence = "`".repeat(longest + 1);
    // One space on both sides is not shown; without it a backtick at an end would belong to the fence.
    let gap = if line.starts_with(['`', ' ']) || line.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{gap}{line}{gap}{fence}")
}

/// The same in a cell of a table, where a bar would end the cell also within code.
pub fn markdown_code_cell(text: &str) -> String {
    markdown_code(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_would_move_the_cursor() {
        assert_eq!(terminal_line("plain ä"), "plain ä");
        assert_eq!(terminal_line("a\r\nb\u{7}\u{9b}2J\u{202e}"), "a\\r\\nb\\u{7}\\u{9b}2J\\u{202e}");
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(markdown_code("Status = 'x' | @all <b>"), "`Status = 'x' | @all <b>`");
        assert_eq!(markdown_code("`` and `"), "``` `` and ` ```");
        assert_eq!(markdown_code("a\nb"), "`a\\nb`");
        assert_eq!(markdown_code(" "), "(blank)");
        assert_eq!(markdown_code_cell("a|b"), "`a\\|b`");
    }

    #[test]
    fn leaves_no_markup_in_a_cell() {
        assert_eq!(
            markdown_cell("a|b <img src=x> [x](http://y) @all `c`\n"),
            "a\\|b &lt;img src=x&gt; \\[x\\]\\(http&#58;//y\\) &#64;all \\`c\\`\\\\n"
        );
    }
}
