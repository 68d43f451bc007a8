//! Questions to the person at the terminal.
#![expect(clippy::print_stderr, reason = "a question is asked on standard error, where a person sees it")]

use std::io::{BufRead, IsTerminal, Write};

/// Whether there is a person to ask.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks `question` and takes only `expected`, the whole word; anything else, an empty line and the end of input are a no.
pub fn confirms(question: &str, expected: &str) -> bool {
    eprint!("{question} ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && answer.trim_end_matches(['\r', '\n']) == expected
}
