//! Who is logged in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::RecordKey;
use crate::base::Digest;

/// A login that a request was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Session {
    /// Who.
    pub user: RecordKey,
    /// Whether it was opened with a password that has expired, so that it is good for nothing but a new one.
    pub password_expired: bool,
}

/// The access tokens that are out.
#[derive(Default)]
pub(in crate::sandbox) struct Sessions {
    by_token: BTreeMap<String, (Session, Timestamp)>,
    opened: u64,
}

impl Sessions {
    /// A new access token: opaque, beginning with the 15 characters of the organization (recorded form). The same sandbox gives the
    /// same ones again.
    pub(in crate::sandbox) fn open(&mut self, organization: RecordKey, session: Session, now: Timestamp) -> String {
        self.opened += 1;
        let opaque = Digest::of(format!("{now} {}", self.opened).as_bytes());
        let token = format!("{}!AQ{:.32}", organization.fifteen(), opaque.to_string());
        self.by_token.insert(token.clone(), (session, now));
        token
    }

    /// The session of a token, if it has been used within its lifetime. Using it renews it.
    pub(in crate::sandbox) fn find(&mut self, token: &str, now: Timestamp, lifetime: Duration) -> Option<Session> {
        let (session, used) = self.by_token.get_mut(token)?;
        if used.duration_until(now).unsigned_abs() >= lifetime {
            self.by_token.remove(token);
            return None;
        }
        *used = now;
        Some(*session)
    }

    /// Ends one session.
    pub(in crate::sandbox) fn close(&mut self, token: &str) {
        self.by_token.remove(token);
    }

    /// Ends all sessions.
    pub(in crate::sandbox) fn close_all(&mut self) {
        self.by_token.clear();
    }
}
