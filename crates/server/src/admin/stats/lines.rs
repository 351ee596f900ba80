//! The lines of a chart: which roll-ups they are read from, how many, and what they are called.

use std::collections::HashMap;

use domain::{ClientId, KeyId};
use store::{Dimension, SeriesPoint, SeriesQuery};

use super::series::GroupBy;
use crate::admin::error::ApiError;
use crate::admin::who::Who;
use crate::app::App;

/// Lines of one chart: more cannot be told apart.
const MOST: usize = 12;

/// The points of all lines; `value` is the line's name. With `client`, of what came with this client key.
pub(super) async fn read(
    app: &App,
    who: &Who,
    group_by: Option<GroupBy>,
    client: Option<ClientId>,
    query: SeriesQuery,
) -> Result<Vec<SeriesPoint>, ApiError> {
    let own = who
        .only()
        .map(|member| app.snapshot.load().clients_of(member));
    let clients = match (own, client) {
        (None, None) => None,
        (None, Some(client)) => Some(vec![client]),
        (Some(own), None) => Some(own),
        (Some(own), Some(client)) => Some(own.into_iter().filter(|id| *id == client).collect()),
    };
    let points = match clients {
        None => of_all(app, group_by, query).await?,
        Some(clients) => {
            let ids: Vec<String> = clients.iter().map(ToString::to_string).collect();
            of_clients(app, &ids, group_by, query).await?
        }
    };
    Ok(named(app, group_by, points))
}

async fn of_all(
    app: &App,
    group_by: Option<GroupBy>,
    mut query: SeriesQuery,
) -> Result<Vec<SeriesPoint>, ApiError> {
    if let Some(group_by) = group_by {
        query.dimension = match group_by {
            GroupBy::Provider => Dimension::Provider,
            GroupBy::Model => Dimension::Model,
            GroupBy::Client => Dimension::Client,
            GroupBy::Outcome => Dimension::Outcome,
            GroupBy::Key => Dimension::Key,
        };
        let largest = app.store.totals(&query, MOST as u64).await?;
        query.values = Some(largest.into_iter().map(|total| total.value).collect());
    }
    Ok(app.store.timeseries(&query).await?)
}

/// What these client keys did.
async fn of_clients(
    app: &App,
    ids: &[String],
    group_by: Option<GroupBy>,
    mut query: SeriesQuery,
) -> Result<Vec<SeriesPoint>, ApiError> {
    match group_by {
        None | Some(GroupBy::Client) => {
            query.dimension = Dimension::Client;
            query.values = Some(ids.to_vec());
            let mut points = app.store.timeseries(&query).await?;
            if group_by.is_none() {
                for point in &mut points {
                    point.value.clear();
                }
            }
            Ok(largest(points))
        }
        Some(GroupBy::Provider | GroupBy::Model) => {
            query.dimension = Dimension::ClientModel;
            let points = app.store.timeseries(&query).await?.into_iter();
            let wanted = points.filter_map(|mut point| {
                let (client, model) = point.value.split_once('/')?;
                let is_wanted = ids.iter().any(|id| id == client);
                let name = match group_by {
                    Some(GroupBy::Provider) => model.split('/').next().unwrap_or(model),
                    _ => model,
                };
                point.value = is_wanted.then(|| name.to_owned())?;
                Some(point)
            });
            Ok(largest(wanted.collect()))
        }
        Some(GroupBy::Outcome | GroupBy::Key) => {
            let text = "what client keys did can be grouped by provider, model or client";
            Err(ApiError::invalid("group_by", text))
        }
    }
}

/// The points of the lines with the most requests.
fn largest(mut points: Vec<SeriesPoint>) -> Vec<SeriesPoint> {
    let mut requests: HashMap<String, u64> = HashMap::new();
    for point in &points {
        *requests.entry(point.value.clone()).or_default() += point.figures.requests;
    }
    let mut lines: Vec<(String, u64)> = requests.into_iter().collect();
    lines.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    lines.truncate(MOST);
    points.retain(|point| lines.iter().any(|(value, _)| *value == point.value));
    points
}

/// Ids become names, as far as there are any.
fn named(app: &App, group_by: Option<GroupBy>, mut points: Vec<SeriesPoint>) -> Vec<SeriesPoint> {
    let snapshot = app.snapshot.load();
    let name = |value: &str| match group_by {
        Some(GroupBy::Client) if value.is_empty() => Some("anonymous".to_owned()),
        Some(GroupBy::Client) => {
            let known = snapshot.client(domain::ClientId(value.parse().ok()?))?;
            Some(format!("{} ({value})", known.client.name))
        }
        Some(GroupBy::Key) => {
            let id = KeyId(value.parse().ok()?);
            let (_, status) = snapshot.key(id)?;
            let key = &status.cell.key;
            let label = key.label.clone().unwrap_or_else(|| key.secret.masked());
            Some(format!("{label} ({value})"))
        }
        _ => None,
    };
    for point in &mut points {
        if let Some(name) = name(&point.value) {
            point.value = name;
        }
    }
    points
}
