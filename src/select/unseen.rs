//! What may lie below objects that a login cannot see.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::connection::Connection;
use crate::base::CommandError;
use crate::plan::ObjectFacts;

/// The ways up from a held object that end at one that this login cannot see: from that one down to the held object. Deleting a
/// record of the one may take a held record along, and nothing says whether it does.
///
/// Only cascades lead on: an object that can be seen says itself whether its deletion takes records of the one below along.
pub(super) async fn doubts(connection: &Connection, held: &ObjectFacts) -> Result<Vec<Vec<String>>, CommandError> {
    let mut ways: BTreeMap<String, Vec<String>> = BTreeMap::from([(held.name.clone(), vec![held.name.clone()])]);
    let mut queue: VecDeque<Arc<ObjectFacts>> = VecDeque::from([Arc::new(held.clone())]);
    let mut doubts = Vec::new();
    while let Some(child) = queue.pop_front() {
        let parents: Vec<&str> = child
            .fields
            .iter()
            .flat_map(|field| field.reference_to.iter().map(String::as_str))
            .filter(|parent| !ways.contains_key(*parent))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let below = ways.get(&child.name).cloned().unwrap_or_default();
        let described = connection.describe_each(&parents).await?;
        for (parent, facts) in parents.iter().zip(described) {
            let way: Vec<String> = std::iter::once((*parent).to_owned()).chain(below.iter().cloned()).collect();
            match facts {
                None => doubts.push(way.clone()),
                Some(facts) if facts.cascading_children().any(|known| known.child.eq_ignore_ascii_case(&child.name)) => {
                    queue.push_back(facts);
                }
                Some(_) => {}
            }
            ways.insert((*parent).to_owned(), way);
        }
    }
    Ok(doubts)
}
