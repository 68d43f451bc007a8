//! Files whose line ends a checkout has changed.

use std::io::{self, Read};

use crate::base::{Digest, Digester};

/// How much is read at once.
const WINDOW: usize = 1 << 16;

/// The digest that a text would have with `LF` in the place of every `CRLF`; reads to the end, in bounded memory.
pub(super) fn digest_with_unix_ends(mut text: impl Read) -> io::Result<Digest> {
    let mut digester = Digester::new();
    let mut window = vec![0; WINDOW];
    // A carriage return at the end of a window waits for what comes after it.
    let mut waiting = false;
    loop {
        let read = match text.read(&mut window) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let bytes = &window[..read];
        if waiting && bytes.first() != Some(&b'\n') {
            digester.update(b"\r");
        }
        if read == 0 {
            return Ok(digester.finish());
        }
        waiting = bytes.ends_with(b"\r");
        digester.update(&with_unix_ends(bytes.strip_suffix(b"\r").unwrap_or(bytes)));
    }
}

/// The same of a text that is in memory: the text itself.
pub(super) fn with_unix_ends(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    for (at, byte) in text.iter().enumerate() {
        if *byte != b'\r' || text.get(at + 1) != Some(&b'\n') {
            kept.push(*byte);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, so that every line end lies between two windows.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn every_line_end_counts_as_one_and_a_lone_carriage_return_stays() {
        for (text, unix) in
            [("a\r\nb\r\n", "a\nb\n"), ("a\r\r\nb\r", "a\r\nb\r"), ("\r\n", "\n"), ("\rx\n", "\rx\n"), ("", "")]
        {
            assert_eq!(with_unix_ends(text.as_bytes()), unix.as_bytes());
            let expected = Digest::of(unix.as_bytes());
            assert_eq!(digest_with_unix_ends(text.as_bytes()).expect("read"), expected, "{text:?}");
            assert_eq!(digest_with_unix_ends(Slow(text.as_bytes())).expect("read"), expected, "{text:?} slowly");
        }
    }
}
