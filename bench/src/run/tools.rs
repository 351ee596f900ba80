//! The programs that are measured or needed: where they are, and which versions.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::gateways::Gateway;

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) keymux: PathBuf,
    pub(crate) fake_upstream: PathBuf,
    pub(crate) nginx: PathBuf,
    pub(crate) litellm: Option<PathBuf>,
    /// The example of `store` that writes request records as fast as it can.
    pub(crate) records: PathBuf,
}

impl Tools {
    /// Ours are beside this program, the others in the system's places.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let here = std::env::current_exe()?;
        let here = here.parent().context("this program is in no folder")?;
        let tools = Self {
            keymux: here.join("keymux"),
            fake_upstream: here.join("fake-upstream"),
            nginx: installed("nginx").unwrap_or_default(),
            litellm: installed("litellm"),
            records: here.join("examples/records"),
        };
        let needed = &tools.fake_upstream;
        ensure!(
            needed.exists(),
            "{} is missing: build fake-upstream with the same profile",
            needed.display()
        );
        ensure!(
            installed("taskset").is_some(),
            "taskset is missing: install util-linux"
        );
        Ok(tools)
    }

    /// Whether a gateway can be measured.
    pub(crate) fn has(&self, gateway: Gateway) -> bool {
        match gateway {
            Gateway::Keymux => self.keymux.exists(),
            Gateway::Nginx => self.nginx.exists(),
            Gateway::Direct => true,
            Gateway::Litellm => self.litellm.is_some(),
        }
    }

    /// What each installed gateway calls itself.
    pub(crate) fn versions(&self) -> Vec<String> {
        let mut versions = Vec::new();
        let mut ask = |program: &Path, flag: &str| {
            if let Ok(output) = Command::new(program).arg(flag).output() {
                let text = [output.stdout, output.stderr].concat();
                let text = String::from_utf8_lossy(&text);
                versions.extend(text.lines().next().map(str::to_owned));
            }
        };
        ask(&self.keymux, "--version");
        ask(&self.nginx, "-v");
        if let Some(litellm) = &self.litellm {
            ask(litellm, "--version");
        }
        versions
    }
}

fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders
        .map(|folder| folder.join(OsStr::new(name)))
        .find(|file| file.is_file())
}
