//! What is asked of Zuora, as XML.

use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};

use crate::base::RecordId;
use crate::provider::common::Effect;
use crate::provider::transport::{XmlError, XmlWriter};
use crate::system::zuora::LARGEST_PAGE;

/// The envelope of SOAP 1.1.
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// Where operations and their headers live.
const OPERATIONS: &str = "http://api.zuora.com/";

/// One operation, with its arguments in the order of the WSDL.
pub(super) enum Operation {
    /// Signs in.
    Login {
        /// Who.
        username: String,
        /// The password.
        password: SecretString,
        /// The element that names the entity, and its text.
        entity: Option<(&'static str, String)>,
    },
    /// Asks who is signed in, where.
    GetUserInfo,
    /// Asks for the first page of a query.
    Query {
        /// The ZOQL.
        statement: String,
        /// The most records of a page.
        most: u32,
    },
    /// Asks for a further page.
    QueryMore {
        /// The server's name for it.
        locator: String,
    },
    /// Deletes records of one object.
    Delete {
        /// The object.
        object: String,
        /// Its records, at most 50 (documented).
        ids: Vec<RecordId>,
    },
}

impl Operation {
    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Login { .. } => "login",
            Self::GetUserInfo => "getUserInfo",
            Self::Query { .. } => "query",
            Self::QueryMore { .. } => "queryMore",
            Self::Delete { .. } => "delete",
        }
    }

    /// Whether it may delete records.
    pub(super) fn effect(&self) -> Effect {
        if matches!(self, Self::Delete { .. }) { Effect::Deletes } else { Effect::Harmless }
    }

    /// The whole request.
    pub(super) fn write(&self, session: Option<&SecretString>) -> Result<Bytes, XmlError> {
        let namespaces = [("xmlns:soapenv", ENVELOPE), ("xmlns:zns", OPERATIONS)];
        XmlWriter::document(|document| {
            document.element("soapenv:Envelope", &namespaces, |envelope| {
                if let Some(session) = session {
                    envelope.element("soapenv:Header", &[], |header| self.write_header(session, header));
                }
                envelope.element("soapenv:Body", &[], |body| {
                    body.element(&format!("zns:{}", self.name()), &[], |arguments| self.write_arguments(arguments));
                });
            });
        })
    }

    fn write_header(&self, session: &SecretString, header: &mut XmlWriter) {
        let page = match self {
            Self::Query { most, .. } => Some(*most),
            Self::QueryMore { .. } => Some(LARGEST_PAGE),
            _ => None,
        };
        if let Some(page) = page {
            header.element("zns:QueryOptions", &[], |options| {
                options.text("zns:batchSize", &page.to_string());
                // The default is not documented, and a filter should not depend on it.
                options.text("zns:caseSensitive", "true");
            });
        }
        header.element("zns:SessionHeader", &[], |header| header.text("zns:session", session.expose_secret()));
    }

    fn write_arguments(&self, arguments: &mut XmlWriter) {
        match self {
            Self::Login { username, password, entity } => {
                arguments.text("zns:username", username);
                arguments.text("zns:password", password.expose_secret());
                if let Some((element, entity)) = entity {
                    arguments.text(element, entity);
                }
            }
            Self::GetUserInfo => {}
            Self::Query { statement, .. } => arguments.text("zns:queryString", statement),
            Self::QueryMore { locator } => arguments.text("zns:queryLocator", locator),
            Self::Delete { object, ids } => {
                arguments.text("zns:type", object);
                ids.iter().for_each(|id| arguments.text("zns:ids", id.as_str()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(operation: &Operation) -> String {
        let session = SecretString::from("token");
        let session = Some(&session).filter(|_| operation.name() != "login");
        let bytes = operation.write(session).expect("can be written");
        // One element a line, without the envelope's own words.
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        text.replace("><", ">\n<")
            .lines()
            .skip(2)
            .filter(|line| !line.contains("soapenv:Envelope"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn writes_each_operation_in_the_order_of_the_wsdl() {
        let password = SecretString::from("p&w<");
        let ids = ["2c92c0f9542cee3a01542f9d55e03598", "12"].map(|id| RecordId::new(id).expect("an id"));
        let operations = [
            Operation::Login { username: "me@example.com".into(), password, entity: Some(("zns:entityName", "US".into())) },
            Operation::GetUserInfo,
            Operation::Query { statement: "select Id from Usage where Quantity < 1".into(), most: 1 },
            Operation::QueryMore { locator: "2c92c0f9-2000".into() },
            Operation::Delete { object: "Usage".into(), ids: ids.into() },
        ];
        insta::assert_snapshot!(operations.iter().map(written).collect::<Vec<_>>().join("\n\n"), @"
        <soapenv:Body>
        <zns:login>
        <zns:username>me@example.com</zns:username>
        <zns:password>p&amp;w&lt;</zns:password>
        <zns:entityName>US</zns:entityName>
        </zns:login>
        </soapenv:Body>

        <soapenv:Header>
        <zns:SessionHeader>
        <zns:session>token</zns:session>
        </zns:SessionHeader>
        </soapenv:Header>
        <soapenv:Body>
        <zns:getUserInfo>
        </zns:getUserInfo>
        </soapenv:Body>

        <soapenv:Header>
        <zns:QueryOptions>
        <zns:batchSize>1</zns:batchSize>
        <zns:caseSensitive>true</zns:caseSensitive>
        </zns:QueryOptions>
        <zns:SessionHeader>
        <zns:session>token</zns:session>
        </zns:SessionHeader>
        </soapenv:Header>
        <soapenv:Body>
        <zns:query>
        <zns:queryString>select Id from Usage where Quantity &lt; 1</zns:queryString>
        </zns:query>
        </soapenv:Body>

        <soapenv:Header>
        <zns:QueryOptions>
        <zns:batchSize>2000</zns:batchSize>
        <zns:caseSensitive>true</zns:caseSensitive>
        </zns:QueryOptions>
        <zns:SessionHeader>
        <zns:session>token</zns:session>
        </zns:SessionHeader>
        </soapenv:Header>
        <soapenv:Body>
        <zns:queryMore>
        <zns:queryLocator>2c92c0f9-2000</zns:queryLocator>
        </zns:queryMore>
        </soapenv:Body>

        <soapenv:Header>
        <zns:SessionHeader>
        <zns:session>token</zns:session>
        </zns:SessionHeader>
        </soapenv:Header>
        <soapenv:Body>
        <zns:delete>
        <zns:type>Usage</zns:type>
        <zns:ids>2c92c0f9542cee3a01542f9d55e03598</zns:ids>
        <zns:ids>12</zns:ids>
        </zns:delete>
        </soapenv:Body>
        ");
    }
}
