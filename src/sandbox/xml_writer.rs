//! XML documents, written in one go.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

/// What elements are written to.
pub(in crate::sandbox) type XmlWriter = Writer<Vec<u8>>;

/// A whole document: the declaration, and one root with these attributes around what `write` writes.
pub(in crate::sandbox) fn document(
    root: &str,
    attributes: &[(&str, &str)],
    write: impl FnOnce(&mut XmlWriter) -> io::Result<()>,
) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    let written = writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))).and_then(|()| {
        let root = writer.create_element(root).with_attributes(attributes.iter().copied());
        root.write_inner_content(write).map(|_| ())
    });
    // Writing into memory cannot fail.
    written.map(|()| writer.into_inner()).unwrap_or_default()
}

/// An element that holds nothing but text.
pub(in crate::sandbox) fn text(writer: &mut XmlWriter, name: &str, text: &str) -> io::Result<()> {
    writer.create_element(name).write_text_content(BytesText::new(text)).map(|_| ())
}

/// An element that holds what `write` writes.
pub(in crate::sandbox) fn inside(
    writer: &mut XmlWriter,
    name: &str,
    write: impl FnOnce(&mut XmlWriter) -> io::Result<()>,
) -> io::Result<()> {
    writer.create_element(name).write_inner_content(write).map(|_| ())
}
