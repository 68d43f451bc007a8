//! What a misspelt word was probably meant to be.

/// The candidate that `word` is a typing mistake of, if there is one.
pub(super) fn nearest<'word>(word: &str, candidates: impl Iterator<Item = &'word str>) -> Option<&'word str> {
    // No word of the language is longer, and comparing takes time with the length.
    const LONGEST: usize = 40;
    let word = Some(word).filter(|word| word.len() <= LONGEST)?;
    let upper = word.to_ascii_uppercase();
    candidates
        .map(|candidate| (strsim::osa_distance(&upper, &candidate.to_ascii_uppercase()), candidate))
        // A third of the letters wrong, or fewer: more is another word.
        .filter(|(distance, candidate)| distance * 3 <= candidate.len().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
