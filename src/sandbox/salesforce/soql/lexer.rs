//! Texts taken apart into tokens, and the smallest readers of these.

use winnow::ascii::digit1;
use winnow::combinator::{alt, delimited, opt, repeat};
use winnow::error::{ErrMode, ModalResult, ParserError as _};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location as _};
use winnow::token::{any, none_of, one_of, take_while};

use super::refusal::{Reason, Refusal};
use super::token::{Kind, Token, Tokens};

/// What reading a part of the tokens gives.
pub(super) type Read<T> = Result<T, ErrMode<Refusal>>;

/// Takes a text apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Refusal> {
    let mut rest = LocatingSlice::new(text);
    let mut found = Vec::new();
    loop {
        skip_space(&mut rest);
        if rest.is_empty() {
            return Ok(found);
        }
        let start = rest.current_token_start();
        match token(&mut rest) {
            Ok((kind, text)) => found.push(Token { kind, text, start }),
            Err(_) => {
                let reason = if rest.starts_with('\'') { Reason::OpenText } else { Reason::Character };
                return Err(Refusal { start, reason });
            }
        }
    }
}

type Rest<'text> = LocatingSlice<&'text str>;

fn skip_space(rest: &mut Rest<'_>) {
    // No space is space, too: it cannot fail.
    let _: ModalResult<&str> = take_while(0.., [' ', '\t', '\n', '\r']).parse_next(rest);
}

fn token<'text>(rest: &mut Rest<'text>) -> ModalResult<(Kind, &'text str)> {
    alt((
        alt((amount, word)).map(|text| (Kind::Word, text)),
        number.map(|text| (Kind::Number, text)),
        quoted.map(|text| (Kind::Text, text)),
        symbol.map(|text| (Kind::Symbol, text)),
    ))
    .parse_next(rest)
}

fn name<'text>(rest: &mut Rest<'text>) -> ModalResult<&'text str> {
    (
        one_of(|first: char| first.is_ascii_alphabetic()),
        take_while(0.., |next: char| next.is_ascii_alphanumeric() || next == '_'),
    )
        .take()
        .parse_next(rest)
}

fn word<'text>(rest: &mut Rest<'text>) -> ModalResult<&'text str> {
    (name, repeat::<_, _, (), _, _>(0.., ('.', name)), opt((':', digit1))).take().parse_next(rest)
}

/// An amount with its currency and a fraction; without one it is a word like others.
fn amount<'text>(rest: &mut Rest<'text>) -> ModalResult<&'text str> {
    (take_while(3..=3, |letter: char| letter.is_ascii_alphabetic()), digit1, '.', digit1).take().parse_next(rest)
}

fn number<'text>(rest: &mut Rest<'text>) -> ModalResult<&'text str> {
    let belongs = |next: char| next.is_ascii_alphanumeric() || ":.+-_".contains(next);
    (one_of(|first: char| first.is_ascii_digit() || first == '+' || first == '-'), take_while(0.., belongs))
        .take()
        .parse_next(rest)
}

fn quoted<'text>(rest: &mut Rest<'text>) -> ModalResult<&'text str> {
    let character = alt((('\\', any).void(), none_of(['\'', '\\']).void()));
    delimited('\'', repeat::<_, _, (), _, _>(0.., character), '\'').take().parse_next(rest)
}

fn symbol<'text>(rest: &mut Rest<'text>) -> ModalResult<&'text str> {
    alt(("<>", "<=", ">=", "!=", one_of(['=', '<', '>', '(', ')', ',', ':']).take())).parse_next(rest)
}

/// Reads this word, in any case.
pub(super) fn keyword<'text>(word: &'static str) -> impl Parser<Tokens<'text>, &'text Token<'text>, ErrMode<Refusal>> {
    any.verify(move |token: &&Token<'_>| token.is_word(word))
}

/// Reads this symbol.
pub(super) fn sign<'text>(symbol: &'static str) -> impl Parser<Tokens<'text>, &'text Token<'text>, ErrMode<Refusal>> {
    any.verify(move |token: &&Token<'_>| token.is_symbol(symbol))
}

/// Whether the next token is this word.
pub(super) fn at_word(input: &Tokens<'_>, word: &str) -> bool {
    input.first().is_some_and(|token| token.is_word(word))
}

/// Whether the next token is this symbol.
pub(super) fn at_sign(input: &Tokens<'_>, symbol: &str) -> bool {
    input.first().is_some_and(|token| token.is_symbol(symbol))
}

/// Reads everything from a parenthesis to the one that closes it.
pub(super) fn parenthesized(input: &mut Tokens<'_>) -> Read<()> {
    let mut open = 0_usize;
    loop {
        let Some(token) = input.first() else { return Err(ErrMode::Cut(Refusal::from_input(input))) };
        match token.text {
            "(" => open += 1,
            ")" => open = open.saturating_sub(1),
            _ if open == 0 => return Err(ErrMode::Cut(Refusal::from_input(input))),
            _ => {}
        }
        any.parse_next(input)?;
        if open == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_texts_apart() {
        let shown = |text: &str| {
            let tokens = tokens(text).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"));
            tokens.iter().map(|token| token.text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            shown("a.b.C__c<>'it\\'s' AND(d=LAST_N_DAYS:30)OR e>=-1.5,JPY10.5 2026-01-31T00:00:00+01:00"),
            "a.b.C__c <> 'it\\'s' AND ( d = LAST_N_DAYS:30 ) OR e >= -1.5 , JPY10.5 2026-01-31T00:00:00+01:00"
        );
        assert_eq!(shown(" \t\r\n"), "");
        let refused = |text: &str| tokens(text).expect_err(text);
        for (text, start, reason) in [
            ("a = 'x", 4, Reason::OpenText),
            ("a = 'x\\'", 4, Reason::OpenText),
            ("a = \"x\"", 4, Reason::Character),
            ("a; b", 1, Reason::Character),
            ("a..b", 1, Reason::Character),
            ("ä", 0, Reason::Character),
            ("a\u{a0}b", 1, Reason::Character),
            ("!a", 0, Reason::Character),
        ] {
            assert_eq!(refused(text), Refusal { start, reason }, "{text}");
        }
    }
}
