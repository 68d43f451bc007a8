//! What a tenant is told when it starts.

use std::time::Duration;

use super::calls::CallLimit;

/// How a simulated Zuora tenant behaves where that can differ, or is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZuoraSettings {
    /// How many calls it answers in which stretches of time, logins among them; the others get 429. None of them: any number. Documented
    /// for years as 1,000 in ten minutes; today a tenant has so many a minute, an hour and a day, by its kind.
    pub calls: Vec<CallLimit>,
    /// How long a session lives, used or not (documented default: 15 minutes).
    pub session_lifetime: Duration,
    /// The code for a record that is not there, or not any more. Not documented.
    pub unknown_id_code: String,
    /// Whether a row that failed names its id. Not documented.
    pub failed_rows_carry_id: bool,
}

impl Default for ZuoraSettings {
    fn default() -> Self {
        Self {
            calls: vec![CallLimit::in_ten_minutes(1_000)],
            session_lifetime: Duration::from_secs(900),
            unknown_id_code: "INVALID_VALUE".to_owned(),
            failed_rows_carry_id: false,
        }
    }
}
