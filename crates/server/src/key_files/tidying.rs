//! Which files are brought into one key a line, and when; and what is left behind by that. How is in `replace.rs`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::{Fingerprint, Secret, UnixMs};

use super::content::{self, Content};
use super::folder::{Folder, Look, Looked, Moment};
use super::key_file::KeyFile;
use super::listing::Found;
use super::replace::{self, DRAFT, Old, WHOLE};
use super::report::FileReport;

/// How long a file must have been as it is.
const QUIET: Duration = Duration::from_secs(2);
/// How long the old file is kept, for those who still have it open.
const OLD_IS_KEPT: Duration = Duration::from_secs(10);
/// How long a file is left alone to which somebody wrote on.
const LEFT_ALONE: Duration = Duration::from_secs(60);
/// How old one of our files must be before it is taken for what a program that was killed has left behind.
const ABANDONED: Duration = Duration::from_secs(60);

const SHARED: &str = "it is a symbolic link, or has several names";
const WRITTEN_ON: &str = "a program still writes to it";
const LEFTOVER: &str = "what an interrupted rewrite has left behind, with keys that are in no other file of this folder; \
     compare it, and delete it";

/// Old files that are still kept.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<(Instant, Old)>);

impl Kept {
    /// Brings the files of a folder into one key a line.
    pub(super) fn tidy(&mut self, folder: &mut Folder, moment: Moment) -> Looked {
        let mut looked = Looked::default();
        if folder.problem.is_some() {
            return looked;
        }
        let path = &folder.path;
        for (name, file) in &mut folder.files {
            let path = path.join(&name.raw);
            match file.until_tidied(moment) {
                None => {}
                Some(wait) if !wait.is_zero() => looked.look_again_in(wait),
                Some(_) => {
                    self.tidy_file(&folder.provider, &path, file, moment);
                    looked.has_changed = true;
                    looked.look_again_in(QUIET);
                }
            }
        }
        looked
    }

    fn tidy_file(&mut self, provider: &str, path: &Path, file: &mut KeyFile, moment: Moment) {
        let Some(stamp) = file.stamp() else { return };
        if !stamp.is_plain {
            file.is_not_tidied(SHARED.to_owned(), provider, path);
            return;
        }
        match replace::tidy(path, &stamp) {
            Ok(Some(done)) => {
                tracing::info!(provider, file = %path.display(), "key file brought into one key a line");
                if let Ok(content) = Content::of(&done.bytes) {
                    // Malformed entries may be on other lines now.
                    content.log(provider, path);
                    file.hold(content, moment);
                }
                file.taken = Some(Found::File(done.stamp));
                file.tidied_at = Some(moment.time);
                self.0.extend(done.old.map(|old| (moment.instant, old)));
            }
            Ok(None) => file.taken = None,
            Err(error) => file.is_not_tidied(error.to_string(), provider, path),
        }
    }

    /// Looks after old files: deletes those that nobody needs, and puts those back that are still written to.
    pub(super) fn look<'f>(
        &mut self,
        folders: impl Iterator<Item = &'f mut Folder>,
        moment: Moment,
    ) -> Looked {
        let mut looked = Looked::default();
        let mut put_back = Vec::new();
        self.0.retain(|(since, old)| {
            if old.put_back_if_changed() {
                put_back.push(old.path().to_owned());
                return false;
            }
            let is_needed = moment.instant.duration_since(*since) < OLD_IS_KEPT;
            if !is_needed {
                old.delete();
            }
            is_needed
        });
        if !self.0.is_empty() {
            looked.look_again_in(OLD_IS_KEPT);
        }
        if !put_back.is_empty() {
            looked.look_again_in(Duration::ZERO);
        }
        for folder in folders {
            for (name, file) in &mut folder.files {
                let path = folder.path.join(&name.raw);
                if put_back.contains(&path) {
                    file.taken = None;
                    file.tidy_from = moment.instant + LEFT_ALONE;
                    file.is_not_tidied(WRITTEN_ON.to_owned(), &folder.provider, &path);
                }
            }
        }
        looked
    }

    /// Keeps nothing any more.
    pub(super) fn finish(&mut self) {
        for (_, old) in self.0.drain(..) {
            if !old.put_back_if_changed() {
                old.delete();
            }
        }
    }

    /// Deletes what a program that was killed has left in a folder, unless it has keys that are nowhere else.
    pub(super) fn clear_up(&self, folder: &mut Folder, now: UnixMs) {
        let is_kept = |path: &PathBuf| self.0.iter().any(|(_, old)| old.hidden() == path);
        let own: Vec<PathBuf> = folder.own.drain(..).collect();
        let abandoned = own.into_iter().filter(|path| !is_kept(path));
        let (whole, drafts): (Vec<PathBuf>, Vec<PathBuf>) = abandoned
            .filter(|path| is_abandoned(path, now))
            .partition(|path| path.to_string_lossy().ends_with(WHOLE));
        for path in drafts {
            if path.to_string_lossy().ends_with(DRAFT) {
                std::fs::remove_file(path).ok();
            }
        }
        let known = folder.keys();
        let is_needed = |path: &PathBuf| {
            let content = content::read(path)
                .ok()
                .map(|read| Content::of(&read.bytes));
            match content {
                Some(Ok(content)) => content
                    .keys
                    .iter()
                    .any(|key| !known.contains(&key.fingerprint())),
                _ => true,
            }
        };
        let (needed, rest): (Vec<PathBuf>, Vec<PathBuf>) = whole.into_iter().partition(is_needed);
        for path in rest {
            std::fs::remove_file(path).ok();
        }
        folder.leftovers = needed.iter().map(|path| folder.leftover(path)).collect();
    }
}

impl Folder {
    fn keys(&self) -> HashSet<Fingerprint> {
        let contents = self.files.values().filter_map(|file| file.content.as_ref());
        contents
            .flat_map(|content| content.keys.iter().map(Secret::fingerprint))
            .collect()
    }

    fn leftover(&self, path: &Path) -> FileReport {
        let provider = &*self.provider;
        tracing::warn!(provider, file = %path.display(), "{LEFTOVER}");
        FileReport {
            file: path.file_name().map(|name| name.to_string_lossy().into()),
            left_out: Some(LEFTOVER.to_owned()),
            ..FileReport::of_folder(&self.provider, &self.path)
        }
    }
}

fn is_abandoned(path: &Path, now: UnixMs) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let changed = std::fs::symlink_metadata(path).map(|metadata| UnixMs(metadata.ctime() * 1000));
    changed.is_ok_and(|changed| changed.until(now) >= ABANDONED)
}

impl KeyFile {
    /// How long until it may be brought into one key a line; none: it need not, or cannot.
    fn until_tidied(&self, moment: Moment) -> Option<Duration> {
        let is_untidy = self
            .content
            .as_ref()
            .is_some_and(|content| !content.is_tidy);
        let is_open = self.not_tidied.is_none() || moment.look == Look::Again;
        let is_fit = self.problem.is_none() && self.is_settled() && self.stamp().is_some();
        let from = self.tidy_from.max(self.read_instant + QUIET);
        (is_untidy && is_open && is_fit).then(|| from.saturating_duration_since(moment.instant))
    }

    fn is_not_tidied(&mut self, why: String, provider: &str, path: &Path) {
        if self.not_tidied.as_ref() != Some(&why) {
            tracing::warn!(provider, file = %path.display(), "key file not brought into one key a line: {why}; its keys are used all the same");
        }
        self.not_tidied = Some(why);
    }
}
