//! Looking at records one by one.

use super::call::error;
use super::query::{check_names, key, page_through, record_id};
use super::session::Session;
use crate::apply::Presence;
use crate::base::RecordId;
use crate::provider::{ErrorClass, ProviderError};

/// The most ids of one look: a condition has 200 comparisons at most (documented), and the 9,200 characters they make fit.
pub(super) const MOST_IDS: usize = 200;

/// Looks whether records are there, in the order of `ids`. There is no recycle bin.
pub(super) async fn check_presence(
    session: &Session,
    object: &str,
    ids: &[RecordId],
) -> Result<Vec<Presence>, ProviderError> {
    let doing = format!("look at {} {object} records", ids.len());
    check_names(&doing, [object])?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = |code, message| Err(error(ErrorClass::Invalid, &doing, code, message));
    if ids.len() > MOST_IDS {
        return wrong("too-many-ids", format!("one look takes up to {MOST_IDS} ids"));
    }
    if let Some(id) = ids.iter().find(|id| record_id(id.as_str()).as_ref() != Some(*id)) {
        return wrong("malformed-id", format!("`{id}` is not a Zuora id"));
    }
    let mut sorted: Vec<(RecordId, Presence)> = ids.iter().map(|id| (*id, Presence::Absent)).collect();
    sorted.sort_unstable_by_key(|(id, _)| *id);
    let conditions: Vec<String> = ids.iter().map(|id| format!("Id = '{id}'")).collect();
    let statement = format!("select Id from {object} where {}", conditions.join(" or "));
    page_through(session, &doing, object, &statement, |record| {
        let id = key(&doing, record, "Id")?;
        let refused = |class, message| Err(error(class, &doing, "malformed-answer", message));
        let Ok(place) = sorted.binary_search_by_key(&id, |(id, _)| *id) else {
            return refused(ErrorClass::Malformed, format!("record {id} was not asked for"));
        };
        match std::mem::replace(&mut sorted[place].1, Presence::Present) {
            Presence::Absent => Ok(()),
            _ => refused(ErrorClass::Incomplete, format!("record {id} came twice")),
        }
    })
    .await?;
    let presence_of = |id: &RecordId| {
        let place = sorted.binary_search_by_key(id, |(id, _)| *id);
        place.map_or(Presence::Absent, |place| sorted[place].1)
    };
    Ok(ids.iter().map(presence_of).collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::provider::Provider as _;

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
        assert_eq!(provider.check_presence(object, &ids(MOST_IDS as u64)).await.expect("looked").len(), MOST_IDS);
        let seen = &asked_of(&transport)[0].replace("&apos;", "'");
        let start = seen.find("<zns:queryString>").expect("a query") + "<zns:queryString>".len();
        assert!(seen[start..].find("</").expect("an end") < 10_000);
        assert!(provider.check_presence(object, &ids(MOST_IDS as u64 + 1)).await.is_err());
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
