//! The `sexton` program: argv in, exit code out.

fn main() {}
