//! The inner loops by themselves: choosing a key, reading an answer. No sockets, no threads.
//! Each figure is the best of several repetitions, since noise only ever adds time.

mod choose;
mod scan;

pub(crate) use choose::{NOW, pool_of};

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::run::figures;
use crate::run::gateways::Gateway;
use crate::run::lab::Lab;
use crate::run::results::Results;

const REPETITIONS: usize = 5;
const LASTS: Duration = Duration::from_millis(60);

/// Measures and prints one line for each figure.
pub(crate) fn command() -> anyhow::Result<()> {
    let mut results = Results::default();
    measure(&mut results)?;
    for figure in figures::ALL {
        if let Some(value) = results.value(figure, Gateway::Keymux) {
            crate::say(&format!("{value:>8.1}  {}", figure.what));
        }
    }
    Ok(())
}

/// The same as a scenario of `bench run`.
pub(crate) fn run(_: &Lab, results: &mut Results) -> anyhow::Result<()> {
    measure(results)
}

fn measure(results: &mut Results) -> anyhow::Result<()> {
    choose::run(results)?;
    scan::run(results);
    Ok(())
}

/// Nanoseconds that `step` takes.
fn nanoseconds<T>(mut step: impl FnMut() -> T) -> f64 {
    (0..REPETITIONS)
        .map(|_| once(&mut step))
        .fold(f64::INFINITY, f64::min)
}

fn once<T>(step: &mut impl FnMut() -> T) -> f64 {
    let began = Instant::now();
    let mut steps = 0u32;
    loop {
        for _ in 0..16 {
            black_box(step());
        }
        steps += 16;
        let took = began.elapsed();
        if took >= LASTS {
            return took.as_secs_f64() * 1e9 / f64::from(steps);
        }
    }
}
