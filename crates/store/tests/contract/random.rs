//! Records of all kinds, the same ones each time, for stories that compare the store with a plain reckoning.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    Attempt, AttemptOutcome, Class, ClientId, Dialect, Elsewhere, KeyId, Nanodollars, RequestId,
    RequestRecord, Usage,
};
use fastrand::Rng;

use crate::database::NOW;

const STATUSES: [u16; 8] = [200, 200, 206, 400, 404, 429, 499, 503];
/// None of them makes a doubt of the model's name.
const ERRORS: [Option<Class>; 4] = [None, None, Some(Class::Timeout), Some(Class::ClientGone)];
const ENDPOINTS: [&str; 3] = ["generateContent", "streamGenerateContent", "100%_sure"];

/// So many records within `time` from [`NOW`] on, in the order of their ids.
pub(crate) fn records(count: usize, time: Duration) -> Vec<RequestRecord> {
    let mut rng = Rng::with_seed(7);
    let step = time.as_millis() as u64 / count as u64;
    let at = |index: usize| NOW + Duration::from_millis(index as u64 * step);
    let id = |index: usize| RequestId::new(at(index), 1, index as u16);
    (0..count)
        .map(|index| record(&mut rng, id(index)))
        .collect()
}

fn record(rng: &mut Rng, id: RequestId) -> RequestRecord {
    let mut some = |most: i64| rng.bool().then(|| rng.i64(0..most));
    let (client, key, cost) = (some(5), some(4), some(1 << 40));
    let provider = some(3).map(|number| Arc::from(format!("provider{number}")));
    let model = some(4).map(|number| Arc::from(format!("Model_{number}")));
    let first_byte_us = some(1 << 36).map(|us| us as u64);
    let error = ERRORS[rng.usize(..4)];
    RequestRecord {
        id,
        client: client.map(ClientId),
        dialect: Dialect::Gemini,
        endpoint: ENDPOINTS[rng.usize(..3)],
        provider,
        model,
        key: key.map(KeyId),
        status: STATUSES[rng.usize(..8)],
        stream: rng.bool(),
        latency_us: some_bits(rng, 36),
        first_byte_us,
        usage: rng.bool().then(|| usage(rng)),
        cost: cost.map(Nanodollars),
        error,
        attempts: if rng.bool() {
            vec![attempt(rng)]
        } else {
            Vec::new()
        },
    }
}

/// A number of any order of magnitude below that power of two.
fn some_bits(rng: &mut Rng, most: u32) -> u64 {
    let bits = rng.u32(..most);
    rng.u64(..1 << bits)
}

fn usage(rng: &mut Rng) -> Usage {
    let mut tokens = || some_bits(rng, 32) as u32;
    Usage {
        prompt: tokens(),
        output: tokens(),
        reasoning: tokens(),
        cached: tokens(),
        tool: tokens(),
        total: tokens(),
    }
}

fn attempt(rng: &mut Rng) -> Attempt {
    Attempt {
        elsewhere: rng.bool().then(|| Elsewhere {
            provider: "xai".into(),
            model: "grok-4.7".into(),
        }),
        key: None,
        egress: "socks5://10.0.0.9:1080".into(),
        status: Some(429),
        outcome: AttemptOutcome {
            class: Class::RateLimited,
            reason: "per_minute".into(),
        },
        latency_us: rng.u64(..1 << 20),
        chosen: "least_loaded".into(),
    }
}
