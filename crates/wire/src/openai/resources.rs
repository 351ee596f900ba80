//! What a team or an organisation of a provider of OpenAI's shape owns, as paths and requests name it: responses, deferred
//! completions, files and batches. Only keys of the team that made them reach them. Ids stand where they can be nothing
//! else, so this is simpler than at Google's (`gemini/resources`). Source: providers/xai.md, sections 1 and 4.

use domain::ResourceName;

use crate::json::Kind;
use crate::members::{self, Members};

/// Where such things are, and what each is one of.
const COLLECTIONS: [(&str, &str); 4] = [
    ("responses", RESPONSES),
    ("chat/deferred-completion", DEFERRED_COMPLETIONS),
    ("files", FILES),
    ("batches", "batches"),
];
/// What a collection is called here.
pub const RESPONSES: &str = "responses";
/// The same of completions that are made later.
pub const DEFERRED_COMPLETIONS: &str = "deferred-completions";
const FILES: &str = "files";
/// Members of requests that name something.
const MEMBERS: [(&str, &str); 2] = [
    ("previous_response_id", RESPONSES),
    ("input_file_id", FILES),
];
/// The longest id, in bytes of JSON.
const LONGEST: usize = 512;

/// What a path names: `/v1/responses/x/cancel` is `responses/x`.
pub fn in_path(path: &str) -> Option<ResourceName> {
    let (collection, below) = split(path)?;
    let id = below.split('/').next().unwrap_or_default();
    (!id.is_empty()).then(|| name(collection, id))?
}

/// What a `POST` to that path makes.
pub fn made_at(path: &str) -> Option<&'static str> {
    let (collection, below) = split(path)?;
    below.is_empty().then_some(collection)
}

/// What a request to that path names in its body; nothing where it is no JSON, or no such request.
pub fn in_request(path: &str, chunks: &[impl AsRef<[u8]>]) -> Vec<ResourceName> {
    if !matches!(made_at(path), Some(RESPONSES | "batches")) {
        return Vec::new();
    }
    let Ok(found) = Members::read(chunks.iter().map(AsRef::as_ref)) else {
        return Vec::new();
    };
    let named = MEMBERS.iter().flat_map(|(member, collection)| {
        let texts = found
            .named(member)
            .filter(|member| member.kind == Kind::String);
        texts.filter_map(|member| {
            let quoted = members::gathered(chunks, &member.value, LONGEST)?;
            let id: String = serde_json::from_slice(&quoted).ok()?;
            name(collection, id.trim())
        })
    });
    named.collect()
}

/// The name of one of a collection; none where that is no id.
pub fn name(collection: &str, id: &str) -> Option<ResourceName> {
    (!id.contains('/')).then(|| ResourceName::new(&format!("{collection}/{id}")))?
}

/// The collection that a path is in, and what stands behind it.
fn split(path: &str) -> Option<(&'static str, &str)> {
    let path = path.split('?').next().unwrap_or_default();
    let path = path.trim_matches('/');
    let path = path.strip_prefix("v1/").unwrap_or(path);
    COLLECTIONS.iter().find_map(|(place, collection)| {
        let below = path.strip_prefix(place)?;
        let is_whole = below.is_empty() || below.starts_with('/');
        is_whole.then(|| (*collection, below.trim_start_matches('/')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_what_they_are_about() {
        for (path, named, made) in [
            ("/responses/r-1", Some("responses/r-1"), None),
            ("/v1/responses/r-1/cancel?x=1", Some("responses/r-1"), None),
            ("/v1//responses", None, None),
            ("/v1/responses/", None, Some("responses")),
            (
                "/chat/deferred-completion/d",
                Some("deferred-completions/d"),
                None,
            ),
            ("/chat/completions", None, None),
            ("/files/f/content", Some("files/f"), None),
            ("/filesystem/f", None, None),
            ("/responses/a%2Fb", None, None),
        ] {
            let found = in_path(path);
            assert_eq!(found.as_ref().map(ResourceName::as_str), named, "{path}");
            assert_eq!(made_at(path), made, "{path}");
        }
    }

    #[test]
    fn requests_name_what_they_go_on_from() {
        let check = |path: &str, body: &str, expected: &[&str]| {
            let found = in_request(path, &[body.as_bytes()]);
            let found: Vec<&str> = found.iter().map(ResourceName::as_str).collect();
            assert_eq!(found, expected, "{path}: {body}");
        };
        let body = r#"{"input":"x","previous_response\u005fid":" r-1","Previous_Response_Id":"r-2","previous_response_id":null}"#;
        check("/responses", body, &["responses/r-1", "responses/r-2"]);
        check("/chat/completions", body, &[]);
        check("/v1/batches", r#"{"input_file_id":"f"}"#, &["files/f"]);
        check("/responses", "{", &[]);
    }
}
