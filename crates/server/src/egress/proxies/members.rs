//! Which proxies there are, and when those that are set aside come back: what changes, behind the lock of `mod.rs`.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use config::ProxyUrl;
use domain::UnixMs;

use super::proxy::{Address, Proxy, ProxyId, State, Trust};
use super::settings::ProxySettings;
use crate::egress::Reach;

/// The proxies that are used for all keys.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) settings: Arc<ProxySettings>,
    pub(super) found: Vec<Found>,
    pub(super) all: HashMap<ProxyId, Member>,
    pub(super) returns: Returns,
    last_id: u64,
}

/// A proxy that was found in a list.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) url: ProxyUrl,
    /// How far from the public internet it may lie.
    pub(crate) reach: Reach,
    /// What the list is called.
    pub(crate) source: Arc<str>,
}

/// A proxy, where it stands in the order of the configuration and the lists, and the list that it was found in.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) proxy: Arc<Proxy>,
    pub(super) place: usize,
    /// None: the configuration names it.
    pub(crate) source: Option<Arc<str>>,
}

/// A proxy that is to be there.
struct Wanted<'a> {
    url: &'a ProxyUrl,
    reach: Reach,
    trust: Trust,
    source: Option<&'a Arc<str>>,
}

impl Members {
    pub(super) fn new(settings: Arc<ProxySettings>) -> Self {
        Self {
            settings,
            found: Vec::new(),
            all: HashMap::new(),
            returns: Returns::default(),
            last_id: 0,
        }
    }

    pub(super) fn next_id(&mut self) -> ProxyId {
        self.last_id += 1;
        ProxyId(self.last_id)
    }

    /// Whether it is one of these, and not one that a key names.
    pub(super) fn has(&self, proxy: &Proxy) -> bool {
        self.all.contains_key(&proxy.id)
    }

    /// Makes the set what the settings and the lists say. Proxies that stay are the same as before; each is taken once.
    pub(super) fn take_in(&mut self, now: UnixMs) {
        let wanted = self.wanted();
        let before = std::mem::take(&mut self.all).into_values();
        let mut before: HashMap<u64, Arc<Proxy>> = before
            .map(|member| (member.proxy.seed, member.proxy))
            .collect();
        let mut names = Names::default();
        let mut new = Vec::new();
        for (place, (seed, address, source)) in wanted.into_iter().enumerate() {
            match before.entry(seed) {
                Entry::Occupied(known) if known.get().is_at(&address) => {
                    let proxy = known.remove();
                    names.take(proxy.name.clone());
                    self.add(proxy, place, source);
                }
                _ => new.push((place, address, source)),
            }
        }
        for proxy in before.values() {
            proxy.leave();
        }
        for (place, address, source) in new {
            let name = names.free(&address.url.name());
            let proxy = Proxy::new(self.next_id(), name, address, now);
            self.add(Arc::new(proxy), place, source);
        }
        self.returns = self.all.values().filter_map(due).collect();
    }

    fn add(&mut self, proxy: Arc<Proxy>, place: usize, source: Option<Arc<str>>) {
        let member = Member {
            proxy,
            place,
            source,
        };
        self.all.insert(member.proxy.id, member);
    }

    /// Those of the configuration and those of the lists, each once, with the seeds that they are known by.
    fn wanted(&self) -> Vec<(u64, Address, Option<Arc<str>>)> {
        let Self {
            settings, found, ..
        } = self;
        let stated = settings.proxies.iter().map(|url| Wanted {
            url,
            reach: settings.reach,
            trust: Trust::Given,
            source: None,
        });
        let found = found.iter().map(|found| Wanted {
            url: &found.url,
            reach: found.reach,
            trust: settings.trust_of_found,
            source: Some(&found.source),
        });
        let mut known = HashSet::new();
        let once = stated.chain(found).filter_map(|wanted| {
            let seed = super::proxy::seed(wanted.url);
            known.insert(seed).then(|| {
                let address = Address {
                    url: wanted.url.clone(),
                    reach: wanted.reach,
                    tls: settings.tls.clone(),
                    trust: wanted.trust,
                };
                (seed, address, wanted.source.cloned())
            })
        });
        once.take(settings.most).collect()
    }
}

/// When requests may try it again; those that have to be checked come back by that alone.
fn due(member: &Member) -> Option<(UnixMs, ProxyId)> {
    match member.proxy.standing().state {
        State::SetAside { until, .. } if !member.proxy.must_be_checked() => {
            Some((until, member.proxy.id))
        }
        _ => None,
    }
}

/// The names that are taken. Proxies that differ in their credentials alone are told apart by a number.
#[derive(Debug, Default)]
struct Names {
    taken: HashSet<Arc<str>>,
    /// The last number that was given to proxies of a name.
    numbers: HashMap<String, u32>,
}

impl Names {
    fn take(&mut self, name: Arc<str>) {
        self.taken.insert(name);
    }

    /// The name, or the first of its numbers that is free.
    fn free(&mut self, name: &str) -> String {
        let mut free = name.to_owned();
        let number = self.numbers.entry(name.to_owned()).or_insert(1);
        while !self.taken.insert(free.as_str().into()) {
            *number += 1;
            free = format!("{name}#{number}");
        }
        free
    }
}

/// When proxies that are set aside come back, the first of them first.
#[derive(Debug, Default)]
pub(super) struct Returns(BTreeSet<(UnixMs, ProxyId)>);

impl Returns {
    pub(super) fn insert(&mut self, until: UnixMs, id: ProxyId) {
        self.0.insert((until, id));
    }

    /// It comes back earlier than was thought.
    pub(super) fn remove(&mut self, until: UnixMs, id: ProxyId) {
        self.0.remove(&(until, id));
    }

    /// One whose pause is over.
    pub(super) fn take_due(&mut self, now: UnixMs) -> Option<ProxyId> {
        let (until, id) = *self.0.first()?;
        (until <= now).then(|| {
            self.0.pop_first();
            id
        })
    }

    /// When the first of them comes back.
    pub(super) fn next(&self) -> Option<UnixMs> {
        self.0.first().map(|(until, _)| *until)
    }
}

impl FromIterator<(UnixMs, ProxyId)> for Returns {
    fn from_iter<T: IntoIterator<Item = (UnixMs, ProxyId)>>(all: T) -> Self {
        Self(all.into_iter().collect())
    }
}
