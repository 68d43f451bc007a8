//! `query` and `queryMore`.

use std::io;
use std::sync::Arc;

use axum::response::Response;
use quick_xml::events::BytesText;

use super::Tenant;
use super::cursor::Found;
use super::envelope::{API, INSTANCE, OBJECT, SoapVersion};
use super::evaluate::{Context, Record, Value, evaluate};
use super::objects::{Kind, Object};
use super::soap_fault::{Detail, SoapFault};
use super::table::Row;
use super::tenant::written;
use super::zoql::{Condition, Literal, Test, read_day, read_moment, read_query};
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::xml_writer::{XmlWriter, inside, text};

/// The most records on a page, and how many there are unless the client asks for fewer (documented).
const LARGEST_PAGE: usize = 2_000;

/// The header of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QueryOptions {
    /// How many records a page has. Nothing and too much mean [`LARGEST_PAGE`] (documented).
    pub batch_size: Option<usize>,
    /// Whether text is compared by case; it is not unless said (guess).
    pub case_sensitive: bool,
}

impl QueryOptions {
    fn page_size(self) -> usize {
        self.batch_size.filter(|size| (1..=LARGEST_PAGE).contains(size)).unwrap_or(LARGEST_PAGE)
    }
}

/// One page of what a query found.
pub(super) struct Page {
    found: Found,
    object: Object,
    from: usize,
    to: usize,
    locator: Option<String>,
    size: i64,
}

struct Candidate<'a> {
    object: &'a Object,
    id: &'a str,
    row: &'a Row,
}

impl Record for Candidate<'_> {
    fn value(&self, field: &str) -> Option<Value> {
        if field.eq_ignore_ascii_case("Id") {
            return Some(Value::Text(self.id.to_owned()));
        }
        Some(self.row.get(&self.object.place(field)?).cloned().unwrap_or(Value::Null))
    }
}

impl Tenant {
    /// Runs a query and returns its first page.
    pub(super) fn query(&mut self, text: &str, options: QueryOptions, faults: &WorkFaults) -> Result<Page, SoapFault> {
        let malformed = |code: &str, message: String| SoapFault::new(Detail::MalformedQuery, code, message);
        let query = read_query(text)
            .ok_or_else(|| malformed("MALFORMED_QUERY", "You have an error in your ZOQL syntax".to_owned()))?;
        let name = query.object.as_str();
        // The codes for what does not exist are guesses.
        let table =
            self.table_number(name).ok_or_else(|| malformed("INVALID_TYPE", format!("invalid type of object: {name}")))?;
        let object = &self.tables[table].object;
        let place = |field: &str| {
            let unknown = || malformed("INVALID_FIELD", format!("invalid field for query: {}.{field}", object.name));
            object.place(field).map(Some).or(field.eq_ignore_ascii_case("Id").then_some(None)).ok_or_else(unknown)
        };
        let asked = query.fields.iter().map(|field| place(field)).collect::<Result<Vec<_>, _>>()?;
        let mut fields: Vec<usize> = asked.iter().copied().flatten().collect();
        fields.sort_unstable();
        fields.dedup();
        let zone = tenant_zone();
        for comparison in query.condition.iter().flat_map(Condition::comparisons) {
            let kind = place(&comparison.field)?.map_or(Kind::Id, |field| object.fields[field].1);
            if !has_operator(kind, &comparison.test) {
                let message = format!("invalid operator for the field {}", comparison.field);
                return Err(malformed("MALFORMED_QUERY", message));
            }
            if !is_comparable(kind, &comparison.test, &zone) {
                let message = format!("invalid value for the field {}", comparison.field);
                return Err(malformed("INVALID_VALUE", message));
            }
        }
        let context = Context { zone: &zone, case_sensitive: options.case_sensitive };
        let matches = |id: &str, row: &Row| {
            let candidate = Candidate { object, id, row };
            !is_hidden(&candidate)
                && query.condition.as_ref().is_none_or(|condition| evaluate(condition, &candidate, &context))
        };
        let rows = self.shown(table).into_iter().filter(|(id, row)| matches(id, row));
        let kept =
            |row: &Row| row.iter().filter(|(field, _)| fields.contains(field)).map(|(f, v)| (*f, v.clone())).collect();
        let rows: Arc<[_]> = rows.map(|(id, row)| (id.clone(), kept(row))).collect();
        let size = rows.len() as i64 + faults.wrong_total();
        let found = Found { table, with_id: asked.contains(&None), rows, size };
        let now = self.now();
        let is_paged = found.rows.len() > options.page_size();
        let key = if is_paged { self.cursors.open(found.clone(), now) } else { String::new() };
        Ok(self.page(found, &key, 0, options, faults))
    }

    /// The page that a locator names.
    pub(super) fn query_more(
        &mut self,
        locator: &str,
        options: QueryOptions,
        faults: &WorkFaults,
    ) -> Result<Page, SoapFault> {
        // The code is a guess: the WSDL has none of its own for this.
        let invalid = || SoapFault::new(Detail::InvalidQueryLocator, "INVALID_VALUE", "invalid query locator");
        let (key, offset) = locator.trim().rsplit_once('-').ok_or_else(invalid)?;
        let offset: usize = offset.parse().map_err(|_| invalid())?;
        let now = self.now();
        let found = self.cursors.find(key, now).filter(|found| offset < found.rows.len()).ok_or_else(invalid)?;
        Ok(self.page(found, key, offset, options, faults))
    }

    fn page(&self, found: Found, key: &str, from: usize, options: QueryOptions, faults: &WorkFaults) -> Page {
        let next = (from + options.page_size()).min(found.rows.len());
        Page {
            object: self.tables[found.table].object.clone(),
            from,
            to: next.saturating_sub(faults.short_by()).max(from),
            locator: (next < found.rows.len()).then(|| format!("{key}-{next}")),
            size: found.size,
            found,
        }
    }
}

/// Where the days of the tenant begin: Pacific time (recorded in answers).
fn tenant_zone() -> jiff::tz::TimeZone {
    jiff::tz::db().get("America/Los_Angeles").unwrap_or(jiff::tz::TimeZone::UTC)
}

/// Whether an operator is one for fields of a type: no order for yes and no, no pattern but for text (documented; the fault is a guess).
fn has_operator(kind: Kind, test: &Test) -> bool {
    match test {
        Test::Compare(operator, _) => !(operator.is_ordered() && kind == Kind::Boolean),
        Test::Like(_) => matches!(kind, Kind::Text | Kind::Id),
    }
}

/// Whether a day or a moment is compared with something in its form (documented: anything else is `INVALID_VALUE`).
fn is_comparable(kind: Kind, test: &Test, zone: &jiff::tz::TimeZone) -> bool {
    match (kind, test) {
        (_, Test::Compare(_, Literal::Null)) => true,
        (Kind::Date, Test::Compare(_, Literal::Text(day) | Literal::Bare(day))) => read_day(day).is_some(),
        (Kind::DateTime, Test::Compare(_, Literal::Text(moment) | Literal::Bare(moment))) => {
            read_moment(moment, zone).is_some()
        }
        (Kind::Date | Kind::DateTime, _) => false,
        _ => true,
    }
}

/// The rate plans that a query never finds (documented).
fn is_hidden(candidate: &Candidate<'_>) -> bool {
    candidate.object.name == "RatePlan" && candidate.value("AmendmentType") == Some(Value::Text("RemoveProduct".to_owned()))
}

impl Page {
    /// The answer to `operation`.
    pub(super) fn answer(&self, version: SoapVersion, operation: &str) -> Response {
        version.answer(|output| {
            let response = output.create_element(format!("ns1:{operation}Response")).with_attribute(("xmlns:ns1", API));
            response.write_inner_content(|output| inside(output, "ns1:result", |output| self.write(output)))?;
            Ok(())
        })
    }

    fn write(&self, output: &mut XmlWriter) -> io::Result<()> {
        text(output, "ns1:done", if self.locator.is_none() { "true" } else { "false" })?;
        match &self.locator {
            Some(locator) => text(output, "ns1:queryLocator", locator)?,
            None => nil(output, "ns1:queryLocator")?,
        }
        for (id, row) in &self.found.rows[self.from..self.to] {
            self.write_record(output, id, row)?;
        }
        // An answer without records has one that is none (recorded).
        if self.found.rows.is_empty() {
            nil(output, "ns1:records")?;
        }
        text(output, "ns1:size", &self.size.to_string())
    }

    fn write_record(&self, output: &mut XmlWriter, id: &str, row: &Row) -> io::Result<()> {
        let element = output.create_element("ns1:records").with_attributes([
            ("xmlns:xsi", INSTANCE),
            ("xsi:type", format!("ns2:{}", self.object.name).as_str()),
            ("xmlns:ns2", OBJECT),
        ]);
        element.write_inner_content(|output| {
            if self.found.with_id {
                text(output, "ns2:Id", id)?;
            }
            for (field, value) in row {
                let name = format!("ns2:{}", self.object.fields[*field].0);
                output.create_element(name).write_text_content(BytesText::new(&written(value)))?;
            }
            Ok(())
        })?;
        Ok(())
    }
}

fn nil(output: &mut XmlWriter, name: &str) -> io::Result<()> {
    output.create_element(name).with_attributes([("xmlns:xsi", INSTANCE), ("xsi:nil", "1")]).write_empty()?;
    Ok(())
}
