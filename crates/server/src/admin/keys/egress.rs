//! The proxy that a key names for itself. Who names one decides where keymux connects to, so only administrators do.

use config::ProxyUrl;
use domain::Secret;

use super::edit::KeyChange;
use crate::admin::error::ApiError;
use crate::admin::who::Who;
use crate::app::App;

const FIELD: &str = "egress";

/// A proxy's URL as the store keeps it. The value may be a password in the wrong place, and is not repeated.
pub(super) fn proxy_url(text: &str) -> Result<Secret, ApiError> {
    match text.parse::<ProxyUrl>() {
        Ok(url) => Ok(Secret::new(url.expose())),
        Err(why) => Err(ApiError::invalid(FIELD, format!("(hidden) {why}"))),
    }
}

/// A proxy's URL as it may be shown.
pub(super) fn shown(url: &str) -> String {
    let url = url.parse::<ProxyUrl>();
    url.map_or_else(|_| "(hidden)".to_owned(), |url| url.name())
}

impl KeyChange {
    /// Refuses a proxy that this user may not name, or that keymux does not connect to.
    pub(super) fn check_egress(&self, app: &App, who: &Who) -> Result<(), ApiError> {
        let Some(egress) = &self.egress else {
            return Ok(());
        };
        if !who.is_admin() {
            let text = "only administrators may set the proxy of a key";
            return Err(ApiError::forbidden(text).at(FIELD));
        }
        let allow_link_local = app.snapshot.load().config.server.allow_link_local;
        let url = egress.as_ref().map(|url| url.parse::<ProxyUrl>());
        match url {
            Some(Ok(url)) if !allow_link_local && config::is_link_local_host(url.host()) => {
                let text = format!(
                    "{:?} is a link-local or metadata address; see server.allow_link_local",
                    url.name()
                );
                Err(ApiError::invalid(FIELD, text))
            }
            _ => Ok(()),
        }
    }
}
