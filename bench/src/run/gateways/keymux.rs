//! keymux with everything on: client keys, the pool, records to SQLite, metrics, secrets encrypted.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::{Checks, Contestant, Gateway, Keys, Setting, key};
use crate::load::Target;
use crate::run::lab::Lab;
use crate::run::ports::{free_addr, wait_until_ready};
use crate::run::process::{Program, on_core};

/// The folder of key files.
const KEY_FILES: &str = "keys";
const CLIENT_KEY: &str = "sk-bench-0123456789abcdef0123456789abcdef";

pub(super) fn start(setting: &Setting<'_>, lab: &Lab) -> anyhow::Result<Contestant> {
    let addr = free_addr()?;
    let (folder, keys) = match setting.keys {
        Keys::Configured(count) => (lab.folder("keymux")?, (0..count).map(key).collect()),
        Keys::Stored(folder) | Keys::Filed(folder) => (folder.to_owned(), Vec::new()),
    };
    let file = write_config(setting, addr, &folder, &keys, Checks::Off)?;
    let mut command = on_core(lab.gateway_core, &lab.tools.keymux);
    command
        .arg("serve")
        .arg("--config")
        .arg(file)
        .current_dir(&folder);
    command.env("KEYMUX_ADMIN_PASSWORD", "bench-0123456789");
    let mut program = Program::start(&mut command, &folder.join("log"))?;
    let ready_ms = wait_until_ready(addr, "/ready", &mut program)?;
    let target = Target::gemini(addr, CLIENT_KEY);
    Ok(Contestant {
        gateway: Gateway::Keymux,
        target,
        program: Some(program),
        ready_ms,
    })
}

/// Brings `count` keys into a new database; returns its folder.
pub(crate) fn import_keys(
    setting: &Setting<'_>,
    lab: &Lab,
    count: usize,
) -> anyhow::Result<PathBuf> {
    let folder = lab.folder("keymux")?;
    let config = write_config(setting, free_addr()?, &folder, &[], Checks::Off)?;
    let mut list = String::with_capacity(count * 40);
    for index in 0..count {
        let _ = writeln!(list, "{}", key(index));
    }
    let file = folder.join("keys.txt");
    std::fs::write(&file, list)?;
    let mut command = Command::new(&lab.tools.keymux);
    command
        .arg("keys")
        .arg("import")
        .arg(&file)
        .arg("--config")
        .arg(config);
    let done = command.current_dir(&folder).output()?;
    ensure!(
        done.status.success(),
        "keys import: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(folder)
}

/// Makes a folder with a new folder of key files in it, which have so many keys in all.
pub(crate) fn write_key_files(lab: &Lab, files: usize, keys: usize) -> anyhow::Result<PathBuf> {
    let folder = lab.folder("keymux")?;
    let key_files = folder.join(KEY_FILES);
    std::fs::create_dir(&key_files)?;
    for file in 0..files {
        let own = (file..keys).step_by(files);
        let text: String = own.map(|index| key(index) + "\n").collect();
        std::fs::write(key_files.join(format!("keys-{file:03}.txt")), text)?;
    }
    Ok(folder)
}

/// Switches checks on or off in a running keymux whose keys are in `folder`: its file is read again.
pub(crate) fn set_checks(
    setting: &Setting<'_>,
    keymux: &Contestant,
    folder: &Path,
    checks: Checks,
) -> anyhow::Result<()> {
    write_config(setting, keymux.target.addr, folder, &[], checks)?;
    let program = keymux.program.as_ref().context("keymux is no program")?;
    program.reload()
}

fn write_config(
    setting: &Setting<'_>,
    addr: SocketAddr,
    folder: &Path,
    keys: &[String],
    checks: Checks,
) -> anyhow::Result<PathBuf> {
    let mut text = format!(
        "server: {{ listen: '{addr}', data_dir: '{folder}', workers: 1 }}\n\
         database: {{ url: 'sqlite:{folder}/keymux.db' }}\n\
         clients: [{{ name: bench, key: {CLIENT_KEY} }}]\n\
         providers:\n  google:\n    base_url: '{base}'\n    http2: {http2}\n",
        folder = folder.display(),
        base = setting.upstream.base_url(),
        http2 = setting.http2,
    );
    if let Some(ca) = &setting.upstream.ca_file {
        let _ = writeln!(text, "    ca_file: '{}'", ca.display());
    }
    if !keys.is_empty() {
        let _ = writeln!(text, "    keys: [{}]", keys.join(", "));
    }
    if let Keys::Filed(folder) = setting.keys {
        let _ = writeln!(text, "    keys_dir: '{}'", folder.join(KEY_FILES).display());
    }
    // Once a second all over again, and so at the pace that it never exceeds.
    text.push_str("    health_check: { models: [gemini-2.5-flash, gemini-2.5-pro] }\n");
    let _ = writeln!(
        text,
        "health_checks: {{ enabled: {}, interval: 1s, after_ok: 1s, max_per_project_per_day: 60000 }}",
        checks == Checks::On,
    );
    let file = folder.join("keymux.yaml");
    std::fs::write(&file, text)?;
    Ok(file)
}
