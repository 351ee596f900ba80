//! Invented records. Numbers repeat in steps without a common divisor, so that every combination of client, model and
//! key comes up, and the same index is the same record each time.

use std::sync::Arc;

use domain::{
    Attempt, AttemptOutcome, Class, ClientId, Dialect, KeyId, Nanodollars, RequestId,
    RequestRecord, UnixMs, Usage,
};

const CLIENTS: usize = 50;
pub(crate) const KEYS: usize = 1_000;
const MODELS: [(&str, &str); 8] = [
    ("google", "gemini-2.5-flash"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash-lite"),
    ("google", "gemini-embedding-001"),
    ("openai", "gpt-5-mini"),
    ("openai", "gpt-5"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-4-5"),
];

const BEGIN: UnixMs = UnixMs(1_763_640_000_000);
/// How long a month is.
pub(crate) const MONTH_MS: i64 = 30 * 86_400_000;
/// One record in so many is for this model, of this status: what is hard to find.
pub(crate) const RARE_EVERY: usize = 2_000_003;
pub(crate) const RARE_MODEL: &str = "gemini-experimental";
pub(crate) const RARE_STATUS: u16 = 418;

/// The traffic of a busy gateway, 20,000 requests a second: all batches are of one minute or two.
pub(crate) fn busy_minute(index: usize) -> RequestRecord {
    record(index, UnixMs(BEGIN.0 + index as i64 / 20), KEYS)
}

/// The traffic of a month.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Month {
    pub(crate) begin: UnixMs,
    pub(crate) records: usize,
    /// Of so many keys.
    pub(crate) keys: usize,
}

impl Month {
    /// One of its records.
    pub(crate) fn record(&self, index: usize) -> RequestRecord {
        let at = MONTH_MS * index as i64 / self.records as i64;
        let mut record = record(index, UnixMs(self.begin.0 + at), self.keys);
        if index % RARE_EVERY == RARE_EVERY / 2 {
            record.model = Some(Arc::from(RARE_MODEL));
            record.status = RARE_STATUS;
            record.error = Some(Class::BadRequest);
        }
        record
    }
}

/// One in 25 fails, one in ten was tried twice.
fn record(index: usize, time: UnixMs, keys: usize) -> RequestRecord {
    let mixed = mix(index);
    let error = mixed.is_multiple_of(25).then(|| error(mixed / 25));
    let (status, class) = error.unwrap_or((200, Class::Ok));
    let mut attempts = vec![attempt(index, status, class, keys)];
    if index.is_multiple_of(10) {
        attempts.insert(0, attempt(index + 1, 429, Class::RateLimited, keys));
    }
    let (provider, model) = MODELS[mixed / 100 % MODELS.len()];
    let latency_us = 80_000 + mixed as u64 % 7_919 * (mixed as u64 / 7_919 % 997);
    RequestRecord {
        id: RequestId::new(time, 1, (index % 4096) as u16),
        client: Some(ClientId(1 + (mixed / 1_000 % CLIENTS) as i64)),
        dialect: Dialect::Gemini,
        endpoint: "streamGenerateContent",
        provider: Some(Arc::from(provider)),
        model: Some(Arc::from(model)),
        key: Some(key(mixed, keys)),
        status,
        stream: true,
        latency_us,
        first_byte_us: error.is_none().then_some(latency_us / 3),
        cost: Some(Nanodollars(1_210_000)),
        usage: error.is_none().then_some(Usage {
            prompt: 1200,
            output: 340,
            reasoning: 50,
            cached: 0,
            tool: 0,
            total: 1540,
        }),
        error: error.map(|(_, class)| class),
        attempts,
    }
}

fn error(index: usize) -> (u16, Class) {
    match index % 10 {
        0..5 => (429, Class::RateLimited),
        5..7 => (503, Class::Overloaded),
        7 => (504, Class::Timeout),
        8 => (400, Class::BadRequest),
        _ => (499, Class::ClientGone),
    }
}

fn key(mixed: usize, keys: usize) -> KeyId {
    KeyId(1 + (mixed / 50_000 % keys) as i64)
}

fn attempt(index: usize, status: u16, class: Class, keys: usize) -> Attempt {
    Attempt {
        elsewhere: None,
        key: Some(key(mix(index), keys)),
        egress: Arc::from("direct"),
        status: Some(status),
        outcome: AttemptOutcome {
            class,
            reason: class.name().into(),
        },
        latency_us: 345_678,
        chosen: "least_loaded".into(),
    }
}

/// Spreads numbers evenly: the last steps of `SplitMix64`.
fn mix(index: usize) -> usize {
    let mut x = (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((x ^ (x >> 27)) >> 8) as usize
}
