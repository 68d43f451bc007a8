//! How long to wait.

use std::time::Duration;

/// The longest that is waited for because a system asks for it. Beyond it a plan ends, and a run stays unfinished: somebody runs the
/// same command again later, and no lock is held meanwhile.
pub const LONGEST_TOLD_WAIT: Duration = Duration::from_secs(15 * 60);

/// The pause before attempt `attempt` (from 1): `first`, doubled with every attempt up to `most`, less up to half of it.
///
/// The part that is taken off is drawn from `seed`, so that many clients do not come back at the same moment, and the same
/// seed always gives the same pause.
pub fn back_off(first: Duration, most: Duration, attempt: u32, seed: u64) -> Duration {
    let full = first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(most);
    let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(attempt));
    full.mul_f64(1.0 - random.f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_most_and_never_below_half() {
        let (first, most) = (Duration::from_secs(1), Duration::from_secs(60));
        for seed in 0..50 {
            for (attempt, full) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (40, 60)] {
                let pause = back_off(first, most, attempt, seed);
                assert!(
                    pause <= Duration::from_secs(full) && pause >= Duration::from_secs(full) / 2,
                    "{attempt}: {pause:?}"
                );
                assert_eq!(pause, back_off(first, most, attempt, seed));
            }
        }
    }
}
