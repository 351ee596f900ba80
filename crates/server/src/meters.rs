//! The meters of all client keys. They outlive what is swapped: an edited client key has used what it had used.
//! Only a client key that is deleted takes its meter along.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{ClientDay, ClientId};
use metering::{DayCounts, Meter};

/// One meter for each client key.
///
/// A mutex around a map: requests hold their meter already, and only reloads and saves look here.
#[derive(Debug, Default)]
pub(crate) struct Meters(Mutex<HashMap<ClientId, Arc<Meter>>>);

impl Meters {
    /// Takes over what an earlier run counted.
    pub(crate) fn restore(&self, days: Vec<ClientDay>) {
        let mut by_client: HashMap<ClientId, Vec<ClientDay>> = HashMap::new();
        for day in days {
            by_client.entry(day.client).or_default().push(day);
        }
        for (client, days) in by_client {
            self.of(client)
                .restore(days.into_iter().map(|day| DayCounts {
                    day: day.day,
                    requests: day.requests,
                    tokens: day.tokens,
                    cost: day.cost,
                }));
        }
    }

    /// The meter of a client key.
    pub(crate) fn of(&self, client: ClientId) -> Arc<Meter> {
        self.lock().entry(client).or_default().clone()
    }

    /// Forgets client keys that are none of these. Requests of theirs that are under way end with the meter they hold.
    pub(crate) fn keep_only(&self, clients: &HashSet<ClientId>) {
        self.lock().retain(|client, _| clients.contains(client));
    }

    /// What has been used since the last call, to be saved.
    pub(crate) fn take_unsaved(&self) -> Vec<ClientDay> {
        let meters = self.lock();
        let days = meters.iter().flat_map(|(&client, meter)| {
            meter
                .take_unsaved()
                .into_iter()
                .map(move |day| (client, day))
        });
        days.map(|(client, day)| ClientDay {
            client,
            day: day.day,
            requests: day.requests,
            tokens: day.tokens,
            cost: day.cost,
        })
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ClientId, Arc<Meter>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::ClientLimits;

    use super::*;

    #[test]
    fn a_deleted_client_key_frees_its_meter_when_its_last_request_is_over() {
        let meters = Meters::default();
        let (kept, deleted) = (ClientId(1), ClientId(2));
        let request = |client| {
            let meter = meters.of(client);
            let admitted = meter.admit(&ClientLimits::default(), domain::UnixMs(0));
            admitted.map(|(permit, _)| permit).unwrap()
        };
        let _under_way = request(kept);
        let last = request(deleted);
        let meter = Arc::downgrade(&meters.of(deleted));
        meters.keep_only(&[kept].into());
        assert!(meter.upgrade().is_some());
        drop(last);
        assert!(meter.upgrade().is_none());
        let unsaved = meters.take_unsaved();
        assert_eq!(unsaved.len(), 1);
        assert_eq!((unsaved[0].client, unsaved[0].requests), (kept, 1));
    }
}
