//! A program under measurement, started and stopped by this one: what its whole tree of processes costs.
//! The figures come from Linux's `/proc`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Linux tells processor time in ticks of 10 ms (`USER_HZ`, fixed for programs on x86 and ARM).
const TICKS_PER_SECOND: f64 = 100.0;
/// How long a program may take to stop when it is asked to, before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// A running program. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    pub(crate) started: Instant,
    log: PathBuf,
}

/// What a tree of processes has used.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    ticks: u64,
    resident_kib: u64,
    peak_kib: u64,
}

/// Lets this thread, and every thread and program that it starts, run on `core` only.
pub(crate) fn pin_here(core: usize) -> anyhow::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("run on core {core}"))
}

/// Makes a command that runs on `core` only.
pub(crate) fn on_core(core: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program);
    command
}

impl Program {
    /// Starts a command, its output going to the file `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let file = File::create(log).with_context(|| format!("create {}", log.display()))?;
        let errors = file.try_clone()?;
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        let started = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("start {}", command.get_program().display()))?;
        Ok(Self {
            child,
            started,
            log: log.to_owned(),
        })
    }

    /// User and system time of all its processes so far, in seconds.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        Ok(self.usage()?.ticks as f64 / TICKS_PER_SECOND)
    }

    /// The same, once the program has finished what it does
    /// in the background: nothing used within 300 ms.
    pub(crate) fn settled_cpu_seconds(&self) -> anyhow::Result<f64> {
        let ends = Instant::now() + Duration::from_secs(3);
        let mut before = self.usage()?.ticks;
        loop {
            sleep(Duration::from_millis(300));
            let now = self.usage()?.ticks;
            if now == before || Instant::now() > ends {
                return Ok(now as f64 / TICKS_PER_SECOND);
            }
            before = now;
        }
    }

    /// Memory of all its processes that is resident, in MiB.
    pub(crate) fn resident_mib(&self) -> anyhow::Result<f64> {
        Ok(self.usage()?.resident_kib as f64 / 1024.0)
    }

    /// Forgets how much memory was resident at most until now (proc(5), `clear_refs`): starting takes more than working.
    pub(crate) fn forget_peak(&self) -> anyhow::Result<()> {
        for pid in tree(self.child.id())? {
            fs::write(format!("/proc/{pid}/clear_refs"), "5").context("forget the peak")?;
        }
        Ok(())
    }

    /// The most memory that was resident since then (`VmHWM`), summed up over its processes, in MiB.
    pub(crate) fn peak_mib(&self) -> anyhow::Result<f64> {
        Ok(self.usage()?.peak_kib as f64 / 1024.0)
    }

    /// Asks it to read its configuration again.
    pub(crate) fn reload(&self) -> anyhow::Result<()> {
        // `taskset` becomes the program that it starts, so this is its number.
        let pid = Pid::from_raw(self.child.id() as i32).context("a program without a number")?;
        Ok(kill_process(pid, Signal::HUP)?)
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The end of what it has printed.
    pub(crate) fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    fn usage(&self) -> anyhow::Result<Usage> {
        let mut usage = Usage::default();
        for pid in tree(self.child.id())? {
            // A process may end between being listed and being read.
            let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
                continue;
            };
            let fields = fields_behind_name(&stat);
            let number = |field: usize| fields.get(field).and_then(|text| text.parse().ok());
            usage.ticks += number(11).unwrap_or(0u64) + number(12).unwrap_or(0u64);
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            usage.resident_kib += kib(&status, "VmRSS:");
            usage.peak_kib += kib(&status, "VmHWM:");
        }
        Ok(usage)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            // One that has ended cannot be asked to.
            let _ = kill_process(pid, Signal::TERM);
        }
        let ends = Instant::now() + STOP_PATIENCE;
        while !self.has_ended() {
            if Instant::now() > ends {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            sleep(Duration::from_millis(5));
        }
    }
}

/// The process and all that descend from it.
fn tree(root: u32) -> anyhow::Result<Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
            continue;
        };
        let parent = fields_behind_name(&stat)
            .get(1)
            .and_then(|text| text.parse().ok());
        children
            .entry(parent.unwrap_or_default())
            .or_default()
            .push(pid);
    }
    let mut tree = vec![root];
    let mut at = 0;
    while at < tree.len() {
        tree.extend(children.remove(&tree[at]).unwrap_or_default());
        at += 1;
    }
    Ok(tree)
}

/// The fields of `/proc/PID/stat` from the third on (proc(5)); the second is a name and may hold spaces.
fn fields_behind_name(stat: &str) -> Vec<&str> {
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    behind.split_whitespace().collect()
}

/// A size in `/proc/PID/status`.
fn kib(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_do_not_shift_fields() {
        let stat = "12 (a (b) c) S 7 12 12 0 -1 4194304 1 0 0 0 150 25 0 0 20";
        let fields = fields_behind_name(stat);
        assert_eq!((fields[1], fields[11], fields[12]), ("7", "150", "25"));
    }

    #[test]
    fn this_process_has_used_memory() {
        assert!(
            tree(std::process::id())
                .unwrap()
                .contains(&std::process::id())
        );
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let (resident, peak) = (kib(&status, "VmRSS:"), kib(&status, "VmHWM:"));
        assert!(
            resident > 100 && peak >= resident,
            "{resident} KiB of {peak}"
        );
    }
}
