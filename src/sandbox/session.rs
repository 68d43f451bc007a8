//! Who is logged in.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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

/// What an access token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum TokenForm {
    /// Opaque, beginning with the 15 characters of the organization (recorded).
    Opaque,
    /// A JWT: three parts of URL-safe base64 with dots between them, some 700 characters. Which claims are in it is a guess.
    Jwt,
}

/// The access tokens that are out.
#[derive(Default)]
pub(in crate::sandbox) struct Sessions {
    /// What the tokens are drawn from.
    seed: u64,
    by_token: BTreeMap<String, (Session, Timestamp)>,
    opened: u64,
}

impl Sessions {
    /// No token is out yet.
    pub(in crate::sandbox) fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// A new access token. The same sandbox gives the same ones again.
    pub(in crate::sandbox) fn open(
        &mut self,
        organization: RecordKey,
        session: Session,
        form: TokenForm,
        now: Timestamp,
    ) -> String {
        self.opened += 1;
        let opaque = |part: u32| Digest::of(format!("{} {now} {} {part}", self.seed, self.opened).as_bytes()).to_string();
        let token = match form {
            TokenForm::Opaque => format!("{}!AQ{:.32}", organization.fifteen(), opaque(0)),
            TokenForm::Jwt => {
                let header = r#"{"alg":"RS256","typ":"JWT","kid":"244"}"#;
                let claims =
                    format!(r#"{{"sub":"uid:{}","jti":"{:.32}","iat":{}}}"#, session.user, opaque(0), now.as_second());
                let signature: String = (1..7).map(opaque).collect();
                [header.as_bytes(), claims.as_bytes(), signature.as_bytes()]
                    .map(|part| URL_SAFE_NO_PAD.encode(part))
                    .join(".")
            }
        };
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

    /// The session of a token and when it was used last, without using it.
    pub(in crate::sandbox) fn look_at(
        &self,
        token: &str,
        now: Timestamp,
        lifetime: Duration,
    ) -> Option<(Session, Timestamp)> {
        let (session, used) = self.by_token.get(token)?;
        (used.duration_until(now).unsigned_abs() < lifetime).then_some((*session, *used))
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
