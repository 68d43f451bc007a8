//! Checking the presence of records one by one.

use super::query::{ask, count_where, listed, quoted};
use super::session::Session;
use crate::apply::Presence;
use crate::base::RecordId;
use crate::provider::ProviderError;
use crate::provider::common::{PresencePairing, incomplete};
use crate::system::fulcrum::{KEY, PRESENCE_MOST_IDS};

/// Whether records are there, in the order of `ids`. There is no recycle bin.
///
/// A record that is not shown counts as deleted, so the rows are counted too: a page cut short must not look like a deletion.
pub(super) async fn check_presence(session: &Session, form: &str, ids: &[RecordId]) -> Result<Vec<Presence>, ProviderError> {
    let doing = format!("check the presence of {} records of form {form}", ids.len());
    let mut pairing = PresencePairing::new(&doing, ids, PRESENCE_MOST_IDS, |_| true)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let condition = format!("{} IN ({})", quoted(KEY), listed(ids));
    let declared = count_where(session, &doing, form, std::slice::from_ref(&condition)).await?;
    let statement = format!("SELECT {} FROM {} WHERE {condition}", quoted(KEY), quoted(form));
    let found = ask(session, &doing, &statement).await?.ids(&doing)?;
    if found.len() as u64 != declared {
        return Err(incomplete(&doing, format!("{} rows arrived, but the system declared {declared}", found.len())));
    }
    found.into_iter().try_for_each(|id| pairing.take(id, Presence::Present))?;
    Ok(pairing.finish())
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::super::testing::*;
    use super::*;
    use crate::provider::ErrorClass;

    async fn check_presence(
        wanted: &[RecordId],
        declared: u64,
        shown: Vec<RecordId>,
    ) -> Result<Vec<Presence>, ProviderError> {
        let (provider, _) = organization(move |seen| match statement_of(seen).contains("count(*)") {
            true => rows(vec![value!({ "count": declared })]),
            false => rows(shown.iter().map(|id| value!({ KEY: id })).collect()),
        });
        provider.check_presence(FORM, wanted).await
    }

    #[tokio::test]
    async fn tells_for_each_id_in_order_whether_it_is_there() {
        let ids = ids(3);
        let presence = check_presence(&[ids[2], ids[0], ids[1], ids[2]], 2, vec![ids[0], ids[2]]).await.expect("looked");
        use Presence::{Absent, Present};
        assert_eq!(presence, [Present, Present, Absent, Present]);
    }

    #[tokio::test]
    async fn a_short_page_is_not_taken_for_deletions() {
        let ids = ids(2);
        assert_eq!(check_presence(&ids, 2, vec![ids[0]]).await.expect_err("short").class, ErrorClass::Incomplete);
        assert_eq!(check_presence(&ids[..1], 1, vec![ids[1]]).await.expect_err("foreign").class, ErrorClass::Malformed);
        assert_eq!(check_presence(&ids, 2, vec![ids[0], ids[0]]).await.expect_err("twice").class, ErrorClass::Incomplete);
    }

    #[tokio::test]
    async fn nothing_is_asked_about_nothing_and_too_much_is_refused() {
        let (provider, _) = organization(|_| panic!("nothing may be asked"));
        assert_eq!(provider.check_presence(FORM, &[]).await, Ok(vec![]));
        assert!(provider.check_presence(FORM, &ids(PRESENCE_MOST_IDS + 1)).await.is_err());
    }
}
