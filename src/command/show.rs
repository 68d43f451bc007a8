//! `sexton show`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Form, Shell, Verb};
use crate::base::{CommandError, Exit, PolicyName, RecordId};
use crate::manifest::Recheck;
use crate::plan::Symbol;
use crate::report::{LEAST_MARKDOWN, MarkdownView, PlanView, PolicySample, RecordView, SampleRow};
use crate::select::plan_directory;
use crate::store::Bundle;

/// Show a plan, as text, JSON or Markdown, offline
///
/// A stale or expired plan can be shown like any other.
#[derive(Clone, Debug, Args)]
pub struct Show {
    /// The plan's directory [default: plan, or what the project says]
    plan: Option<PathBuf>,
    /// How to show it
    #[arg(long, value_enum, default_value = "human")]
    format: ShowFormat,
    /// The most bytes of Markdown, 1,000 or more; GitHub takes 65,536
    #[arg(long, default_value_t = 65_000, value_name = "N", value_parser = max_bytes)]
    max_bytes: usize,
    /// Print every record id instead of a sample
    #[arg(long)]
    records: bool,
}

/// How a bundle is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ShowFormat {
    /// Text for people.
    Human,
    /// One JSON object a line.
    Json,
    /// Markdown for a pull request comment.
    Markdown,
}

fn max_bytes(text: &str) -> Result<usize, String> {
    let most = text.parse().ok().filter(|most| *most >= LEAST_MARKDOWN);
    most.ok_or_else(|| format!("write a whole number of at least {LEAST_MARKDOWN}: the totals need that"))
}

impl Verb for Show {
    fn form(&self) -> Form {
        if self.format == ShowFormat::Json { Form::Events } else { Form::AsAsked }
    }

    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let directory = match &self.plan {
            Some(directory) => shell.place(directory),
            None => plan_directory(&shell.place(shell.project()))?,
        };
        let bundle = Bundle::open(&directory)?;
        let samples = samples(&bundle)?;
        let place = directory.path().display().to_string();
        let digest = Some(bundle.digest());
        let view = PlanView { header: bundle.header(), digest, samples: &samples, place: &place };
        if !shell.is_json() && self.format == ShowFormat::Markdown {
            shell.show(&MarkdownView { plan: &view, most: self.max_bytes })?;
            return Ok(Exit::Done);
        }
        if shell.is_json() || !self.records {
            shell.show(&view)?;
        }
        if self.records {
            show_records(&bundle, shell)?;
        }
        Ok(Exit::Done)
    }
}

/// The records that the plan samples of every policy, as `plan` showed them.
fn samples(bundle: &Bundle) -> Result<BTreeMap<PolicyName, PolicySample>, CommandError> {
    let mut samples = BTreeMap::new();
    for policy in &bundle.header().policies {
        // The first column of such a policy is nothing that people review.
        let hidden = usize::from(policy.settings.recheck == Recheck::Unchanged);
        let columns = policy.records.columns.iter().skip(hidden).cloned().collect();
        let mut wanted: BTreeMap<RecordId, Symbol> =
            policy.sample.iter().map(|sampled| (sampled.id, sampled.symbol)).collect();
        let (mut rows, mut shown) = (Vec::new(), 0);
        for row in bundle.rows(&policy.policy).transpose()?.into_iter().flatten() {
            if wanted.is_empty() {
                break;
            }
            let row = row.map_err(|error| unreadable(&error))?;
            if let Some(symbol) = wanted.remove(&row.id) {
                shown += 1;
                rows.push(SampleRow { symbol, id: row.id, values: row.values.into_iter().skip(hidden).collect() });
            }
        }
        rows.extend(wanted.into_iter().map(|(id, symbol)| SampleRow { symbol, id, values: Vec::new() }));
        samples.insert(policy.policy.clone(), PolicySample { columns, rows, more: policy.selected.saturating_sub(shown) });
    }
    Ok(samples)
}

/// Shows every record, in the order of the plan.
fn show_records(bundle: &Bundle, shell: &dyn Shell) -> Result<(), CommandError> {
    for policy in &bundle.header().policies {
        if let Some(rows) = bundle.rows(&policy.policy) {
            for row in rows? {
                let row = row.map_err(|error| unreadable(&error))?;
                shell.show(&RecordView { policy: &policy.policy, row: &row })?;
            }
        }
    }
    Ok(())
}

fn unreadable(error: &std::io::Error) -> CommandError {
    CommandError::plain("the plan's records could not be read to their end").caused_by(error)
}
