//! Offers a load and waits until all of it is answered. Everything runs on the caller's thread.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::events::EventCount;
use super::tally::{Report, Tally, observe};
use super::{Ask, Connection, Load, Offer, Target};

/// A request without an answer for so long has failed: a measurement must end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Connections that an open load opens before it begins.
const WARM_CONNECTIONS: usize = 8;

/// What the tasks of one load share.
struct Site {
    target: Target,
    ask: Ask,
    request: Vec<u8>,
    tally: RefCell<Tally>,
    /// Connections of an open load that nobody uses at the moment.
    idle: RefCell<Vec<Connection>>,
}

/// Drives the load to its end.
pub(crate) async fn drive(load: &Load) -> anyhow::Result<Report> {
    let site = Rc::new(Site::new(&load.target, load.ask)?);
    let began = Instant::now();
    let all = LocalSet::new();
    match load.offer {
        Offer::Closed { connections } => {
            all.run_until(closed(&site, connections, load.lasts, load.ask))
                .await;
        }
        Offer::Open { per_second } => all.run_until(open(&site, per_second, load.lasts)).await?,
    }
    let report = site.tally.borrow().report(began.elapsed());
    Ok(report)
}

async fn closed(site: &Rc<Site>, connections: usize, lasts: Duration, ask: Ask) {
    let ends = Instant::now() + lasts;
    // Streams of equal length that begin together would go in step for ever.
    let spread = if ask == Ask::Stream {
        lasts.min(Duration::from_secs(1))
    } else {
        Duration::ZERO
    };
    let mut tasks = JoinSet::new();
    for index in 0..connections {
        let site = site.clone();
        let late = spread.mul_f64(index as f64 / connections as f64);
        tasks.spawn_local(async move {
            if !late.is_zero() {
                sleep(late).await;
            }
            site.ask_until(ends).await;
        });
    }
    while tasks.join_next().await.is_some() {}
}

async fn open(site: &Rc<Site>, per_second: u32, lasts: Duration) -> io::Result<()> {
    for _ in 0..WARM_CONNECTIONS {
        let connection = Connection::open(site.target.addr).await?;
        site.idle.borrow_mut().push(connection);
    }
    let ends = Instant::now() + lasts;
    let mut arrivals = interval(Duration::from_secs(1) / per_second);
    arrivals.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut tasks = JoinSet::new();
    while Instant::now() < ends {
        arrivals.tick().await;
        let site = site.clone();
        tasks.spawn_local(async move { site.ask_in_passing().await });
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
    Ok(())
}

impl Site {
    fn new(target: &Target, ask: Ask) -> anyhow::Result<Self> {
        Ok(Self {
            target: target.clone(),
            ask,
            request: target.request(ask),
            tally: RefCell::new(Tally::new()?),
            idle: RefCell::default(),
        })
    }

    /// Asks one request after the other.
    async fn ask_until(&self, ends: Instant) {
        let mut connection = None;
        while Instant::now() < ends {
            connection = self.ask_once(connection.take()).await;
            if connection.is_none() && self.tally.borrow().answers == 0 {
                // Nobody there: give the other side time instead of the whole core to us.
                sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// Asks one request on any free connection.
    async fn ask_in_passing(&self) {
        let free = self.idle.borrow_mut().pop();
        if let Some(connection) = self.ask_once(free).await {
            self.idle.borrow_mut().push(connection);
        }
    }

    /// Asks one request, counts what comes, and gives the connection back if it is still good.
    async fn ask_once(&self, connection: Option<Connection>) -> Option<Connection> {
        if let Ok(Ok(connection)) = timeout(PATIENCE, self.converse(connection)).await {
            return connection;
        }
        self.tally.borrow_mut().failures += 1;
        None
    }

    async fn converse(&self, connection: Option<Connection>) -> io::Result<Option<Connection>> {
        let began = Instant::now();
        let mut connection = match connection {
            Some(connection) => connection,
            None => Connection::open(self.target.addr).await?,
        };
        let mut count = EventCount::default();
        let mut last = None;
        let mut tell = |piece: &[u8]| {
            if self.ask != Ask::Stream && last.is_some() {
                return;
            }
            let now = Instant::now();
            let tally = &mut *self.tally.borrow_mut();
            match last.replace(now) {
                Some(before) => observe(&mut tally.gap, now - before),
                None => observe(&mut tally.first_byte, now - began),
            }
            if self.ask == Ask::Stream {
                count.push(piece);
            }
        };
        let answer = connection.exchange(&self.request, &mut tell).await?;
        let tally = &mut *self.tally.borrow_mut();
        observe(&mut tally.latency, began.elapsed());
        if answer.status == 200 {
            tally.answers += 1;
        } else {
            tally.refusals += 1;
        }
        tally.body_bytes += answer.body_bytes as u64;
        tally.events += count.events;
        Ok((!answer.closed).then_some(connection))
    }
}

/// Streams that stay open until they are dropped or end by themselves.
#[derive(Debug)]
pub(crate) struct Held {
    all: LocalSet,
    /// How many have shown their first byte.
    pub(crate) begun: usize,
}

/// Opens so many streams and returns once all have begun, or after `patience` with those that have.
pub(crate) async fn hold(target: &Target, streams: usize, patience: Duration) -> Held {
    let request: Rc<[u8]> = target.request(Ask::Stream).into();
    let begun = Rc::new((RefCell::new(0usize), Notify::new()));
    let all = LocalSet::new();
    for _ in 0..streams {
        let (request, begun, addr) = (request.clone(), begun.clone(), target.addr);
        all.spawn_local(async move {
            let mut connection = Connection::open(addr).await?;
            let mut is_first = true;
            let mut tell = |_: &[u8]| {
                if std::mem::take(&mut is_first) {
                    *begun.0.borrow_mut() += 1;
                    begun.1.notify_one();
                }
            };
            connection.exchange(&request, &mut tell).await
        });
    }
    let everyone = async {
        while *begun.0.borrow() < streams {
            begun.1.notified().await;
        }
    };
    // Those that have not begun by then are missing from the count.
    let _ = all.run_until(timeout(patience, everyone)).await;
    let begun = *begun.0.borrow();
    Held { all, begun }
}

impl Held {
    /// Keeps the streams flowing for so long.
    pub(crate) async fn wait(&self, so_long: Duration) {
        self.all.run_until(sleep(so_long)).await;
    }
}
