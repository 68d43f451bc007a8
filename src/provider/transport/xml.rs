//! XML: written with a writer, read with limits.
//!
//! No document type, no entity but the five predefined ones, and a bound on depth and size: an answer cannot make the reader
//! fetch, expand or exhaust anything.

use std::fmt;

use bytes::Bytes;
use quick_xml::XmlVersion;
use quick_xml::errors::SyntaxError;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// How deep elements may be nested. A SOAP answer needs seven.
const DEEPEST: usize = 32;
/// How many elements a document may have: a page of 2,000 records with 100 fields each, and some more.
const MOST_ELEMENTS: usize = 250_000;
/// How many attributes an element may have; namespaces count.
const MOST_ATTRIBUTES: usize = 16;

/// Why XML cannot be read or written. It never repeats what stands in the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is no well-formed document in UTF-8.
    #[error("it is not well-formed XML (at byte {at})")]
    Malformed {
        /// Where.
        at: u64,
    },
    /// It ends in the middle.
    #[error("it is cut off")]
    Truncated,
    /// It holds something that is never read: a document type, an entity of its own.
    #[error("it holds {0}, which is never read")]
    Forbidden(&'static str),
    /// It is larger than anything that can be meant.
    #[error("it has more than {0}, the most that is read")]
    TooLarge(&'static str),
    /// A text has a character that XML cannot carry.
    #[error("a text has a control character, which XML cannot carry")]
    Unwritable,
}

/// One element that was read, with everything in it.
///
/// Names are local: prefixes are the sender's choice, and namespaces are not compared (clients and servers of the same
/// vendor are recorded with different ones).
#[derive(Default)]
pub struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

/// Shows the name alone: the text may be a token.
impl fmt::Debug for Element {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<{}>", self.name)
    }
}

impl Element {
    /// Reads a whole document and gives its root.
    ///
    /// # Errors
    ///
    /// See [`XmlError`].
    pub fn read(document: &[u8]) -> Result<Self, XmlError> {
        let text = std::str::from_utf8(document)
            .map_err(|error| XmlError::Malformed { at: u64::try_from(error.valid_up_to()).unwrap_or(u64::MAX) })?;
        let mut reader = quick_xml::Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        reader.config_mut().expand_empty_elements = true;
        let mut open: Vec<Element> = Vec::new();
        let mut root = None;
        let mut elements = 0;
        loop {
            let at = reader.buffer_position();
            let malformed = || XmlError::Malformed { at };
            let event = match reader.read_event() {
                Ok(event) => event,
                // Every other syntax error is some markup that never ends.
                Err(quick_xml::Error::Syntax(error)) if error != SyntaxError::InvalidBangMarkup => {
                    return Err(XmlError::Truncated);
                }
                Err(_) => return Err(XmlError::Malformed { at: reader.error_position() }),
            };
            match event {
                Event::Start(start) => {
                    elements += 1;
                    if elements > MOST_ELEMENTS {
                        return Err(XmlError::TooLarge("250,000 elements"));
                    }
                    if open.len() == DEEPEST {
                        return Err(XmlError::TooLarge("32 levels"));
                    }
                    if root.is_some() {
                        return Err(malformed());
                    }
                    open.push(Self::started(&start, malformed())?);
                }
                Event::End(_) => {
                    let closed = open.pop().ok_or_else(malformed)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(closed),
                        None => root = Some(closed),
                    }
                }
                Event::Text(piece) => take_text(open.last_mut(), &piece.xml10_content(), malformed())?,
                Event::CData(piece) => take_text(open.last_mut(), &piece.xml10_content(), malformed())?,
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().map_err(|_| malformed())?.map(String::from);
                    let known = || resolve_predefined_entity(&reference).map(str::to_owned);
                    let text = character.or_else(known).ok_or(XmlError::Forbidden("an entity of its own"))?;
                    take_text(open.last_mut(), &text, malformed())?;
                }
                Event::DocType(_) => return Err(XmlError::Forbidden("a document type")),
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::Empty(_) => return Err(malformed()),
                Event::Eof if open.is_empty() => return root.ok_or(XmlError::Truncated),
                Event::Eof => return Err(XmlError::Truncated),
            }
        }
    }

    fn started(start: &BytesStart<'_>, malformed: XmlError) -> Result<Self, XmlError> {
        let mut attributes = Vec::new();
        for (place, attribute) in start.attributes().enumerate() {
            if place == MOST_ATTRIBUTES {
                return Err(XmlError::TooLarge("16 attributes on an element"));
            }
            let attribute = attribute.map_err(|_| malformed.clone())?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| malformed.clone())?;
            attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
        }
        let name = start.local_name().as_ref().to_owned();
        Ok(Self { name, attributes, ..Self::default() })
    }

    /// The name, without its prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text directly in it, as it stands.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// An attribute, by its name without prefix.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is marked as null (`xsi:nil`).
    pub fn is_nil(&self) -> bool {
        matches!(self.attribute("nil"), Some("true" | "1"))
    }

    /// The elements directly in it, in order.
    pub fn children(&self) -> &[Element] {
        &self.children
    }

    /// The elements of that name directly in it, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element of that name directly in it.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Takes the first element of that name out of it.
    pub fn take(mut self, name: &str) -> Option<Element> {
        let place = self.children.iter().position(|child| child.name == name)?;
        Some(self.children.swap_remove(place))
    }

    /// The text of the first element of that name directly in it; `None` when there is none, or it is nil.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).filter(|child| !child.is_nil()).map(Element::text)
    }
}

/// Adds text to the innermost element. Outside the root there is only space.
fn take_text(open: Option<&mut Element>, text: &str, malformed: XmlError) -> Result<(), XmlError> {
    match open {
        Some(element) => element.text.push_str(text),
        None if text.trim_ascii().is_empty() => {}
        None => return Err(malformed),
    }
    Ok(())
}

/// Writes one document, from its declaration on.
pub struct XmlWriter {
    writer: quick_xml::Writer<Vec<u8>>,
    unwritable: bool,
}

const TAKES_EVERYTHING: &str = "a vector takes everything that is written";

impl XmlWriter {
    /// Writes a document whose root and contents `inside` writes.
    ///
    /// # Errors
    ///
    /// [`XmlError::Unwritable`], when a text has a character that XML cannot carry.
    pub fn document(inside: impl FnOnce(&mut Self)) -> Result<Bytes, XmlError> {
        let mut document = Self { writer: quick_xml::Writer::new(Vec::new()), unwritable: false };
        document.write(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        inside(&mut document);
        if document.unwritable { Err(XmlError::Unwritable) } else { Ok(document.writer.into_inner().into()) }
    }

    /// Writes an element with attributes, and in it what `inside` writes. The names are the program's own.
    pub fn element(&mut self, name: &str, attributes: &[(&str, &str)], inside: impl FnOnce(&mut Self)) {
        self.write(Event::Start(BytesStart::new(name).with_attributes(attributes.iter().copied())));
        inside(self);
        self.write(Event::End(BytesEnd::new(name)));
    }

    /// Writes an element that holds `text`.
    pub fn text(&mut self, name: &str, text: &str) {
        self.unwritable |= text.chars().any(|character| !can_be_carried(character));
        // A reader would turn an unescaped carriage return into a line feed.
        let escaped = quick_xml::escape::escape(text).replace('\r', "&#13;");
        self.element(name, &[], |inside| inside.write(Event::Text(BytesText::from_escaped(escaped))));
    }

    fn write(&mut self, event: Event<'_>) {
        self.writer.write_event(event).expect(TAKES_EVERYTHING);
    }
}

fn can_be_carried(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Element, XmlError> {
        Element::read(text.as_bytes())
    }

    #[test]
    fn reads_names_attributes_and_text() {
        let root = read(
            "<?xml version='1.0' encoding='UTF-8'?>\n<s:a xmlns:s='x' s:nil=\"1\"><b>one &amp; <![CDATA[<two>]]> &#x41;</b>\
             <!-- x --><s:b c:nil='true' xmlns:c='y'/><c/></s:a>\n",
        )
        .expect("well formed");
        assert_eq!((root.name(), root.is_nil()), ("a", true));
        assert_eq!(root.text_of("b"), Some("one & <two> A"));
        assert_eq!((root.all("b").count(), root.text_of("c"), root.text_of("d")), (2, Some(""), None));
        assert!(root.children()[1].is_nil());
    }

    #[test]
    fn refuses_what_could_fetch_or_expand_anything() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><a>&b;</a>";
        assert_eq!(read(bomb).expect_err("a document type"), XmlError::Forbidden("a document type"));
        let external = "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>";
        assert_eq!(read(external).expect_err("a document type"), XmlError::Forbidden("a document type"));
        assert_eq!(read("<a>&b;</a>").expect_err("an entity"), XmlError::Forbidden("an entity of its own"));
        assert!(read("<a b='&c;'/>").is_err());
    }

    #[test]
    fn refuses_what_is_too_deep_or_too_large() {
        let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(read(&deep(DEEPEST)).is_ok());
        assert_eq!(read(&deep(DEEPEST + 1)).expect_err("too deep"), XmlError::TooLarge("32 levels"));
        let wide = format!("<a>{}</a>", "<b/>".repeat(MOST_ELEMENTS));
        assert_eq!(read(&wide).expect_err("too many"), XmlError::TooLarge("250,000 elements"));
        let attributes: String = (0..=MOST_ATTRIBUTES).map(|number| format!(" a{number}=''")).collect();
        assert!(matches!(read(&format!("<a{attributes}/>")), Err(XmlError::TooLarge(_))));
    }

    #[test]
    fn tells_what_ends_too_early_from_what_is_wrong() {
        let whole = "<a><b c=\"d\">e</b></a>";
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]).expect_err("cut off"), XmlError::Truncated, "{}", &whole[..end]);
        }
        for wrong in ["x<a/>", "<a/><b/>", "<a/>x", "<a></b></a>", "<a b=c></a>", "</a>", "<a>&#0;</a>", "<a b='1' b='2'/>"]
        {
            assert!(matches!(read(wrong), Err(XmlError::Malformed { .. } | XmlError::Truncated)), "{wrong}");
        }
        assert_eq!(Element::read(b"<a>\xff</a>").expect_err("not UTF-8"), XmlError::Malformed { at: 3 });
    }

    #[test]
    fn refuses_to_write_what_cannot_be_carried() {
        let written = |text: &str| XmlWriter::document(|document| document.text("a", text));
        for text in ["\0", "\u{1b}", "\u{ffff}"] {
            assert_eq!(written(text), Err(XmlError::Unwritable));
        }
        let written = written("a<b>&'\"\r\n\t").expect("can be carried");
        assert_eq!(read(std::str::from_utf8(&written).expect("UTF-8")).expect("well formed").text(), "a<b>&'\"\r\n\t");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_text_escapes_its_element(text in "(\\PC|[\r\n\t<>&'\"]|]]>|<!--){0,40}") {
            let written = XmlWriter::document(|document| {
                document.element("a:b", &[("xmlns:a", "urn:a")], |inside| inside.text("a:c", &text));
            });
            if let Ok(written) = written {
                let root = Element::read(&written).expect("well formed");
                prop_assert_eq!(root.children().len(), 1);
                prop_assert_eq!(root.text_of("c"), Some(text.as_str()));
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(<|>|/|&|;|a|b| |=|'|\"|!|\\[|\\]|-|\\?|#|\\PC){0,60}") {
            let _ = Element::read(text.as_bytes());
        }
    }
}
