//! What fields mean together: checks that one field's type cannot make. They run on values that are right each by itself.

mod addresses;
mod aliases;
mod exposure;
mod key_folders;
mod keys;

pub use addresses::{is_link_local_address, is_link_local_host};

use std::path::Path;

use domain::Secret;

use crate::Origin;
use crate::findings::Findings;
use crate::sections::Sections;

/// Runs all checks, and settles what follows from another field. `file` is the configuration file.
pub(crate) fn all(sections: &mut Sections, file: Option<&Path>, findings: &mut Findings) {
    settle_database(sections, findings);
    database_urls(sections, findings);
    exposure::check(sections, findings);
    keys::clients(sections, findings);
    keys::providers(sections, findings);
    key_folders::check(sections, file, findings);
    addresses::check(sections, findings);
    addresses::proxies(sections, findings);
    aliases::check(sections, findings);
    shedding(sections, findings);
    proxy_sources(sections, findings);
    checked_models(sections, findings);
}

/// The SQLite file follows the data folder until it is set itself.
fn settle_database(sections: &mut Sections, findings: &Findings) {
    if findings.origin("database.url") == Origin::Default {
        let file = sections.server.data_dir.join("keymux.db");
        sections.database.url = Secret::new(format!("sqlite:{}", file.display()));
    }
}

fn database_urls(sections: &Sections, findings: &mut Findings) {
    let database = Some(&sections.database.url);
    let redis = sections.redis.url.as_ref();
    for (path, url, schemes) in [
        (
            "database.url",
            database,
            &["sqlite:", "postgres://", "postgresql://"][..],
        ),
        ("redis.url", redis, &["redis://", "rediss://"][..]),
    ] {
        let is_wrong = |url: &&Secret| {
            !schemes
                .iter()
                .any(|scheme| url.expose().starts_with(scheme))
        };
        if url.is_some_and(|url| is_wrong(&url)) {
            let text = format!("(hidden) does not begin with {}", schemes.join(" or "));
            findings.problem(&findings.origin(path), path, text);
        }
    }
}

fn shedding(sections: &Sections, findings: &mut Findings) {
    const LOW: &str = "shedding.low";
    const HIGH: &str = "shedding.high";
    let (low, high) = (sections.shedding.low, sections.shedding.high);
    let is_sound = findings.is_sound(LOW) && findings.is_sound(HIGH);
    if is_sound && low > high {
        // Whoever is told of it can change a stored value, but not a default.
        let (of_low, of_high) = (findings.origin(LOW), findings.origin(HIGH));
        let is_high = of_low == Origin::Default || of_low.is_fixed() && of_high == Origin::Stored;
        let path = if is_high { HIGH } else { LOW };
        let text = format!("low is {low} and high is {high}; expected low up to high");
        findings.problem(&findings.origin(path), path, text);
    }
}

/// Each of them is one call for each key.
fn checked_models(sections: &Sections, findings: &mut Findings) {
    const MOST: usize = 16;
    for (name, provider) in &sections.providers {
        let count = provider.health_check.models.len();
        if count > MOST {
            let path = format!("providers.{name}.health_check.models");
            let text = format!("{count} models; expected at most {MOST}");
            findings.problem(&findings.origin(&path), &path, text);
        }
    }
}

fn proxy_sources(sections: &Sections, findings: &mut Findings) {
    let is_http =
        |url: &Secret| url.expose().starts_with("http://") || url.expose().starts_with("https://");
    let check_url = sections.egress.health_check.url.as_ref();
    if check_url.is_some_and(|url| !url.expose().starts_with("https://")) {
        let path = "egress.health_check.url";
        let text = "(hidden) is not an https URL";
        findings.problem(&findings.origin(path), path, text);
    }
    for (index, source) in sections.egress.sources.iter().enumerate() {
        let path = format!("egress.sources[{index}]");
        let (url, file) = (&source.value.url, &source.value.file);
        let given = [url.is_some(), file.is_some(), source.value.preset.is_some()];
        if given.iter().filter(|is_given| **is_given).count() != 1 {
            findings.problem(
                &source.origin,
                &path,
                "expected one of url, file and preset",
            );
        }
        if file.is_some() && source.origin == Origin::Stored {
            let text = "a file of this machine can be named in keymux.yaml only; expected url";
            findings.problem(&source.origin, &format!("{path}.file"), text);
        }
        if url.as_ref().is_some_and(|url| !is_http(url)) {
            findings.problem(&source.origin, &path, "url is not an http or https URL");
        }
    }
}
