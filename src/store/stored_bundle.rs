//! The bundle of every run, kept in the store: a run never depends on the working tree.

use serde::{Deserialize, Serialize};

use super::{Bundle, Key, LargeName, Place, RunStore, StoreError};
use crate::apply::Seal;
use crate::base::Digest;
use crate::plan::PlanHeader;

/// The format of the list.
const FORMAT: u32 = 1;

/// Which files a kept bundle has.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Contents {
    /// [`FORMAT`].
    format: u32,
    /// The plan.
    plan: Digest,
    /// The files, by their paths in the bundle.
    files: Vec<(String, Seal)>,
}

fn contents_key(plan: Digest) -> Result<Key, StoreError> {
    let text = format!("plans/{}/contents.json", plan.short());
    Key::new(text.clone()).map_err(|error| StoreError::Access {
        doing: "name",
        place: text,
        source: std::io::Error::other(error),
    })
}

/// `records/leads.csv.gz` becomes `plans/<plan>/records/leads` and `csv.gz`.
fn name_of(plan: Digest, path: &str) -> LargeName {
    let split = path.rfind('/').map_or(0, |slash| slash + 1);
    let dot = path[split..].find('.').map(|dot| split + dot);
    let (stem, ending) = dot.map_or((path, "txt"), |dot| (&path[..dot], &path[dot + 1..]));
    LargeName::new(format!("plans/{}/{stem}", plan.short()), ending)
}

/// Copies a bundle, which lies at a place where nobody changes it, into the store. One that is there already is left as it is.
///
/// # Errors
///
/// When a file cannot be read, or the store not be written.
pub async fn keep_bundle(run: &RunStore, bundle: &Bundle) -> Result<(), StoreError> {
    let key = contents_key(bundle.digest())?;
    if run.backend().read(&key).await?.is_some() {
        return Ok(());
    }
    let mut files = Vec::new();
    for path in bundle.files() {
        let seal = run.publish(name_of(bundle.digest(), &path), &bundle.directory().join(&path)).await?;
        files.push((path, seal));
    }
    let contents = Contents { format: FORMAT, plan: bundle.digest(), files };
    let bytes = serde_json::to_vec_pretty(&contents).map_err(|error| StoreError::Access {
        doing: "write",
        place: run.backend().place(&key),
        source: error.into(),
    })?;
    match run.backend().create(&key, bytes.into()).await {
        Ok(_) | Err(StoreError::Exists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn contents(run: &RunStore) -> Result<Option<Contents>, StoreError> {
    let key = contents_key(run.plan())?;
    let Some(object) = run.backend().read(&key).await? else { return Ok(None) };
    let damaged = |why: String| StoreError::Damaged { place: run.backend().place(&key), why };
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let Format { format } = serde_json::from_slice(&object.bytes).map_err(|error| damaged(error.to_string()))?;
    if format > FORMAT {
        return Err(StoreError::Newer { place: run.backend().place(&key), found: format, known: FORMAT });
    }
    let contents: Contents = serde_json::from_slice(&object.bytes).map_err(|error| damaged(error.to_string()))?;
    if contents.plan != run.plan() {
        return Err(damaged(format!("it belongs to the plan {}", contents.plan)));
    }
    Ok(Some(contents))
}

/// Brings the bundle of a run out of the store into a directory; `false` where the store does not have it.
///
/// # Errors
///
/// When the store has lost a file of it, or the directory cannot be written.
pub async fn fetch_bundle(run: &RunStore, into: &Place) -> Result<bool, StoreError> {
    let Some(contents) = contents(run).await? else { return Ok(false) };
    for (path, seal) in contents.files {
        let place = into.join(&path);
        let parent = place.parent();
        super::make_directory(&parent).map_err(|error| StoreError::Access {
            doing: "make",
            place: parent.path().display().to_string(),
            source: std::io::Error::other(error),
        })?;
        run.fetch(name_of(run.plan(), &path), seal, &place).await?;
    }
    Ok(true)
}

/// The header of the bundle of a run; `None` where the store does not have it.
///
/// # Errors
///
/// When it cannot be read.
pub async fn kept_header(run: &RunStore) -> Result<Option<PlanHeader>, StoreError> {
    let Some(contents) = contents(run).await? else { return Ok(None) };
    let Some((path, seal)) = contents.files.into_iter().find(|(path, _)| path == super::bundle::PLAN_FILE) else {
        return Ok(None);
    };
    let name = name_of(run.plan(), &path);
    let mut reader = run.read(name.clone(), seal);
    let mut bytes = Vec::new();
    while let Some(more) = reader.next().await? {
        bytes.extend(more);
    }
    PlanHeader::from_bytes(&bytes)
        .map(Some)
        .map_err(|error| StoreError::Damaged { place: name.place(run.backend().as_ref(), &seal), why: error.to_string() })
}
