//! What people and machines are shown: human text, JSON, Markdown. Gives text; printing it is the command line's business.

pub mod diagnostic;
