//! What a sandbox draws from its seed.

use crate::base::Digest;

/// A number that belongs to a seed and to what it is drawn for: the same for the same two, and unlike for any others.
pub(in crate::sandbox) fn draw(seed: u64, what: &str) -> u64 {
    let digest = Digest::of(format!("{seed} {what}").as_bytes()).to_string();
    u64::from_str_radix(&digest[..16], 16).unwrap_or_default()
}

/// The number at which a counter of ids begins. Below, there is room for more ids than any test makes.
pub(in crate::sandbox) fn first_number(seed: u64, what: &str) -> u64 {
    if seed == 0 { 0 } else { draw(seed, what) % 1_000_000_000 }
}

/// Puts rows into the order of a seed: any order, where the vendor promises none. With the seed 0 they stay as they are.
pub(in crate::sandbox) fn shuffle<T>(seed: u64, rows: &mut [T]) {
    if seed != 0 {
        fastrand::Rng::with_seed(seed).shuffle(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_again_and_another_one_something_else() {
        assert_eq!(draw(1, "job"), draw(1, "job"));
        assert_ne!(draw(1, "job"), draw(2, "job"));
        assert_ne!(draw(1, "job"), draw(1, "token"));
        assert_eq!(first_number(0, "job"), 0);
        assert!(first_number(7, "job") > 0);
        let rows: Vec<u32> = (0..100).collect();
        let shuffled = |seed| {
            let mut rows = rows.clone();
            shuffle(seed, &mut rows);
            rows
        };
        assert_eq!(shuffled(0), rows);
        assert_eq!(shuffled(1), shuffled(1));
        assert_ne!(shuffled(1), shuffled(2));
    }
}
