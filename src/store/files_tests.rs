//! The machine's files and the simulated disk's do the same, and the simulated one loses what was not synced.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use super::{
    DiskFault, FileHandle, FileKind, FileStream, Files, LocalFiles, OpenMode, SimulatedDisk, create_directories, parent_of,
};

/// Runs a test on a directory of the machine and on one of a simulated disk.
fn on_both(test: impl Fn(&dyn Files, &Path)) {
    let directory = tempfile::tempdir().expect("a directory");
    test(&LocalFiles, directory.path());
    let disk = SimulatedDisk::new(1);
    disk.create_directory(Path::new("/home")).expect("made");
    test(&disk, Path::new("/home"));
}

fn write(files: &dyn Files, path: &Path, bytes: &[u8]) -> Arc<dyn FileHandle> {
    let handle = files.open(path, OpenMode::Truncate).expect("opened");
    handle.write_all_at(bytes, 0).expect("written");
    handle
}

fn read(files: &dyn Files, path: &Path) -> Result<Vec<u8>, ErrorKind> {
    files.open(path, OpenMode::Read).and_then(|handle| handle.read_whole(1 << 20)).map_err(|error| error.kind())
}

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn files_are_opened_as_they_are_asked_for() {
    on_both(|files, home| {
        let path = home.join("file");
        assert_eq!(read(files, &path), Err(ErrorKind::NotFound));
        files.open(&path, OpenMode::CreateNew).expect("made").write_all_at(b"one", 0).expect("written");
        assert_eq!(kind(files.open(&path, OpenMode::CreateNew)), Some(ErrorKind::AlreadyExists));
        let handle = files.open(&path, OpenMode::ReadWrite).expect("opened");
        handle.write_all_at(b"!", 3).expect("written");
        assert_eq!(read(files, &path), Ok(b"one!".to_vec()));
        assert_eq!(files.metadata(&path).expect("there").length, 4);
        assert_eq!(kind(handle.read_whole(3)), Some(ErrorKind::FileTooLarge));
        files.open(&path, OpenMode::Truncate).expect("opened");
        assert_eq!(handle.length().expect("known"), 0);
        handle.write_all_at(b"x", 2).expect("written");
        assert_eq!(read(files, &path), Ok(b"\0\0x".to_vec()));
        handle.set_length(1).expect("cut");
        assert_eq!(read(files, &path), Ok(b"\0".to_vec()));
        assert!(files.open(&path, OpenMode::Read).expect("opened").write_at(b"x", 0).is_err());
        assert_eq!(kind(handle.read_exact_at(&mut [0; 2], 0)), Some(ErrorKind::UnexpectedEof));
    });
}

#[test]
fn names_are_made_moved_and_removed() {
    on_both(|files, home| {
        let at = |name: &str| home.join(name);
        assert_eq!(kind(files.create_directory(&at("a/b"))), Some(ErrorKind::NotFound));
        create_directories(files, &at("a/b"), true).expect("made");
        create_directories(files, &at("a/b"), true).expect("there already");
        assert_eq!(kind(files.create_directory(&at("a"))), Some(ErrorKind::AlreadyExists));
        assert_eq!(files.metadata(&at("a/b")).expect("there").kind, FileKind::Directory);
        write(files, &at("a/one"), b"1");
        write(files, &at("a/two"), b"2");
        assert_eq!(kind(files.link(&at("a/one"), &at("a/two"))), Some(ErrorKind::AlreadyExists));
        files.link(&at("a/one"), &at("a/three")).expect("linked");
        files.rename(&at("a/one"), &at("a/two")).expect("replaced");
        assert_eq!(kind(files.rename(&at("a/one"), &at("a/two"))), Some(ErrorKind::NotFound));
        assert_eq!((read(files, &at("a/two")), read(files, &at("a/three"))), (Ok(b"1".to_vec()), Ok(b"1".to_vec())));
        assert_eq!(files.list(&at("a")).expect("listed"), ["b", "three", "two"]);
        assert_eq!(kind(files.open(&at("a/two/x"), OpenMode::Read)), Some(ErrorKind::NotADirectory));
        assert_eq!(kind(files.remove_empty_directory(&at("a"))), Some(ErrorKind::DirectoryNotEmpty));
        assert_eq!(kind(files.remove_empty_directory(&at("a/two"))), Some(ErrorKind::NotADirectory));
        files.remove_empty_directory(&at("a/b")).expect("removed");
        files.remove_file(&at("a/two")).expect("removed");
        assert_eq!(kind(files.remove_file(&at("a/two"))), Some(ErrorKind::NotFound));
        files.rename(&at("a"), &at("c")).expect("moved");
        assert_eq!(read(files, &at("c/../c/./three")), Ok(b"1".to_vec()));
        files.remove_directory(&at("c")).expect("removed");
        assert_eq!(kind(files.list(&at("c"))), Some(ErrorKind::NotFound));
        files.sync_directory(home).expect("synced");
    });
}

#[test]
fn a_lock_is_its_handles_and_goes_with_it() {
    on_both(|files, home| {
        let open = || files.open(&home.join("lock"), OpenMode::ReadWrite).expect("opened");
        let (first, second) = (open(), open());
        assert!(first.try_lock().expect("locks"));
        assert!(!second.try_lock().expect("locks"));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| second.lock().expect("locks"));
            drop(first);
            waiting.join().expect("had");
        });
        assert!(!open().try_lock().expect("locks"));
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_sync_of_the_machine_reaches_the_system() {
    // What has nothing to sync says so.
    let nothing = LocalFiles.open(Path::new("/dev/null"), OpenMode::ReadWrite).expect("opened");
    assert_eq!(kind(nothing.sync()), Some(ErrorKind::InvalidInput));
    assert_eq!(kind(LocalFiles.sync_directory(Path::new("/proc"))), Some(ErrorKind::InvalidInput));
}

#[test]
fn a_path_resolves_to_the_one_without_detours() {
    on_both(|files, home| {
        create_directories(files, &home.join("a/b"), false).expect("made");
        let resolved = |path: &str| files.resolve(&home.join(path)).map_err(|error| error.kind());
        assert_eq!(resolved("a/./b/../b"), resolved("a/b"));
        assert_ne!(resolved("a/b"), resolved("a"));
        assert_eq!(resolved("a/c"), Err(ErrorKind::NotFound));
    });
}

#[test]
fn a_killed_process_has_no_locks_and_loses_nothing() {
    let disk = SimulatedDisk::new(1);
    let handle = write(&disk, Path::new("file"), b"abc");
    assert!(handle.try_lock().expect("locks"));
    disk.fail_at(0, DiskFault::PowerLoss);
    assert!(handle.write_all_at(b"d", 3).is_err());
    disk.kill();
    assert!(handle.length().is_err());
    assert_eq!(read(&disk, Path::new("file")), Ok(b"abc".to_vec()));
    assert!(disk.open(Path::new("file"), OpenMode::Read).expect("there").try_lock().expect("free"));
}

#[test]
fn a_stream_reads_and_writes_from_where_it_is() {
    on_both(|files, home| {
        let mut stream = FileStream::new(files.open_unnamed(home).expect("opened"));
        assert_eq!(files.list(home).expect("listed").len(), 0);
        stream.write_all(b"one two").expect("written");
        stream.seek(SeekFrom::End(-3)).expect("there");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("readable");
        assert_eq!(text, "two");
        stream.seek(SeekFrom::Current(-7)).expect("there");
        assert_eq!(kind(stream.seek(SeekFrom::Current(-1))), Some(ErrorKind::InvalidInput));
        stream.read_to_string(&mut text).expect("readable");
        assert_eq!(text, "twoone two");
    });
}

/// What of `expected` is there after a crash, over many seeds.
fn after_crashes(prepare: impl Fn(&SimulatedDisk), path: &str) -> Vec<Option<Vec<u8>>> {
    let mut found: Vec<Option<Vec<u8>>> = Vec::new();
    for seed in 0..512 {
        let disk = SimulatedDisk::new(seed);
        prepare(&disk);
        disk.crash();
        found.push(read(&disk, Path::new(path)).ok());
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn a_crash_keeps_what_was_synced_and_loses_some_of_the_rest() {
    let (unsynced, name_only, bytes_only, both) = (false, true, false, true);
    let prepared = |sync_bytes: bool, sync_name: bool| {
        after_crashes(
            |disk| {
                let handle = write(disk, Path::new("file"), b"abc");
                if sync_bytes {
                    handle.sync().expect("synced");
                }
                if sync_name {
                    disk.sync_directory(Path::new("/")).expect("synced");
                }
            },
            "file",
        )
    };
    let torn = [b"".to_vec(), b"a".to_vec(), b"ab".to_vec(), b"abc".to_vec()].map(Some);
    assert_eq!(prepared(both, both), [Some(b"abc".to_vec())]);
    assert_eq!(prepared(bytes_only, name_only), torn);
    assert_eq!(prepared(true, false), [None, Some(b"abc".to_vec())]);
    assert_eq!(prepared(unsynced, unsynced), [[None].as_slice(), &torn].concat());
}

#[test]
fn a_crash_undoes_names_that_were_changed_and_not_synced() {
    let (one, two) = (Some(b"one".to_vec()), Some(b"two".to_vec()));
    let prepare = |disk: &SimulatedDisk, change: &dyn Fn()| {
        disk.create_directory(Path::new("d")).expect("made");
        write(disk, Path::new("d/one"), b"one").sync().expect("synced");
        write(disk, Path::new("d/two"), b"two").sync().expect("synced");
        disk.sync_directory(Path::new("d")).expect("synced");
        disk.sync_directory(Path::new("/")).expect("synced");
        change();
    };
    let rename = |disk: &SimulatedDisk| disk.rename(Path::new("d/two"), Path::new("d/one")).expect("renamed");
    let found = after_crashes(|disk| prepare(disk, &|| rename(disk)), "d/one");
    assert_eq!(found, [one.clone(), two.clone()]);
    let found = after_crashes(|disk| prepare(disk, &|| disk.remove_directory(Path::new("d")).expect("removed")), "d/one");
    assert_eq!(found, [None, one]);
    let synced = |disk: &SimulatedDisk| {
        rename(disk);
        disk.sync_directory(Path::new("d")).expect("synced");
    };
    assert_eq!(after_crashes(|disk| prepare(disk, &|| synced(disk)), "d/one"), [two]);
    assert_eq!(after_crashes(|disk| prepare(disk, &|| synced(disk)), "d/two"), [None]);
}

#[test]
fn a_rename_that_is_durable_is_not_undone_by_an_older_change() {
    for seed in 0..512 {
        let disk = SimulatedDisk::new(seed);
        disk.create_directory(Path::new("d")).expect("made");
        disk.sync_directory(Path::new("/")).expect("synced");
        write(&disk, Path::new("new"), b"1").sync().expect("synced");
        disk.rename(Path::new("new"), Path::new("d/old")).expect("renamed");
        disk.sync_directory(Path::new("d")).expect("synced");
        disk.crash();
        assert_eq!(read(&disk, Path::new("d/old")), Ok(b"1".to_vec()));
        assert_eq!(read(&disk, Path::new("new")), Err(ErrorKind::NotFound));
    }
}

#[test]
fn a_crash_ends_every_process() {
    let disk = SimulatedDisk::new(1);
    let path = Path::new("file");
    let handle = write(&disk, path, b"1");
    handle.sync().expect("synced");
    disk.sync_directory(parent_of(path)).expect("synced");
    assert!(handle.try_lock().expect("locks"));
    disk.fail_at(1, DiskFault::PowerLoss);
    handle.length().expect("the operation before it");
    assert!(handle.length().is_err());
    assert!(disk.metadata(path).is_err());
    disk.crash();
    assert!(handle.length().is_err());
    let next = disk.open(path, OpenMode::Read).expect("there");
    assert!(next.try_lock().expect("free"));
    drop(handle);
    assert!(!disk.open(path, OpenMode::Read).expect("there").try_lock().expect("locks"));
}

#[test]
fn a_fault_comes_at_its_operation_and_as_it_is_named() {
    let fresh = || {
        let disk = SimulatedDisk::new(7);
        let handle = write(&disk, Path::new("file"), b"1234");
        (disk, handle)
    };
    let (disk, handle) = fresh();
    disk.fail_at(0, DiskFault::Refused);
    assert!(disk.rename(Path::new("file"), Path::new("other")).is_err());
    disk.fail_at(0, DiskFault::DoneButFailed);
    assert!(disk.rename(Path::new("file"), Path::new("other")).is_err());
    assert_eq!(disk.list(Path::new("/")).expect("listed"), ["other"]);
    disk.fail_at(0, DiskFault::Short);
    assert_eq!(handle.write_at(b"abcd", 0).expect("by half"), 2);
    disk.fail_at(0, DiskFault::NoSpace);
    assert_eq!(kind(handle.write_at(b"wxyz", 4)), Some(ErrorKind::StorageFull));
    assert_eq!(read(&disk, Path::new("other")), Ok(b"ab34wx".to_vec()));
    disk.fail_at(0, DiskFault::NoSpace);
    assert_eq!(kind(disk.create_directory(Path::new("d"))), Some(ErrorKind::StorageFull));
    disk.fail_at(0, DiskFault::Refused);
    assert!(handle.read_at(&mut [0], 0).is_err());
    // By chance: the same seed fails at the same places.
    let failures = || {
        let (disk, handle) = fresh();
        disk.fail_by_chance(200, vec![DiskFault::Refused, DiskFault::NoSpace]);
        (0..100).filter(|_| handle.write_at(b"x", 0).is_err()).collect::<Vec<u32>>()
    };
    assert_eq!(failures(), failures());
    assert!((5..60).contains(&failures().len()), "{:?}", failures());
}

#[test]
fn a_sync_that_is_refused_is_not_made_good_by_the_next_one() {
    let found = after_crashes(
        |disk| {
            let handle = write(disk, Path::new("file"), b"abc");
            disk.sync_directory(Path::new("/")).expect("synced");
            disk.fail_at(0, DiskFault::Refused);
            assert!(handle.sync().is_err());
            handle.sync().expect("synced");
        },
        "file",
    );
    assert!(found.contains(&Some(b"".to_vec())) && found.contains(&Some(b"abc".to_vec())), "{found:?}");
}

#[test]
fn what_nothing_reaches_is_forgotten() {
    let disk = SimulatedDisk::new(1);
    for round in 0..1_000 {
        drop(disk.open_unnamed(Path::new("/")).expect("opened"));
        write(&disk, Path::new("file"), &[round as u8]).sync().expect("synced");
        disk.remove_file(Path::new("file")).expect("removed");
        disk.sync_directory(Path::new("/")).expect("synced");
    }
    assert!(disk.nodes() < 200, "{}", disk.nodes());
}
