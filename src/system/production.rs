//! Whether a system holds real data, as far as that is known without asking it.

use super::{SystemKind, salesforce, zuora};

impl SystemKind {
    /// Whether what a host of this system holds is real data, by the host's name alone; `None` where the name does not say.
    pub fn is_production_host(self, host: &str) -> Option<bool> {
        match self {
            Self::Salesforce => salesforce::is_production_host(host),
            Self::Zuora => zuora::is_production_host(host),
            // A host serves a whole region (documented).
            Self::Fulcrum => None,
        }
    }

    /// What to do so that the system says whether it is production, as a part of a sentence; `None` where it never does.
    pub fn production_proof(self) -> Option<&'static str> {
        match self {
            Self::Salesforce => Some("let this login read the `Organization` object"),
            Self::Zuora => Some("sign in through the host of an API sandbox, if it is one"),
            Self::Fulcrum => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_says_what_it_holds_or_nothing() {
        let table = [
            (SystemKind::Salesforce, "acme--dev.sandbox.my.salesforce.com", Some(false)),
            (SystemKind::Salesforce, "acme-dev-ed.develop.my.salesforce.com", Some(false)),
            (SystemKind::Salesforce, "test.salesforce.com", Some(false)),
            (SystemKind::Salesforce, "acme.my.salesforce.com", None),
            (SystemKind::Salesforce, "sandbox.my.salesforce.com", None),
            (SystemKind::Salesforce, "login.salesforce.com", None),
            (SystemKind::Salesforce, "acme.sandbox.my.salesforce.com.example.com", None),
            (SystemKind::Salesforce, "contest.salesforce.com", None),
            (SystemKind::Zuora, "na.zuora.com", Some(true)),
            (SystemKind::Zuora, "www.zuora.com", Some(true)),
            (SystemKind::Zuora, "rest.zuora.com", Some(true)),
            (SystemKind::Zuora, "rest.eu.zuora.com", Some(true)),
            (SystemKind::Zuora, "apisandbox.zuora.com", Some(false)),
            (SystemKind::Zuora, "rest.apisandbox.zuora.com", Some(false)),
            (SystemKind::Zuora, "apisandbox-api.zuora.com", Some(false)),
            (SystemKind::Zuora, "sandbox.na.zuora.com", Some(false)),
            (SystemKind::Zuora, "rest.test.zuora.com", Some(false)),
            (SystemKind::Zuora, "test.eu.zuora.com", Some(false)),
            (SystemKind::Zuora, "pt1.zuora.com", Some(false)),
            (SystemKind::Zuora, "services347.zuora.com", None),
            (SystemKind::Zuora, "latest.zuora.com", None),
            (SystemKind::Zuora, "ptolemy.zuora.com", None),
            (SystemKind::Zuora, "sandbox.na.zuora.com.example.com", None),
            (SystemKind::Zuora, "127.0.0.1", None),
            (SystemKind::Fulcrum, "api.fulcrumapp.com", None),
        ];
        for (system, host, expected) in table {
            assert_eq!(system.is_production_host(host), expected, "{system} {host}");
        }
    }
}
