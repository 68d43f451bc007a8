//! Checking the presence of records one by one.

use super::hostile::NOT_AN_ID;
use super::objects::Objects;
use super::query::page_through;
use super::query_page::field_text;
use super::session::Session;
use super::soql::check_names;
use super::soql::is_canonical;
use crate::apply::Presence;
use crate::base::RecordId;
use crate::provider::common::{PresencePairing, error};
use crate::provider::{ErrorClass, ProviderError};
use crate::system::canonical_salesforce_id;
use crate::system::salesforce::PRESENCE_MOST_IDS;

/// Whether records are there, in the recycle bin, or neither; in the order of `ids`.
///
/// A hard deleted record may be shown as in the bin for a while, until the system has purged it (documented).
pub(super) async fn check_presence(
    session: &Session,
    objects: &Objects,
    object: &str,
    ids: &[RecordId],
) -> Result<Vec<Presence>, ProviderError> {
    let doing = format!("check the presence of {} {object} records", ids.len());
    check_names(&doing, object, [])?;
    let mut pairing = PresencePairing::new(&doing, ids, PRESENCE_MOST_IDS, is_canonical)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
    // What has no recycle bin does not say that it is deleted.
    let says_deleted = objects.shape(session, object).await?.has_is_deleted;
    let fields = if says_deleted { "Id, IsDeleted" } else { "Id" };
    let statement = format!("SELECT {fields} FROM {object} WHERE Id IN ({})", list.join(","));
    page_through(session, "queryAll", &doing, &statement, |record| {
        let malformed = |message: String| error(ErrorClass::Malformed, &doing, "malformed-answer", message);
        let id = canonical_salesforce_id(&field_text(record, "Id").unwrap_or_default())
            .map_err(|_| malformed(NOT_AN_ID.to_owned()))?;
        let presence = match field_text(record, "IsDeleted").as_deref() {
            Some("true") => Presence::InBin,
            Some("false") => Presence::Present,
            None if !says_deleted => Presence::Present,
            _ => return Err(malformed(format!("record {id} has no `IsDeleted`"))),
        };
        pairing.take(id, presence)
    })
    .await?;
    Ok(pairing.finish())
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::super::call::LONGEST_ADDRESS;
    use super::super::testing::*;
    use super::*;
    use crate::provider::transport::scripted::{Reply, json};

    fn shown(id: RecordId, deleted: bool) -> serde_json::Value {
        value!({"attributes": {"type": "Lead"}, "Id": id, "IsDeleted": deleted})
    }

    fn rows(rows: Vec<serde_json::Value>) -> Reply {
        json(200, page(rows.len() as u64, true, None, rows).to_string())
    }

    #[tokio::test]
    async fn tells_for_each_id_in_order_where_it_is() {
        let ids = leads(4);
        let (provider, transport) = org({
            let ids = ids.clone();
            move |_| rows(vec![shown(ids[0], true), shown(ids[2], false)])
        });
        let wanted = [ids[3], ids[2], ids[0], ids[2]];
        let presence = provider.check_presence("Lead", &wanted).await.expect("looked");
        assert_eq!(presence, [Presence::Absent, Presence::Present, Presence::InBin, Presence::Present]);
        let seen = &asked(&transport)[0];
        assert_eq!(seen.line(), "GET /services/data/v66.0/queryAll");
        assert!(seen.parameter("q").expect("a query").starts_with("SELECT Id, IsDeleted FROM Lead WHERE Id IN ('00Q"));
    }

    #[tokio::test]
    async fn the_most_ids_fit_into_an_address() {
        let (provider, transport) = org(|_| rows(vec![]));
        assert_eq!(
            provider.check_presence("Lead", &leads(PRESENCE_MOST_IDS as u64)).await.expect("looked").len(),
            PRESENCE_MOST_IDS
        );
        assert!(asked(&transport)[0].query.len() + 300 < LONGEST_ADDRESS, "{}", asked(&transport)[0].query.len());
    }

    #[tokio::test]
    async fn nothing_is_asked_about_nothing_and_too_much_is_refused() {
        let (provider, transport) = org(|_| panic!("nothing may be asked"));
        assert_eq!(provider.check_presence("Lead", &[]).await, Ok(vec![]));
        assert!(provider.check_presence("Lead", &leads(PRESENCE_MOST_IDS as u64 + 1)).await.is_err());
        assert!(provider.check_presence("Lead", &[RecordId::new("x").expect("an id elsewhere")]).await.is_err());
        assert!(transport.seen().is_empty());
    }

    #[tokio::test]
    async fn records_that_were_not_asked_for_or_come_twice_are_refused() {
        let id = leads(2)[1];
        let cases = [vec![shown(leads(1)[0], false)], vec![value!({"Id": id})], vec![value!({"IsDeleted": true})]];
        for case in cases {
            let (provider, _) = org(move |_| rows(case.clone()));
            assert_eq!(provider.check_presence("Lead", &[id]).await.expect_err("refused").class, ErrorClass::Malformed);
        }
        let (provider, _) = org(move |_| rows(vec![shown(id, false), shown(id, false)]));
        assert_eq!(provider.check_presence("Lead", &[id]).await.expect_err("twice").class, ErrorClass::Incomplete);
        let (provider, _) = org(move |_| json(200, page(2, true, None, vec![shown(id, false)]).to_string()));
        assert_eq!(provider.check_presence("Lead", &[id]).await.expect_err("short").class, ErrorClass::Incomplete);
    }
}
