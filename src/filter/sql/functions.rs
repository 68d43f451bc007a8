//! Which functions a condition may call.

/// Functions that give the same for the same arguments and do nothing else. Every other one is refused, since a list of the
/// dangerous ones (that sleep, read files, count sequences, open connections) is never complete.
const KNOWN: [&str; 68] = [
    "abs",
    "array_length",
    "array_position",
    "array_to_string",
    "btrim",
    "cardinality",
    "ceil",
    "char_length",
    "coalesce",
    "concat",
    "concat_ws",
    "date_part",
    "date_trunc",
    "fcm_converttofloat",
    "fcm_formattimestamp",
    "floor",
    "greatest",
    "initcap",
    "least",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "mod",
    "nullif",
    "octet_length",
    "phraseto_tsquery",
    "plainto_tsquery",
    "power",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "sign",
    "split_part",
    "sqrt",
    "st_area",
    "st_contains",
    "st_distance",
    "st_dwithin",
    "st_geomfromtext",
    "st_intersects",
    "st_length",
    "st_makeenvelope",
    "st_makepoint",
    "st_setsrid",
    "st_within",
    "st_x",
    "st_y",
    "starts_with",
    "string_to_array",
    "strpos",
    "substring",
    "to_char",
    "to_date",
    "to_number",
    "to_tsquery",
    "to_tsvector",
    "translate",
    "trim",
    "trunc",
    "upper",
    "websearch_to_tsquery",
];

/// Names that mean the present moment, with or without parentheses.
const CLOCK: [&str; 11] = [
    "age",
    "clock_timestamp",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "now",
    "statement_timestamp",
    "timeofday",
    "transaction_timestamp",
];

/// Words that are no field unless they stand in double quotes (documented as reserved).
const RESERVED: &str = "all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate \
    collation column concurrently constraint create cross current_catalog current_role current_schema current_user \
    default deferrable desc distinct do else end except false fetch for foreign freeze from full grant group \
    having ilike in initially inner intersect into is isnull join lateral leading left like limit natural not \
    notnull null offset on only or order outer overlaps placing primary references returning right select \
    session_user similar some symmetric system_user table tablesample then to trailing true union unique user \
    using variadic verbose when where window with";

/// Whether the name, which is in lower case, is a word of the language. Some of them, such as `user`, would mean something else than a
/// field of that name.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.split(' ').any(|word| word == name)
}

/// The function of that name, which is in lower case.
pub(super) fn known(name: &str) -> Option<&'static str> {
    KNOWN.into_iter().find(|known| *known == name)
}

/// Whether the name means the present moment.
pub(super) fn tells_the_time(name: &str) -> bool {
    CLOCK.contains(&name)
}

/// Whether PostgreSQL would read the whole of `text` as the present day or moment where it expects a date (documented).
pub(super) fn means_the_present(text: &str) -> bool {
    let mut words = text.split(|character: char| !character.is_alphabetic()).filter(|word| !word.is_empty()).peekable();
    let known = |word: &str| {
        let word = word.to_ascii_lowercase();
        is_present(&word) || ["allballs", "utc", "gmt", "z", "at", "am", "pm", "t"].contains(&word.as_str())
    };
    words.peek().is_some() && words.clone().all(known) && words.any(|word| is_present(&word.to_ascii_lowercase()))
}

/// Whether any word of `text` would be read as the present day or moment.
pub(super) fn mentions_the_present(text: &str) -> bool {
    text.split(|character: char| !character.is_alphabetic()).any(|word| is_present(&word.to_ascii_lowercase()))
}

fn is_present(word: &str) -> bool {
    ["now", "today", "tomorrow", "yesterday"].contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_share_nothing() {
        assert!(KNOWN.is_sorted_by(|a, b| a < b) && CLOCK.is_sorted_by(|a, b| a < b));
        assert!(KNOWN.iter().all(|name| !tells_the_time(name)));
    }

    #[test]
    fn knows_the_texts_that_are_the_present() {
        for text in ["now", "Today", " yesterday ", "today 10:00", "tomorrow allballs", "NOW UTC"] {
            assert!(means_the_present(text), "{text}");
        }
        for text in ["", "10:00", "known", "now or never", "today's", "2026-01-01T00:00:00Z"] {
            assert!(!means_the_present(text), "{text}");
        }
        assert!(mentions_the_present("2026 today x") && !mentions_the_present("todays"));
    }
}
