//! The pairing of a check of presence with what came back.

use super::failure::{error, incomplete};
use super::ids::check_forms;
use crate::apply::Presence;
use crate::base::RecordId;
use crate::provider::{ErrorClass, ProviderError};

/// The records whose presence is asked for, and what was found of them so far. One that is never found is absent.
pub(in crate::provider) struct PresencePairing<'a> {
    doing: &'a str,
    ids: &'a [RecordId],
    found: Vec<(RecordId, Presence)>,
}

impl<'a> PresencePairing<'a> {
    /// Prepares for the answer about `ids`, of which one check takes `most`.
    ///
    /// # Errors
    ///
    /// When there are more, or `is_id` rejects one. Nothing may then be asked.
    pub(in crate::provider) fn new(
        doing: &'a str,
        ids: &'a [RecordId],
        most: usize,
        is_id: impl Fn(&RecordId) -> bool,
    ) -> Result<Self, ProviderError> {
        if ids.len() > most {
            let message = format!("one check takes up to {most} ids");
            return Err(error(ErrorClass::Invalid, doing, "too-many-ids", message));
        }
        check_forms(doing, ids, is_id)?;
        let mut found: Vec<(RecordId, Presence)> = ids.iter().map(|id| (*id, Presence::Absent)).collect();
        found.sort_unstable_by_key(|(id, _)| *id);
        found.dedup_by_key(|(id, _)| *id);
        Ok(Self { doing, ids, found })
    }

    /// Takes what came back about one record.
    ///
    /// # Errors
    ///
    /// When nobody asked for it, or it comes a second time: then the answer as a whole is not believed.
    pub(in crate::provider) fn take(&mut self, id: RecordId, presence: Presence) -> Result<(), ProviderError> {
        let Ok(place) = self.found.binary_search_by_key(&id, |(id, _)| *id) else {
            let message = format!("record {id} was not asked for");
            return Err(error(ErrorClass::Malformed, self.doing, "malformed-answer", message));
        };
        match std::mem::replace(&mut self.found[place].1, presence) {
            Presence::Absent => Ok(()),
            _ => Err(incomplete(self.doing, format!("record {id} came twice"))),
        }
    }

    /// One answer for each id, in their order.
    pub(in crate::provider) fn finish(self) -> Vec<Presence> {
        let presence_of = |id: &RecordId| {
            let place = self.found.binary_search_by_key(id, |(id, _)| *id);
            place.map_or(Presence::Absent, |place| self.found[place].1)
        };
        self.ids.iter().map(presence_of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> RecordId {
        RecordId::new(text).expect("an id")
    }

    #[test]
    fn answers_stand_in_the_order_of_the_ids_also_where_one_is_asked_for_twice() {
        let ids = ["c", "a", "b", "c"].map(id);
        let mut pairing = PresencePairing::new("check", &ids, 4, |_| true).expect("four ids");
        pairing.take(id("c"), Presence::Present).expect("asked for");
        pairing.take(id("a"), Presence::InBin).expect("asked for");
        use Presence::{Absent, InBin, Present};
        assert_eq!(pairing.finish(), [Present, InBin, Absent, Present]);
    }

    #[test]
    fn an_answer_that_cannot_be_right_is_refused() {
        let ids = ["a", "b"].map(id);
        let refused = |most, is_id: fn(&RecordId) -> bool| PresencePairing::new("check", &ids, most, is_id).err();
        assert_eq!(refused(1, |_| true).expect("too many").code, "too-many-ids");
        assert_eq!(refused(2, |id| id.as_str() == "a").expect("no id").code, "malformed-id");
        let mut pairing = PresencePairing::new("check", &ids, 2, |_| true).expect("two ids");
        assert_eq!(pairing.take(id("c"), Presence::Present).expect_err("foreign").class, ErrorClass::Malformed);
        pairing.take(id("a"), Presence::Present).expect("asked for");
        assert_eq!(pairing.take(id("a"), Presence::Present).expect_err("twice").class, ErrorClass::Incomplete);
    }
}
