//! The forms every sandbox has.

use super::ColumnKind::{Array, Date, Double, Integer, Text};
use super::Form;

/// The example forms, without records.
pub(super) fn forms() -> Vec<Form> {
    vec![
        Form::new(
            "6b1c2f0a-35d7-4c7e-9b0e-2f6f1a8d4c01",
            "Park Inventory",
            &["Good", "Needs repair", "Removed"],
            &[
                ("asset", Text),
                ("park", Text),
                ("materials", Array),
                ("height", Double),
                ("inspections", Integer),
                ("last_inspection", Date),
            ],
        ),
        Form::new(
            "6b1c2f0a-35d7-4c7e-9b0e-2f6f1a8d4c02",
            "Site Visits",
            &["Planned", "Done", "Cancelled"],
            &[("customer", Text), ("email", Text), ("visited_on", Date), ("notes", Text)],
        ),
        Form::new(
            "6b1c2f0a-35d7-4c7e-9b0e-2f6f1a8d4c03",
            "Testing App",
            &["keep", "delete_this"],
            &[("title", Text), ("amount", Double)],
        ),
    ]
}
