//! `keys_dir`: keymux rewrites files in it, so it must be a folder of nothing but keys, of one provider.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::findings::Findings;
use crate::sections::Sections;

/// Folders of key files are those of one provider each, and hold nothing of keymux's own. `file` is the configuration.
pub(crate) fn check(sections: &Sections, file: Option<&Path>, findings: &mut Findings) {
    let data_dir = real(&sections.server.data_dir);
    let of_file = file.and_then(Path::parent).map(real);
    let mut owners: BTreeMap<PathBuf, &String> = BTreeMap::new();
    for (name, provider) in &sections.providers {
        let Some(folder) = &provider.keys_dir else {
            continue;
        };
        let (shown, folder) = (folder.display(), real(folder));
        let wrong = match owners.get(&folder) {
            Some(other) => Some(format!(
                "is the folder of provider {other} too; expected one of its own, or keys of one would be sent to the other"
            )),
            None if folder == data_dir => Some("is server.data_dir; expected a folder of nothing but key files".to_owned()),
            None if Some(&folder) == of_file.as_ref() => {
                Some("is the folder of the configuration file; expected a folder of nothing but key files".to_owned())
            }
            None => None,
        };
        if let Some(wrong) = wrong {
            let path = format!("providers.{name}.keys_dir");
            findings.problem(
                &findings.origin(&path),
                &path,
                format!("\"{shown}\" {wrong}"),
            );
        }
        owners.entry(folder).or_insert(name);
    }
}

/// The folder itself, whatever leads to it; where it is not there yet, what its name says.
fn real(path: &Path) -> PathBuf {
    // A file's folder may have no name.
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}
