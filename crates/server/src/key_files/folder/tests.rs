use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;

/// A folder that is looked at, at times that a test names.
struct Case {
    dir: TempDir,
    folder: Folder,
    began: Instant,
}

impl Case {
    /// With one file, which was read.
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.txt"), text).unwrap();
        let folder = Folder::new("google", dir.path());
        let began = Instant::now();
        let mut case = Self { dir, folder, began };
        case.look(Look::Now, 0);
        case.look(Look::Settled, 1);
        case.look(Look::Settled, 1_001);
        case
    }

    fn write(&self, text: &str) {
        std::fs::write(self.dir.path().join("a.txt"), text).unwrap();
    }

    fn remove(&self) {
        std::fs::remove_file(self.dir.path().join("a.txt")).unwrap();
    }

    fn look(&mut self, look: Look, at_ms: u64) -> Looked {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        self.folder.look(Moment {
            look,
            instant: self.began + Duration::from_millis(at_ms),
            time: UnixMs(0) + wall.unwrap(),
        })
    }

    fn keys(&self) -> Vec<&str> {
        let contents = self
            .folder
            .files
            .values()
            .filter_map(|file| file.content.as_ref());
        contents
            .flat_map(|content| content.keys.iter().map(domain::Secret::expose))
            .collect()
    }

    /// Looks then. Gives the keys.
    fn at(&mut self, at_ms: u64) -> Vec<&str> {
        self.look(Look::Settled, at_ms);
        self.keys()
    }
}

const BOTH: &str = "AIza-key-1\nAIza-key-2\n";

#[test]
fn a_change_counts_once_it_has_lasted() {
    let mut case = Case::new("AIza-key-1\n");
    assert_eq!(case.keys(), ["AIza-key-1"]);
    case.write(BOTH);
    let looked = case.look(Look::Settled, 2_000);
    assert_eq!(
        (looked.has_changed, looked.again),
        (false, Some(Duration::from_millis(500)))
    );
    assert_eq!(case.at(2_499), ["AIza-key-1"]);
    assert_eq!(case.at(2_500), ["AIza-key-1", "AIza-key-2"]);
    assert!(!case.look(Look::Settled, 3_500).has_changed);
}

#[test]
fn half_a_key_is_never_read() {
    let mut case = Case::new("AIza-key-1\n");
    case.write("AIza-key-1\nAIza-k");
    assert_eq!(case.at(2_000), ["AIza-key-1"]);
    case.write(BOTH);
    assert_eq!(case.at(2_600), ["AIza-key-1"]);
    assert_eq!(case.at(3_100), ["AIza-key-1", "AIza-key-2"]);
}

#[test]
fn a_file_that_is_empty_or_gone_for_a_moment_keeps_its_keys() {
    for is_gone in [false, true] {
        let mut case = Case::new(BOTH);
        let leave = |case: &Case| {
            if is_gone {
                case.remove();
            } else {
                case.write("");
            }
        };
        leave(&case);
        for at in [2_000, 2_600, 4_999] {
            assert_eq!(case.at(at), ["AIza-key-1", "AIza-key-2"], "{at}");
        }
        case.write("AIza-key-2\n");
        assert_eq!(case.at(5_000), ["AIza-key-1", "AIza-key-2"]);
        assert_eq!(case.at(5_500), ["AIza-key-2"]);

        leave(&case);
        assert_eq!(case.at(6_000), ["AIza-key-2"]);
        assert!(case.at(9_000).is_empty());
    }
}

#[test]
fn a_file_that_changes_without_end_is_read_as_far_as_its_lines_are_whole() {
    let mut case = Case::new("AIza-key-0\n");
    let mut text = String::new();
    for turn in 1..=100 {
        let _ = write!(text, "AIza-key-{turn}\nAIza-k");
        case.write(&text);
        case.look(Look::Settled, 2_000 + turn * 100);
        text.truncate(text.len() - "AIza-k".len());
        let read = case.keys().len();
        assert_eq!(read, 1, "{turn}");
    }
    case.write(&text);
    let keys = case.at(2_000 + 101 * 100);
    // What it no longer holds may still come.
    assert_eq!((keys.len(), keys.last()), (101, Some(&"AIza-key-0")));
    case.look(Look::Settled, 20_000);
    assert_eq!(case.at(20_500).len(), 100);
}

#[test]
fn asked_to_look_now_it_does_not_wait() {
    let mut case = Case::new("AIza-key-1\n");
    case.write(BOTH);
    assert!(case.look(Look::Now, 2_000).has_changed);
    assert_eq!(case.keys(), ["AIza-key-1", "AIza-key-2"]);
    // It may change again within the same time stamp, so it is read once more.
    assert_eq!(
        case.look(Look::Settled, 2_001).again,
        Some(Duration::from_millis(500))
    );
    assert!(case.look(Look::Settled, 2_501).has_changed);
    assert!(!case.look(Look::Settled, 3_001).has_changed);
    case.remove();
    case.look(Look::Now, 4_000);
    assert!(case.keys().is_empty());
}

#[test]
fn a_folder_that_cannot_be_read_any_more_keeps_its_keys_and_says_so() {
    let mut case = Case::new(BOTH);
    let path = case.dir.path().to_owned();
    let away = path.with_extension("away");
    std::fs::rename(&path, &away).unwrap();
    assert!(case.look(Look::Now, 2_000).has_changed);
    assert!(!case.look(Look::Settled, 3_000).has_changed);
    assert_eq!(case.keys(), ["AIza-key-1", "AIza-key-2"]);
    let report = &case.folder.report()[0];
    assert!(report.file.is_none() && report.problem.is_some());
    std::fs::rename(&away, &path).unwrap();
    assert!(case.look(Look::Settled, 4_000).has_changed);
    assert!(case.folder.report()[0].problem.is_none());
}
