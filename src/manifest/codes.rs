//! The codes of everything that can be wrong with manifests, each with a sentence. `docs/reference/diagnostics.md` is
//! printed from this table.

use crate::base::DiagnosticCode;

/// One code and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeEntry {
    /// The code.
    pub code: DiagnosticCode,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// What it means and what to do.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($name:ident $code:literal $title:literal $explanation:literal;)*) => {
        $(#[doc = concat!($title, ".")] pub const $name: DiagnosticCode = DiagnosticCode($code);)*

        /// Every code of manifests, in ascending order.
        pub const CODES: &[CodeEntry] =
            &[$(CodeEntry { code: DiagnosticCode($code), title: $title, explanation: $explanation }),*];
    };
}

codes! {
    CAPABILITY_ALL_OR_NONE "C0001" "No API can make this deletion all or nothing"
        "`allOrNone: true` and `allOrNone: perRequest` need an API with atomic requests: sObject Collections or Composite of Salesforce, which only delete softly. Every other API, and with it every hard delete, deletes each record separately. Remove `allOrNone`, or what asks for another API (`via`, `delete: hard`).";
    CAPABILITY_HARD "C0002" "The API cannot delete past the recycle bin"
        "In Salesforce only the Bulk APIs have a hard delete. Leave `via` out, or write `via: bulk2` or `via: bulk1`.";
    CAPABILITY_SERIAL "C0003" "The API cannot run one batch at a time"
        "Bulk API 2.0 always works in parallel. For `concurrency: serial` leave `via` out: Bulk API 1.0 is then used.";
    CAPABILITY_SYSTEM "C0004" "The API belongs to another kind of system"
        "`via` pins one of the deletion APIs of the target's own system.";
    CAPABILITY_SOFT "C0005" "The system has no recycle bin"
        "What Zuora and Fulcrum delete cannot be restored, so `delete: soft`, which is also the default, would be a false promise. Write `delete: hard` and a `justification`.";
    CAPABILITY_OBJECT "C0006" "Records of this object cannot be deleted"
        "Zuora's SOAP `delete()` accepts records of some objects only: not Payment, Refund, RatePlan, InvoiceItem and others, which are deleted with the record they belong to or stay. A hold may still name them.";
    CAPABILITY_CHILDREN "C0007" "The system does not describe which fields look up"
        "`children: all` of a hold follows the fields of which the system says that they look up to the held object. Fulcrum says it of none, so that the hold would keep no children. Name the fields, such as `children: [Inspections.site_id]`.";
    CAPABILITY_BATCH_SIZE "C0008" "No API takes batches of that size"
        "`batchSize` says how many records a batch begins with: from 1 to what the API takes, which [the capabilities](capabilities.md) list. With `allOrNone: true` everything goes in one request, so that there is nothing to say.";
    FILE_TOO_LARGE "M0001" "A manifest file is too large"
        "A manifest file may have up to 1 MiB. Split it. A file of more than 64 MiB is not looked into, and is reported since it may have a manifest: if it has none, name it in `.sextonignore`.";
    FILE_UNREADABLE "M0002" "A manifest file or directory cannot be read"
        "The operating system refused; the message gives its reason. There may be a manifest in it: if there is none, name it in `.sextonignore`.";
    NOT_UTF8 "M0003" "A manifest file is not UTF-8"
        "The message gives the first offending byte. Save the file as UTF-8.";
    CONTROL_CHARACTER "M0004" "A manifest file holds a control character"
        "YAML allows no control characters but tab, line feed and carriage return. Delete it, or write it as an escape in double quotes.";
    TAB_INDENTATION "M0005" "A line is indented with a tab"
        "YAML indents with spaces only.";
    SYNTAX "M0006" "The text is not YAML"
        "The caret is where reading had to stop; the mistake is there or just before. Other documents of the same file are still read.";
    ALIAS_BOMB "M0007" "Aliases repeat too much text"
        "Aliases (`*name`) may bring in only a limited number of values per document, so that a small file cannot become a huge one. Write the values out.";
    TOO_COMPLEX "M0008" "A document is nested too deeply or holds too many values"
        "A document may be 32 levels deep and hold 20,000 values. No manifest needs more.";
    NO_DOCUMENTS "M0009" "There is no manifest"
        "No `.yaml` or `.yml` file has a document of Sexton's. `sexton init` writes a first one; `sexton validate --files` lists what was passed over.";
    YAML_FEATURE "M0010" "A YAML feature that manifests do not have"
        "Merge keys (`<<`), tags (`!name`) and keys that are not text are not part of manifests.";
    IGNORE_FILE "M0011" "`.sextonignore` cannot be used"
        "It has one pattern a line, as `.gitignore` has them. Otherwise nobody knows what it was to pass over.";
    IGNORED_HOLD "M0012" "`.sextonignore` names a hold"
        "A hold is never passed over. A file with a document of Sexton's whose kind is missing or unknown may have one. Change the pattern, or move the file out of the project.";
    MANIFEST_IN_OUTPUT "M0013" "A manifest lies where Sexton writes"
        "The directories that the Project document names, or its defaults (`plan` and `.sexton`), are written by Sexton and have no manifests. Move the file.";
    UNKNOWN_KEY "M0101" "A key is not known here"
        "The key is misspelt or in the wrong place. Nothing is silently ignored, since an ignored key can widen what is deleted. The note lists the keys that are known there.";
    DUPLICATE_KEY "M0102" "A key is given twice"
        "Only one of the two can be meant. Delete the other.";
    MISSING_KEY "M0103" "A key is missing"
        "The key has no default.";
    WRONG_TYPE "M0104" "A value has the wrong type"
        "The message says what was expected and what was found.";
    UNKNOWN_API_VERSION "M0105" "The manifest's format is not known"
        "This version reads `apiVersion: sexton/v1`. It is the format of the manifest, not the version of a system's API.";
    UNKNOWN_KIND "M0106" "The kind of document is not known"
        "The kinds are `Project`, `Target`, `DeletionPolicy` and `Hold`.";
    BAD_NAME "M0107" "A name is not a DNS label"
        "Names have lower-case letters, digits and `-`, start and end with a letter or digit, and have at most 63 characters: they become file names, anchors and arguments.";
    DUPLICATE_NAME "M0108" "Two documents of one kind have the same name"
        "Both places are shown. Rename or delete one.";
    UNKNOWN_VALUE "M0109" "A value is not one of the known ones"
        "The help lists them and names the nearest.";
    BLANK_TEXT "M0110" "A text is blank"
        "The key needs a value.";
    DUPLICATE_ENTRY "M0111" "A list names the same thing twice"
        "Delete one of them.";
    BOOLEAN_FORM "M0201" "A yes-or-no value is quoted or in an old spelling"
        "Write `true` or `false`, without quotes. Other tools read `\"false\"` as true, or `no` as text; here it is an error.";
    NUMBER_FORM "M0202" "A number has a form that readers disagree about"
        "`017`, `0x1F`, `1_000`, `1e3` and `.inf` mean different things to different readers of YAML. Write plain digits, or put quotes round what is meant as text.";
    DURATION "M0203" "A duration has no unit, or is not a duration"
        "Write a count and a unit: minutes, hours, days, weeks, months or years, such as `90 days` or `3 years`. A number alone is never guessed at.";
    NUMBER_RANGE "M0204" "A number is out of range"
        "Counts are whole numbers, 0 or more; `maxCalls` is at least 10 and at most what the system accepts.";
    PERCENTAGE "M0205" "A percentage is out of range or has a sign"
        "Write a number from 0 to 100 with at most two decimals, without `%`.";
    DATE "M0206" "A date is not a day of the calendar"
        "Write year, month and day, such as `2027-01-31`.";
    TIME_ZONE "M0207" "A time zone is not known"
        "Write a name from the IANA time zone database, such as `UTC` or `Europe/Berlin`.";
    FIELD_NAME "M0208" "A text is not the name of an object or a field"
        "Names have letters, digits and `_` and start with a letter (Fulcrum's own fields with `_`; its forms have free names). The path of a related field joins up to five relationships with dots, such as `Account.Owner.Name`.";
    API_VERSION_FORM "M0209" "A system's API version is malformed"
        "Write a whole number and one decimal as text, such as `\"66.0\"`.";
    PLAN_DIRECTORY "M0210" "The plan directory is not one below the project's"
        "A plan is reviewed with the manifests it was made from, so `planDirectory` is a path below the project's directory, without `..`. The store may lie anywhere; `sexton plan --out` writes to any place.";
    LITERAL_SECRET "M0301" "A secret is written in the manifest"
        "Manifests are kept in repositories, so they hold references only: `{ env: NAME }`, `{ file: PATH }` or `{ command: [PROGRAM, ARGUMENT] }`. The value is not repeated in any message. If the file has been shared, change the secret.";
    SECRET_REFERENCE "M0302" "A secret reference is malformed"
        "A reference has exactly one of `env`, `file` and `command`.";
    SEVERAL_SYSTEMS "M0303" "A target names more than one system"
        "A target is one system. Write a document for each.";
    NO_SYSTEM "M0304" "A target names no system that this version knows"
        "This version knows `salesforce`, `zuora` and `fulcrum`.";
    LOGIN_URL "M0305" "A login URL is not acceptable"
        "It must be `https://` and a host, and nothing else: no user, password, path, query or fragment. Plain `http://` is accepted for a loopback address only, where the sandbox listens. Client credentials need the org's My Domain host.";
    ORGANIZATION_ID "M0306" "A Salesforce organization id is malformed"
        "It has 15 or 18 letters and digits, starts with `00D`, and the last three of 18 are a checksum over the case of the others. Copy it from Setup, Company Information.";
    SIGN_IN "M0307" "A target needs exactly one way to sign in"
        "In Salesforce the ways are `clientCredentials`, `jwt`, `refreshToken`, `accessToken`, `sfCli` and `soapLogin`. A login to Zuora names its entity by at most one of `entityId` and `entityName`.";
    SOAP_LOGIN_RETIRES "M0308" "SOAP login is about to retire"
        "API versions above 64.0 have no SOAP `login()`, new orgs have it switched off, and it ends for all with Summer '27. This is a warning: it works where it still exists. Move to an OAuth way to sign in, such as `clientCredentials`.";
    MISSING_FILTER "M0401" "There is no filter"
        "A policy or hold says which records are meant. To mean every record of the object, write `filter: everything`.";
    BLANK_FILTER "M0402" "The filter is blank"
        "A blank filter could mean everything or nothing, so it means neither.";
    EVERYTHING_WITHOUT_LIMITS "M0403" "A policy for every record has no limits of its own"
        "`filter: everything` needs `limits` with both `maxRecords` and `maxPercent` in the same policy: the project's limits do not apply to it.";
    FILTER_TREE "M0404" "A filter tree is not complete"
        "A node is `all` or `any` with at least one part, `not` with one part, or `field` with exactly one comparison. An empty `all` would mean every record.";
    NO_JUSTIFICATION "M0405" "A hard delete has no justification"
        "`delete: hard` cannot be undone. `justification` says why it is right; it is kept in the plan for reviewers and auditors.";
    PASSES_OVER_EMPTY "M0406" "A hold passes over records whose field is empty"
        "In PostgreSQL (Fulcrum) a comparison such as `<>` or `NOT IN` never matches an empty field; in ZOQL (Zuora) it is not documented whether `!=` does. A hold is then silent about those records. Name them too, or write a tree: `notEquals` and `not` match an empty field. This is a warning.";
    ID_LIST "M0407" "A list of ids cannot be used"
        "A list has one id a line, or is a CSV file whose header has a column `Id`, or the one that `column` names. Each id is of the policy's or hold's object, well formed and there once. Nothing of a list is passed over: a hold that misses one record does not protect it.";
    UNKNOWN_TARGET "M0501" "A target is not defined"
        "No document of kind `Target` has that name.";
    UNKNOWN_DEPENDENCY "M0502" "A policy in `dependsOn` is not defined"
        "No document of kind `DeletionPolicy` has that name.";
    DEPENDENCY_CYCLE "M0503" "Policies wait for each other"
        "The path is shown; delete one `dependsOn` on it.";
    SELF_DEPENDENCY "M0504" "A policy depends on itself"
        "Delete that entry of `dependsOn`.";
    SEVERAL_PROJECTS "M0505" "There is more than one project document"
        "Settings apply to the whole directory, so it may have only one document of kind `Project`.";
    FILTER_SYNTAX "Q0001" "The filter text does not parse"
        "The caret is inside the filter. Filters are conditions in the target's own language, without `WHERE`.";
    FILTER_MEANING "Q0002" "The filter has no meaning in the target's language or for the object"
        "A value does not fit the comparison, or no record that could be deleted can match it.";
    NO_SUCH_FIELD "Q0101" "The object has no such field"
        "The system describes the object to this login without the field. Correct the name, or grant the login the right to read the field.";
    DOES_NOT_FIT "Q0102" "The filter does not fit the types of the object's fields"
        "The system describes the field with another type than the comparison needs.";
    NO_SUCH_OBJECT "Q0103" "The system has no such object"
        "It does not exist, or this login cannot see it; the note has the system's own answer. A hold on an object that cannot be read would protect nothing, so it is an error.";
    NO_SUCH_LOOKUP "Q0104" "A field does not look up to the object of a hold"
        "`children` of a hold names fields by which records look up to those that the hold names, such as `Case.AccountId`.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_explain_themselves() {
        assert!(CODES.is_sorted_by(|left, right| left.code < right.code), "a code is out of order or used twice");
        for entry in CODES {
            assert!(entry.code.0.len() == 5 && "CMQ".contains(&entry.code.0[..1]), "{entry:?}");
            assert!(entry.explanation.ends_with('.') && !entry.title.ends_with('.'), "{entry:?}");
        }
    }
}
