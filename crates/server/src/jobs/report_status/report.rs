//! How the report reads.

use std::fmt;

use domain::UnixMs;
use keypool::{Out, Outlook};

use crate::clock;

/// All models at one moment.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) at: UnixMs,
    pub(super) models: Vec<ModelReport>,
}

/// One model of one provider.
#[derive(Debug)]
pub(super) struct ModelReport {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) keys: Outlook,
    /// None: it is not known.
    pub(super) requests: Option<Requests>,
}

/// Requests of the last half hour.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Requests {
    pub(super) all: u64,
    pub(super) failed: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "=== {} ===", clock::written(self.at))?;
        if self.models.is_empty() {
            writeln!(f, "no model is configured, and none was asked for")?;
        }
        self.models.iter().try_for_each(|model| model.fmt(f))?;
        writeln!(f)
    }
}

impl fmt::Display for ModelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Callers choose names of models, and a line is a line.
        let model = self.model.escape_debug();
        writeln!(f, "{}/{model}", self.provider)?;
        writeln!(f, "  usable keys: {}", self.keys.usable)?;
        let out: usize = self.keys.out.values().map(|out| out.keys).sum();
        write!(f, "  unusable keys: {out}")?;
        for (place, (reason, out)) in self.keys.out.iter().enumerate() {
            let before = if place == 0 { " (" } else { "; " };
            write!(f, "{before}{reason} {}", Shown(out))?;
        }
        writeln!(f, "{}", if out > 0 { ")" } else { "" })?;
        write!(f, "  requests in the last 30 minutes: ")?;
        match self.requests {
            None => writeln!(f, "unknown, the database does not answer"),
            Some(Requests { all: 0, .. }) => writeln!(f, "0"),
            Some(Requests { all, failed }) => {
                let succeeded = all.saturating_sub(failed);
                writeln!(f, "{all} ({succeeded} succeeded, {failed} failed)")
            }
        }
    }
}

struct Shown<'a>(&'a Out);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.keys)?;
        match self.0.first_back {
            Some(back) => write!(f, ", first back {}", clock::written(back)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_795_204_800_000);

    fn model(name: &str, keys: Outlook, requests: Option<(u64, u64)>) -> ModelReport {
        ModelReport {
            provider: "google".into(),
            model: name.into(),
            keys,
            requests: requests.map(|(all, failed)| Requests { all, failed }),
        }
    }

    #[test]
    fn a_report_is_read_from_top_to_bottom() {
        let out = |keys, back| Out {
            keys,
            first_back: back,
        };
        let worn = Outlook {
            usable: 3,
            out: [
                ("invalid", out(1, None)),
                ("quota_daily", out(2, Some(UnixMs(NOW.0 + 60_000)))),
            ]
            .into(),
        };
        let fine = Outlook {
            usable: 6,
            ..Outlook::default()
        };
        let report = Report {
            at: NOW,
            models: vec![
                model("gemini-flash", worn, Some((40, 2))),
                model("a\nb", fine.clone(), Some((0, 0))),
                model("gemini-pro", fine, None),
            ],
        };
        let expected = "\
=== 2026-11-20T20:00:00.000Z ===
google/gemini-flash
  usable keys: 3
  unusable keys: 3 (invalid 1; quota_daily 2, first back 2026-11-20T20:01:00.000Z)
  requests in the last 30 minutes: 40 (38 succeeded, 2 failed)
google/a\\nb
  usable keys: 6
  unusable keys: 0
  requests in the last 30 minutes: 0
google/gemini-pro
  usable keys: 6
  unusable keys: 0
  requests in the last 30 minutes: unknown, the database does not answer

";
        assert_eq!(report.to_string(), expected);
    }
}
