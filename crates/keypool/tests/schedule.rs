//! Which key is checked when, and with which model.

#![expect(clippy::unwrap_used, reason = "a test stops where its steps fail")]

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use domain::{CheckResult, Class, Cooling, KeyHealth, KeyId, RetiredReason, UnixMs};
use keypool::{CheckRules, Due, Existence, Member, Schedule};
use proptest::prelude::*;

/// 2026-11-20T00:00:00Z, the beginning of a day.
const NOW: UnixMs = UnixMs(1_795_132_800_000);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const RULES: CheckRules = CheckRules {
    after_ok: Duration::from_secs(12 * 3600),
    after_403: Duration::from_secs(10 * 86_400),
    after_4xx: DAY,
    after_5xx: Duration::from_secs(600),
    recheck_interval: HOUR,
};
const ANY: u32 = 1_000_000;

fn members(ids: impl IntoIterator<Item = i64>) -> Vec<Member> {
    let member = |id| Member {
        id: KeyId(id),
        project: None,
        enabled: true,
        is_out: false,
    };
    ids.into_iter().map(member).collect()
}

fn models(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn schedule(keys: i64, names: &[&str]) -> Schedule {
    let mut schedule = Schedule::new(RULES, 7);
    schedule.set_keys(members(1..=keys), Duration::ZERO, NOW);
    schedule.set_models(&models(names), Duration::ZERO, NOW);
    schedule
}

fn result(status: u16, class: Class) -> CheckResult {
    CheckResult {
        status: Some(status),
        class,
        reason: "any",
        latency_ms: 3,
    }
}

fn ok() -> CheckResult {
    result(200, Class::Ok)
}

fn invalid_until(until: UnixMs) -> KeyHealth {
    cooling(Class::KeyInvalid, until)
}

fn cooling(class: Class, until: UnixMs) -> KeyHealth {
    KeyHealth::Cooling(Cooling {
        until,
        probe_at: until,
        class,
        streak: 1,
    })
}

fn retired() -> KeyHealth {
    KeyHealth::Retired {
        reason: RetiredReason::Invalid,
        since: NOW,
    }
}

/// Everything that is due, each found well.
fn run(schedule: &mut Schedule, now: UnixMs) -> Vec<Due> {
    let mut done = Vec::new();
    while let Some(due) = schedule.take(ANY, now) {
        schedule.done(&due, &ok(), None, &KeyHealth::Active, now);
        done.push(due);
    }
    done
}

fn next(schedule: &Schedule, key: i64, model: &str) -> UnixMs {
    let mut rows = schedule.rows_of(KeyId(key));
    rows.find(|row| *row.model == *model)
        .unwrap()
        .next_at
        .unwrap()
}

#[test]
fn every_key_is_checked_with_every_model_and_then_not_before_its_time() {
    let mut schedule = schedule(10, &["a", "b", "c"]);
    let done = run(&mut schedule, NOW);
    let pairs: BTreeSet<_> = done
        .iter()
        .map(|due| (due.key, due.model.clone()))
        .collect();
    assert_eq!((done.len(), pairs.len()), (30, 30));
    assert_eq!(run(&mut schedule, NOW + HOUR * 10).len(), 0);
    assert_eq!(run(&mut schedule, NOW + HOUR * 12).len(), 30);
}

#[test]
fn what_is_under_way_is_not_begun_again_and_due_again_when_it_is_given_up() {
    let mut schedule = schedule(1, &["a"]);
    let due = schedule.take(ANY, NOW).unwrap();
    assert_eq!(
        (schedule.take(ANY, NOW + DAY), schedule.backlog(NOW)),
        (None, 0)
    );
    schedule.give_up();
    assert_eq!(schedule.backlog(NOW), 1);
    assert_eq!(schedule.take(ANY, NOW), Some(due));
}

#[test]
fn first_checks_are_spread_over_the_time_that_they_have() {
    let mut schedule = Schedule::new(RULES, 7);
    schedule.set_keys(members(1..=10_000), MINUTE * 5, NOW);
    schedule.set_models(&models(&["a", "b", "c"]), MINUTE * 5, NOW);
    let mut before = 0;
    for minute in 1..=5 {
        let due = schedule.backlog(NOW + MINUTE * minute);
        assert!((5_400..=6_600).contains(&(due - before)), "minute {minute}");
        before = due;
    }
    assert_eq!(schedule.backlog(NOW + MINUTE * 5 + MINUTE), 30_000);
}

#[test]
fn checks_made_together_do_not_fall_together() {
    let mut schedule = schedule(10_000, &["a"]);
    run(&mut schedule, NOW);
    let mut by_hour: HashMap<i64, usize> = HashMap::new();
    for row in schedule.rows() {
        let seconds = NOW.until(row.next_at.unwrap()).as_secs() - 1;
        *by_hour.entry(seconds as i64 / 60 / 12).or_default() += 1;
    }
    // The last tenth of twelve hours is six times twelve minutes.
    assert_eq!(by_hour.len(), 6, "{by_hour:?}");
    assert!(by_hour.values().all(|count| *count > 1_400), "{by_hour:?}");
}

#[test]
fn keys_that_are_switched_off_are_not_checked_and_keep_what_is_known() {
    let mut schedule = schedule(2, &["a"]);
    run(&mut schedule, NOW);
    let mut one_off = members(1..=2);
    one_off[0].enabled = false;
    schedule.set_keys(one_off, Duration::ZERO, NOW);
    let due = run(&mut schedule, NOW + DAY);
    assert_eq!(due.iter().map(|due| due.key.0).collect::<Vec<_>>(), [2]);
    let row = schedule.rows_of(KeyId(1)).next().unwrap();
    assert!(row.last.is_some() && row.next_at.is_none());
    schedule.set_keys(members(1..=2), Duration::ZERO, NOW);
    assert_eq!(run(&mut schedule, NOW + DAY)[0].key, KeyId(1));
}

#[test]
fn keys_and_models_come_and_go_without_a_loss() {
    let mut schedule = schedule(3, &["a", "b"]);
    run(&mut schedule, NOW);
    schedule.set_keys(members([1, 3, 4]), Duration::ZERO, NOW);
    let gone = schedule.set_models(&models(&["b", "c"]), Duration::ZERO, NOW);
    assert_eq!(gone, ["a".into()]);
    let due = run(&mut schedule, NOW);
    let seen: BTreeSet<_> = due.iter().map(|due| (due.key.0, &*due.model)).collect();
    let new = [(1, "c"), (3, "c"), (4, "b"), (4, "c")];
    assert_eq!(seen, BTreeSet::from(new));
    assert_eq!(schedule.rows_of(KeyId(2)).count(), 0);
}

#[test]
fn a_restart_checks_nothing_anew() {
    let mut before = schedule(5, &["a", "b"]);
    run(&mut before, NOW);
    let saved = before.take_unsaved();
    assert_eq!((saved.len(), before.take_unsaved().len()), (10, 0));
    let mut after = schedule(5, &["a", "b"]);
    for check in &saved {
        after.restore(check);
    }
    after.restored();
    assert_eq!(after.backlog(NOW + HOUR), 0);
    for (one, other) in before.rows().zip(after.rows()) {
        assert_eq!((one.last, one.next_at), (other.last, other.next_at));
    }
    assert_eq!(after.summary(), before.summary());
    let mut hasty = Schedule::new(
        CheckRules {
            after_ok: HOUR,
            ..RULES
        },
        7,
    );
    hasty.set_keys(members(1..=5), Duration::ZERO, NOW);
    hasty.set_models(&models(&["a", "b"]), Duration::ZERO, NOW);
    for check in &saved {
        hasty.restore(check);
    }
    hasty.restored();
    assert_eq!(
        hasty.backlog(NOW + HOUR),
        10,
        "a shorter figure holds at once"
    );
}

#[test]
fn an_answer_to_a_caller_is_as_good_as_a_check() {
    let mut schedule = schedule(2, &["a"]);
    schedule.answered(KeyId(1), "a", 12, NOW);
    schedule.answered(KeyId(1), "unknown", 12, NOW);
    let due = run(&mut schedule, NOW);
    assert_eq!(due.iter().map(|due| due.key.0).collect::<Vec<_>>(), [2]);
    let row = schedule.rows_of(KeyId(1)).next().unwrap();
    assert_eq!(row.last.unwrap().1.reason, CheckResult::TRAFFIC);
    assert!(next(&schedule, 1, "a") > NOW + HOUR * 10);
    assert_eq!(schedule.take_unsaved().len(), 2);
    schedule.answered(KeyId(1), "a", 12, NOW + HOUR);
    assert_eq!(
        schedule.take_unsaved().len(),
        0,
        "not each answer is written"
    );
    schedule.answered(KeyId(1), "a", 12, NOW + HOUR * 4);
    assert_eq!(schedule.take_unsaved().len(), 1);
}

#[test]
fn a_suspected_key_is_checked_when_its_minute_is_over_and_before_others() {
    let mut schedule = schedule(100, &["a", "b"]);
    let until = NOW + MINUTE;
    schedule.stands(KeyId(50), &invalid_until(until), NOW);
    let early = run(&mut schedule, NOW);
    assert!(
        early.iter().all(|due| due.key != KeyId(50)),
        "not within the minute"
    );
    schedule.set_keys(members(1..=200), Duration::ZERO, NOW);
    let first = schedule.take(ANY, until + MINUTE).unwrap();
    assert_eq!(first.key, KeyId(50));
}

#[test]
fn a_key_out_of_use_is_checked_within_the_recheck_interval() {
    let mut schedule = schedule(2, &["a", "b"]);
    run(&mut schedule, NOW);
    let out = cooling(Class::KeyRestricted, NOW + HOUR * 6);
    schedule.stands(KeyId(1), &out, NOW);
    schedule.stands(KeyId(1), &out, NOW);
    let due = run(&mut schedule, NOW + HOUR);
    assert_eq!(due.len(), 1, "one check proves the key: {due:?}");
    assert_eq!(due[0].key, KeyId(1));
}

#[test]
fn a_retired_key_is_checked_after_a_403_and_as_usual_once_it_is_back() {
    let mut schedule = schedule(1, &["a"]);
    run(&mut schedule, NOW);
    schedule.stands(KeyId(1), &retired(), NOW);
    let after = NOW.until(next(&schedule, 1, "a"));
    assert!((DAY * 9..=DAY * 10 + MINUTE).contains(&after), "{after:?}");
    schedule.stands(KeyId(1), &KeyHealth::Active, NOW);
    assert!(NOW.until(next(&schedule, 1, "a")) <= HOUR * 12 + MINUTE);
    // A failure that is only counted is no return.
    let due = schedule.take(ANY, NOW + DAY).unwrap();
    let forbidden = result(403, Class::KeyRestricted);
    schedule.done(&due, &forbidden, None, &KeyHealth::Active, NOW + DAY);
    schedule.stands(KeyId(1), &KeyHealth::Active, NOW + DAY);
    assert!(next(&schedule, 1, "a") > NOW + DAY * 9);
}

#[test]
fn a_dead_key_is_not_checked_because_of_another_model() {
    let mut schedule = schedule(2, &["a"]);
    run(&mut schedule, NOW);
    schedule.stands(KeyId(1), &retired(), NOW);
    schedule.set_models(&models(&["a", "b"]), Duration::ZERO, NOW);
    let due = run(&mut schedule, NOW + HOUR);
    assert_eq!(due.iter().map(|due| due.key.0).collect::<Vec<_>>(), [2]);
    assert_eq!(next(&schedule, 1, "b"), next(&schedule, 1, "a"));
}

#[test]
fn dead_keys_are_not_waited_for_to_say_that_a_model_is_missing() {
    let mut schedule = schedule(3, &["a"]);
    schedule.stands(KeyId(1), &retired(), NOW);
    let said = [(); 2].map(|()| schedule.missed("a"));
    assert_eq!(said, [Existence::Unknown, Existence::Missing]);
}

#[test]
fn other_figures_hold_at_once_both_ways() {
    let mut schedule = schedule(1, &["a"]);
    run(&mut schedule, NOW);
    let with = |after_ok| CheckRules { after_ok, ..RULES };
    schedule.set_rules(with(HOUR));
    assert!(next(&schedule, 1, "a") <= NOW + HOUR);
    schedule.set_rules(with(DAY));
    assert!(next(&schedule, 1, "a") > NOW + HOUR * 20);
    assert_eq!(run(&mut schedule, NOW + HOUR * 20).len(), 0);
}

#[test]
fn a_project_that_had_its_checks_waits_for_the_next_day() {
    let mut schedule = Schedule::new(RULES, 7);
    let mut all = members(1..=10);
    for member in &mut all[..5] {
        member.project = Some("team".into());
    }
    schedule.set_keys(all.clone(), Duration::ZERO, NOW);
    schedule.set_models(&models(&["a"]), Duration::ZERO, NOW);
    let mut taken = Vec::new();
    while let Some(due) = schedule.take(2, NOW) {
        schedule.done(&due, &ok(), None, &KeyHealth::Active, NOW);
        taken.push(due.key.0);
    }
    let of_team = taken.iter().filter(|id| **id <= 5).count();
    assert_eq!((of_team, taken.len()), (2, 7));
    // What was counted stays counted when keys come and go.
    all.push(members([11])[0].clone());
    all[10].project = Some("team".into());
    schedule.set_keys(all, Duration::ZERO, NOW);
    assert_eq!(schedule.take(2, NOW), None);
    let tomorrow = NOW + DAY + HOUR + MINUTE;
    let mut of_team = 0;
    while let Some(due) = schedule.take(2, tomorrow) {
        of_team += usize::from(!(6..=10).contains(&due.key.0));
    }
    assert_eq!(of_team, 2);
}

#[test]
fn a_model_is_missing_when_several_keys_say_so_and_none_has_it() {
    use Existence::{Known, Missing, Unknown};
    let mut schedule = schedule(10, &["a"]);
    let said = [(); 3].map(|()| schedule.missed("a"));
    assert_eq!(said, [Unknown, Unknown, Missing]);
    schedule.answered(KeyId(1), "a", 1, NOW);
    assert_eq!((schedule.missed("a"), schedule.missed("a")), (Known, Known));
    assert_eq!(schedule.missed("a"), Missing, "it was there once");
    assert_eq!(schedule.missed("other"), Unknown);
    let mut alone = self::schedule(1, &["a"]);
    assert_eq!(alone.missed("a"), Missing);
}

#[derive(Clone, Debug)]
enum Act {
    Take(u8),
    Answered(u8, u8),
    Stands(u8, u8),
    Keys(u8),
    Models(u8),
    GiveUp,
    Wait(u16),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => any::<u8>().prop_map(Act::Take),
        2 => (0..12u8, 0..4u8).prop_map(|(key, model)| Act::Answered(key, model)),
        2 => (0..12u8, 0..4u8).prop_map(|(key, state)| Act::Stands(key, state)),
        1 => any::<u8>().prop_map(Act::Keys),
        1 => (0..16u8).prop_map(Act::Models),
        1 => Just(Act::GiveUp),
        3 => any::<u16>().prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 0..80)
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

proptest! {
    /// Whatever happens, a check is never under way twice, never early, and every key's next check is ahead or due.
    #[test]
    fn nothing_is_checked_twice_early_or_never(acts in acts()) {
        let mut schedule = schedule(8, &["a", "b"]);
        let mut now = NOW;
        let mut running: Vec<Due> = Vec::new();
        for act in acts {
            match act {
                Act::Take(kind) => match schedule.take(ANY, now) {
                    Some(due) => {
                        prop_assert!(!running.contains(&due), "twice: {due:?}");
                        prop_assert!(next(&schedule, due.key.0, &due.model) <= now);
                        if kind % 3 == 0 {
                            running.push(due);
                        } else {
                            let result = [ok(), result(403, Class::KeyRestricted), result(503, Class::Overloaded)];
                            let result = &result[usize::from(kind) % 3];
                            schedule.done(&due, result, None, &KeyHealth::Active, now);
                            prop_assert!(next(&schedule, due.key.0, &due.model) > now);
                        }
                    }
                    None => {
                        for row in schedule.rows() {
                            let is_running = running.iter().any(|due| (due.key, &due.model) == (row.key, &row.model));
                            prop_assert!(is_running || row.next_at.unwrap() > now, "forgotten: {row:?}");
                        }
                    }
                },
                Act::Answered(key, model) => {
                    schedule.answered(KeyId(key.into()), NAMES[usize::from(model)], 1, now);
                }
                Act::Stands(key, state) => {
                    let health = [
                        KeyHealth::Active,
                        retired(),
                        invalid_until(now + MINUTE),
                        cooling(Class::Billing, now + HOUR),
                    ];
                    schedule.stands(KeyId(key.into()), &health[usize::from(state)], now);
                }
                Act::Keys(bits) => {
                    let ids = (0..8).filter(|bit| bits >> bit & 1 == 1).map(|bit| bit + 1);
                    schedule.set_keys(members(ids), MINUTE, now);
                    running.retain(|due| bits >> (due.key.0 - 1) & 1 == 1);
                }
                Act::Models(bits) => {
                    let names = (0..4).filter(|bit| bits >> bit & 1 == 1).map(|bit| NAMES[bit]);
                    let names: Vec<&str> = names.collect();
                    schedule.set_models(&models(&names), MINUTE, now);
                    running.retain(|due| names.contains(&&*due.model));
                }
                Act::GiveUp => {
                    schedule.give_up();
                    running.clear();
                }
                Act::Wait(seconds) => now = now + Duration::from_secs(seconds.into()),
            }
        }
        let saved = schedule.take_unsaved();
        let unique: BTreeSet<_> = saved.iter().map(|check| (check.key, check.model.clone())).collect();
        prop_assert_eq!(saved.len(), unique.len());
    }
}
