//! Whatever becomes of the disk and of the process, there is the whole old plan or the whole new one.

use std::path::Path;
use std::sync::Arc;

use sexton::base::Digest;
use sexton::store::{Bundle, BundleError, BundleWriter, DiskFault, Files, Place, SimulatedDisk};

use super::{header, planned, policy_name, row};

/// A disk with a project, in which the directory of plans is not yet there.
fn disk(seed: u64) -> (SimulatedDisk, Place) {
    let disk = SimulatedDisk::new(seed);
    disk.create_directory(Path::new("project")).expect("made");
    disk.sync_directory(Path::new("/")).expect("synced");
    let plan = Place::new(Arc::new(disk.clone()), "project/plans/of/today/plan");
    (disk, plan)
}

/// Writes a plan of two policies. Which one it is shows in its name and in every row.
fn write(plan: &Place, which: char) -> Result<Digest, BundleError> {
    let writer = BundleWriter::create(plan, &which.to_string())?;
    let mut policies = Vec::new();
    for (name, rows, expected) in [("leads", 5, 0), ("cases", 3, u64::MAX)] {
        let mut records = writer.records(&policy_name(name), &[], expected)?;
        (0..rows).try_for_each(|number| records.push(&row(&format!("{which}{number:08}"), &[])))?;
        policies.push(planned(name, records.finish()?));
    }
    writer.seal(&header(policies))
}

/// The plan that is there, every byte of it proven; `None` where there is none.
fn read(plan: &Place) -> Result<Option<Digest>, BundleError> {
    match Bundle::open(plan) {
        Ok(bundle) => Ok(Some(bundle.digest())),
        Err(BundleError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is beside the plan and hidden.
fn beside(plan: &Place) -> Vec<String> {
    let names = plan.parent().list().unwrap_or_default();
    names.iter().map(|name| name.to_string_lossy().into_owned()).filter(|name| name != "plan").collect()
}

/// How many operations of the disk writing a plan takes, without and with one that is there already.
fn operations() -> [u64; 2] {
    let (disk, plan) = disk(0);
    let mut before = disk.operations();
    ['a', 'b'].map(|which| {
        write(&plan, which).expect("written");
        let operations = disk.operations() - before;
        before = disk.operations();
        operations
    })
}

#[test]
fn a_loss_of_power_at_any_operation_leaves_the_old_plan_or_the_new_one() {
    let [first, second] = operations();
    for (has_old, operations) in [(false, first), (true, second)] {
        // The last one is no operation of the plan any more: it was acknowledged by then.
        for (number, seed) in (0..=operations).flat_map(|number| (0..12).map(move |seed| (number, seed))) {
            let (disk, plan) = disk(seed);
            let old = has_old.then(|| write(&plan, 'a').expect("written"));
            disk.fail_at(number, DiskFault::PowerLoss);
            let written = write(&plan, 'b').ok();
            disk.heal();
            disk.crash();
            let at = format!("power lost at {number} of {operations}, seed {seed}");
            let found = read(&plan).unwrap_or_else(|error| panic!("{at}: {error}"));
            match written {
                Some(new) => assert_eq!(found, Some(new), "{at}"),
                None => assert!(found == old || found.is_some(), "{at}: the old one is lost"),
            }
            assert_eq!(beside(&plan), [""; 0], "{at}");
            // What was found is there to stay, and the next plan takes its place.
            let next = write(&plan, 'c').expect("written");
            assert_eq!(read(&plan).expect("whole"), Some(next), "{at}");
        }
    }
}

#[test]
fn a_process_killed_at_any_operation_leaves_the_old_plan_or_the_new_one_and_nothing_beside_it() {
    let [_, operations] = operations();
    for number in 0..operations {
        let (disk, plan) = disk(number);
        write(&plan, 'a').expect("written");
        disk.fail_at(number, DiskFault::PowerLoss);
        let written = write(&plan, 'b').ok();
        disk.heal();
        disk.kill();
        let found = read(&plan).expect("whole").expect("there");
        assert_eq!(beside(&plan), [""; 0], "killed at {number}");
        assert!(written == Some(found) || written.is_none(), "killed at {number}");
        // Whoever looked at it relies on it: it survives a loss of power right then.
        disk.crash();
        assert_eq!(read(&plan).expect("whole"), Some(found), "killed at {number}");
    }
}

#[test]
fn whatever_the_disk_does_there_is_a_whole_plan_and_an_error_names_a_file() {
    let [_, operations] = operations();
    for fault in [DiskFault::Refused, DiskFault::DoneButFailed, DiskFault::Short, DiskFault::NoSpace] {
        for number in 0..operations {
            let (disk, plan) = disk(number);
            let old = write(&plan, 'a').expect("written");
            disk.fail_at(number, fault);
            let written = write(&plan, 'b');
            disk.heal();
            let at = format!("{fault:?} at {number}");
            let found = read(&plan).unwrap_or_else(|error| panic!("{at}: {error}")).expect("there");
            match written {
                Ok(new) => assert_eq!(found, new, "{at}"),
                Err(error) => {
                    assert!(error.to_string().contains("`project/plans/of/today"), "{at}: {error}");
                    // Nothing tells that the new one is there but that the disk did what it said it had not done.
                    assert!(found == old || fault == DiskFault::DoneButFailed || fault == DiskFault::Refused, "{at}");
                }
            }
            assert_eq!(beside(&plan), [""; 0], "{at}");
        }
    }
}

#[test]
fn a_full_disk_is_told_and_the_old_plan_stays() {
    let (disk, plan) = disk(1);
    let old = write(&plan, 'a').expect("written");
    disk.fail_by_chance(1_000, vec![DiskFault::NoSpace]);
    let error = write(&plan, 'b').expect_err("full");
    assert!(error.to_string().contains("`project/plans/of/today"), "{error}");
    disk.heal();
    assert_eq!(read(&plan).expect("whole"), Some(old));
}
