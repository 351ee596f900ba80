//! Lines of the activity log about provider keys: the same words wherever one is written, by the admin API, the account
//! API or keymux itself. They go into the store with the change that they tell of, or by `Store::log`.

use domain::{Action, Event, Key, KeyDraft, KeyId, Secret};

/// The actor of what keymux does by itself.
pub(crate) const KEYMUX: &str = "keymux";

/// A key as a line names it: masked, with its label.
pub(crate) fn shown(key: &Key) -> String {
    named(&key.secret, key.label.as_deref())
}

fn named(secret: &Secret, label: Option<&str>) -> String {
    let masked = secret.masked();
    match label {
        Some(label) => format!("{masked} ({label})"),
        None => masked,
    }
}

/// The line that tells that a key was added.
pub(crate) fn added(actor: &str, draft: &KeyDraft, id: KeyId) -> Event {
    Event::new(actor, Action::Add, "keys")
        .of(draft.owner)
        .about(id)
        .at(&draft.provider)
        .details(named(&draft.secret, draft.label.as_deref()))
}

/// The line that tells what was done to a key. Its owner may read it.
pub(crate) fn about(key: &Key, actor: &str, action: Action, details: String) -> Event {
    Event::new(actor, action, "keys")
        .of(key.owner)
        .about(key.id)
        .at(&key.provider)
        .details(details)
}
