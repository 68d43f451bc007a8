//! Answers that say that a whole call failed.

/// The detail element of a fault, by the kinds the WSDL declares (documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    Login,
    InvalidType,
    InvalidValue,
    MalformedQuery,
    InvalidQueryLocator,
    Unexpected,
}

impl Detail {
    /// The name of the element.
    pub(super) fn element(self) -> &'static str {
        match self {
            Self::Login => "fns:LoginFault",
            Self::InvalidType => "fns:InvalidTypeFault",
            Self::InvalidValue => "fns:InvalidValueFault",
            Self::MalformedQuery => "fns:MalformedQueryFault",
            Self::InvalidQueryLocator => "fns:InvalidQueryLocatorFault",
            Self::Unexpected => "fns:UnexpectedErrorFault",
        }
    }
}

/// A call that failed as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SoapFault {
    /// The HTTP status.
    pub status: u16,
    /// The seconds in `Retry-After`.
    pub retry_after: Option<u64>,
    /// The code of the application and where it is told again. Absent: the SOAP stack itself refused, as `soapenv:Server`.
    pub code: Option<(String, Detail)>,
    /// The text.
    pub message: String,
}

impl SoapFault {
    /// A fault of the application, with the recorded status 500.
    pub(super) fn new(detail: Detail, code: &str, message: impl Into<String>) -> Self {
        Self { status: 500, retry_after: None, code: Some((code.to_owned(), detail)), message: message.into() }
    }

    /// A fault of the SOAP stack, which does not know the application's codes (seen by clients).
    pub(super) fn stack(message: impl Into<String>) -> Self {
        Self { status: 500, retry_after: None, code: None, message: message.into() }
    }

    /// No session, or one that is over. Code documented; detail element and text are guesses.
    pub(super) fn session() -> Self {
        Self::new(Detail::Unexpected, "INVALID_SESSION", "invalid session")
    }

    /// Too many calls at the same time (documented, code and all; before WSDL 51.0 the code was another one).
    pub(super) fn concurrency(version: u32) -> Self {
        let code = if version < 51 { "UNKNOWN_ERROR" } else { "REQUEST_EXCEEDED_LIMIT" };
        let message = "The total number of concurrent requests has exceeded the limit allowed by the system. \
                       Please resubmit your request later.";
        Self { status: 429, retry_after: Some(120), ..Self::new(Detail::Unexpected, code, message) }
    }
}
