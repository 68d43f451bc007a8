//! Reading XML that anybody may have sent: without document types and entities, of bounded depth and size.

use roxmltree::{Document, Node, ParsingOptions};

/// How deep elements may stand in each other.
const DEEPEST: usize = 32;
/// How many elements and texts a document may have.
const MOST_NODES: u32 = 400_000;

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
    /// Not well formed, too large, or with a document type.
    #[error(transparent)]
    Malformed(#[from] roxmltree::Error),
    /// Bytes that are not UTF-8.
    #[error("the document is not UTF-8")]
    Encoding(#[from] std::str::Utf8Error),
    /// Well formed, and refused all the same.
    #[error("the document is too deep")]
    TooDeep,
}

impl Element {
    /// Reads a document and returns its one root.
    pub(in crate::sandbox) fn read(bytes: &[u8]) -> Result<Self, XmlError> {
        let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(std::str::from_utf8(bytes)?, options)?;
        Self::of(document.root_element(), DEEPEST)
    }

    fn of(node: Node<'_, '_>, deepest: usize) -> Result<Self, XmlError> {
        let deeper = deepest.checked_sub(1).ok_or(XmlError::TooDeep)?;
        Ok(Self {
            namespace: node.tag_name().namespace().unwrap_or_default().to_owned(),
            name: node.tag_name().name().to_owned(),
            text: node.children().filter(Node::is_text).filter_map(|text| text.text()).collect(),
            children: node
                .children()
                .filter(Node::is_element)
                .map(|child| Self::of(child, deeper))
                .collect::<Result<_, _>>()?,
        })
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
        let large = format!("<a>{}</a>", "<b/>".repeat(MOST_NODES as usize));
        let far_too_deep = "<a>".repeat(200_000) + &"</a>".repeat(200_000);
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
            &far_too_deep,
        ] {
            assert!(Element::read(text.as_bytes()).is_err(), "{}", &text[..text.len().min(40)]);
        }
    }
}
