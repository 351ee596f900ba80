//! Addresses without a client key: a naive model beside the counters, floods of addresses, and threads that race.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;

use domain::Fingerprint;
use metering::{Visit, VisitorLimits, Visitors};
use proptest::prelude::*;

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

fn limits(per_minute: u32, ban_above_per_hour: u32) -> VisitorLimits {
    VisitorLimits {
        per_minute,
        ban_above_per_hour,
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask {
        from: u8,
    },
    /// The clock goes on, or back.
    Clock {
        by_ms: i64,
    },
    /// A refused caller comes back when it was told to.
    ObeyRetryAfter {
        from: u8,
    },
    Change {
        per_minute: u32,
        ban_above_per_hour: u32,
    },
    Forget {
        from: u8,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let from = || 0u8..3;
    let step = prop_oneof![
        12 => from().prop_map(|from| Step::Ask { from }),
        4 => (0i64..3_000).prop_map(|by_ms| Step::Clock { by_ms }),
        2 => (0i64..90_000).prop_map(|by_ms| Step::Clock { by_ms }),
        1 => (-90_000i64..0).prop_map(|by_ms| Step::Clock { by_ms }),
        1 => (0i64..8_000_000).prop_map(|by_ms| Step::Clock { by_ms }),
        3 => from().prop_map(|from| Step::ObeyRetryAfter { from }),
        1 => (1u32..6, 1u32..30).prop_map(|(per_minute, ban_above_per_hour)| Step::Change {
            per_minute,
            ban_above_per_hour,
        }),
        1 => from().prop_map(|from| Step::Forget { from }),
    ];
    prop::collection::vec(step, 1..200)
}

/// One address as a model that keeps every request.
#[derive(Clone, Debug)]
struct Naive {
    latest: UnixMs,
    asked: Vec<UnixMs>,
    let_in: Vec<UnixMs>,
}

impl Naive {
    fn new() -> Self {
        Self {
            latest: UnixMs(i64::MIN),
            asked: Vec::new(),
            let_in: Vec::new(),
        }
    }

    fn within(&self, times: &[UnixMs], span: Duration) -> usize {
        let recent = times.iter().filter(|at| **at + span > self.latest);
        recent.count()
    }
}

struct Both {
    visitors: Visitors,
    naive: Vec<Naive>,
    limits: VisitorLimits,
    now: UnixMs,
}

impl Both {
    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Ask { from } => self.ask(from).map(drop),
            Step::Clock { by_ms } => {
                self.now.0 += by_ms;
                Ok(())
            }
            Step::ObeyRetryAfter { from } => self.obey(from),
            Step::Change {
                per_minute,
                ban_above_per_hour,
            } => {
                self.limits = limits(per_minute, ban_above_per_hour);
                Ok(())
            }
            Step::Forget { from } => {
                self.visitors.forget(address(from));
                let naive = &mut self.naive[usize::from(from)];
                naive.asked.clear();
                naive.let_in.clear();
                Ok(())
            }
        }
    }

    fn ask(&mut self, from: u8) -> Result<Visit, TestCaseError> {
        let visit = self.visitors.count(address(from), self.limits, self.now);
        let naive = &mut self.naive[usize::from(from)];
        naive.latest = naive.latest.max(self.now);
        naive.asked.push(naive.latest);
        let of_the_hour = naive.within(&naive.asked, HOUR);
        let surely_of_the_hour = naive.within(&naive.asked, 59 * MINUTE);
        let most = self.limits.ban_above_per_hour as usize;
        if let Visit::Ban { requests } = visit {
            prop_assert!(of_the_hour > most, "banned for {of_the_hour} of {most}");
            prop_assert!((surely_of_the_hour..=of_the_hour).contains(&(requests as usize)));
            return Ok(visit);
        }
        prop_assert!(
            surely_of_the_hour <= most,
            "not banned for {surely_of_the_hour}"
        );
        let limit = self.limits.per_minute as usize;
        match visit {
            Visit::Within(standing) => {
                let before = naive.within(&naive.let_in, MINUTE);
                prop_assert!(before < limit, "one more than {limit} a minute");
                naive.let_in.push(naive.latest);
                let shown = standing.requests().unwrap();
                prop_assert!(shown.remaining <= (limit - before - 1) as u64);
                prop_assert!(shown.resets_in > Duration::ZERO);
            }
            Visit::TooMany(refusal, standing) => {
                let slack = SECOND;
                let before = naive.within(&naive.let_in, MINUTE + slack);
                prop_assert!(before >= limit, "refused for nothing");
                prop_assert_eq!(standing.requests().unwrap().remaining, 0);
                prop_assert!(refusal.retry_after_s().is_some_and(|s| s >= 1));
            }
            Visit::Ban { .. } => {}
        }
        Ok(visit)
    }

    /// Whoever comes back when it was told to is let in, unless it has come too often altogether.
    fn obey(&mut self, from: u8) -> Result<(), TestCaseError> {
        let Visit::TooMany(refusal, _) = self.ask(from)? else {
            return Ok(());
        };
        self.now = self.now + refusal.retry_after.unwrap();
        let visit = self.ask(from)?;
        prop_assert!(!matches!(visit, Visit::TooMany(..)), "sent away twice");
        Ok(())
    }
}

fn address(from: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, from))
}

proptest! {
    #[test]
    fn addresses_are_counted_as_a_naive_model_counts_them(steps in steps()) {
        let mut both = Both {
            visitors: Visitors::default(),
            naive: vec![Naive::new(); 3],
            limits: limits(3, 20),
            now: START,
        };
        for step in steps {
            both.step(step)?;
        }
    }
}

#[test]
fn refused_requests_count_towards_the_ban() {
    let visitors = Visitors::default();
    let limits = limits(2, 5);
    let visits: Vec<Visit> = (0..7)
        .map(|_| visitors.count(HERE, limits, START))
        .collect();
    assert!(matches!(visits[1], Visit::Within(_)));
    assert!(matches!(visits[4], Visit::TooMany(..)));
    assert_eq!(visits[5], Visit::Ban { requests: 6 });
    assert_eq!(visits[6], Visit::Ban { requests: 7 });
    visitors.forget(HERE);
    assert!(matches!(
        visitors.count(HERE, limits, START),
        Visit::Within(_)
    ));
}

#[test]
fn a_flood_of_addresses_makes_no_address_forgotten_that_is_close_to_a_ban() {
    const FLOOD: u128 = 3 * Visitors::MOST as u128;
    let visitors = Visitors::default();
    let limits = limits(40, 3_600);
    for _ in 0..3_600 {
        visitors.count(HERE, limits, START);
    }
    for n in 0..FLOOD {
        let network = IpAddr::V6(Ipv6Addr::from((0x2001_0db8 << 96) + (n << 64)));
        visitors.count(network, limits, START + SECOND);
    }
    assert!(visitors.len() <= Visitors::MOST, "{}", visitors.len());
    assert!(visitors.len() > Visitors::MOST / 2, "{}", visitors.len());
    let last = visitors.count(HERE, limits, START + SECOND);
    assert_eq!(last, Visit::Ban { requests: 3_601 });
}

#[test]
fn whoever_guesses_keys_is_not_forgotten_in_a_flood() {
    let visitors = Visitors::default();
    for key in 0..1_000u32 {
        visitors.guessed(HERE, Fingerprint::of(&key.to_le_bytes()), START);
    }
    for n in 0..3 * Visitors::MOST as u32 {
        visitors.count(IpAddr::V4(n.into()), limits(40, 3_600), START + SECOND);
    }
    assert!(visitors.is_guessing(HERE, START + SECOND));
    visitors.forget(HERE);
    assert!(visitors.is_guessing(HERE, START + SECOND));
    assert!(!visitors.is_guessing(HERE, START + HOUR));
}

#[test]
fn racing_requests_never_exceed_a_minute_and_are_banned_at_the_same_number() {
    const THREADS: usize = 200;
    const EACH: usize = 50;
    let visitors = Visitors::default();
    let (within, too_many) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let bans = Mutex::new(Vec::new());
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for _ in 0..EACH {
                    match visitors.count(HERE, limits(40, 3_600), START) {
                        Visit::Within(_) => within.fetch_add(1, Ordering::Relaxed),
                        Visit::TooMany(..) => too_many.fetch_add(1, Ordering::Relaxed),
                        Visit::Ban { requests } => {
                            bans.lock().unwrap().push(requests);
                            0
                        }
                    };
                }
            });
        }
    });
    assert_eq!(within.into_inner(), 40);
    assert_eq!(too_many.into_inner(), 3_560);
    let mut bans = bans.into_inner().unwrap();
    bans.sort_unstable();
    assert_eq!(bans, (3_601..=10_000).collect::<Vec<u32>>());
}
