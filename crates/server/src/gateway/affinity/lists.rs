//! Lists of what belongs to projects: one list over all projects in which the caller has something of the kind, without
//! what others have there. Its pages go through one project after the other.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use config::Isolation;
use domain::{Class, Fingerprint, ResourceName};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use providers::Api;
use serde_json::value::RawValue;
use tokio::time::timeout;
use wire::gemini::resources;

use super::{Bound, Destination, Holder, names};
use crate::gateway::caller::parameters;
use crate::gateway::error::GatewayError;
use crate::gateway::exchange::Exchange;
use crate::gateway::failover::{self, Outcome};
use crate::gateway::hold::Answer;
use crate::gateway::relay::Ending;
use crate::http::Body;

/// What a page holds where the caller does not say. Google's own default differs from kind to kind.
const USUAL_PAGE: usize = 50;
const LARGEST_PAGE: usize = 1000;
/// Pages that are asked for to fill one.
const MOST_ASKED: usize = 20;
const LARGEST_ANSWER: usize = 8 << 20;
/// How long one project may take at most; it is a quarter of the request's time where that is less.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long a page that has begun may take at least.
const SHORTEST_READ: Duration = Duration::from_secs(1);
const PAGE_SIZE: &str = "pageSize";
const PAGE_TOKEN: &str = "pageToken";

/// The kind of thing that a request lists, where several projects may have some. A caller's own key lists what it made.
pub(crate) fn listed(exchange: &Exchange) -> Option<&'static str> {
    let is_list = exchange.call.outgoing.method == Method::GET && !exchange.has_brought_key();
    is_list.then(|| kind(exchange))?
}

/// The kind of thing whose collection the path is.
pub(super) fn kind(exchange: &Exchange) -> Option<&'static str> {
    if exchange.provider.api != Api::Google {
        return None;
    }
    match resources::place_of(&names::path(&exchange.call)) {
        resources::Place::Collection(kind) => Some(kind),
        _ => None,
    }
}

/// Answers with the list of what the caller has.
pub(crate) async fn answer(
    mut exchange: Box<Exchange>,
    kind: &'static str,
) -> Result<Response<Body>, GatewayError> {
    let projects = projects(&exchange, kind).await?;
    if projects.is_empty() && is_open(&exchange) {
        // It may all be older than keymux.
        return exchange.run().await;
    }
    let asked = Asked::read(&exchange)?;
    let mut list = List {
        exchange: &mut exchange,
        asked,
        member: kind.to_owned(),
        items: Vec::new(),
        has_answer: false,
        left_out: None,
    };
    let next = list.fill(&projects).await?;
    if let Some(error) = list.left_out.take().filter(|_| !list.has_answer) {
        return Err(error);
    }
    let body = list.body(next.as_ref());
    exchange.recording.answered(200, false);
    exchange.recording.over(Ending::of(Class::Ok));
    let mut response = Response::new(Body::full(body));
    let kind = HeaderValue::from_static("application/json; charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// Whether everybody may see everything.
fn is_open(exchange: &Exchange) -> bool {
    exchange.snapshot.config.affinity.isolation == Isolation::Nobody
}

/// The projects in which the caller has something of the kind, in an order that says nothing of their names.
async fn projects(exchange: &Exchange, kind: &str) -> Result<Vec<(u64, Arc<str>)>, GatewayError> {
    let holder = if is_open(exchange) {
        store::Holder::Anybody
    } else {
        Holder::of(&exchange.caller).into()
    };
    let (app, provider) = (&exchange.app, &exchange.provider.name);
    let found = app
        .store
        .projects_with(provider, kind, holder, app.clock.now());
    let found = found.await.map_err(unknowable)?;
    let mut projects: Vec<(u64, Arc<str>)> = found
        .into_iter()
        .map(|project| (Fingerprint::of(project.as_bytes()).number(), project.into()))
        .collect();
    projects.sort_unstable();
    Ok(projects)
}

impl From<Holder> for store::Holder {
    fn from(holder: Holder) -> Self {
        match holder.client {
            Some(client) => Self::Client(client, holder.owner),
            None => Self::Anonymous,
        }
    }
}

/// What the caller asks for.
struct Asked {
    path: String,
    /// What its query says besides the page, as it is.
    rest: String,
    page_size: usize,
    from: Place,
}

/// Where a page begins: in which project, and where in its list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    project: u64,
    /// The provider's own token; empty: at the beginning.
    token: String,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let (project, token) = text.split_once('.')?;
        Some(Self {
            project: u64::from_str_radix(project, 16).ok()?,
            token: token.to_owned(),
        })
    }

    fn to_token(&self) -> String {
        format!("{:x}.{}", self.project, self.token)
    }
}

impl Asked {
    fn read(exchange: &Exchange) -> Result<Self, GatewayError> {
        let whole = &exchange.call.outgoing.path_and_query;
        let (path, query) = whole.split_once('?').unwrap_or((whole, ""));
        let mut asked = Self {
            path: path.to_owned(),
            rest: String::new(),
            page_size: USUAL_PAGE,
            from: Place::default(),
        };
        let wrong = |name: &str, value: &str, expected: &str| {
            let text = format!("{name}={value:?} is not {expected}");
            GatewayError::caller(StatusCode::BAD_REQUEST, text).param(name)
        };
        for (name, value) in parameters(Some(query)) {
            match &*name {
                "pageSize" | "page_size" => {
                    let size: usize = value
                        .parse()
                        .map_err(|_| wrong(&name, &value, "a number of items"))?;
                    // Google takes 0 for its default.
                    if size > 0 {
                        asked.page_size = size.min(LARGEST_PAGE);
                    }
                }
                "pageToken" | "page_token" if !value.is_empty() => {
                    asked.from = Place::read(&value)
                        .ok_or_else(|| wrong(&name, &value, "a token of this list"))?;
                }
                _ => {}
            }
        }
        let is_paging = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            matches!(name, PAGE_SIZE | PAGE_TOKEN | "page_size" | "page_token")
        };
        let rest: Vec<&str> = query.split('&').filter(|pair| !is_paging(pair)).collect();
        asked.rest = rest.join("&");
        Ok(asked)
    }

    fn path_and_query(&self, size: usize, token: &str) -> String {
        let token =
            percent_encoding::utf8_percent_encode(token, percent_encoding::NON_ALPHANUMERIC);
        let mut query = format!("{PAGE_SIZE}={size}");
        if token.clone().next().is_some() {
            query = format!("{query}&{PAGE_TOKEN}={token}");
        }
        let separator = if self.rest.is_empty() { "" } else { "&" };
        format!("{}?{}{separator}{query}", self.path, self.rest)
    }
}

/// A page that is being filled.
struct List<'a> {
    exchange: &'a mut Exchange,
    asked: Asked,
    /// What the provider calls the member with the items: not always what it calls the kind.
    member: String,
    items: Vec<Box<RawValue>>,
    /// Some project has answered.
    has_answer: bool,
    /// Why the last project is left out that did not.
    left_out: Option<GatewayError>,
}

impl List<'_> {
    /// Fills it, and gives where the next page begins.
    async fn fill(&mut self, projects: &[(u64, Arc<str>)]) -> Result<Option<Place>, GatewayError> {
        let mut at = self.asked.from.clone();
        let end = Instant::now() + self.exchange.snapshot.config.retry.deadline;
        for asked in 0..MOST_ASKED {
            if asked > 0 && Instant::now() >= end {
                break;
            }
            let Some((number, project)) = projects.iter().find(|(number, _)| *number >= at.project)
            else {
                return Ok(None);
            };
            let filled = self.items.len();
            let token = if *number == at.project {
                &*at.token
            } else {
                ""
            };
            let page = self.ask(project, token).await?;
            at = match page.and_then(|page| self.take(page)) {
                Some(token) => Place {
                    project: *number,
                    token,
                },
                None if *number == u64::MAX => return Ok(None),
                None => Place {
                    project: number + 1,
                    token: String::new(),
                },
            };
            self.drop_others(filled, project).await?;
            if self.items.len() >= self.asked.page_size {
                break;
            }
        }
        let is_more = projects.iter().any(|(number, _)| *number >= at.project);
        Ok(is_more.then_some(at))
    }

    /// A page of one project's; none where none of its keys is in keymux any more, or none works, or the provider is silent:
    /// what one project has must not hold up the rest.
    async fn ask(
        &mut self,
        project: &Arc<str>,
        token: &str,
    ) -> Result<Option<Answered>, GatewayError> {
        let exchange = &mut *self.exchange;
        let left = self.asked.page_size - self.items.len();
        exchange.call.outgoing.path_and_query = self.asked.path_and_query(left, token);
        exchange.go(Destination::Bound(Bound {
            project: project.clone(),
            names: Vec::new(),
            holder: Holder::of(&exchange.caller),
        }));
        exchange.start_over();
        if !exchange.has_keys() {
            tracing::debug!(
                project = &**project,
                "no key of a project is left that has resources"
            );
            return Ok(None);
        }
        match one_page(exchange).await {
            Ok(page) => {
                self.has_answer = true;
                Ok(Some(page))
            }
            Err(error) if is_unreachable(&error) => {
                let (project, why) = (&**project, error.public.as_str());
                tracing::warn!(project, why, "a project's things are left out of a list");
                self.left_out = Some(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes a page's items, and gives where the next one begins.
    fn take(&mut self, page: Answered) -> Option<String> {
        let mut next = None;
        for (name, value) in page {
            if name == "nextPageToken" {
                next = serde_json::from_str(value.get())
                    .ok()
                    .filter(|token: &String| !token.is_empty());
            } else if let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(value.get()) {
                self.items.extend(items);
                self.member = name;
            }
        }
        next
    }

    /// Drops what others have of the items that have come since.
    async fn drop_others(&mut self, from: usize, project: &Arc<str>) -> Result<(), GatewayError> {
        if is_open(self.exchange) {
            return Ok(());
        }
        let new = self.items.split_off(from);
        let names: Vec<ResourceName> = new.iter().filter_map(|item| name_of(item)).collect();
        let (app, provider) = (&self.exchange.app, &self.exchange.provider.name);
        let found = app
            .resources
            .find(&app.store, provider, &names, app.clock.now());
        let found = found.await.map_err(unknowable)?;
        let me = Holder::of(&self.exchange.caller);
        let theirs = found
            .iter()
            .filter(|it| me.may_use(it) && it.project == *project);
        let theirs: HashSet<&ResourceName> = theirs.map(|it| &it.name).collect();
        let is_theirs = |item: &RawValue| name_of(item).is_some_and(|name| theirs.contains(&name));
        self.items
            .extend(new.into_iter().filter(|item| is_theirs(item)));
        Ok(())
    }

    fn body(&self, next: Option<&Place>) -> Bytes {
        let mut whole = serde_json::Map::new();
        if let Some(next) = next {
            whole.insert("nextPageToken".to_owned(), next.to_token().into());
        }
        let rest = serde_json::to_string(&whole).unwrap_or_default();
        if self.items.is_empty() {
            return rest.into();
        }
        // The items are the provider's own bytes.
        let items: Vec<&str> = self.items.iter().map(|item| item.get()).collect();
        let separator = if whole.is_empty() { "" } else { "," };
        format!(
            "{{\"{}\":[{}]{separator}{}",
            self.member,
            items.join(","),
            &rest[1..]
        )
        .into()
    }
}

/// Asks the project that the request is bound to.
async fn one_page(exchange: &mut Exchange) -> Result<Answered, GatewayError> {
    let whole_time = exchange.snapshot.config.retry.deadline;
    let end = Instant::now() + (whole_time / 4).min(LONGEST_WAIT);
    match failover::run_until(exchange, end).await? {
        Outcome::Answer(answer, _) => {
            let left = end.saturating_duration_since(Instant::now());
            let body = timeout(left.max(SHORTEST_READ), whole(*answer)).await;
            let body = body.map_err(|_| too_slow())??;
            serde_json::from_slice(&body).map_err(unreadable)
        }
        Outcome::Refusal(refusal, verdict) => {
            let text = String::from_utf8_lossy(&refusal.body).into_owned();
            let told = "the provider refuses to list what there is";
            Err(GatewayError::upstream(refusal.head.status, verdict.class, told).private(text))
        }
    }
}

/// Whether a project cannot be asked: its keys are dead, not only busy, or the provider does not answer for it.
fn is_unreachable(error: &GatewayError) -> bool {
    let is_dead = error.retry_after.is_none() && error.class.is_private();
    let is_silent = matches!(
        error.class,
        Class::Timeout | Class::Network | Class::Overloaded | Class::ServerError
    );
    is_dead || is_silent
}

/// The members of a page.
type Answered = std::collections::BTreeMap<String, Box<RawValue>>;

fn name_of(item: &RawValue) -> Option<ResourceName> {
    #[derive(serde::Deserialize)]
    struct Named {
        name: String,
    }
    let named: Named = serde_json::from_str(item.get()).ok()?;
    resources::in_path(&named.name)
}

async fn whole(answer: Answer) -> Result<Bytes, GatewayError> {
    let mut body = answer.flow.held();
    if let Some(rest) = answer.rest {
        let rest = Limited::new(rest, LARGEST_ANSWER).collect().await;
        body.extend_from_slice(&rest.map_err(unreadable)?.to_bytes());
    }
    Ok(body.into())
}

fn unknowable(error: impl std::fmt::Display) -> GatewayError {
    let text = "what there is cannot be found out now; try again";
    GatewayError::upstream(StatusCode::SERVICE_UNAVAILABLE, Class::ServerError, text)
        .private(error.to_string())
}

fn too_slow() -> GatewayError {
    let text = "the provider did not send its list in time; try again";
    GatewayError::upstream(StatusCode::GATEWAY_TIMEOUT, Class::Timeout, text)
}

fn unreadable(error: impl std::fmt::Display) -> GatewayError {
    let text = "the provider's list could not be read; try again";
    GatewayError::upstream(StatusCode::BAD_GATEWAY, Class::ServerError, text)
        .private(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_from_their_tokens() {
        for (project, token) in [(0, ""), (u64::MAX, "a.b=="), (7, "Ci8K")] {
            let place = Place {
                project,
                token: token.to_owned(),
            };
            assert_eq!(Place::read(&place.to_token()), Some(place));
        }
        for wrong in ["", "x", "xyz.a", "-1.a"] {
            assert_eq!(Place::read(wrong), None, "{wrong}");
        }
    }
}
