//! The checks of one provider: its schedule, and which models its keys are checked with: those that the configuration
//! lists, and those that callers have asked of late. Callers invent names, so a model counts once it has answered.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use config::ProviderHealthCheck;
use domain::{CheckResult, KeyId, UnixMs};
use keypool::{CheckRules, Existence, Schedule};

use crate::pools::Pools;
use crate::saver::LONGEST_MODEL;

/// How long after an answer a model counts as in use.
const IN_USE_FOR: Duration = Duration::from_secs(24 * 3600);
/// Models in use that are checked besides those that are listed. Another one has to wait until one of them is out of use.
const MOST_IN_USE: usize = 8;

/// Checks in a row without an answer after which a provider counts as silent.
const SILENT: u8 = 5;
/// Answers that may wait for the schedule to hold their model: it does within a second.
const MOST_EARLY: usize = 10_000;

/// One provider's checks.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) schedule: Schedule,
    /// Those of the configuration.
    listed: Vec<String>,
    /// When each of the others was answered last.
    in_use: HashMap<String, UnixMs>,
    /// What the schedule holds.
    models: Vec<String>,
    /// Of the pools, when the schedule took their keys over.
    edition: Option<(usize, u64)>,
    /// Checks in a row that the provider did not answer.
    unanswered: u8,
    /// Answers with models that the schedule does not hold yet.
    early: Vec<Answered>,
    /// Missing models that the log has been told of.
    told: HashSet<String>,
}

/// A caller's request that was answered with a key.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) key: KeyId,
    pub(super) model: Arc<str>,
    pub(super) latency_ms: u32,
    pub(super) at: UnixMs,
}

impl Board {
    pub(super) fn new(rules: CheckRules) -> Self {
        Self {
            schedule: Schedule::new(rules, fastrand::u64(..)),
            listed: Vec::new(),
            in_use: HashMap::new(),
            models: Vec::new(),
            edition: None,
            unanswered: 0,
            early: Vec::new(),
            told: HashSet::new(),
        }
    }

    /// Follows the pools and the configuration. Gives the models that are checked no more.
    pub(super) fn follow(
        &mut self,
        pools: &Pools,
        listed: &ProviderHealthCheck,
        within: Duration,
        now: UnixMs,
    ) -> Vec<Arc<str>> {
        let edition = pools.edition();
        if self.edition != Some(edition) {
            self.schedule.set_keys(pools.members(), within, now);
            self.edition = Some(edition);
        }
        self.listed = listed.model.iter().chain(&listed.models).cloned().collect();
        self.in_use.retain(|_, last| *last + IN_USE_FOR > now);
        let models = self.wanted();
        if models == self.models {
            return Vec::new();
        }
        self.told.retain(|model| models.contains(model));
        self.models = models;
        let left = self.schedule.set_models(&self.models, within, now);
        for answered in std::mem::take(&mut self.early) {
            self.answered(&answered);
        }
        left
    }

    /// The models that are listed, and then those in use; without any, keys are checked alone.
    fn wanted(&self) -> Vec<String> {
        let mut in_use: Vec<&String> = self.in_use.keys().collect();
        in_use.sort_unstable();
        let mut models: Vec<String> = Vec::new();
        for model in self.listed.iter().chain(in_use) {
            if !models.contains(model) {
                models.push(model.clone());
            }
        }
        if models.is_empty() {
            models.push(String::new());
        }
        models
    }

    /// A model has answered a caller.
    pub(super) fn used(&mut self, model: &str, at: UnixMs) {
        if let Some(last) = self.in_use.get_mut(model) {
            *last = at.max(*last);
            return;
        }
        let is_checkable = !model.is_empty()
            && model.len() <= LONGEST_MODEL
            && !model.chars().any(char::is_control)
            && !model.split('/').any(|part| part.is_empty() || part == "..");
        let is_listed = |model: &str| self.listed.iter().any(|listed| listed == model);
        let others = self.in_use.keys().filter(|model| !is_listed(model)).count();
        if is_checkable && (is_listed(model) || others < MOST_IN_USE) {
            self.in_use.insert(model.to_owned(), at);
        }
    }

    /// The model that a key is tested with when none is named; none: the key alone.
    pub(super) fn usual_model(&self) -> Option<&str> {
        let is_there = |model: &&String| !self.told.contains(*model);
        self.listed.iter().find(is_there).map(String::as_str)
    }

    /// A key has said that a model does not exist. Gives whether others have it, and whether to tell of it: once.
    pub(super) fn missed(&mut self, model: &str) -> (bool, bool) {
        let existence = self.schedule.missed(model);
        let is_listed = self.listed.iter().any(|listed| listed == model);
        let is_news =
            existence == Existence::Missing && is_listed && self.told.insert(model.to_owned());
        (existence == Existence::Known, is_news)
    }

    /// The provider has answered a check, or has not.
    pub(super) fn heard(&mut self, result: &CheckResult) {
        self.unanswered = match result.status {
            Some(_) => 0,
            None => self.unanswered.saturating_add(1),
        };
    }

    /// Whether the provider does not answer at all, as it seems.
    pub(super) fn is_silent(&self) -> bool {
        self.unanswered >= SILENT
    }

    /// A key can use the model.
    pub(super) fn found(&mut self, model: &str) {
        self.told.remove(model);
    }

    pub(super) fn is_listed(&self, model: &str) -> bool {
        self.listed.iter().any(|listed| listed == model)
    }

    /// Whether keys are checked with it.
    pub(super) fn holds(&self, model: &str) -> bool {
        self.models.iter().any(|held| held == model)
    }

    /// A caller's request was answered with a key.
    pub(super) fn answered(&mut self, answered: &Answered) {
        let Answered {
            key,
            model,
            latency_ms,
            at,
        } = answered;
        self.used(model, *at);
        self.found(model);
        if self.holds(model) {
            self.schedule.answered(*key, model, *latency_ms, *at);
        } else if self.in_use.contains_key(&**model) && self.early.len() < MOST_EARLY {
            self.early.push(answered.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use keypool::{PoolRules, Strategy};

    use super::*;

    const NOW: UnixMs = UnixMs(1_795_204_800_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn board() -> (Board, Pools) {
        let rules = CheckRules {
            after_ok: HOUR,
            after_403: HOUR,
            after_4xx: HOUR,
            after_5xx: HOUR,
            recheck_interval: HOUR,
        };
        let pools = Pools::new(
            "google",
            PoolRules {
                strategy: Strategy::LeastLoaded,
                max_failures: 3,
                recheck_interval: HOUR,
            },
        );
        (Board::new(rules), pools)
    }

    fn follow(board: &mut Board, pools: &Pools, listed: &[&str], now: UnixMs) -> Vec<String> {
        let listed = ProviderHealthCheck {
            model: None,
            models: listed.iter().map(|&model| model.to_owned()).collect(),
        };
        board.follow(pools, &listed, HOUR, now);
        board.schedule.models().map(ToString::to_string).collect()
    }

    #[test]
    fn listed_models_and_those_in_use_are_checked_and_else_the_key_alone() {
        let (mut board, pools) = board();
        assert_eq!(follow(&mut board, &pools, &[], NOW), [""]);
        board.used("b", NOW);
        board.used("a", NOW);
        assert_eq!(
            follow(&mut board, &pools, &["b", "c"], NOW),
            ["b", "c", "a"]
        );
        board.used("b", NOW + HOUR);
        let later = NOW + IN_USE_FOR;
        assert_eq!(follow(&mut board, &pools, &[], later), ["b"]);
        assert_eq!(follow(&mut board, &pools, &[], later + HOUR), [""]);
    }

    #[test]
    fn names_of_models_are_bounded_in_number_and_form() {
        let (mut board, pools) = board();
        for name in ["", "../keys", "a//b", "a\nb", &"x".repeat(300)] {
            board.used(name, NOW);
        }
        for number in 0..50 {
            board.used(&format!("m{number:02}"), NOW);
        }
        let models = follow(&mut board, &pools, &[], NOW);
        assert_eq!((models.len(), &*models[0]), (MOST_IN_USE, "m00"));
    }

    #[test]
    fn a_provider_is_silent_after_some_checks_without_an_answer_until_it_answers() {
        let (mut board, _) = board();
        let result = |status| CheckResult {
            status,
            class: domain::Class::Timeout,
            reason: "any",
            latency_ms: 1,
        };
        for number in 1..=u32::from(SILENT) {
            assert!(!board.is_silent(), "{number}");
            board.heard(&result(None));
        }
        assert!(board.is_silent());
        board.heard(&result(Some(503)));
        assert!(!board.is_silent());
    }

    #[test]
    fn a_missing_model_is_told_of_once() {
        let (mut board, pools) = board();
        follow(&mut board, &pools, &["gone"], NOW);
        assert_eq!(board.usual_model(), Some("gone"));
        assert_eq!(board.missed("gone"), (false, true));
        assert_eq!(board.missed("gone"), (false, false));
        assert_eq!(board.usual_model(), None);
        board.answered(&Answered {
            key: KeyId(1),
            model: "gone".into(),
            latency_ms: 5,
            at: NOW,
        });
        assert_eq!(board.usual_model(), Some("gone"));
    }
}
