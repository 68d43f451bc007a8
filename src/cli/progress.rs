//! Progress: bars on a terminal, plain lines elsewhere, events for machines.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::terminal::Terminal;
use crate::base::{Observer, PolicyName, with_thousands};
use crate::report::{JsonEvent, Note, Warning, terminal_line};

/// Shows a verb at work.
pub struct Progress {
    terminal: Arc<Terminal>,
    shown: Mutex<BTreeMap<String, Shown>>,
}

/// What is shown of one piece of work.
struct Shown {
    bar: Option<ProgressBar>,
    /// Whether there is a number to reach.
    counts: bool,
    /// The last quarter of the total that was reported without a bar; without a total, the last multiple of 250,000.
    told: u64,
}

impl Progress {
    /// On that terminal.
    pub fn new(terminal: Arc<Terminal>) -> Self {
        Self { terminal, shown: Mutex::default() }
    }

    fn bar(bars: &MultiProgress, label: &str, total: Option<u64>) -> ProgressBar {
        let template = match total {
            Some(_) => "{msg:32} {wide_bar} {human_pos}/{human_len} {rate} {eta} left",
            None => "{msg:32} {spinner}",
        };
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let _ = write!(text, "{}/s", with_thousands(state.per_sec() as u64));
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", rate);
        let bar = bars.add(ProgressBar::new(total.unwrap_or(0)).with_style(style));
        bar.set_message(terminal_line(label).into_owned());
        bar
    }
}

impl Observer for Progress {
    fn progress(&self, policy: Option<&PolicyName>, doing: &str, done: u64, total: Option<u64>) {
        let label = policy.map_or_else(|| doing.to_owned(), |policy| format!("{policy}: {doing}"));
        let Ok(mut shown) = self.shown.lock() else { return };
        if !shown.contains_key(&label) {
            // What has no end of its own, such as signing in, is over when something else begins.
            shown
                .values()
                .filter_map(|other| other.bar.as_ref().filter(|_| !other.counts))
                .for_each(ProgressBar::finish_and_clear);
        }
        let entry = shown.entry(label.clone()).or_insert_with(|| Shown {
            bar: self.terminal.bars().map(|bars| Self::bar(bars, &label, total)),
            counts: total.is_some(),
            told: u64::MAX,
        });
        if let Some(bar) = &entry.bar {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
            if Some(done) == total {
                bar.finish_and_clear();
            }
            return;
        }
        // Without a terminal a line for every quarter is enough to see that it lives, and keeps logs short.
        let quarter = total.filter(|total| *total > 0).map_or(done / 250_000, |total| done * 4 / total);
        if entry.told == quarter {
            return;
        }
        entry.told = quarter;
        if self.terminal.is_json() {
            self.terminal.event(&JsonEvent::Progress {
                policy: policy.map(ToString::to_string),
                doing: doing.to_owned(),
                done,
                total,
            });
        } else {
            self.terminal.tell(&Note(&match total {
                Some(total) => format!("{label}: {} of {}", with_thousands(done), with_thousands(total)),
                None if done == 0 => label,
                None => format!("{label}: {}", with_thousands(done)),
            }));
        }
    }

    fn warn(&self, message: &str) {
        self.terminal.tell(&Warning(message));
    }
}
