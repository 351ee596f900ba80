//! `/openapi.json`: a valid document of `OpenAPI` 3.1, in which everything is described, and which tells of every route.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::support::{Operator, TestGateway, request};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// Names that say themselves what a field holds.
const OBVIOUS: [&str; 8] = [
    "created_at",
    "enabled",
    "id",
    "key",
    "label",
    "model",
    "name",
    "provider",
];

/// The document of a running gateway.
pub(super) async fn document(gateway: &TestGateway) -> Value {
    let answer = gateway.send(request("GET", "/openapi.json", &[], "")).await;
    answer.expect(200).json()
}

/// One call of the document.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// In capitals.
    pub(super) method: String,
    pub(super) path: String,
    pub(super) told: Value,
}

impl Operation {
    /// Method and path, as in a list.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A path that is well-formed, and names nothing that is there.
    pub(super) fn somewhere(&self) -> String {
        let path = self.path.replace("{id}", "999999");
        let path = path.replace("{ip}", "203.0.113.77");
        path.replace("{provider}", "nobody")
    }

    /// Whether it is of the account API, which has client keys instead of sessions, and errors of its own.
    pub(super) fn is_account(&self) -> bool {
        self.path.starts_with("/api/v1/")
    }

    pub(super) fn changes(&self) -> bool {
        self.method != "GET"
    }

    fn parameters(&self) -> Vec<Value> {
        let all = self.told["parameters"].as_array();
        all.cloned().unwrap_or_default()
    }
}

/// Every call of the document.
pub(super) fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, told) in item.as_object().unwrap() {
            assert!(METHODS.contains(&method.as_str()), "{method} {path}");
            all.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                told: told.clone(),
            });
        }
    }
    assert!(all.len() >= 40, "{} operations", all.len());
    all
}

/// Every object of the document, with the way to it.
fn nodes(document: &Value) -> Vec<(String, &Map<String, Value>)> {
    let mut found = Vec::new();
    let mut waiting = vec![("#".to_owned(), document)];
    while let Some((way, node)) = waiting.pop() {
        match node {
            Value::Object(fields) => {
                found.push((way.clone(), fields));
                let is_data =
                    |name: &str| ["example", "examples", "default", "enum"].contains(&name);
                let inner = fields.iter().filter(|(name, _)| !is_data(name));
                waiting.extend(inner.map(|(name, value)| (format!("{way}/{name}"), value)));
            }
            Value::Array(items) => {
                let inner = items.iter().enumerate();
                waiting.extend(inner.map(|(index, item)| (format!("{way}/{index}"), item)));
            }
            _ => {}
        }
    }
    found
}

/// The schema itself, where it is a reference.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// The schema and what it is one or all of.
fn alternatives<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let own = resolved(document, schema);
    let mut all = vec![schema, own];
    for list in ["oneOf", "anyOf", "allOf"] {
        for inner in own[list].as_array().into_iter().flatten() {
            all.extend([inner, resolved(document, inner)]);
        }
    }
    all
}

fn has_example(document: &Value, schema: &Value) -> bool {
    let says_itself = |schema: &&Value| {
        let shows = [
            "example",
            "examples",
            "default",
            "enum",
            "format",
            "properties",
        ];
        let is_container = ["object", "array", "boolean"].iter().any(|kind| {
            let kinds = &schema["type"];
            kinds == kind
                || kinds
                    .as_array()
                    .is_some_and(|kinds| kinds.contains(&json!(kind)))
        });
        // Anything at all, or a reference, which is looked at by itself.
        let is_open = ["type", "$ref", "oneOf", "anyOf", "allOf"];
        let is_open = is_open.iter().all(|name| schema.get(name).is_none());
        is_container || is_open || shows.iter().any(|name| schema.get(name).is_some())
    };
    alternatives(document, schema).iter().any(says_itself)
}

#[tokio::test]
async fn it_is_a_document_of_openapi_3_1() {
    let gateway = TestGateway::new().start().await;
    let document = document(&gateway).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    for field in ["title", "version", "description"] {
        assert!(!document["info"][field].as_str().unwrap().is_empty());
    }
    for (way, node) in nodes(&document) {
        if let Some(place) = node.get("$ref").and_then(Value::as_str) {
            let target = place.strip_prefix('#').unwrap();
            assert!(document.pointer(target).is_some(), "{way}: {place}");
        }
        assert!(
            !node.contains_key("nullable"),
            "{way}: a word of OpenAPI 3.0"
        );
        for bound in ["exclusiveMinimum", "exclusiveMaximum"] {
            assert!(node.get(bound).is_none_or(Value::is_number), "{way}");
        }
        check_required(&way, node);
    }
}

/// What must be there is described.
fn check_required(way: &str, node: &Map<String, Value>) {
    let (Some(Value::Array(required)), Some(Value::Object(fields))) =
        (node.get("required"), node.get("properties"))
    else {
        return;
    };
    for name in required {
        assert!(fields.contains_key(name.as_str().unwrap()), "{way}: {name}");
    }
}

#[tokio::test]
async fn every_operation_is_whole() {
    let gateway = TestGateway::new().start().await;
    let document = document(&gateway).await;
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    for requirement in document["security"].as_array().unwrap() {
        for name in requirement.as_object().unwrap().keys() {
            assert!(schemes.contains_key(name), "{name}");
        }
    }
    let mut ids = BTreeSet::new();
    for operation in operations(&document) {
        let name = operation.name();
        let told = &operation.told;
        assert!(
            ids.insert(told["operationId"].as_str().unwrap().to_owned()),
            "{name}"
        );
        let summary = told["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty(), "{name} has no summary");
        assert!(told["tags"][0].is_string(), "{name} has no tag");
        let responses = told["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{name}"
        );
        for (status, response) in responses {
            let description = response["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{name}: {status} is not described");
        }
        check_parameters(&operation);
    }
}

fn check_parameters(operation: &Operation) {
    let name = operation.name();
    let in_path: BTreeSet<&str> = operation
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    let parameters = operation.parameters();
    let mut told = BTreeSet::new();
    for parameter in &parameters {
        let own = parameter["name"].as_str().unwrap();
        let description = parameter["description"].as_str().unwrap_or_default();
        assert!(!description.is_empty(), "{name}: {own} is not described");
        assert!(parameter["schema"].is_object(), "{name}: {own}");
        if parameter["in"] == "path" {
            assert_eq!(parameter["required"], true, "{name}: {own}");
            told.insert(own);
        }
    }
    assert_eq!(told, in_path, "{name}");
}

#[tokio::test]
async fn every_field_is_described_and_has_an_example() {
    let gateway = TestGateway::new().start().await;
    let document = document(&gateway).await;
    let mut missing = Vec::new();
    for (way, node) in nodes(&document) {
        let Some(Value::Object(fields)) = node.get("properties") else {
            continue;
        };
        for (name, schema) in fields {
            let all = alternatives(&document, schema);
            let is_described = all.iter().any(|schema| schema["description"].is_string());
            if !is_described && !OBVIOUS.contains(&name.as_str()) {
                missing.push(format!("{way}: {name} is not described"));
            }
            if !has_example(&document, schema) {
                missing.push(format!("{way}: {name} has no example"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// What the contract names; the document may tell of more.
const CONTRACT: [(&str, &str); 15] = [
    ("/api/login", "POST"),
    ("/api/logout", "POST"),
    ("/api/me", "GET"),
    ("/api/keys", "GET POST"),
    ("/api/keys/{id}", "GET PATCH DELETE"),
    ("/api/keys/bulk_add", "POST"),
    ("/api/keys/export", "GET"),
    ("/api/allowed_keys", "GET POST"),
    ("/api/allowed_keys/{id}", "PUT DELETE"),
    ("/api/models", "GET"),
    ("/api/bans/{ip}", "DELETE"),
    ("/api/users", "GET"),
    ("/api/activity_logs", "GET"),
    ("/api/settings", "GET PUT"),
    ("/api/jobs/{id}", "GET DELETE"),
];

#[tokio::test]
async fn it_tells_of_the_routes_that_there_are() {
    let gateway = TestGateway::new().start().await;
    let admin = Operator::admin(&gateway).await;
    let document = document(&gateway).await;
    let told: BTreeSet<String> = operations(&document).iter().map(Operation::name).collect();
    for (path, methods) in CONTRACT {
        for method in methods.split(' ') {
            assert!(
                told.contains(&format!("{method} {path}")),
                "{method} {path}"
            );
        }
    }
    for operation in operations(&document) {
        for method in METHODS.map(str::to_uppercase) {
            let name = format!("{method} {}", operation.path);
            let path = operation.somewhere();
            if told.contains(&name) {
                continue;
            }
            let answer = admin.send(&method, &path, None).await;
            if operation.is_account() {
                let answer = answer.expect(405).json();
                assert!(answer["detail"].is_string(), "{name}: {answer}");
            } else {
                answer.refused(405, "method_not_allowed");
            }
        }
    }
    for path in [
        "/api/",
        "/api/nothing",
        "/api/keys/1/nothing",
        "/api/users/1/2",
    ] {
        admin.get(path).await.refused(404, "not_found");
    }
}
