//! How busy the machine is: processor, memory, and the disk that holds the data. Measured when somebody asks, at most once
//! a second and never on a thread that serves requests; whoever asks meanwhile gets the figures of before.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use sysinfo::{DiskRefreshKind, Disks, System};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long figures are good for.
const FRESH: Duration = Duration::from_secs(1);

/// Figures in percent, with one decimal; none where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Figures {
    /// Of all processors together, since the figures before.
    cpu_percent: Option<f64>,
    memory_percent: Option<f64>,
    /// Of the disk that holds `server.data_dir`.
    disk_usage: Option<f64>,
}

/// The machine that this runs on.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Held while measuring: one measures, the others take what there is. A mutex of tokio's, because measuring waits.
    meter: Arc<Mutex<Meter>>,
    last: arc_swap::ArcSwapOption<Reading>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    figures: Figures,
    taken: Instant,
}

#[derive(Debug)]
struct Meter {
    system: System,
    data_dir: PathBuf,
}

impl Machine {
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self {
            meter: Arc::new(Mutex::new(Meter {
                system: System::new(),
                data_dir: data_dir.to_owned(),
            })),
            last: arc_swap::ArcSwapOption::empty(),
        }
    }

    /// How busy it is.
    pub(super) async fn figures(&self) -> Figures {
        let meter = self.meter.clone();
        let Some(last) = self.last() else {
            let meter = meter.lock_owned().await;
            return match self.last() {
                Some(last) => last.figures,
                None => self.measured(meter).await.unwrap_or_default(),
            };
        };
        if last.taken.elapsed() < FRESH {
            return last.figures;
        }
        match meter.try_lock_owned() {
            Ok(meter) => self.measured(meter).await.unwrap_or(last.figures),
            Err(_) => last.figures,
        }
    }

    fn last(&self) -> Option<Reading> {
        self.last.load().as_deref().copied()
    }

    /// New figures; none where measuring failed.
    async fn measured(&self, mut meter: OwnedMutexGuard<Meter>) -> Option<Figures> {
        // The guard goes along: nobody else measures, even when whoever asked goes away.
        let measuring = tokio::task::spawn_blocking(move || (meter.measure(), meter));
        let (figures, _meter) = measuring.await.ok()?;
        let taken = Instant::now();
        self.last.store(Some(Arc::new(Reading { figures, taken })));
        Some(figures)
    }
}

impl Meter {
    fn measure(&mut self) -> Figures {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let memory = (self.system.used_memory(), self.system.total_memory());
        Figures {
            cpu_percent: Some(rounded(f64::from(self.system.global_cpu_usage()))),
            memory_percent: share(memory.0, memory.1),
            disk_usage: disk_usage(&self.data_dir),
        }
    }
}

/// How full the disk is that holds a folder: the one whose mount point is the longest beginning of its path.
fn disk_usage(folder: &Path) -> Option<f64> {
    let folder = folder.canonicalize().ok()?;
    let storage = DiskRefreshKind::nothing().with_storage();
    let disks = Disks::new_with_refreshed_list_specifics(storage);
    let holding = disks
        .iter()
        .filter(|disk| folder.starts_with(disk.mount_point()));
    let disk = holding.max_by_key(|disk| disk.mount_point().as_os_str().len())?;
    let total = disk.total_space();
    share(total.saturating_sub(disk.available_space()), total)
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| rounded(part as f64 * 100.0 / whole as f64))
}

fn rounded(percent: f64) -> f64 {
    (percent.clamp(0.0, 100.0) * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percents_with_one_decimal() {
        for (part, whole, expected) in [
            (0, 7, Some(0.0)),
            (1, 3, Some(33.3)),
            (2, 3, Some(66.7)),
            (9, 9, Some(100.0)),
            (9, 8, Some(100.0)),
            (1, 0, None),
        ] {
            assert_eq!(share(part, whole), expected, "{part} of {whole}");
        }
    }

    #[tokio::test]
    async fn figures_are_kept_for_a_second_and_shared() {
        let machine = Machine::new(Path::new("."));
        let (one, other) = tokio::join!(machine.figures(), machine.figures());
        assert_eq!(one, other);
        assert!(one.memory_percent.is_some_and(|percent| percent > 0.0));
        let measured = machine.last().unwrap().taken;
        machine.figures().await;
        let again = machine.last().unwrap().taken;
        assert!(again == measured || measured.elapsed() >= FRESH);
    }
}
