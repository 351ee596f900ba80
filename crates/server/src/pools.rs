//! The keys of one provider: the shared pool, and a small pool for each user who has keys of their own. An owner's pool
//! gives its selected key first and then the others in order of creation; whom it serves is decided in `gateway`, and
//! which key is selected in `selection.rs`.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use domain::{Key, KeyHealth, KeyId, KeyState, PairId, PairState, UnixMs, UserId};
use keypool::{Census, Changes, KeyStatus, Member, Pool, PoolRules, Strategy};

/// What the names of owners' projects begin with in the pools.
const OWNED: &str = "user:";
/// The priority that puts an owner's selected key before the others, which are ranked from 0 on.
const SELECTED: i16 = -1;
/// The rank that an owner's later keys share; they keep their order within it. Each rank costs every lane of a pool
/// some bytes, and owners may import as many keys as they like.
const LAST_RANK: i16 = 63;

/// All pools of one provider.
#[derive(Debug)]
pub(crate) struct Pools {
    provider: Arc<str>,
    pub(crate) shared: Arc<Pool>,
    owned: ArcSwap<HashMap<UserId, Arc<Pool>>>,
    /// Held while pools are added and keys change hands: requests only read `owned`.
    editing: Mutex<Editing>,
}

#[derive(Debug)]
struct Editing {
    rules: PoolRules,
    /// Where each owned key is; all others are in the shared pool.
    homes: HashMap<KeyId, Home>,
    /// How many keys each owner has had.
    owned_so_far: HashMap<UserId, i16>,
}

#[derive(Clone, Copy, Debug)]
struct Home {
    owner: UserId,
    /// The key's place in the order of creation of its owner's keys.
    rank: i16,
}

impl Editing {
    /// The rank of an owner's key, which has it from now on. Gives its owner before, where that was another one.
    fn settle(&mut self, id: KeyId, owner: UserId) -> (i16, Option<Home>) {
        let before = self.homes.get(&id).copied();
        if let Some(home) = before.filter(|home| home.owner == owner) {
            return (home.rank, None);
        }
        let next = self.owned_so_far.entry(owner).or_default();
        let rank = *next;
        *next = LAST_RANK.min(rank + 1);
        self.homes.insert(id, Home { owner, rank });
        (rank, before)
    }
}

impl Pools {
    pub(crate) fn new(provider: &str, rules: PoolRules) -> Self {
        Self {
            provider: provider.into(),
            shared: Arc::new(Pool::new(provider, rules, fastrand::u64(..))),
            owned: ArcSwap::default(),
            editing: Mutex::new(Editing {
                rules,
                homes: HashMap::new(),
                owned_so_far: HashMap::new(),
            }),
        }
    }

    /// The pool of a user who has keys of their own.
    pub(crate) fn of(&self, owner: UserId) -> Option<Arc<Pool>> {
        self.owned.load().get(&owner).cloned()
    }

    /// Every pool, the shared one first.
    pub(crate) fn all(&self) -> Vec<Arc<Pool>> {
        let owned = self.owned.load();
        let shared = std::iter::once(self.shared.clone());
        shared.chain(owned.values().cloned()).collect()
    }

    /// Follows other rules from now on.
    pub(crate) fn set_rules(&self, rules: PoolRules) {
        let mut editing = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        editing.rules = rules;
        self.shared.set_rules(rules);
        for pool in self.owned.load().values() {
            pool.set_rules(of_owner(rules));
        }
    }

    /// Adds keys, or takes over what has changed about them; their state stays. A key that has changed hands leaves the
    /// pool that it was in.
    pub(crate) fn upsert(&self, keys: impl IntoIterator<Item = (Key, KeyState)>, now: UnixMs) {
        let mut editing = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shared = Vec::new();
        let mut given_away = Vec::new();
        let mut by_owner: HashMap<UserId, Vec<(Key, KeyState)>> = HashMap::new();
        for (mut key, state) in keys {
            let Some(owner) = key.owner else {
                self.leave(editing.homes.remove(&key.id), key.id, now);
                shared.push((key, state));
                continue;
            };
            let (rank, before) = editing.settle(key.id, owner);
            self.leave(before, key.id, now);
            given_away.push(key.id);
            key.priority = if key.selected { SELECTED } else { rank };
            key.project = key.project.map(|name| own_project(owner, &name));
            by_owner.entry(owner).or_default().push((key, state));
        }
        self.shared.remove(given_away, now);
        self.shared.upsert(shared, now);
        for (owner, keys) in by_owner {
            self.of_or_new(owner, editing.rules).upsert(keys, now);
        }
    }

    /// Takes a key out of the pool of the owner whose it was, if it was anybody's.
    fn leave(&self, home: Option<Home>, key: KeyId, now: UnixMs) {
        if let Some(pool) = home.and_then(|home| self.of(home.owner)) {
            pool.remove([key], now);
        }
    }

    /// Takes keys out for good.
    pub(crate) fn remove(&self, ids: &[KeyId], now: UnixMs) {
        let mut editing = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        for &id in ids {
            self.leave(editing.homes.remove(&id), id, now);
        }
        self.shared.remove(ids.iter().copied(), now);
    }

    /// Keys that are out of use until somebody brings them back.
    pub(crate) fn retired(&self) -> Vec<KeyId> {
        let statuses = self.statuses().into_iter();
        let retired = statuses.filter(|status| is_retired(&status.state) && status.is_saved);
        retired.map(|status| status.id).collect()
    }

    /// Makes the pools hold exactly these keys. Those that were `retired` when the store was read, and are active there,
    /// were brought back in the store, and so are here.
    pub(crate) fn replace(
        &self,
        keys: Vec<(Key, KeyState)>,
        retired: &HashSet<KeyId>,
        now: UnixMs,
    ) {
        let present: HashSet<KeyId> = keys.iter().map(|(key, _)| key.id).collect();
        let statuses = self.statuses();
        let gone: Vec<KeyId> = statuses
            .iter()
            .map(|status| status.id)
            .filter(|id| !present.contains(id))
            .collect();
        let is_back = |(key, state): &&(Key, KeyState)| {
            state.health == KeyHealth::Active && retired.contains(&key.id)
        };
        let back: Vec<KeyId> = keys.iter().filter(is_back).map(|(key, _)| key.id).collect();
        self.upsert(keys, now);
        self.remove(&gone, now);
        self.reset(&back, now);
    }

    /// Forgets everything that speaks against these keys and their pairs.
    pub(crate) fn reset(&self, ids: &[KeyId], now: UnixMs) {
        for pool in self.all() {
            for &id in ids {
                pool.reset(id, now);
            }
        }
    }

    /// Forgets what speaks against a model: for one key's project, or for all whose keys the user has; nobody stands for
    /// the administrators, who have all. Gives how many projects were cooling for it.
    pub(crate) fn reset_model(
        &self,
        model: &str,
        key: Option<KeyId>,
        user: Option<UserId>,
        now: UnixMs,
    ) -> usize {
        let pools = match user {
            None => self.all(),
            Some(user) => self.of(user).into_iter().collect(),
        };
        let reset = pools.iter().map(|pool| pool.reset_model(model, key, now));
        reset.sum()
    }

    pub(crate) fn restore_pair(&self, id: &PairId, state: &PairState, now: UnixMs) {
        for pool in self.all() {
            pool.restore_pair(id, state.clone(), now);
        }
    }

    /// How each key stands, whoever owns it.
    pub(crate) fn statuses(&self) -> Vec<KeyStatus> {
        self.all().iter().flat_map(|pool| pool.statuses()).collect()
    }

    /// How many keys there are in which state, whoever owns them.
    pub(crate) fn census(&self, now: UnixMs) -> Census {
        let mut sum = Census::default();
        for pool in self.all() {
            let census = pool.census(now);
            sum.total += census.total;
            sum.active += census.active;
            sum.cooling += census.cooling;
            sum.invalid += census.invalid;
            sum.disabled += census.disabled;
        }
        sum
    }

    /// Attempts under way.
    pub(crate) fn in_flight(&self) -> u64 {
        self.all().iter().map(|pool| pool.in_flight()).sum()
    }

    /// Changes whenever keys come, go, change hands or are edited: how many pools there are, and their editions.
    pub(crate) fn edition(&self) -> (usize, u64) {
        let pools = self.all();
        (pools.len(), pools.iter().map(|pool| pool.edition()).sum())
    }

    /// Who is in the pools, in order of ids.
    pub(crate) fn members(&self) -> Vec<Member> {
        let mut members: Vec<Member> = self.all().iter().flat_map(|pool| pool.members()).collect();
        members.sort_unstable_by_key(|member| member.id);
        members
    }

    /// How one key stands.
    pub(crate) fn status(&self, id: KeyId) -> Option<KeyStatus> {
        let of_owners = || self.owned.load().values().find_map(|pool| pool.status(id));
        self.shared.status(id).or_else(of_owners)
    }

    /// The pool that a key is in.
    pub(crate) fn holding(&self, id: KeyId) -> Option<Arc<Pool>> {
        self.all()
            .into_iter()
            .find(|pool| pool.status(id).is_some())
    }

    /// The pool with the keys of a project, as [`Key::project_name`] names it.
    pub(crate) fn with_project(&self, name: &str) -> Option<Arc<Pool>> {
        if self.shared.has_project(name) {
            return Some(self.shared.clone());
        }
        let owned = self.owned.load();
        owned.values().find(|pool| pool.has_project(name)).cloned()
    }

    /// Every pair that is known, whoever owns the keys.
    pub(crate) fn pairs(&self) -> Vec<(PairId, PairState)> {
        self.all().iter().flat_map(|pool| pool.pairs()).collect()
    }

    /// What is known of a key's project for each model, with what the provider has accepted of it today.
    pub(crate) fn models_of(&self, id: KeyId, now: UnixMs) -> Vec<(String, PairState)> {
        let pool = self.holding(id);
        pool.map_or_else(Vec::new, |pool| pool.models_of(id, now))
    }

    /// What has changed since the last call, to be saved.
    pub(crate) fn take_changes(&self) -> Changes {
        let mut all = Changes::default();
        for pool in self.all() {
            let changes = pool.take_changes();
            all.keys.extend(changes.keys);
            all.pairs.extend(changes.pairs);
        }
        all
    }

    fn of_or_new(&self, owner: UserId, rules: PoolRules) -> Arc<Pool> {
        if let Some(pool) = self.of(owner) {
            return pool;
        }
        let pool = Arc::new(Pool::new(
            &self.provider,
            of_owner(rules),
            fastrand::u64(..),
        ));
        let mut pools = HashMap::clone(&self.owned.load());
        pools.insert(owner, pool.clone());
        self.owned.store(Arc::new(pools));
        pool
    }
}

fn is_retired(state: &KeyState) -> bool {
    matches!(state.health, KeyHealth::Retired { .. })
}

/// Users name projects as they like: what one does to theirs must not be done to another's of the same name.
fn own_project(owner: UserId, name: &str) -> String {
    format!("{OWNED}{owner}/{name}")
}

/// A project as the store has it, by its name in the pools: whose it is, nobody's of those of the shared pool, and how it
/// was named.
pub(crate) fn in_store(name: &str) -> (Option<UserId>, &str) {
    let own = name
        .strip_prefix(OWNED)
        .and_then(|rest| rest.split_once('/'));
    let own = own.and_then(|(owner, name)| Some((UserId(owner.parse().ok()?), name)));
    own.map_or((None, name), |(owner, name)| (Some(owner), name))
}

/// The project of a key as it was named.
pub(crate) fn project(key: &Key) -> Option<&str> {
    let name = key.project.as_deref()?;
    let own = name
        .strip_prefix(OWNED)
        .and_then(|rest| rest.split_once('/'));
    match own {
        Some((_, own)) if key.owner.is_some() => Some(own),
        _ => Some(name),
    }
}

fn of_owner(rules: PoolRules) -> PoolRules {
    PoolRules {
        strategy: Strategy::FillFirst,
        ..rules
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{Cooling, PairState};

    use super::*;

    const NOW: UnixMs = UnixMs(1_795_204_800_000);

    fn key(id: i64, owner: Option<UserId>) -> (Key, KeyState) {
        let key = Key {
            project: Some("team-a".to_owned()),
            owner,
            ..Key::plain(KeyId(id), "google", &format!("AIza-key-{id}"), NOW)
        };
        (key, KeyState::default())
    }

    #[test]
    fn a_user_s_project_is_none_of_the_shared_pool_s_whatever_its_name() {
        let rules = PoolRules {
            strategy: Strategy::LeastLoaded,
            max_failures: 3,
            recheck_interval: Duration::from_secs(60),
        };
        let pools = Pools::new("google", rules);
        pools.upsert([key(1, None), key(2, Some(UserId(7)))], NOW);
        let cooling = Cooling {
            until: NOW + Duration::from_secs(60),
            probe_at: NOW + Duration::from_secs(60),
            class: domain::Class::QuotaDaily,
            streak: 1,
        };
        let state = PairState {
            cooling: Some(cooling),
            ..PairState::default()
        };
        let own = pools.of(UserId(7)).unwrap();
        let pair = |project: &str| PairId {
            provider: "google".to_owned(),
            project: project.to_owned(),
            model: "m".to_owned(),
        };
        pools.restore_pair(&pair("user:7/team-a"), &state, NOW);
        assert_eq!(
            (pools.shared.usable("m", NOW), own.usable("m", NOW)),
            (1, 0)
        );
        pools.restore_pair(&pair("team-a"), &state, NOW);
        assert_eq!(pools.shared.usable("m", NOW), 0);
        let status = pools.status(KeyId(2)).unwrap();
        assert_eq!(project(&status.cell.key), Some("team-a"));
        let name = status.cell.key.project_name();
        assert_eq!(in_store(&name), (Some(UserId(7)), "team-a"));
        assert_eq!(in_store("team-a"), (None, "team-a"));
    }
}
