//! How a job's CSV is written: the delimiter, the line ending, and what is put in quotes.

use std::fmt;

/// The character between two columns, by the name the job properties use.
///
/// Source: documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColumnDelimiter {
    /// `` ` ``
    Backquote,
    /// `^`
    Caret,
    /// `,`
    #[default]
    Comma,
    /// `|`
    Pipe,
    /// `;`
    Semicolon,
    /// A tabulator.
    Tab,
}

impl ColumnDelimiter {
    const ALL: [Self; 6] = [Self::Backquote, Self::Caret, Self::Comma, Self::Pipe, Self::Semicolon, Self::Tab];

    /// The delimiter of that name, in the vendor's spelling; the case matters.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|delimiter| delimiter.name() == name)
    }

    /// The name the job properties use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backquote => "BACKQUOTE",
            Self::Caret => "CARET",
            Self::Comma => "COMMA",
            Self::Pipe => "PIPE",
            Self::Semicolon => "SEMICOLON",
            Self::Tab => "TAB",
        }
    }

    /// The character itself.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Backquote => b'`',
            Self::Caret => b'^',
            Self::Comma => b',',
            Self::Pipe => b'|',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

/// What ends a line of a job's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineEnding {
    /// A line feed alone.
    #[default]
    Lf,
    /// Carriage return and line feed.
    Crlf,
}

impl LineEnding {
    /// The line ending of that name; the case matters.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Lf, Self::Crlf].into_iter().find(|ending| ending.name() == name)
    }

    /// The name the job properties use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lf => "LF",
            Self::Crlf => "CRLF",
        }
    }

    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::Crlf => b"\r\n",
        }
    }
}

impl fmt::Display for LineEnding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The way one job reads and writes CSV.
///
/// That results keep to the job's delimiter and line ending is a guess; the quoting is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// Between columns.
    pub delimiter: ColumnDelimiter,
    /// After rows.
    pub ending: LineEnding,
}

impl Dialect {
    /// Adds one row, every cell in quotes, as data rows come.
    pub fn write_quoted<'a>(self, out: &mut Vec<u8>, cells: impl IntoIterator<Item = &'a str>) {
        let mut first = true;
        for cell in cells {
            self.separate(out, &mut first);
            quote(out, cell);
        }
        out.extend_from_slice(self.ending.bytes());
    }

    /// Adds the header of an ingest result: the service's own two columns in quotes, the uploaded ones as they came.
    ///
    /// Source: recorded (`"sf__Id","sf__Error",Name,…`).
    pub fn write_result_header(self, out: &mut Vec<u8>, own: &[&str], uploaded: &[String]) {
        let mut first = true;
        for name in own {
            self.separate(out, &mut first);
            quote(out, name);
        }
        for name in uploaded {
            self.separate(out, &mut first);
            out.extend_from_slice(name.as_bytes());
        }
        out.extend_from_slice(self.ending.bytes());
    }

    fn separate(self, out: &mut Vec<u8>, first: &mut bool) {
        if !std::mem::take(first) {
            out.push(self.delimiter.byte());
        }
    }
}

fn quote(out: &mut Vec<u8>, cell: &str) {
    out.push(b'"');
    for byte in cell.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_every_value_and_doubles_quotes() {
        let mut out = Vec::new();
        Dialect::default().write_quoted(&mut out, ["a", "", "say \"no\", please"]);
        assert_eq!(String::from_utf8_lossy(&out), "\"a\",\"\",\"say \"\"no\"\", please\"\n");
    }

    #[test]
    fn quotes_only_its_own_columns_in_a_result_header() {
        let dialect = Dialect { delimiter: ColumnDelimiter::Semicolon, ending: LineEnding::Crlf };
        let mut out = Vec::new();
        dialect.write_result_header(&mut out, &["sf__Id", "sf__Error"], &["Id".to_owned()]);
        assert_eq!(String::from_utf8_lossy(&out), "\"sf__Id\";\"sf__Error\";Id\r\n");
    }

    #[test]
    fn knows_the_vendors_names_only() {
        assert_eq!(ColumnDelimiter::from_name("PIPE"), Some(ColumnDelimiter::Pipe));
        assert_eq!(ColumnDelimiter::from_name("pipe"), None);
        assert_eq!(LineEnding::from_name("CRLF"), Some(LineEnding::Crlf));
        assert_eq!(LineEnding::from_name("CR"), None);
    }
}
