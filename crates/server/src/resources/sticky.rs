//! Where each caller has begun or made something last: what is used together, such as two files in one request, has to be
//! made in one project. The project counts from when the first begins, so that several that are made at once go there too.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{ClientId, UnixMs};
use quick_cache::sync::Cache;

/// Callers that are remembered.
const REMEMBERED: usize = 50_000;
/// How long: a file that was made then is gone.
const IDLE: Duration = Duration::from_secs(48 * 3600);

/// The project in which each client key has begun or made something last, by provider.
#[derive(Debug)]
pub(crate) struct Sticky {
    places: Cache<(Arc<str>, Option<ClientId>), Last>,
    /// Held while a key is drawn for something new, so that two that begin at once do not both find that nothing has
    /// begun: a mutex, since that takes microseconds and seldom happens.
    drawing: Mutex<()>,
}

#[derive(Clone, Debug)]
struct Last {
    project: Arc<str>,
    until: UnixMs,
}

impl Default for Sticky {
    fn default() -> Self {
        Self {
            places: Cache::new(REMEMBERED),
            drawing: Mutex::default(),
        }
    }
}

impl Sticky {
    /// Where a caller had better make the next thing.
    pub(crate) fn project(
        &self,
        provider: &Arc<str>,
        client: Option<ClientId>,
        now: UnixMs,
    ) -> Option<Arc<str>> {
        let last = self.places.get(&(provider.clone(), client))?;
        (now < last.until).then_some(last.project)
    }

    /// It has made something there.
    pub(crate) fn note(
        &self,
        provider: &Arc<str>,
        client: Option<ClientId>,
        project: Arc<str>,
        now: UnixMs,
    ) {
        let until = now + IDLE;
        self.places
            .insert((provider.clone(), client), Last { project, until });
    }

    /// It begins something with the key that `draw` gives, which had better be one of the project that it is given; others
    /// that begin meanwhile go to that key's project. Whoever tries again elsewhere takes along those that come later.
    pub(crate) fn begin<T>(
        &self,
        provider: &Arc<str>,
        client: Option<ClientId>,
        now: UnixMs,
        draw: impl FnOnce(Option<Arc<str>>) -> (T, Option<Arc<str>>),
    ) -> T {
        let one_at_a_time = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        let (drawn, project) = draw(self.project(provider, client, now));
        if let Some(project) = project {
            self.note(provider, client, project, now);
        }
        drop(one_at_a_time);
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_goes_where_the_last_began() {
        let sticky = Sticky::default();
        let provider: Arc<str> = "google".into();
        let begin = |client: i64, now: i64, project: &str| {
            let client = Some(ClientId(client));
            sticky.begin(&provider, client, UnixMs(now), |known| {
                (known.as_deref().map(str::to_owned), Some(project.into()))
            })
        };
        assert_eq!(begin(1, 0, "p-1"), None);
        assert_eq!(begin(2, 0, "p-2"), None);
        assert_eq!(begin(1, 1, "p-3").as_deref(), Some("p-1"));
        assert_eq!(begin(1, 2, "p-3").as_deref(), Some("p-3"));
        let much_later = i64::try_from(IDLE.as_millis()).unwrap() + 2;
        assert_eq!(begin(1, much_later, "p-4"), None);
    }
}
