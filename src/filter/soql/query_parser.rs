//! Reads whole SOQL queries.

use super::lexer::TokenKind;
use super::parser::{Ends, Parser};
use super::{OrderBy, Path, Place, Select, SelectItem, SyntaxError};

impl Parser<'_> {
    /// Reads a query. `None` when its condition was wrong, which is then reported already.
    pub(super) fn select(&mut self) -> Result<Option<Select>, SyntaxError> {
        let start = self.here().start;
        if !self.take_word("SELECT") {
            return Err(self.expected("`SELECT`"));
        }
        let items = self.separated(Self::item)?;
        if items.len() > 1 && items.contains(&SelectItem::CountRows) {
            return Err(SyntaxError::new(Place { start, end: self.end_of_last() }, "`COUNT()` stands beside other fields")
                .with_help("take the others out, or write `COUNT(Id)`"));
        }
        if !self.take_word("FROM") {
            return Err(self.expected("`,` or `FROM`"));
        }
        let object = self.object()?;
        let mut sound = true;
        let condition = if self.take_word("WHERE") {
            let condition = self.condition(Ends::BeforeClause);
            sound = condition.is_some();
            condition
        } else {
            None
        };
        if self.stopped {
            return Ok(None);
        }
        let order_by = if self.take_word("ORDER") {
            if !self.take_word("BY") {
                return Err(self.expected("`BY` after `ORDER`"));
            }
            self.separated(Self::order)?
        } else {
            Vec::new()
        };
        let limit = self.number_after("LIMIT")?;
        let offset = self.number_after("OFFSET")?;
        if self.at_clause() {
            let clause = self.slice(self.here()).to_ascii_uppercase();
            return Err(SyntaxError::new(self.here(), format!("`{clause}` is not supported here"))
                .with_help("the clauses are `WHERE`, `ORDER BY`, `LIMIT`, `OFFSET`, in this order"));
        }
        let place = Place { start, end: self.end_of_last() };
        Ok(sound.then_some(Select { items, object, condition, order_by, limit, offset, place }))
    }

    fn item(&mut self) -> Result<SelectItem, SyntaxError> {
        let path = self.path("a field")?;
        if self.kind() != Some(&TokenKind::Open) {
            return Ok(SelectItem::Field(path, self.alias()?));
        }
        if !path.as_str().eq_ignore_ascii_case("COUNT") {
            return Err(
                SyntaxError::new(path.place, format!("the function `{path}` is not supported")).with_help("`COUNT` is")
            );
        }
        let counted = self.in_parentheses(|parser| {
            if parser.kind() == Some(&TokenKind::Close) {
                return Ok(Some(None));
            }
            Ok(Some(Some(parser.path("a field or `)`")?)))
        })?;
        Ok(match counted.flatten() {
            Some(path) => SelectItem::CountField(path, self.alias()?),
            None => SelectItem::CountRows,
        })
    }

    fn alias(&mut self) -> Result<Option<Path>, SyntaxError> {
        if self.kind() != Some(&TokenKind::Word) || self.at_word("FROM") {
            return Ok(None);
        }
        let alias = self.path("a name")?;
        if alias.parents() > 0 {
            return Err(SyntaxError::new(alias.place, format!("`{alias}` cannot be the name of a column: it has dots")));
        }
        Ok(Some(alias))
    }

    /// Reads the name of an object, which may be a word that is reserved elsewhere, such as `Group`.
    fn object(&mut self) -> Result<Path, SyntaxError> {
        let place = self.here();
        let word = self.kind().filter(|kind| **kind == TokenKind::Word).map(|_| self.slice(place));
        let object = word.and_then(|word| Path::new(word, place)).filter(|object| object.parents() == 0);
        let clause = ["SELECT", "FROM", "WHERE", "LIMIT"].iter().any(|clause| self.at_word(clause));
        let object = object.filter(|_| !clause).ok_or_else(|| self.expected("the name of an object"))?;
        self.advance();
        Ok(object)
    }

    fn order(&mut self) -> Result<OrderBy, SyntaxError> {
        let path = self.path("a field")?;
        let descending = self.take_word("DESC");
        if !descending {
            self.take_word("ASC");
        }
        let mut nulls_last = false;
        if self.take_word("NULLS") {
            nulls_last = self.take_word("LAST");
            if !nulls_last && !self.take_word("FIRST") {
                return Err(self.expected("`FIRST` or `LAST` after `NULLS`"));
            }
        }
        Ok(OrderBy { path, descending, nulls_last })
    }

    fn number_after(&mut self, word: &str) -> Result<Option<u64>, SyntaxError> {
        if !self.take_word(word) {
            return Ok(None);
        }
        let number = match self.kind() {
            Some(TokenKind::Number(number)) => number.as_str().parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.expected(&format!("a whole number after `{word}`")))?;
        self.advance();
        Ok(Some(number))
    }
}
