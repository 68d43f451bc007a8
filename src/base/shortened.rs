//! Foreign text, cut to fit into messages.

/// At most 80 characters of a text, for messages.
pub fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
