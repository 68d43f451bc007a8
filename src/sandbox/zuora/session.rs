//! Who is logged in to a tenant.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::base::Digest;

/// The sessions that are open, with the moment each began. Whether using one renews it is not documented; here it does not.
#[derive(Default)]
pub(super) struct Sessions {
    opened: BTreeMap<String, Timestamp>,
    count: u64,
    /// What the tokens are drawn from.
    seed: u64,
}

impl Sessions {
    /// Nobody is logged in yet.
    pub(super) fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// A new session: some 256 characters of the URL-safe base64 alphabet (recorded form). The same tenant gives the same ones again.
    pub(super) fn open(&mut self, now: Timestamp) -> String {
        self.count += 1;
        let opaque: String = (0..3)
            .map(|part| Digest::of(format!("{} {now} {} {part}", self.seed, self.count).as_bytes()).to_string())
            .collect();
        let token = URL_SAFE_NO_PAD.encode(opaque);
        self.opened.insert(token.clone(), now);
        token
    }

    /// Whether a session is open.
    pub(super) fn is_open(&self, token: &str, now: Timestamp, lifetime: Duration) -> bool {
        self.opened.get(token).is_some_and(|opened| opened.duration_until(now).unsigned_abs() < lifetime)
    }

    /// Ends one session.
    pub(super) fn close(&mut self, token: &str) {
        self.opened.remove(token);
    }

    /// Ends all sessions.
    pub(super) fn close_all(&mut self) {
        self.opened.clear();
    }
}
