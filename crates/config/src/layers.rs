//! Lays the sources over each other into one tree: built-in providers, the file, convenience variables, `KEYMUX__…`.
//! Next: `reader.rs` turns the tree into values.

use crate::findings::Findings;
use crate::override_name::{segment_means, segments_of};
use crate::reader::comma_separated;
use crate::tree::{Content, Entry, Node, Style};
use crate::{Env, Origin, yaml};

/// The providers that exist without being configured.
pub(crate) const BUILT_IN: &str = "
providers:
  google:
    kind: gemini
    base_url: https://generativelanguage.googleapis.com
    default_model: gemini-flash-latest
    health_check: { model: gemini-flash-latest }
  xai: { kind: openai, base_url: https://api.x.ai/v1 }
  perplexity: { kind: perplexity, base_url: https://api.perplexity.ai }
  gigachat:
    kind: gigachat
    base_url: https://gigachat.devices.sberbank.ru/api/v1
    token_url: https://ngw.devices.sberbank.ru:9443/api/v2/oauth
    scope: GIGACHAT_API_PERS
";

/// Lists that are read when they are not in the file: path, and the variables of which the first that is set counts.
const LISTS: [(&[&str], [&str; 2]); 4] = [
    (
        &["providers", "google", "keys"],
        ["GEMINI_API_KEYS", "GEMINI_API_KEY"],
    ),
    (
        &["providers", "xai", "keys"],
        ["XAI_API_KEYS", "XAI_API_KEY"],
    ),
    (
        &["providers", "gigachat", "keys"],
        ["GIGACHAT_AUTH_KEYS", "GIGACHAT_AUTH_KEY"],
    ),
    (
        &["providers", "perplexity", "keys"],
        ["PERPLEXITY_API_KEYS", "PERPLEXITY_API_KEY"],
    ),
];

/// Texts that are read when they are not in the file.
const TEXTS: [(&[&str], &str); 3] = [
    (&["database", "url"], "DATABASE_URL"),
    (&["redis", "url"], "REDIS_URL"),
    (&["admin", "password"], "KEYMUX_ADMIN_PASSWORD"),
];

/// Names of the convenience variables and the fields that they set, for the reference.
pub(crate) fn convenience() -> Vec<(String, String)> {
    let lists = LISTS
        .iter()
        .map(|(path, names)| (names.join(", "), path.join(".")));
    let texts = TEXTS
        .iter()
        .map(|(path, name)| ((*name).to_owned(), path.join(".")));
    let others = [("KEYMUX_CLIENT_KEYS", "clients"), ("PORT", "server.listen")];
    let others = others.map(|(name, path)| (name.to_owned(), path.to_owned()));
    lists.chain(texts).chain(others).collect()
}

/// The tree of everything that is set; `file` is what `yaml::parse` made of the configuration file.
pub(crate) fn merged(file: Option<Node>, env: &Env, findings: &mut Findings) -> Node {
    let built_in = yaml::parse(BUILT_IN, &|_| Origin::Default, &mut findings.problems);
    let mut root = built_in.unwrap_or_else(|| Node::map(Origin::Default, Vec::new()));
    match file {
        Some(file) if file.is_null() || matches!(file.content, Content::Map(_)) => {
            root.overlay(file);
        }
        Some(file) => findings.problem(
            &file.origin,
            "",
            "expected sections such as \"server:\" or \"providers:\"",
        ),
        None => {}
    }
    add_convenience(&mut root, env, findings);
    for (name, value) in env.iter().filter(|(_, value)| !value.is_empty()) {
        if let Some(segments) = segments_of(name) {
            let node = Node::scalar(Origin::env(name), value, Style::Plain);
            set(&mut root, &segments, node, findings);
        }
    }
    root
}

fn add_convenience(root: &mut Node, env: &Env, findings: &mut Findings) {
    for (path, names) in LISTS {
        let variable = names
            .into_iter()
            .find_map(|name| Some((name, env.get_filled(name)?)));
        if let Some((name, value)) = variable {
            let origin = Origin::env(name);
            let items = comma_separated(value, &origin);
            set_missing(root, path, Node::list(origin, items), findings);
        }
    }
    for (path, name) in TEXTS {
        if let Some(value) = env.get_filled(name) {
            let node = Node::scalar(Origin::env(name), value, Style::Verbatim);
            set_missing(root, path, node, findings);
        }
    }
    if let Some(value) = env.get_filled("KEYMUX_CLIENT_KEYS") {
        set_missing(root, &["clients"], client_keys(value), findings);
    }
    if let Some(value) = env.get_filled("PORT") {
        add_port(root, value, findings);
    }
}

fn add_port(root: &mut Node, value: &str, findings: &mut Findings) {
    let origin = Origin::env("PORT");
    if let Ok(port) = value.parse::<u16>() {
        let listen = Node::scalar(origin, format!("127.0.0.1:{port}"), Style::Verbatim);
        set_missing(root, &["server", "listen"], listen, findings);
    } else {
        let text = format!("{value:?} is not a port; expected 0 to 65535");
        findings.problem(&origin, "server.listen", text);
    }
}

fn client_keys(value: &str) -> Node {
    let origin = Origin::env("KEYMUX_CLIENT_KEYS");
    let clients = comma_separated(value, &origin)
        .into_iter()
        .enumerate()
        .map(|(index, key)| {
            let name = Node::scalar(
                origin.clone(),
                format!("env-{}", index + 1),
                Style::Verbatim,
            );
            Node::map(origin.clone(), vec![entry("name", name), entry("key", key)])
        });
    Node::list(origin.clone(), clients.collect())
}

fn set_missing(root: &mut Node, path: &[&str], node: Node, findings: &mut Findings) {
    if root.find(path).is_none() {
        let segments: Vec<String> = path.iter().map(|&segment| segment.to_owned()).collect();
        set(root, &segments, node, findings);
    }
}

/// Puts the value at that path, making the mappings on the way to it.
fn set(root: &mut Node, segments: &[String], value: Node, findings: &mut Findings) {
    let mut place = root;
    for (depth, segment) in segments.iter().enumerate() {
        expand(place, &value.origin, findings);
        let Content::Map(entries) = &mut place.content else {
            let path = segments[..depth].join(".");
            findings.problem(
                &value.origin,
                "",
                format!("{path} is not a mapping of fields"),
            );
            return;
        };
        let known = entries
            .iter()
            .position(|entry| segment_means(segment, &entry.key));
        let index = known.unwrap_or_else(|| {
            let empty = Node::map(value.origin.clone(), Vec::new());
            entries.push(entry(segment, empty));
            entries.len() - 1
        });
        place = &mut entries[index].node;
    }
    *place = value;
}

/// Makes a mapping of what may become one: nothing, or the text of a variable.
fn expand(place: &mut Node, origin: &Origin, findings: &mut Findings) {
    if place.is_null() {
        *place = Node::map(origin.clone(), Vec::new());
    }
    let variable = match (&place.content, &place.origin) {
        (
            Content::Scalar {
                text,
                style: Style::Plain,
            },
            Origin::Env { .. },
        ) => text.clone(),
        _ => return,
    };
    if let Some(parsed) = from_variable(&variable, &place.origin, "", findings) {
        *place = parsed;
    }
}

/// The value of a variable as YAML; what is wrong with it becomes a problem of the field at `path`.
pub(crate) fn from_variable(
    text: &str,
    origin: &Origin,
    path: &str,
    findings: &mut Findings,
) -> Option<Node> {
    let mut problems = Vec::new();
    let node = yaml::parse(text, &|_| origin.clone(), &mut problems);
    for problem in problems {
        findings.problem(origin, path, problem.text);
    }
    node
}

fn entry(key: &str, node: Node) -> Entry {
    Entry {
        key: key.to_owned(),
        key_origin: node.origin.clone(),
        node,
    }
}
