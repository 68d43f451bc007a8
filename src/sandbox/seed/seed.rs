//! Everything a world starts with.

use jiff::Timestamp;

use super::GeneratedRecords;
use super::definition::WorldFile;
use super::records::RecordFile;
use super::{fulcrum, zuora};
use crate::sandbox::fulcrum::{OrganizationError, ValueError as ColumnError};
use crate::sandbox::{Settings, TenantError, ValueError, World, WorldError, Worlds};

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

/// A seed that cannot be used. Lines are counted from 1, the header being the first.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// `world.yaml` is not what it should be.
    #[error("`world.yaml` cannot be read")]
    Yaml(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something in `world.yaml` does not make sense.
    #[error("`world.yaml`: {0}")]
    Definition(String),
    /// A file that is neither CSV nor `world.yaml`.
    #[error("`{0}` is neither a CSV file named after an object nor `world.yaml`")]
    UnknownFile(String),
    /// A CSV file of an object that is not defined.
    #[error("there is no object `{0}`: define it in `world.yaml`")]
    UnknownObject(String),
    /// A CSV file that is not well formed.
    #[error("`{object}.csv` cannot be read")]
    Csv {
        /// The object.
        object: String,
        /// What is wrong.
        #[source]
        source: csv::Error,
    },
    /// An id that is none.
    #[error("`{object}.csv` line {line}: the id cannot be used")]
    Id {
        /// The object.
        object: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: crate::system::SalesforceIdError,
    },
    /// A value that does not fit its field.
    #[error("`{object}.csv` line {line}: the value of `{field}` cannot be used")]
    Value {
        /// The object.
        object: String,
        /// The field.
        field: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: ValueError,
    },
    /// A record that cannot be added.
    #[error("`{object}.csv` line {line}: the record cannot be added")]
    Record {
        /// The object.
        object: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: WorldError,
    },
    /// A record of Zuora that cannot be added.
    #[error("`{object}.csv` line {line}: the record cannot be added")]
    Zuora {
        /// The object, with its folder.
        object: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: TenantError,
    },
    /// Records of Zuora that cannot be made up.
    #[error("the tenant cannot be built")]
    Tenant(#[from] TenantError),
    /// A record of Fulcrum that cannot be added.
    #[error("`{form}.csv` line {line}: the record cannot be added")]
    Fulcrum {
        /// The form, with its folder.
        form: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: OrganizationError,
    },
    /// A value of Fulcrum that does not fit its column.
    #[error("`{form}.csv` line {line}: the value of `{column}` cannot be used")]
    FulcrumValue {
        /// The form, with its folder.
        form: String,
        /// The column.
        column: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: ColumnError,
    },
    /// Records of Fulcrum that cannot be made up.
    #[error("the Fulcrum organization cannot be built")]
    FulcrumOrganization(#[from] OrganizationError),
    /// A world that cannot be built.
    #[error("the world cannot be built")]
    World(#[from] WorldError),
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
