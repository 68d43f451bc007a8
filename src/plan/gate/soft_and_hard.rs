//! Whether nobody would delete the same records in the other way: a record cannot go into the recycle bin and past it.

use super::finding::Finding;
use super::input::GateInput;
use crate::base::counted;
use crate::system::DeleteMode;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let mixed = input.mixed?;
    let [this, other] = match input.settings.delete {
        DeleteMode::Soft => ["soft", "hard"],
        DeleteMode::Hard => ["hard", "soft"],
    };
    const NAMED: usize = 3;
    let mut others: Vec<String> = mixed.others.iter().take(NAMED).map(|policy| format!("`{policy}`")).collect();
    if mixed.others.len() > NAMED {
        others.push(format!("{} more", mixed.others.len() - NAMED));
    }
    let examples: Vec<String> = mixed.examples.iter().map(|id| id.to_string()).collect();
    let more = if mixed.records > mixed.examples.len() as u64 { ", …" } else { "" };
    Some(Finding::refuse(format!(
        "this policy {this} deletes {} that {} would {other} delete ({}{more}): exclude them from one of the filters, or give the \
         policies the same `delete`",
        counted(mixed.records, "record"),
        others.join(", "),
        examples.join(", "),
    )))
}

#[cfg(test)]
mod tests {
    use super::super::super::overlap::MixedDeletion;
    use super::super::scene::{Scene, scene};
    use super::*;
    use crate::base::{PolicyName, RecordId};

    #[test]
    fn refuses_records_that_another_policy_would_delete_in_the_other_way() {
        assert_eq!(scene().said(ask), "not asked");
        let mut mixed = MixedDeletion::default();
        for number in 1..=606 {
            let id = RecordId::new(&format!("00Q00000000{number:04}EAA")).expect("valid");
            let others = ["purge", "erase", "wipe", "shred"].map(|name| PolicyName::new(name).expect("valid"));
            mixed.add(id, others.into_iter().take(if number == 9 { 4 } else { 1 }));
        }
        let said = Scene { mixed: Some(mixed), ..scene() }.said(ask);
        insta::assert_snapshot!(said, @"refuse: this policy soft deletes 606 records that `erase`, `purge`, `shred`, 1 more would hard delete (00Q000000000001EAA, 00Q000000000002EAA, 00Q000000000003EAA, …): exclude them from one of the filters, or give the policies the same `delete`");
    }
}
