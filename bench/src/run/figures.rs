//! Every figure that is measured, and what it should reach. The table of the report is this list.

/// Which way a figure is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Lower,
    Higher,
}

/// What keymux should reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    None,
    /// So many times nginx's figure of the same run.
    Ratio(f64),
    /// So much.
    Value(f64),
}

/// One figure.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) id: &'static str,
    /// What it is, with its unit.
    pub(crate) what: &'static str,
    pub(crate) better: Better,
    /// To be reached first.
    pub(crate) first: Goal,
    /// To be reached then.
    pub(crate) then: Goal,
}

macro_rules! figures {
    ($($name:ident = $id:literal, $what:literal, $better:ident, $first:expr, $then:expr;)*) => {
        $(pub(crate) static $name: Figure = Figure {
            id: $id, what: $what, better: Better::$better, first: $first, then: $then,
        };)*

        /// All of them, in the order of the report.
        pub(crate) static ALL: &[&Figure] = &[$(&$name),*];
    };
}

use Goal::{None, Ratio, Value};

figures! {
    JSON_CPU = "json.cpu", "small JSON: CPU s per 10,000 requests", Lower, Ratio(2.0), Ratio(1.4);
    JSON_RATE = "json.rate", "small JSON: requests/s, gateway on one core", Higher, None, None;
    JSON_BUSY = "json.busy", "small JSON: share of its core the gateway used, %", Higher, None, None;
    JSON_UNRECORDED = "json.unrecorded", "small JSON: records dropped at that rate, %", Lower, None, None;
    ADDED_P50 = "latency.added_p50", "added latency at 500 requests/s, p50, ms", Lower, Value(0.2), Value(0.15);
    ADDED_P99 = "latency.added_p99", "added latency at 500 requests/s, p99, ms", Lower, None, None;
    TOTAL_P99 = "latency.p99", "whole latency at 500 requests/s, p99, ms", Lower, Ratio(2.0), None;
    STREAM_CPU = "streams.cpu", "streams, 50 chunks at 20 ms: CPU s per 1,000", Lower, Ratio(1.5), Ratio(1.2);
    STREAM_FIRST = "streams.first_byte", "streams: first byte, p50, ms", Lower, None, None;
    STREAM_GAP = "streams.gap", "streams: gap between chunks, p99, ms", Lower, None, None;
    BURST_CPU = "burst.cpu", "burst streams, 50 chunks at once: CPU s per 1,000", Lower, Ratio(3.0), Ratio(1.5);
    OPEN_MEMORY = "open.memory", "memory per open stream, 1,000 open, KiB", Lower, Value(64.0), Value(32.0);
    LIVE_MEMORY = "live.memory", "memory per Live session, 500 open, KiB", Lower, Value(64.0), None;
    BODY_RATE = "bodies.rate", "1 MB request bodies: MB/s, gateway on one core", Higher, Ratio(0.7), None;
    BODY_CPU = "bodies.cpu", "1 MB request bodies: CPU s per 1,000", Lower, None, None;
    UPLOAD_PEAK = "uploads.peak", "2 GiB upload: peak memory (VmHWM), MiB", Lower, Value(64.0), None;
    UPLOAD_GROWN = "uploads.grown", "2 GiB upload: of that, more than before it, MiB", Lower, Value(8.0), None;
    UPLOAD_CPU = "uploads.cpu", "2 GiB upload: CPU s", Lower, None, None;
    UPLOAD_RATE = "uploads.rate", "2 GiB upload: MB/s", Higher, None, None;
    POOL_COST = "pool.cost", "100,000 keys: CPU per request, relative to 10 keys", Lower, Value(1.1), None;
    POOL_MEMORY = "pool.memory", "100,000 keys: memory on top of 10 keys, MiB", Lower, Value(60.0), None;
    POOL_READY = "pool.ready", "100,000 keys in SQLite: start to ready, ms", Lower, Value(1000.0), None;
    FILES_READY = "pool.files_ready", "100,000 keys in key files: start to ready, ms", Lower, None, None;
    FILES_RATIO = "pool.files_ratio", "100,000 keys in key files: start to ready, relative to SQLite alone", Lower, None, None;
    FILES_FIRST = "pool.files_first", "100,000 keys in key files: first start to ready (new database), ms", Lower, None, None;
    DEAD_REFUSED = "half_dead.refused", "500 of 1,000 keys dead: requests without a good answer", Lower, Value(0.0), None;
    DEAD_BEGIN_CPU = "half_dead.begin_cpu", "500 of 1,000 keys dead: CPU s per 10,000, first second", Lower, None, None;
    DEAD_CPU = "half_dead.cpu", "500 of 1,000 keys dead: CPU s per 10,000, settled", Lower, Ratio(2.0), Ratio(1.4);
    CHECKS_RATE = "checks.rate", "30,000 checks at full tilt: checks/s beside 500 requests/s", Higher, None, None;
    CHECKS_P50_OFF = "checks.p50_off", "whole latency without checks, p50, ms", Lower, None, None;
    CHECKS_P50_ON = "checks.p50_on", "whole latency with checks, p50, ms", Lower, None, None;
    CHECKS_P50 = "checks.p50", "added by checks, p50, ms", Lower, Value(0.02), None;
    CHECKS_P99_OFF = "checks.p99_off", "whole latency without checks, p99, ms", Lower, None, None;
    CHECKS_P99_ON = "checks.p99_on", "whole latency with checks, p99, ms", Lower, None, None;
    CHECKS_P99 = "checks.p99", "added by checks, p99, ms", Lower, Value(0.2), None;
    CHECKS_P50_NOISE = "checks.p50_noise", "two rounds without checks: difference of p50, ms", Lower, None, None;
    CHECKS_P99_NOISE = "checks.p99_noise", "two rounds without checks: difference of p99, ms", Lower, None, None;
    CHECKS_CPU = "checks.cpu", "added by checks, % of a core, work afterwards included", Lower, None, None;
    TLS1_CPU = "tls_h1.cpu", "TLS to the provider, HTTP/1.1: CPU s per 10,000", Lower, Ratio(1.6), Ratio(1.2);
    TLS2_CPU = "tls_h2.cpu", "TLS to the provider, HTTP/2: CPU s per 10,000", Lower, Ratio(1.6), Ratio(1.2);
    IDLE_MEMORY = "idle.memory", "idle memory, 10 keys, MiB", Lower, Value(40.0), Value(25.0);
    FIRST_READY = "idle.first_ready", "first start to ready (new database), ms", Lower, None, None;
    READY = "idle.ready", "later starts to ready, 10 keys, ms", Lower, Value(100.0), Value(30.0);
    RECORD_RATE = "records.rate", "request records into SQLite, rows/s", Higher, Value(20_000.0), None;
    CHOOSE_SMALL = "micro.choose_10", "lease and report, least_loaded, 10 keys, ns", Lower, Value(1000.0), Value(300.0);
    CHOOSE_MIDDLE = "micro.choose_1k", "lease and report, least_loaded, 1,000 keys, ns", Lower, Value(1000.0), Value(300.0);
    CHOOSE_LARGE = "micro.choose_100k", "lease and report, least_loaded, 100,000 keys, ns", Lower, Value(1000.0), Value(300.0);
    ROBIN_LARGE = "micro.round_robin_100k", "lease and report, round_robin, 100,000 keys, ns", Lower, Value(1000.0), Value(300.0);
    RANDOM_LARGE = "micro.random_100k", "lease and report, random, 100,000 keys, ns", Lower, Value(1000.0), Value(300.0);
    FILL_LARGE = "micro.fill_first_100k", "lease and report, fill_first, 100,000 keys, ns", Lower, Value(1000.0), Value(300.0);
    PAST_DEAD = "micro.past_dead", "lease and report past 99,000 dead of 100,000 keys, ns", Lower, Value(1000.0), None;
    SCAN_SMALL = "micro.scan_json", "reading a 1 KB JSON answer, GB/s", Higher, None, None;
    SCAN_STREAM = "micro.scan_sse", "reading a stream of 50 events, GB/s", Higher, None, None;
    SCAN_LARGE = "micro.scan_base64", "reading a 1 MB answer of base64, GB/s", Higher, None, None;
}
