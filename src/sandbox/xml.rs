//! Reading XML that anybody may have sent: without document types and entities, of bounded depth and size.

use quick_xml::NsReader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

/// How deep elements may stand in each other.
const DEEPEST: usize = 32;
/// How many elements a document may have.
const MOST_ELEMENTS: usize = 200_000;

/// One element with everything in it, without its attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sandbox) struct Element {
    /// The namespace; empty when it has none.
    pub namespace: String,
    /// The name without its prefix.
    pub name: String,
    /// The text directly in it.
    pub text: String,
    /// The elements directly in it, in their order.
    pub children: Vec<Element>,
}

/// A document that is not read any further.
#[derive(Debug, thiserror::Error)]
pub(in crate::sandbox) enum XmlError {
    /// Not well formed.
    #[error(transparent)]
    Malformed(#[from] quick_xml::Error),
    /// Bytes that are not UTF-8.
    #[error("the document is not UTF-8")]
    Encoding(#[from] std::str::Utf8Error),
    /// Well formed, and refused all the same.
    #[error("{0}")]
    Refused(&'static str),
}

impl Element {
    /// Reads a document and returns its one root.
    pub(in crate::sandbox) fn read(bytes: &[u8]) -> Result<Self, XmlError> {
        let mut reader = NsReader::from_str(std::str::from_utf8(bytes)?);
        reader.config_mut().expand_empty_elements = true;
        // The first is no element: the root ends as its only child.
        let mut open = vec![Self::default()];
        let mut elements = 0;
        loop {
            let event = reader.read_event()?;
            let top = open.last_mut().ok_or(XmlError::Refused("an end without a beginning"))?;
            match event {
                Event::Start(start) => {
                    elements += 1;
                    if open.len() > DEEPEST || elements > MOST_ELEMENTS {
                        return Err(XmlError::Refused("the document is too deep or too large"));
                    }
                    open.push(Self::starting(&reader, &start));
                }
                Event::End(_) => {
                    let ended = open.pop().unwrap_or_default();
                    let parent = open.last_mut().ok_or(XmlError::Refused("an end without a beginning"))?;
                    parent.children.push(ended);
                }
                Event::Text(text) => top.text.push_str(&text.xml10_content()),
                Event::CData(text) => top.text.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => match reference.resolve_char_ref()? {
                    Some(character) => top.text.push(character),
                    None => {
                        let known = resolve_xml_entity(&reference.xml10_content());
                        top.text.push_str(known.ok_or(XmlError::Refused("an entity that is not predefined"))?);
                    }
                },
                Event::DocType(_) => return Err(XmlError::Refused("a document type is not allowed")),
                Event::Eof => break,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        let [mut document] = <[Self; 1]>::try_from(open).map_err(|_| XmlError::Refused("an element does not end"))?;
        match (document.children.pop(), document.children.is_empty()) {
            (Some(root), true) => Ok(root),
            _ => Err(XmlError::Refused("a document has one root")),
        }
    }

    fn starting(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Self {
        let (namespace, name) = reader.resolver().resolve_element(start.name());
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => namespace.into_inner().to_owned(),
            ResolveResult::Unbound | ResolveResult::Unknown(_) => String::new(),
        };
        Self { namespace, name: name.into_inner().to_owned(), ..Self::default() }
    }

    /// The first element directly in it with this name, in any namespace.
    pub(in crate::sandbox) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_text_and_order() {
        let root = Element::read(
            b"<?xml version='1.0'?><!-- c --><a xmlns='urn:a' xmlns:b='urn:b'>x<b:c d='e'/>&lt;&#65;<![CDATA[&]]><c>2</c></a>",
        )
        .expect("well formed");
        assert_eq!((root.namespace.as_str(), root.name.as_str(), root.text.as_str()), ("urn:a", "a", "x<A&"));
        let children: Vec<_> = root.children.iter().map(|child| (child.namespace.as_str(), child.text.as_str())).collect();
        assert_eq!(children, [("urn:b", ""), ("urn:a", "2")]);
        assert_eq!(root.child("c"), root.children.first());
    }

    #[test]
    fn refuses_entities_depth_size_and_broken_documents() {
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        let large = format!("<a>{}</a>", "<b/>".repeat(MOST_ELEMENTS));
        for text in [
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<a>&b;</a>",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "",
            "text",
            &deep,
            &large,
        ] {
            assert!(Element::read(text.as_bytes()).is_err(), "{}", &text[..text.len().min(40)]);
        }
    }
}
