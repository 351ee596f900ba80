//! Sums a batch of records up in memory, by span, dimension, start and value: a batch then costs a row for each
//! group that it touches, not for each record. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Class, ClientId, KeyId, RequestRecord, UnixMs};

use super::figures::Figures;
use super::model_names::{ModelNames, Naming, names};
use super::{Dimension, OTHER_MODELS, Span};

/// The sums of a batch. Groups are in one order everywhere, so that two instances that add to the same rows lock
/// them in the same order and none waits for the other in a circle.
#[derive(Debug)]
pub(crate) struct Gathered(BTreeMap<Group, Figures>);

/// What one roll-up is of: the identity of its row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) span: Span,
    pub(super) dimension: Dimension,
    pub(super) start: UnixMs,
    pub(super) value: Arc<str>,
}

impl Gathered {
    /// The sums of these records.
    pub(crate) fn of(records: &[RequestRecord], known: &ModelNames) -> Self {
        let mut minutes: BTreeMap<(UnixMs, Value<'_>), Figures> = BTreeMap::new();
        for (record, naming) in records.iter().zip(known.learn(records)) {
            let minute = Span::Minute.start_of(record.id.time());
            for value in values(record, naming) {
                let figures: &mut Figures = minutes.entry((minute, value)).or_default();
                figures.count(record);
            }
        }
        let mut groups = BTreeMap::new();
        for ((minute, value), figures) in minutes {
            let text: Arc<str> = value.text().into();
            for span in value.dimension().spans() {
                let group = Group {
                    span: *span,
                    dimension: value.dimension(),
                    start: span.start_of(minute),
                    value: Arc::clone(&text),
                };
                *groups.entry(group).or_default() += figures;
            }
        }
        Self(groups)
    }

    /// The groups in their order: those with histograms, and those of sums only.
    pub(super) fn parts(&self) -> (Vec<Row<'_>>, Vec<Row<'_>>) {
        let has_histograms = |row: &Row<'_>| row.0.dimension.has_histograms();
        self.0.iter().partition(has_histograms)
    }
}

/// A group and what adds to it.
pub(super) type Row<'a> = (&'a Group, &'a Figures);

/// A dimension and its value, without a text for each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value<'a> {
    All,
    Provider(Option<&'a str>),
    Model(ModelValue<'a>),
    Client(Option<ClientId>),
    Outcome(Class),
    ClientModel(Option<ClientId>, ModelValue<'a>),
    Key(Option<KeyId>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ModelValue<'a> {
    None,
    Named(&'a str, &'a str),
    Other,
}

fn values(record: &RequestRecord, naming: Naming) -> [Value<'_>; 7] {
    let model = match (names(record), naming) {
        (None, _) => ModelValue::None,
        (Some((provider, model)), Naming::ByName) => ModelValue::Named(provider, model),
        (Some(_), Naming::AsOther) => ModelValue::Other,
    };
    [
        Value::All,
        Value::Provider(record.provider.as_deref()),
        Value::Model(model),
        Value::Client(record.client),
        Value::Outcome(record.error.unwrap_or(Class::Ok)),
        Value::ClientModel(record.client, model),
        Value::Key(record.key),
    ]
}

impl Value<'_> {
    fn dimension(self) -> Dimension {
        match self {
            Self::All => Dimension::All,
            Self::Provider(_) => Dimension::Provider,
            Self::Model(_) => Dimension::Model,
            Self::Client(_) => Dimension::Client,
            Self::Outcome(_) => Dimension::Outcome,
            Self::ClientModel(..) => Dimension::ClientModel,
            Self::Key(_) => Dimension::Key,
        }
    }

    /// As it is stored.
    fn text(self) -> String {
        match self {
            Self::All => String::new(),
            Self::Provider(name) => name.unwrap_or_default().to_owned(),
            Self::Model(model) => model.text(),
            Self::Client(client) => client.map_or_else(String::new, |id| id.to_string()),
            Self::Outcome(class) => class.name().to_owned(),
            Self::ClientModel(client, model) => {
                format!("{}/{}", Self::Client(client).text(), model.text())
            }
            Self::Key(key) => key.map_or_else(String::new, |id| id.to_string()),
        }
    }
}

impl ModelValue<'_> {
    fn text(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Named(provider, model) => format!("{provider}/{model}"),
            Self::Other => OTHER_MODELS.to_owned(),
        }
    }
}
