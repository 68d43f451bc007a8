//! What a request may do to records, and what follows from that for answers that are none.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::failure::error;
use crate::provider::transport::{BodyError, ByteStream, Element, TransportError, XmlError, read_body};
use crate::provider::{ErrorClass, ProviderError};

/// What it would mean if a request were made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Effect {
    /// Nothing: it reads, or it creates something that deletes nothing.
    Harmless,
    /// It may delete records, or let them be deleted. An unclear answer is [`ErrorClass::Ambiguous`].
    Deletes,
}

impl Effect {
    /// `class`, or [`ErrorClass::Ambiguous`] if the request may have deleted records.
    fn doubted(self, class: ErrorClass) -> ErrorClass {
        match self {
            Self::Harmless => class,
            Self::Deletes => ErrorClass::Ambiguous,
        }
    }

    /// The error for an answer that was a success and cannot be understood.
    pub(in crate::provider) fn unreadable(self, doing: &str, message: impl Into<String>) -> ProviderError {
        error(self.doubted(ErrorClass::Malformed), doing, "unreadable-answer", message)
    }

    /// The error for a successful answer that broke off.
    pub(in crate::provider) fn broken(self, doing: &str, message: impl Into<String>) -> ProviderError {
        error(self.doubted(ErrorClass::Incomplete), doing, "broken-answer", message)
    }

    /// The error for a request that was not answered. `address` is the key of the target that holds the system's address.
    pub(in crate::provider) fn not_answered(self, doing: &str, cause: &TransportError, address: &str) -> ProviderError {
        let (class, code) = match cause {
            TransportError::NotSent { .. } => (ErrorClass::Transient, "no-connection"),
            TransportError::NoAnswer { .. } => (self.doubted(ErrorClass::Transient), "no-answer"),
            TransportError::HeldBack { wait } => (ErrorClass::Throttled { wait: Some(*wait) }, "held-back"),
            TransportError::Refused(_) => (ErrorClass::Local, "refused"),
        };
        let help = match cause {
            TransportError::NotSent { host, cause } => Some(connection_help(host, cause, address)),
            TransportError::NoAnswer { .. } | TransportError::HeldBack { .. } | TransportError::Refused(_) => None,
        };
        ProviderError { help, ..error(class, doing, code, cause.to_string()) }
    }

    /// Reads a successful answer's body, of at most `limit` bytes.
    pub(in crate::provider) async fn read(
        self,
        doing: &str,
        body: ByteStream,
        limit: usize,
    ) -> Result<Bytes, ProviderError> {
        read_body(body, limit).await.map_err(|error| match error {
            BodyError::Broken(cause) => self.broken(doing, format!("the answer was cut off: {cause}")),
            BodyError::TooLong { .. } => self.unreadable(doing, error.to_string()),
        })
    }

    /// Understands a successful answer's body as JSON.
    pub(in crate::provider) fn json<T: DeserializeOwned>(self, doing: &str, bytes: &[u8]) -> Result<T, ProviderError> {
        serde_json::from_slice(bytes).map_err(|error| {
            if error.is_eof() {
                return self.broken(doing, "the answer is cut off");
            }
            // Not serde's own words, which repeat what they stumble over: that may be a record's field.
            let (line, column) = (error.line(), error.column());
            self.unreadable(doing, format!("the answer is not what was asked for (line {line}, column {column})"))
        })
    }

    /// Understands a successful answer's body as XML.
    pub(in crate::provider) fn xml(self, doing: &str, bytes: &[u8]) -> Result<Element, ProviderError> {
        Element::read(bytes).map_err(|error| match error {
            XmlError::Truncated => self.broken(doing, "the answer is cut off"),
            error => self.unreadable(doing, format!("the answer is not what was asked for: {error}")),
        })
    }
}

/// What to do where no connection could be made. The words are those of rustls and hyper.
fn connection_help(host: &str, cause: &str, address: &str) -> String {
    if cause.contains("UnknownIssuer") {
        return format!(
            "this machine does not know who issued the certificate of {host}, as behind a company's own proxy: put the certificate of \
             the company's authority into a PEM file, and name that file in the environment variable `SSL_CERT_FILE`; nothing was sent"
        );
    }
    if cause.contains("proxy authorization required") {
        return "the proxy wants a user and a password: set `HTTPS_PROXY` to `http://USER:PASSWORD@HOST:PORT`; nothing was sent".into();
    }
    format!("check `{address}`, the network and any proxy; nothing was sent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubt_is_for_deletions_alone() {
        for (effect, unreadable, broken, unanswered) in [
            (Effect::Harmless, ErrorClass::Malformed, ErrorClass::Incomplete, ErrorClass::Transient),
            (Effect::Deletes, ErrorClass::Ambiguous, ErrorClass::Ambiguous, ErrorClass::Ambiguous),
        ] {
            let (host, cause) = ("host".to_owned(), "reset".to_owned());
            assert_eq!(effect.unreadable("act", "x").class, unreadable);
            assert_eq!(effect.broken("act", "x").class, broken);
            let none = TransportError::NoAnswer { host: host.clone(), cause: cause.clone() };
            assert_eq!(effect.not_answered("act", &none, "url").class, unanswered);
            let unsent = effect.not_answered("act", &TransportError::NotSent { host, cause }, "url");
            assert_eq!(unsent.class, ErrorClass::Transient, "nothing can have been deleted");
            assert!(unsent.help.expect("a help").contains("`url`"));
            let wait = std::time::Duration::from_secs(3_600);
            let held_back = effect.not_answered("act", &TransportError::HeldBack { wait }, "url");
            assert_eq!(held_back.class, ErrorClass::Throttled { wait: Some(wait) }, "nothing can have been deleted");
            for (cause, remedy) in [
                ("client error (Connect): invalid peer certificate: UnknownIssuer", "`SSL_CERT_FILE`"),
                ("client error (Connect): tunnel error: proxy authorization required", "`HTTPS_PROXY`"),
            ] {
                let unsent = TransportError::NotSent { host: "host".into(), cause: cause.into() };
                assert!(effect.not_answered("act", &unsent, "url").help.expect("a help").contains(remedy), "{cause}");
            }
            assert_eq!(effect.json::<Vec<u8>>("act", b"[1").expect_err("it breaks off").class, broken);
            assert_eq!(effect.json::<u8>("act", b"[1]").expect_err("a list").class, unreadable);
            assert_eq!(effect.xml("act", b"<a>").expect_err("it breaks off").class, broken);
        }
    }
}
