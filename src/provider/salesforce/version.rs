//! Which REST API version is spoken.

use http::HeaderMap;
use serde::Deserialize;
use url::Url;

use super::call::{Call, send};
use crate::provider::transport::Transport;
use crate::provider::{ErrorClass, ProviderError};

/// The oldest version that has everything used here: Bulk API 2.0 queries came with 47.0 (documented).
const OLDEST: Version = Version(47, 0);

/// The last version that has SOAP `login()` (documented).
const LAST_SOAP_LOGIN: Version = Version(64, 0);

/// A version such as `66.0`, ordered by number and not by text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

#[derive(Deserialize)]
struct Offered {
    version: String,
}

/// The version whose SOAP `login()` is called: the wanted one, or the last one that has it. The session it gives is good for every version.
pub(super) fn for_soap_login(wanted: &str) -> String {
    let Version(major, minor) = Version::parse(wanted).map_or(LAST_SOAP_LOGIN, |wanted| wanted.min(LAST_SOAP_LOGIN));
    format!("{major}.{minor}")
}

/// Chooses the version to speak: the wanted one, or the newest one the system offers when it is older.
///
/// The list is asked for without a credential (documented), so that nothing is shown to a host before it is needed.
pub(super) async fn choose(transport: &dyn Transport, instance: &Url, wanted: &str) -> Result<String, ProviderError> {
    let call = Call::get("read the list of API versions", "/services/data/");
    let mut url = instance.clone();
    url.set_path(&call.path);
    let response = send(transport, url, HeaderMap::new(), &call, &[]).await?;
    let offered: Vec<Offered> = call.read_json(response).await?;
    let unsupported = |message: String| call.error(ErrorClass::Unsupported, "unsupported-api-version", message);

    let wanted_version =
        Version::parse(wanted).ok_or_else(|| unsupported(format!("`{wanted}` is not an API version, such as 66.0")))?;
    if wanted_version < OLDEST {
        return Err(unsupported(format!(
            "API version {wanted} is too old: {}.{} is the oldest that can be used",
            OLDEST.0, OLDEST.1
        )));
    }
    let offered: Vec<Version> = offered.iter().filter_map(|offered| Version::parse(&offered.version)).collect();
    let best = offered.iter().copied().filter(|version| *version <= wanted_version).max();
    match (best, offered.iter().min()) {
        (Some(Version(major, minor)), _) if Version(major, minor) >= OLDEST => Ok(format!("{major}.{minor}")),
        (_, Some(oldest)) => Err(unsupported(format!(
            "API version {wanted} is no longer offered by the system; its oldest is {}.{}",
            oldest.0, oldest.1
        ))),
        (_, None) => Err(unsupported("the system offers no API version".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::transport::scripted::{Scripted, json};

    async fn choose_from(offered: &[&str], wanted: &str) -> Result<String, String> {
        let list: Vec<_> =
            offered.iter().map(|version| serde_json::json!({"label": "x", "url": "/y", "version": version})).collect();
        let list = serde_json::Value::from(list).to_string();
        let transport = Scripted::new(move |seen| {
            assert_eq!((seen.line().as_str(), &seen.authorization), ("GET /services/data/", &None));
            json(200, list.clone())
        });
        let instance = Url::parse("https://crm.my.salesforce.com").expect("valid");
        choose(&transport, &instance, wanted).await.map_err(|error| error.message)
    }

    #[tokio::test]
    async fn takes_the_wanted_version_or_the_newest_older_one() {
        assert_eq!(choose_from(&["65.0", "66.0", "67.0"], "66.0").await.as_deref(), Ok("66.0"));
        assert_eq!(choose_from(&["64.0", "65.0"], "66.0").await.as_deref(), Ok("65.0"));
        assert_eq!(choose_from(&["64.0", "nonsense", "100.0"], "99.0").await.as_deref(), Ok("64.0"));
    }

    #[tokio::test]
    async fn refuses_a_version_that_is_too_old_or_gone() {
        insta::assert_snapshot!(choose_from(&["65.0", "66.0"], "46.0").await.expect_err("too old"),
            @"API version 46.0 is too old: 47.0 is the oldest that can be used");
        insta::assert_snapshot!(choose_from(&["65.0", "66.0"], "60.0").await.expect_err("gone"),
            @"API version 60.0 is no longer offered by the system; its oldest is 65.0");
        insta::assert_snapshot!(choose_from(&["20.0", "40.0"], "60.0").await.expect_err("an old system"),
            @"API version 60.0 is no longer offered by the system; its oldest is 20.0");
        insta::assert_snapshot!(choose_from(&[], "60.0").await.expect_err("nothing"), @"the system offers no API version");
        insta::assert_snapshot!(choose_from(&["66.0"], "v66").await.expect_err("no version"), @"`v66` is not an API version, such as 66.0");
    }
}
