//! A bundle reads back as it was written, and any other bundle is refused.

#![expect(clippy::disallowed_methods, reason = "the tests damage files")]

#[path = "bundle/durability.rs"]
mod durability;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use sexton::base::{Actor, Digest, PolicyName, RecordId, TargetName};
use sexton::manifest::{Accept, AllOrNone, Concurrency, Limits, PolicySettings, Recheck, SendAs, SharedLimits};
use sexton::plan::{
    Matching, PLAN_FORMAT, PlanHeader, PlannedPolicy, PlannedQuery, Population, RecordsSeal, Row, SealedManifests,
};
use sexton::store::{Bundle, BundleError, BundleWriter, Place};
use sexton::system::DeleteMode;

fn policy_name(name: &str) -> PolicyName {
    PolicyName::new(name).expect("valid")
}

fn row(id: &str, values: &[&str]) -> Row {
    Row { id: RecordId::new(id).expect("valid"), values: values.iter().map(|value| (*value).into()).collect() }
}

fn planned(name: &str, records: RecordsSeal) -> PlannedPolicy {
    PlannedPolicy {
        policy: policy_name(name),
        labels: BTreeMap::new(),
        settings: PolicySettings {
            target: TargetName::new("crm").expect("valid"),
            object: "Lead".into(),
            delete: DeleteMode::Soft,
            justification: None,
            all_or_none: AllOrNone::No,
            limits: Limits::default(),
            max_widened: None,
            via: None,
            batch_size: None,
            concurrency: Concurrency::Parallel,
            group_by: None,
            depends_on: Vec::new(),
            recheck: Recheck::Matches,
            send_as: SendAs::Ids,
            review_fields: Vec::new(),
            review_by: None,
            accept: Accept::default(),
        },
        query: PlannedQuery { object: "Lead".into(), key: "Id".into(), fields: Vec::new(), matching: Matching::Everything },
        population: Population::Exact(records.rows),
        matched: records.rows,
        missing_ids: None,
        selected: records.rows,
        planned_elsewhere: Vec::new(),
        holds: Vec::new(),
        cascades: Vec::new(),
        unseen_cascades: Vec::new(),
        restricted_by: Vec::new(),
        route: None,
        gates: Vec::new(),
        comparison: None,
        sample: Vec::new(),
        records,
    }
}

fn header(policies: Vec<PlannedPolicy>) -> PlanHeader {
    PlanHeader {
        format: PLAN_FORMAT,
        tool: "0.1.0".into(),
        made_by: Actor { user: "ada".into(), host: "bench".into(), pipeline: None },
        created: "2026-11-21T20:00:00Z".parse().expect("valid"),
        expires: "2026-11-28T20:00:00Z".parse().expect("valid"),
        lineage: "5d8c7f0a".into(),
        serial: 3,
        manifests: SealedManifests { project: BTreeMap::new(), documents: Vec::new(), changes: String::new() },
        base: None,
        only: BTreeSet::new(),
        shared_limits: SharedLimits::default(),
        targets: BTreeMap::new(),
        holds: Vec::new(),
        policies,
    }
}

/// Writes a bundle with one policy `leads`.
fn write(directory: &Path, columns: &[&str], rows: &[Row], expected: u64) -> Digest {
    let columns: Vec<String> = columns.iter().map(|column| (*column).into()).collect();
    let writer = BundleWriter::create(&Place::of_machine(directory), "one").expect("writable");
    let mut records = writer.records(&policy_name("leads"), &columns, expected).expect("writable");
    rows.iter().try_for_each(|row| records.push(row)).expect("sorted");
    let seal = records.finish().expect("writable");
    writer.seal(&header(vec![planned("leads", seal)])).expect("writable")
}

fn read(directory: &Path) -> Vec<Row> {
    let bundle = Bundle::open(&Place::of_machine(directory)).expect("a bundle");
    let rows = bundle.rows(&policy_name("leads")).expect("the policy").expect("readable");
    rows.collect::<std::io::Result<_>>().expect("as sealed")
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory.join("records"))
        .expect("readable")
        .map(|entry| entry.expect("readable").path())
        .chain([directory.join("plan.json"), directory.join("SHA256SUMS")])
        .collect();
    files.sort();
    files
}

#[test]
fn small_records_files_can_be_read_by_people_and_cannot_harm_a_spreadsheet() {
    let home = tempfile::tempdir().expect("a directory");
    let plan = home.path().join("plan");
    let rows = [row("00Q000000000001EAA", &["=HYPERLINK(\"x\")", "a,b"]), row("00Q000000000002EAA", &["'quoted", "-1\n"])];
    write(&plan, &["Company", "Note"], &rows, 2);
    insta::assert_snapshot!(fs::read_to_string(plan.join("records/leads.csv")).expect("readable"), @r#"
    Id,Company,Note
    00Q000000000001EAA,"'=HYPERLINK(""x"")","a,b"
    00Q000000000002EAA,''quoted,'-1\u{a}
    "#);
    assert_eq!(read(&plan), rows);
}

#[test]
fn large_records_files_are_compressed_and_equal_records_give_equal_bytes() {
    let home = tempfile::tempdir().expect("a directory");
    let rows: Vec<Row> = (0..500).map(|number| row(&format!("{number:05}"), &[])).collect();
    let digests: Vec<Digest> = ["a", "b"].map(|name| write(&home.path().join(name), &[], &rows, 1_000_000)).into();
    assert_eq!(digests[0], digests[1]);
    assert!(home.path().join("a/records/leads.csv.gz").is_file());
    assert_eq!(read(&home.path().join("a")), rows);
}

#[test]
fn sha256sum_confirms_every_file() {
    let home = tempfile::tempdir().expect("a directory");
    write(home.path().join("plan").as_path(), &["Name"], &[row("a", &["x"])], 1);
    let checked = Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(home.path().join("plan")).output();
    // Not every machine has the program; where it is missing there is nothing to ask.
    if let Ok(output) = checked {
        assert_eq!(String::from_utf8_lossy(&output.stdout), "plan.json: OK\nrecords/leads.csv: OK\n");
        assert!(output.status.success());
    }
}

#[test]
fn any_flipped_bit_of_any_file_is_refused() {
    for expected in [1, 1_000_000] {
        let home = tempfile::tempdir().expect("a directory");
        let plan = home.path().join("plan");
        write(&plan, &["Name"], &[row("a", &["x"]), row("b", &["y"])], expected);
        let mut judged = 0;
        for file in files(&plan) {
            let whole = fs::read(&file).expect("readable");
            // One digest covers all of the header, so a part of its bytes tells as much as all of them, and sooner.
            let step = if file.ends_with("plan.json") { 7 } else { 1 };
            for place in (0..whole.len()).step_by(step) {
                let mut bytes = whole.clone();
                bytes[place] ^= 1 << (place % 8);
                fs::write(&file, &bytes).expect("writable");
                let opened = Bundle::open(&Place::of_machine(&plan));
                assert!(
                    matches!(opened, Err(BundleError::Altered { .. } | BundleError::SumsDiffer { .. })),
                    "byte {place} of {}: {opened:?}",
                    file.display()
                );
                judged += 1;
            }
            for bytes in [&whole[..whole.len() - 1], &[whole.as_slice(), b"\n"].concat(), b""] {
                fs::write(&file, bytes).expect("writable");
                assert!(Bundle::open(&Place::of_machine(&plan)).is_err(), "{}", file.display());
            }
            fs::write(&file, whole).expect("writable");
            Bundle::open(&Place::of_machine(&plan)).expect("whole again");
        }
        assert!(judged > 300, "the test looks at nothing: {judged} bytes");
    }
}

#[test]
fn a_checkout_that_changed_the_line_ends_is_told_from_other_alterations() {
    let home = tempfile::tempdir().expect("a directory");
    let plan = home.path().join("plan");
    write(&plan, &["Name"], &[row("a", &["x"]), row("b", &["two\r\nlines"])], 2);
    for file in files(&plan) {
        let whole = fs::read(&file).expect("readable");
        let text = String::from_utf8(whole.clone()).expect("text");
        let changed = text.replace("\r\n", "\n").replace('\n', "\r\n");
        fs::write(&file, &changed).expect("writable");
        let refused = Bundle::open(&Place::of_machine(&plan)).expect_err("altered").to_string();
        // A value's own line ends are written as escapes, so that those of the file are git's.
        assert!(refused.contains("let `.gitattributes` end with the lines `plan.json -text`, "), "{refused}");
        assert!(refused.contains(file.file_name().and_then(|name| name.to_str()).expect("a name")), "{refused}");
        fs::write(&file, format!("{changed} ")).expect("writable");
        let refused = Bundle::open(&Place::of_machine(&plan)).expect_err("altered").to_string();
        assert!(!refused.contains(".gitattributes"), "{refused}");
        fs::write(&file, whole).expect("writable");
    }
    write(&plan, &["Name"], &[row("a", &["x"])], 1);
    for file in files(&plan) {
        let text = fs::read_to_string(&file).expect("readable");
        fs::write(&file, text.replace('\n', "\r\n")).expect("writable");
    }
    let refused = Bundle::open(&Place::of_machine(&plan)).expect_err("altered").to_string();
    assert!(refused.starts_with("`plan.json` was altered") && refused.contains("`core.autocrlf`"), "{refused}");
}

#[test]
fn a_file_altered_after_the_opening_gives_an_error_at_its_end() {
    let home = tempfile::tempdir().expect("a directory");
    let plan = home.path().join("plan");
    write(&plan, &[], &[row("a", &[]), row("b", &[])], 2);
    let bundle = Bundle::open(&Place::of_machine(&plan)).expect("a bundle");
    fs::write(plan.join("records/leads.csv"), "Id\na\nc\n").expect("writable");
    let rows = bundle.rows(&policy_name("leads")).expect("the policy").expect("readable");
    let last = rows.last().expect("an end").expect_err("another file");
    assert!(last.to_string().starts_with("`records/leads.csv` was altered after the plan was sealed"), "{last}");
}

#[test]
fn says_what_is_wrong_with_a_bundle() {
    let home = tempfile::tempdir().expect("a directory");
    let plan = home.path().join("plan");
    let wrong = |damage: &dyn Fn()| {
        let _ = fs::remove_dir_all(&plan);
        write(&plan, &[], &[row("a", &[])], 1);
        damage();
        let text = Bundle::open(&Place::of_machine(&plan)).expect_err("damaged").to_string();
        text.replace(&home.path().display().to_string(), "HOME")
    };
    // Whoever alters a file and mends its digests makes another plan; its form is still checked.
    let reseal = |text: &str| {
        let records = plan.join("records/leads.csv");
        let before = Digest::of(&fs::read(&records).expect("readable"));
        fs::write(&records, text).expect("writable");
        let header = fs::read_to_string(plan.join("plan.json")).expect("readable");
        let header = header.replace(&before.to_string(), &Digest::of(text.as_bytes()).to_string());
        fs::write(plan.join("plan.json"), &header).expect("writable");
        let sums =
            format!("{}  plan.json\n{}  records/leads.csv\n", Digest::of(header.as_bytes()), Digest::of(text.as_bytes()));
        fs::write(plan.join("SHA256SUMS"), sums).expect("writable");
    };
    let rewrite = |from: &str, to: &str| {
        let header = fs::read_to_string(plan.join("plan.json")).expect("readable").replace(from, to);
        fs::write(plan.join("plan.json"), &header).expect("writable");
        let sums = fs::read_to_string(plan.join("SHA256SUMS")).expect("readable");
        let rest = sums.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        let sums = format!("{}  plan.json\n{rest}", Digest::of(header.as_bytes()));
        fs::write(plan.join("SHA256SUMS"), sums).expect("writable");
    };
    let lines = [
        wrong(&|| fs::remove_dir_all(&plan).expect("removed")),
        wrong(&|| fs::remove_file(plan.join("plan.json")).expect("removed")),
        wrong(&|| fs::remove_file(plan.join("SHA256SUMS")).expect("removed")),
        wrong(&|| fs::remove_file(plan.join("records/leads.csv")).expect("removed")),
        wrong(&|| fs::write(plan.join("records/more.csv"), "Id\n").expect("written")),
        wrong(&|| fs::write(plan.join("approved.csv"), "Id\n").expect("written")),
        wrong(&|| fs::create_dir(plan.join("more")).expect("made")),
        wrong(&|| fs::write(plan.join("records/leads.csv"), "Id\nb\n").expect("written")),
        wrong(&|| rewrite("\"format\": 1", "\"format\": 2")),
        wrong(&|| rewrite("\"format\": 1", "\"forms\": 2")),
        wrong(&|| rewrite("records/leads.csv", "records/../../leads.csv")),
        wrong(&|| rewrite("\"rows\": 1", "\"rows\": 2")),
        wrong(&|| reseal("Id\na\nb\n")),
        wrong(&|| reseal("Id\nb\na\n")),
        wrong(&|| reseal("Id\na\na\n")),
        wrong(&|| reseal("Id\n=1\n")),
        wrong(&|| reseal("Id\na b\n")),
        wrong(&|| reseal("Id,Name\na,b\n")),
        wrong(&|| reseal("Id\na,b\n")),
        wrong(&|| reseal("")),
    ];
    insta::assert_snapshot!(lines.join("\n"), @"
    there is no plan at `HOME/plan`: make one with `sexton plan`
    `HOME/plan` is not a plan: it has no `plan.json`
    `HOME/plan` is not a plan: it has no `SHA256SUMS`
    `records/leads.csv` is missing from the plan: restore it, or plan again
    `records/more.csv` is not part of the plan: move it away
    `approved.csv` is not part of the plan: move it away
    `more` is not part of the plan: move it away
    `records/leads.csv` was altered after the plan was sealed: its digest is a79244d7064c8a28aaf3e1794fc52fc0d89a18e92999f31c4ac65fb5f5d19aa4 and should be 55efa92ac40c276089218d6be5325b94e68b5eeec6282179cb305cdcbcc1190e; restore it, or plan again
    the plan at `HOME/plan` has format 2, and this version of sexton knows format 1: use the version that made it, or plan again
    `plan.json` is not what a plan has there: missing field `format` at line 66 column 1
    `SHA256SUMS` does not list what the plan seals: its lines are not the digests that `plan.json` seals; restore it, or plan again
    `plan.json` is not what a plan has there: `leads` selects 1 record and seals 2
    `records/leads.csv` is not what a plan has there: it holds 2 records, and the plan seals 1
    `records/leads.csv` is not what a plan has there: record 2 does not come after the one before it
    `records/leads.csv` is not what a plan has there: record 2 does not come after the one before it
    `records/leads.csv` is not what a plan has there: record 1 has no valid key: `=1` is not a record id: 1 to 36 ASCII letters, digits, `-` or `_`
    `records/leads.csv` is not what a plan has there: record 1 has no valid key: `a b` is not a record id: 1 to 36 ASCII letters, digits, `-` or `_`
    `records/leads.csv` is not what a plan has there: it does not begin with the line `Id`
    `records/leads.csv` is not what a plan has there: record 1 is not well formed: CSV error: record 1 (line: 2, byte: 3): found record with 2 fields, but the previous record has 1 fields
    `records/leads.csv` is not what a plan has there: it does not begin with the line `Id`
    ");
}

#[test]
fn what_others_hide_in_a_bundle_is_no_part_of_it() {
    let home = tempfile::tempdir().expect("a directory");
    let plan = home.path().join("plan");
    let digest = write(&plan, &[], &[row("a", &[])], 1);
    for hidden in [".DS_Store", ".plan.json.swp", "records/.leads.csv.swp"] {
        fs::write(plan.join(hidden), "theirs").expect("written");
    }
    assert_eq!(Bundle::open(&Place::of_machine(&plan)).expect("whole").digest(), digest);
    let copy = Place::of_machine(home.path().join("copy"));
    assert_eq!(Bundle::open_copy(&Place::of_machine(&plan), &copy).expect("whole").digest(), digest);
    fs::create_dir(plan.join("more")).expect("made");
    let copied = Bundle::open_copy(&Place::of_machine(&plan), &Place::of_machine(home.path().join("again")));
    assert!(matches!(copied, Err(BundleError::Extra { file }) if file == "more"));
}

#[test]
fn a_bundle_that_is_given_up_or_refused_leaves_the_old_one_in_place() {
    let home = tempfile::tempdir().expect("a directory");
    let plan = home.path().join("plan");
    let first = write(&plan, &[], &[row("a", &[])], 1);
    drop(BundleWriter::create(&Place::of_machine(&plan), "one").expect("writable"));

    let writer = BundleWriter::create(&Place::of_machine(&plan), "one").expect("writable");
    let mut records = writer.records(&policy_name("leads"), &[], 0).expect("writable");
    records.push(&row("b", &[])).expect("sorted");
    assert!(matches!(records.push(&row("b", &[])), Err(BundleError::Unwritable { .. })));
    assert!(matches!(records.push(&row("a", &[])), Err(BundleError::Unwritable { .. })));
    assert!(matches!(records.push(&row("c", &["more"])), Err(BundleError::Unwritable { .. })));
    records.finish().expect("writable");
    assert!(matches!(writer.seal(&header(Vec::new())), Err(BundleError::Extra { .. })));
    assert_eq!(Bundle::open(&Place::of_machine(&plan)).expect("the old one").digest(), first);
    assert_eq!(fs::read_dir(home.path()).expect("readable").count(), 1);

    let second = write(&plan, &[], &[row("c", &[])], 1);
    assert_eq!(Bundle::open(&Place::of_machine(&plan)).expect("the new one").digest(), second);
}

#[test]
fn a_row_that_would_fill_the_memory_is_neither_written_nor_read() {
    let home = tempfile::tempdir().expect("a directory");
    let plan = home.path().join("plan");
    let writer = BundleWriter::create(&Place::of_machine(&plan), "one").expect("writable");
    let mut records = writer.records(&policy_name("leads"), &["Note".into()], 1).expect("writable");
    let huge = "x".repeat(2 * 1024 * 1024 + 1);
    assert!(matches!(records.push(&row("a", &[&huge])), Err(BundleError::Unwritable { .. })));
    // The largest row that may be written, of the character that takes the most room, reads back.
    let largest = row("a", &[&"\"".repeat(2 * 1024 * 1024)]);
    records.push(&largest).expect("within the limit");
    let seal = records.finish().expect("writable");
    writer.seal(&header(vec![planned("leads", seal)])).expect("writable");
    assert_eq!(read(&plan), [largest]);

    let mut text = String::from("Id,Note\na,");
    text.extend(std::iter::repeat_n('x', 9 * 1024 * 1024));
    fs::write(plan.join("records/leads.csv"), &text).expect("writable");
    let before = Bundle::open(&Place::of_machine(&plan)).expect_err("altered");
    let BundleError::Altered { expected, found, .. } = before else { panic!("{before}") };
    let sealed = fs::read_to_string(plan.join("plan.json")).expect("readable");
    let sealed = sealed.replace(&expected.to_string(), &found.to_string());
    fs::write(plan.join("plan.json"), &sealed).expect("writable");
    let sums = format!("{}  plan.json\n{found}  records/leads.csv\n", Digest::of(sealed.as_bytes()));
    fs::write(plan.join("SHA256SUMS"), sums).expect("writable");
    let refused = Bundle::open(&Place::of_machine(&plan)).expect_err("too large").to_string();
    assert!(refused.contains("a row larger than any that is written"), "{refused}");
}

#[test]
fn refuses_to_replace_a_directory_with_anything_else_in_it() {
    let home = tempfile::tempdir().expect("a directory");
    let plan = home.path().join("plan");
    write(&plan, &[], &[row("a", &[])], 1);
    for foreign in ["thesis.txt", "records/letter.txt"] {
        fs::write(plan.join(foreign), "years of work").expect("writable");
        let refused = BundleWriter::create(&Place::of_machine(&plan), "one").err().expect("refused");
        assert!(matches!(&refused, BundleError::InTheWay { found, .. } if found == foreign), "{refused}");
        assert!(plan.join(foreign).exists());
        fs::remove_file(plan.join(foreign)).expect("removed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_values_read_back_exactly(
        rows in prop::collection::btree_map("[A-Za-z0-9_-]{1,36}", prop::collection::vec("[=+@\t\r\n',\";\u{0}\u{feff}é\\x20-]{0,6}", 3), 0..30),
        compressed: bool,
    ) {
        let home = tempfile::tempdir().expect("a directory");
        let plan = home.path().join("plan");
        let rows: Vec<Row> = rows
            .into_iter()
            .map(|(id, values)| Row { id: RecordId::new(&id).expect("valid"), values })
            .collect();
        write(&plan, &["One", "Two", "=Three"], &rows, if compressed { 1_000_000 } else { 0 });
        prop_assert_eq!(read(&plan), rows);
        if !compressed {
            let text = fs::read(plan.join("records/leads.csv")).expect("readable");
            let mut reader = csv::Reader::from_reader(text.as_slice());
            for record in reader.records() {
                for cell in &record.expect("well formed") {
                    prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{:?}", cell);
                }
            }
        }
    }
}
