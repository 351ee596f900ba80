//! Which proxy a key leaves by: rendezvous hashing. Every key ranks all proxies in an order of its own, which is the same
//! in every run, and takes the first that can be used: when one goes, only its keys move, and when it is back, so are they.
//! Of very many proxies a key ranks those of one bucket only, so that choosing costs the same whatever their number.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::proxy::Proxy;

/// Buckets are made when there are more proxies than this, and of this size at most for long.
const LARGEST: usize = 1024;
/// And as many that each has about so many: few enough to look at, and enough to be shared out evenly.
const USUAL: usize = 512;
/// Buckets with fewer than this are too few to be shared out evenly.
const SMALLEST: usize = 128;
/// Ranks that are looked at before any proxy will do: a bucket of which so many are just being tried is no usual one.
const MOST_ROUNDS: usize = 16;
/// Keys are numbered from one on; this is far from any of them (the golden ratio, as `SplitMix64` has it).
const SALT: u64 = 0x9e37_79b9_7f4a_7c15;

/// The proxies that can be used, ready to be chosen from. One bucket is replaced when a proxy goes or comes.
#[derive(Debug)]
pub(super) struct Ranking {
    /// As many as a power of two.
    buckets: Box<[ArcSwap<Bucket>]>,
}

/// Seeds lie side by side, because choosing compares them all.
#[derive(Debug, Default)]
struct Bucket {
    seeds: Vec<u64>,
    proxies: Vec<Arc<Proxy>>,
}

impl Ranking {
    /// Of these proxies. `buckets_before` keeps keys where they are while the number of proxies goes up and down.
    pub(super) fn of(
        proxies: impl IntoIterator<Item = Arc<Proxy>>,
        total: usize,
        buckets_before: usize,
    ) -> Self {
        let count = bucket_count(total, buckets_before);
        let mut buckets: Vec<Bucket> = Vec::new();
        buckets.resize_with(count, Bucket::default);
        for proxy in proxies {
            buckets[place(proxy.seed, count)].push(proxy);
        }
        let buckets = buckets.into_iter().map(ArcSwap::from_pointee);
        Self {
            buckets: buckets.collect(),
        }
    }

    /// How many buckets there are.
    pub(super) fn buckets(&self) -> usize {
        self.buckets.len()
    }

    /// The first of the key's proxies that is admitted.
    pub(super) fn first(
        &self,
        key: u64,
        mut admits: impl FnMut(&Arc<Proxy>) -> bool,
    ) -> Option<Arc<Proxy>> {
        let key = mix(key.wrapping_add(SALT));
        let start = place(key, self.buckets.len());
        // Those that are empty, or admit nobody, are passed over: then nearly none of very many proxies can be used.
        (0..self.buckets.len()).find_map(|step| {
            let bucket = self.buckets[start ^ step].load();
            bucket.first(key, &mut admits)
        })
    }

    /// Takes a proxy in, or lets it go. The caller lets no two such changes overlap.
    pub(super) fn set(&self, proxy: &Arc<Proxy>, is_usable: bool) {
        let slot = &self.buckets[place(proxy.seed, self.buckets.len())];
        let before = slot.load();
        let mut bucket = Bucket::default();
        let others = before.proxies.iter().filter(|other| other.id != proxy.id);
        let others = others.cloned().chain(is_usable.then(|| proxy.clone()));
        others.for_each(|other| bucket.push(other));
        slot.store(Arc::new(bucket));
    }
}

impl Bucket {
    fn push(&mut self, proxy: Arc<Proxy>) {
        self.seeds.push(proxy.seed);
        self.proxies.push(proxy);
    }

    fn first(&self, key: u64, admits: &mut impl FnMut(&Arc<Proxy>) -> bool) -> Option<Arc<Proxy>> {
        let rank = |index: usize| (mix(key ^ self.seeds[index]), index);
        let mut below: Option<(u64, usize)> = None;
        // Nearly always the first round's is admitted: those that cannot be used are not in here.
        for _ in 0..MOST_ROUNDS {
            let ranks = (0..self.seeds.len()).map(rank);
            let best = ranks.filter(|rank| below.is_none_or(|below| *rank < below));
            let best = best.max()?;
            if admits(&self.proxies[best.1]) {
                return Some(self.proxies[best.1].clone());
            }
            below = Some(best);
        }
        self.proxies.iter().find(|proxy| admits(proxy)).cloned()
    }
}

fn bucket_count(proxies: usize, before: usize) -> usize {
    let is_well = proxies <= before * LARGEST && (before == 1 || proxies >= before * SMALLEST);
    if before > 0 && is_well {
        return before;
    }
    if proxies <= LARGEST {
        return 1;
    }
    (proxies / USUAL).next_power_of_two()
}

/// The bucket of a hash, of a power of two.
fn place(hash: u64, buckets: usize) -> usize {
    (hash >> 32) as usize & (buckets - 1)
}

/// How high a key ranks a proxy, by the seeds of both.
pub(super) fn draw(proxy: u64, key: u64) -> u64 {
    mix(mix(key.wrapping_add(SALT)) ^ proxy)
}

/// Every bit of the result depends on every bit of the input (the finaliser of `SplitMix64`).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests;
