//! Everything a world starts with.

use jiff::Timestamp;

use super::GeneratedRecords;
use super::definition::WorldFile;
use super::records::RecordFile;
use super::seed_error::SeedError;
use super::{fulcrum, zuora};
use crate::sandbox::{Settings, World, Worlds};

/// Everything a world starts with, read but not yet built.
#[derive(Clone, Debug, Default)]
pub struct Seed {
    definition: WorldFile,
    records: Vec<RecordFile>,
    /// The Zuora objects with their files.
    zuora: Vec<(String, Vec<u8>)>,
    /// The Fulcrum forms with their files.
    fulcrum: Vec<(String, Vec<u8>)>,
    generated: Vec<GeneratedRecords>,
}

impl Seed {
    /// Reads the files of a seed, each with its name.
    ///
    /// CSV files are named after their object, with a header of field names in any case, as the vendor's own tools export
    /// them; those of Zuora and Fulcrum stand in folders, `zuora/Account.csv`, `fulcrum/Site Visits.csv`. Ids may be missing.
    /// Columns nobody has defined become fields of the narrowest type that fits.
    ///
    /// # Errors
    ///
    /// When a file has another name or cannot be read.
    pub fn from_files(files: Vec<(String, Vec<u8>)>) -> Result<Self, SeedError> {
        let mut seed = Self::default();
        for (name, bytes) in files {
            if name == "world.yaml" || name == "world.yml" {
                let text = String::from_utf8(bytes).map_err(|error| SeedError::Yaml(Box::new(error)))?;
                seed.definition = serde_yaml::from_str(&text).map_err(|error| SeedError::Yaml(Box::new(error)))?;
            } else if let Some(object) = name.strip_prefix("zuora/").and_then(|file| file.strip_suffix(".csv")) {
                seed.zuora.push((object.to_owned(), bytes));
            } else if let Some(form) = name.strip_prefix("fulcrum/").and_then(|file| file.strip_suffix(".csv")) {
                seed.fulcrum.push((form.to_owned(), bytes));
            } else if let Some(object) = name.strip_suffix(".csv") {
                seed.records.push(RecordFile::read(object, &bytes)?);
            } else {
                return Err(SeedError::UnknownFile(name));
            }
        }
        Ok(seed)
    }

    /// The same, with records to be made up. What comes later may point at what came before.
    #[must_use]
    pub fn with_generated(mut self, generated: impl IntoIterator<Item = GeneratedRecords>) -> Self {
        self.generated.extend(generated);
        self
    }

    /// The same, with everything that vendors may do and seldom do: see [`Settings::harsh`].
    #[must_use]
    pub fn harsh(mut self) -> Self {
        self.definition.make_harsh();
        self
    }

    /// The same, with everything that is drawn coming from this number: see [`Settings::seed`].
    #[must_use]
    pub fn drawn_from(mut self, number: u64) -> Self {
        self.definition.set_seed(number);
        self
    }

    /// Builds the worlds at a moment, and the settings that `world.yaml` asks for.
    ///
    /// The same seed and moment give the same worlds.
    ///
    /// # Errors
    ///
    /// When definitions contradict each other or records do not fit them.
    pub fn build(self, start: Timestamp) -> Result<(Worlds, Settings), SeedError> {
        let mut settings = Settings::starting_at(start);
        let mut builder = self.definition.apply(World::builder().start(start), &mut settings)?;
        for file in &self.records {
            let Some(mut object) = builder.present_object(&file.object).cloned() else { continue };
            let known = object.clone();
            object.fields.extend(file.unknown_fields(|name| known.has_field(name)));
            builder = builder.object(object);
        }
        let mut world = builder.build()?;
        for file in self.records {
            file.add_to(&mut world)?;
        }
        let mut worlds = Worlds::from(world);
        for (object, bytes) in &self.zuora {
            zuora::add_records(&mut worlds.zuora, object, bytes)?;
        }
        for (form, bytes) in &self.fulcrum {
            fulcrum::add_records(&mut worlds.fulcrum, form, bytes)?;
        }
        for (number, generated) in self.generated.iter().enumerate() {
            let (count, seed) = (generated.count, number as u64 + 1);
            match generated.object.split_once('/') {
                Some(("zuora", object)) => worlds.zuora.generate(object, count, seed)?,
                Some(("fulcrum", form)) => worlds.fulcrum.generate(form, count, seed)?,
                _ => worlds.salesforce.generate(&generated.object, count, seed)?,
            }
        }
        Ok((worlds, settings))
    }
}
