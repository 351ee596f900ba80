//! The program `fake-upstream`: flags to scripts, a runtime, one listener per provider, until a signal
//! comes. It imitates nothing itself; the imitation is the library.

mod flags;

use std::io;

use clap::Parser;
use fake_upstream::{FakeProxy, FakeUpstream, Script};
use tokio::signal::unix::{SignalKind, signal};

use crate::flags::{Flags, Plan};

fn main() -> io::Result<()> {
    let flags = Flags::parse();
    let plans = flags.plans()?;
    flags.runtime()?.block_on(serve(&flags, plans))
}

async fn serve(flags: &Flags, plans: Vec<Plan>) -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut proxies = Vec::with_capacity(flags.proxy.len());
    for plan in &flags.proxy {
        proxies.push(plan.script.clone().start_on(plan.listen)?);
    }
    let mut running = Vec::with_capacity(plans.len());
    for plan in plans {
        let script = proxies.iter().fold(plan.script, Script::steers);
        running.push(script.start_on(plan.listen).await?);
    }
    if let Some(path) = &flags.ca_file {
        let of_stand_ins = running.iter().filter_map(FakeUpstream::ca_pem);
        let of_proxies = proxies.iter().filter_map(FakeProxy::ca_pem);
        std::fs::write(path, of_stand_ins.chain(of_proxies).collect::<String>())?;
    }
    announce(flags, &running, &proxies);
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    for upstream in running {
        upstream.stop().await;
    }
    for proxy in proxies {
        proxy.stop().await;
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "whoever starts it with port 0 reads the address there"
)]
fn announce(flags: &Flags, running: &[FakeUpstream], proxies: &[FakeProxy]) {
    for upstream in running {
        let origin = upstream.base_url();
        if flags.names_no_provider() {
            println!("fake-upstream listens on {origin}");
        } else {
            let provider = upstream.provider();
            println!("{provider} listens on {origin}{}", provider.base_path());
        }
    }
    for proxy in proxies {
        println!("{} proxy listens on {}", proxy.kind(), proxy.url());
    }
}
