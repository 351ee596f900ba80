//! What keeping conversations to a project is worth: chats over twenty projects, each of which remembers the beginnings
//! that it has seen for five minutes, as providers do. Simulated time, the real pool, and equal numbers in every run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{KeyId, UnixMs, Verdict};
use keypool::{Place, Prefix, Strategy, Want, Warmth};

use crate::micro::{NOW, pool_of};

const PROJECTS: i64 = 20;
const CHATS: usize = 300;
const REQUESTS: usize = 20_000;
/// Of all chats together.
const PER_SECOND: u64 = 20;
/// What a turn and its answer add to the next request, in bytes.
const TURN: usize = 3_000;
/// A chat is over after so many turns, and another takes its place.
const TURNS: usize = 24;
/// How long a project remembers, and what it remembers at least: 2048 tokens of four bytes.
const REMEMBERED: Duration = Duration::from_secs(300);
const SHORTEST: usize = 8_192;
const MODEL: &str = "gemini-2.5-flash";

/// What came of it.
struct Outcome {
    hits: usize,
    bytes: usize,
    cached: usize,
    /// Requests of the key that got most, and of the one that got least.
    most: usize,
    least: usize,
}

/// Simulates both and prints them.
pub(crate) fn command() {
    for (name, is_warm) in [
        ("any project", false),
        ("the project that saw it last", true),
    ] {
        let outcome = simulate(is_warm);
        let share = |part: usize, whole: usize| 100.0 * part as f64 / whole as f64;
        crate::say(&format!(
            "{name:>30}: {:.1} % of requests find their beginning cached, {:.1} % of input bytes; keys got {} to {} requests",
            share(outcome.hits, REQUESTS),
            share(outcome.cached, outcome.bytes),
            outcome.least,
            outcome.most,
        ));
    }
}

struct Chat {
    id: usize,
    body: String,
    turns: usize,
}

impl Chat {
    fn new(id: usize) -> Self {
        Self {
            id,
            body: format!("{{\"contents\":[{{\"text\":\"chat {id}: "),
            turns: 0,
        }
    }

    fn go_on(&mut self) {
        let words = format!("{} {} ", self.id, self.turns);
        self.body.push_str(&words.repeat(TURN / words.len()));
        self.turns += 1;
    }
}

fn simulate(is_warm: bool) -> Outcome {
    let pool = pool_of(Strategy::LeastLoaded, PROJECTS);
    let warmth = Warmth::default();
    let mut dice = fastrand::Rng::with_seed(7);
    let mut chats: Vec<Chat> = (0..CHATS).map(Chat::new).collect();
    let mut next_id = CHATS;
    let mut seen: HashMap<(String, usize), (usize, UnixMs)> = HashMap::new();
    let mut uses: HashMap<KeyId, usize> = HashMap::new();
    let mut outcome = Outcome {
        hits: 0,
        bytes: 0,
        cached: 0,
        most: 0,
        least: 0,
    };
    for number in 0..REQUESTS {
        let now = NOW + Duration::from_millis(number as u64 * 1_000 / PER_SECOND);
        let chat = &mut chats[dice.usize(..CHATS)];
        chat.go_on();
        let prefix = Prefix::of("google", MODEL, [chat.body.as_bytes()]);
        let warm = prefix.as_ref().and_then(|prefix| warmth.project(prefix));
        let place = match &warm {
            Some(project) if is_warm => Place::Warm(project),
            _ => Place::Anywhere,
        };
        let want = Want {
            model: MODEL,
            tried: &[],
            again: false,
            place,
        };
        let Ok(lease) = pool.lease(&want, now) else {
            continue;
        };
        let project = lease.key().project_name();
        *uses.entry(lease.key().id).or_default() += 1;
        outcome.bytes += chat.body.len();
        let known = seen.get(&(project.clone(), chat.id));
        if let Some((length, at)) = known
            && *length >= SHORTEST
            && *at + REMEMBERED > now
        {
            outcome.hits += 1;
            outcome.cached += length;
        }
        seen.insert((project.clone(), chat.id), (chat.body.len(), now));
        if let Some(prefix) = &prefix {
            warmth.note(prefix, &Arc::from(project));
        }
        pool.report(
            &lease,
            MODEL,
            &Verdict::ok(),
            Duration::from_millis(300),
            now,
        );
        if chat.turns == TURNS {
            *chat = Chat::new(next_id);
            next_id += 1;
        }
    }
    outcome.most = uses.values().copied().max().unwrap_or_default();
    outcome.least = uses.values().copied().min().unwrap_or_default();
    outcome
}
