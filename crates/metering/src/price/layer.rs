//! Rows of one source, and how a model finds its row among them; looked up on the path, without allocation.

use std::collections::HashMap;

use domain::Price;

use crate::access::without_collection;

/// Rows by provider.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    providers: HashMap<Box<str>, Rows>,
}

/// The rows of one provider.
#[derive(Clone, Debug, Default)]
struct Rows {
    /// By id; wildcards too, with their `*`.
    by_name: HashMap<Box<str>, Price>,
    /// What wildcards have before their `*`, longest first.
    prefixes: Vec<(Box<str>, Price)>,
}

impl Layer {
    /// Adds a row; one of the same name is replaced.
    pub(super) fn insert(&mut self, provider: &str, model: &str, price: Price) {
        let model = without_collection(model);
        let rows = self.providers.entry(provider.into()).or_default();
        rows.by_name.insert(model.into(), price);
        if let Some(prefix) = model.strip_suffix('*') {
            rows.prefixes.retain(|(known, _)| **known != *prefix);
            rows.prefixes.push((prefix.into(), price));
            rows.prefixes
                .sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        }
    }

    /// The price of a model, as [`super::PriceTable::find`] says.
    pub(super) fn find(&self, provider: &str, model: &str) -> Option<&Price> {
        let rows = self.providers.get(provider)?;
        let model = without_collection(model);
        let by_name = |name: &str| rows.by_name.get(name);
        by_name(model)
            .or_else(|| without_release(model).and_then(by_name))
            .or_else(|| {
                let prefixes = rows.prefixes.iter();
                let mut matching = prefixes.filter(|(prefix, _)| model.starts_with(&**prefix));
                matching.next().map(|(_, price)| price)
            })
    }

    /// Whether there is a row of that very name.
    pub(super) fn has_row(&self, provider: &str, model: &str) -> bool {
        let rows = self.providers.get(provider);
        rows.is_some_and(|rows| rows.by_name.contains_key(model))
    }

    /// Every row, in no order.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&str, &str, &Price)> {
        self.providers.iter().flat_map(|(provider, rows)| {
            let by_name = rows.by_name.iter();
            by_name.map(move |(model, price)| (&**provider, &**model, price))
        })
    }
}

/// A model's id without what marks one release of it: `-001`, `-latest`, `-preview-09-2025`, `-preview-05-20`.
/// Source: Gemini API, "Models", "Model version name patterns".
fn without_release(model: &str) -> Option<&str> {
    if let Some(name) = model.strip_suffix("-latest") {
        return Some(name);
    }
    if let Some((name, date)) = model.rsplit_once("-preview-") {
        let (first, second) = date.split_once('-')?;
        let is_date = are_digits(first, &[2]) && are_digits(second, &[2, 4]);
        return is_date.then_some(name);
    }
    let (name, number) = model.rsplit_once('-')?;
    are_digits(number, &[3]).then_some(name)
}

fn are_digits(text: &str, lengths: &[usize]) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
