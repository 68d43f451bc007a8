//! Rows as bytes of a scratch file.

use std::io::{self, Write};

use crate::base::RecordId;

/// A record's length byte has this bit when values follow the key.
pub(super) const HAS_VALUES: u8 = 0x80;

/// Writes one row: the key's length and a flag, the key, and, where there are values, their length and bytes.
pub(super) fn write_encoded(output: &mut dyn Write, id: &RecordId, values: &[u8]) -> io::Result<()> {
    let key = id.as_bytes();
    let flag = if values.is_empty() { 0 } else { HAS_VALUES };
    output.write_all(&[key.len() as u8 | flag])?;
    output.write_all(key)?;
    if !values.is_empty() {
        let length = u32::try_from(values.len()).map_err(|_| io::Error::other("a row larger than 4 GiB"))?;
        output.write_all(&length.to_le_bytes())?;
        output.write_all(values)?;
    }
    Ok(())
}

/// Appends each value with its length in front, so that a value may hold anything.
pub(super) fn encode_values(values: &[String], into: &mut Vec<u8>) -> io::Result<()> {
    for value in values {
        let length = u32::try_from(value.len()).map_err(|_| io::Error::other("a value larger than 4 GiB"))?;
        into.extend_from_slice(&length.to_le_bytes());
        into.extend_from_slice(value.as_bytes());
    }
    Ok(())
}

fn split_value(encoded: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = encoded.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

/// The first value of encoded ones; empty where there is none.
pub(super) fn first_encoded(encoded: &[u8]) -> &[u8] {
    split_value(encoded).map_or(&[], |(first, _)| first)
}

/// Reads values back.
pub(super) fn decode_values(mut encoded: &[u8]) -> io::Result<Vec<String>> {
    let mut values = Vec::new();
    while !encoded.is_empty() {
        let (value, rest) = split_value(encoded).ok_or_else(damaged)?;
        values.push(std::str::from_utf8(value).map_err(|_| damaged())?.to_owned());
        encoded = rest;
    }
    Ok(values)
}

/// The error for bytes that are not what was written.
pub(super) fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary sort file does not read back as it was written")
}
