//! Checking the presence of records one by one.

use super::query::{check_names, is_id, key, page_through};
use super::session::Session;
use crate::apply::Presence;
use crate::base::RecordId;
use crate::provider::ProviderError;
use crate::provider::common::PresencePairing;
use crate::system::zuora::PRESENCE_MOST_IDS;

/// Whether records are there, in the order of `ids`. There is no recycle bin.
pub(super) async fn check_presence(
    session: &Session,
    object: &str,
    ids: &[RecordId],
) -> Result<Vec<Presence>, ProviderError> {
    let doing = format!("check the presence of {} {object} records", ids.len());
    check_names(&doing, [object])?;
    let mut pairing = PresencePairing::new(&doing, ids, PRESENCE_MOST_IDS, is_id)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let conditions: Vec<String> = ids.iter().map(|id| format!("Id = '{id}'")).collect();
    let statement = format!("select Id from {object} where {}", conditions.join(" or "));
    page_through(session, &doing, object, &statement, |record| pairing.take(key(&doing, record, "Id")?, Presence::Present))
        .await?;
    Ok(pairing.finish())
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::provider::ErrorClass;

    #[tokio::test]
    async fn tells_for_each_id_in_order_whether_it_is_there() {
        let known = ids(3);
        let shown = record("Usage", &[("Id", known[1].as_str())]);
        let (provider, transport) = tenant(move |_| page(1, true, None, std::slice::from_ref(&shown)));
        let presence = provider.check_presence("Usage", &known).await.expect("looked");
        assert_eq!(presence, [Presence::Absent, Presence::Present, Presence::Absent]);
        let wanted =
            format!("select Id from Usage where Id = '{}' or Id = '{}' or Id = '{}'<", known[0], known[1], known[2]);
        assert!(asked_of(&transport)[0].replace("&apos;", "'").contains(&wanted), "{}", asked_of(&transport)[0]);
    }

    #[tokio::test]
    async fn the_most_ids_fit_into_a_statement_and_more_are_refused() {
        let (provider, transport) = tenant(|_| page(0, true, None, &[]));
        let object = "ProductRatePlanChargeTier";
        assert_eq!(
            provider.check_presence(object, &ids(PRESENCE_MOST_IDS as u64)).await.expect("looked").len(),
            PRESENCE_MOST_IDS
        );
        let seen = &asked_of(&transport)[0].replace("&apos;", "'");
        let start = seen.find("<zns:queryString>").expect("a query") + "<zns:queryString>".len();
        assert!(seen[start..].find("</").expect("an end") < 10_000);
        assert!(provider.check_presence(object, &ids(PRESENCE_MOST_IDS as u64 + 1)).await.is_err());
        assert!(provider.check_presence(object, &[RecordId::new("x").expect("an id elsewhere")]).await.is_err());
        assert_eq!(provider.check_presence(object, &[]).await, Ok(vec![]));
        assert_eq!(asked_of(&transport).len(), 1);
    }

    #[tokio::test]
    async fn records_that_were_not_asked_for_or_come_twice_are_refused() {
        let one = record("Usage", &[("Id", ids(2)[1].as_str())]);
        let twice = [one.clone(), one.clone()];
        let (provider, _) = tenant(move |_| page(2, true, None, &twice));
        assert_eq!(provider.check_presence("Usage", &ids(2)).await.expect_err("twice").class, ErrorClass::Incomplete);
        let (provider, _) = tenant(move |_| page(1, true, None, std::slice::from_ref(&one)));
        assert_eq!(provider.check_presence("Usage", &ids(1)).await.expect_err("another").class, ErrorClass::Malformed);
    }
}
