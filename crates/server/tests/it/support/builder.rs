//! What a test's gateway is built from, and the configuration that it makes of that.

use std::fmt::Write as _;
use std::path::Path;

use fake_upstream::{FakeUpstream, Script};
use tempfile::TempDir;

use super::gateway::Stopped;
use super::{CLIENT_KEY, TestGateway};

/// What a gateway is built from.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    script: Option<Script>,
    base_url: Option<String>,
    keys: Vec<String>,
    settings: Vec<(String, String)>,
    clients: String,
    provider: String,
    others: Vec<Other>,
    background: Background,
    distrusts: bool,
    has_no_clients: bool,
}

/// What is asked in the background: tests count what the provider is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Background {
    #[default]
    Nothing,
    Models,
    Keys,
    Proxies,
}

/// Another provider than Google.
#[derive(Debug)]
struct Other {
    name: &'static str,
    script: Script,
    /// Its fields but for its kind and addresses, as YAML.
    fields: String,
}

impl Other {
    /// Starts it. Gives its section of the configuration.
    async fn start(self, folder: &Path) -> (&'static str, FakeUpstream, String) {
        let upstream = self.script.start().await;
        let base = upstream.base_url();
        let (kind, address, more) = match self.name {
            "perplexity" => ("perplexity", base, String::new()),
            "gigachat" => {
                let tokens = format!("    token_url: {base}/api/v2/oauth\n");
                ("gigachat", format!("{base}/api/v1"), tokens)
            }
            _ => ("openai", format!("{base}/v1"), String::new()),
        };
        let name = self.name;
        let mut yaml = format!(
            "  {name}:\n    kind: {kind}\n    base_url: {address}\n{more}{}",
            self.fields
        );
        if let Some(pem) = upstream.ca_pem() {
            let file = folder.join(format!("{name}-ca.pem"));
            std::fs::write(&file, pem).unwrap();
            let _ = writeln!(yaml, "    ca_file: {}", file.display());
        }
        (name, upstream, yaml)
    }
}

impl Builder {
    pub(crate) fn upstream(mut self, script: Script) -> Self {
        self.script = Some(script);
        self
    }

    /// Another address for the provider than that of the scripted one.
    pub(crate) fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Provider keys, as YAML values: a text or a map.
    pub(crate) fn keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// `section.field` and its value in YAML, in place of one that it was given before.
    pub(crate) fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Knows no client key, not even [`CLIENT_KEY`].
    pub(crate) fn without_clients(mut self) -> Self {
        self.has_no_clients = true;
        self
    }

    /// More client keys, as YAML list items.
    pub(crate) fn clients(mut self, yaml: &str) -> Self {
        yaml.clone_into(&mut self.clients);
        self
    }

    /// A field of the provider and its value in YAML.
    pub(crate) fn provider(mut self, field: &str, value: &str) -> Self {
        let _ = writeln!(self.provider, "    {field}: {value}");
        self
    }

    /// Another provider, by the name that it has by default; an OpenAI-compatible one by any other. `fields` are its
    /// keys and whatever else, as YAML lines without their indentation.
    pub(crate) fn with_provider(
        mut self,
        name: &'static str,
        script: Script,
        fields: &str,
    ) -> Self {
        let lines = fields.lines().map(|line| format!("    {line}\n"));
        self.others.push(Other {
            name,
            script,
            fields: lines.collect(),
        });
        self
    }

    /// Asks Google for its models, as it does outside tests.
    pub(crate) fn listing_models(mut self) -> Self {
        self.background = Background::Models;
        self
    }

    /// Checks keys in the background, as it does outside tests, and all that is due within a second.
    pub(crate) fn checking_keys(mut self) -> Self {
        self.background = Background::Keys;
        self.setting("health_checks.interval", "1s")
    }

    /// Checks proxies in the background, as it does outside tests, and again after a second.
    pub(crate) fn checking_proxies(mut self) -> Self {
        self.background = Background::Proxies;
        self.setting("egress.health_check", "{ recheck_interval: 1s }")
    }

    /// Does not know the authority that has signed the provider's certificate.
    pub(crate) fn distrusting(mut self) -> Self {
        self.distrusts = true;
        self
    }

    pub(crate) async fn start(self) -> TestGateway {
        let upstream = self
            .script
            .unwrap_or_else(fake_upstream::gemini)
            .start()
            .await;
        let data = TempDir::new().unwrap();
        let keys = if self.keys.is_empty() {
            vec!["AIza-key-1".to_owned()]
        } else {
            self.keys
        };
        let clients = if self.has_no_clients {
            String::new()
        } else {
            format!(
                "clients:\n- {{ name: test, key: {CLIENT_KEY} }}\n{}\n",
                self.clients
            )
        };
        let mut yaml = format!(
            "{clients}providers:\n  google:\n    kind: gemini\n    base_url: {}\n    keys:\n",
            self.base_url.unwrap_or_else(|| upstream.base_url()),
        );
        for key in &keys {
            let _ = writeln!(yaml, "    - {key}");
        }
        yaml.push_str(&self.provider);
        if self.background != Background::Models {
            yaml.push_str("    models_refresh: 0s\n");
        }
        if let Some(pem) = upstream.ca_pem().filter(|_| !self.distrusts) {
            let file = data.path().join("ca.pem");
            std::fs::write(&file, pem).unwrap();
            let _ = writeln!(yaml, "    ca_file: {}", file.display());
        }
        let mut others = Vec::new();
        for provider in self.others {
            let (name, upstream, section) = provider.start(data.path()).await;
            yaml.push_str(&section);
            others.push((name, upstream));
        }
        let mut settings = self.settings;
        for (own, checks, off) in [
            (Background::Keys, "health_checks.enabled", "false"),
            (
                Background::Proxies,
                "egress.health_check",
                "{ enabled: false }",
            ),
        ] {
            let is_named = settings.iter().any(|(name, _)| name == checks);
            if self.background != own && !is_named {
                settings.push((checks.to_owned(), off.to_owned()));
            }
        }
        yaml.push_str(&sections(&settings));
        let ready = Stopped {
            upstream,
            others,
            data,
            yaml,
        };
        ready.start().await.unwrap()
    }
}

/// The settings as YAML, section by section.
fn sections(settings: &[(String, String)]) -> String {
    let mut all = vec![
        ("server.listen".to_owned(), "127.0.0.1:0".to_owned()),
        (
            "admin.password".to_owned(),
            "correct-horse-battery".to_owned(),
        ),
    ];
    all.extend(settings.iter().cloned());
    let mut names: Vec<&str> = all
        .iter()
        .map(|(name, _)| name.split('.').next().unwrap())
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut yaml = String::new();
    for section in names {
        let _ = writeln!(yaml, "{section}:");
        for (name, value) in &all {
            if let Some(field) = name
                .strip_prefix(section)
                .and_then(|rest| rest.strip_prefix('.'))
            {
                let _ = writeln!(yaml, "  {field}: {value}");
            }
        }
    }
    yaml
}
