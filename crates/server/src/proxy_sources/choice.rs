//! Which proxies of the lists are kept where there are more than `egress.max_proxies`: those that work, then those that
//! nothing is known of, in an order that is another at every reading, and last those that have failed. So, however
//! many of a list are dead, sooner or later those are found that are not.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use config::ProxyUrl;

use super::{Source, reading};
use crate::egress::{Found, Member, State};

/// What there is to choose from.
#[derive(Debug)]
pub(super) struct Candidates {
    pub(super) sources: Vec<Source>,
    pub(super) allow_link_local: bool,
    /// The proxies in force.
    pub(super) known: Vec<Member>,
    /// Proxies that are kept at most, those of the configuration included.
    pub(super) most: usize,
}

impl Candidates {
    /// Gives each proxy once, the best first, and no more than there is room for.
    pub(super) fn choose(self) -> Vec<Found> {
        let stated = self.known.iter().filter(|member| member.source.is_none());
        let room = self.most.saturating_sub(stated.count());
        let standings = states(&self.known);
        let mut once: HashSet<&str> = HashSet::new();
        let mut ranked: Vec<(u8, &Source, &ProxyUrl)> = Vec::new();
        for source in &self.sources {
            for url in source.proxies.iter() {
                if once.insert(url.expose()) {
                    ranked.push((rank(standings.get(url.expose())), source, url));
                }
            }
        }
        if ranked.len() > room {
            fastrand::shuffle(&mut ranked);
            ranked.sort_by_key(|(rank, ..)| *rank);
            ranked.truncate(room);
        }
        let found = |(_, source, url): (u8, &Source, &ProxyUrl)| Found {
            url: url.clone(),
            reach: reading::reach(&source.stated, self.allow_link_local),
            source: Arc::clone(&source.name),
        };
        ranked.into_iter().map(found).collect()
    }
}

fn states(known: &[Member]) -> HashMap<&str, State> {
    let states = known.iter().map(|member| {
        let proxy = &member.proxy;
        (proxy.url.expose(), proxy.standing().state)
    });
    states.collect()
}

fn rank(state: Option<&State>) -> u8 {
    match state {
        Some(State::Healthy) => 0,
        Some(State::Untested) => 1,
        None => 2,
        Some(State::SetAside { .. }) => 3,
    }
}
