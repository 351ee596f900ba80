//! What models cost: the rows that keymux comes with, and an operator's own, which come first.
//! Next: `builtin.rs` for the figures, `layer.rs` for how a model finds its row, `cost.rs` for the sum.

mod builtin;
mod check;
mod cost;
mod layer;

use domain::{Nanodollars, Price, Usage};

pub use check::{WrongPrice, check_price};
use layer::Layer;

use crate::access::Pattern;

/// Prices of models by provider.
#[derive(Clone, Debug)]
pub struct PriceTable {
    builtin: Layer,
    overrides: Layer,
}

/// One row, for the admin API.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceRow<'a> {
    /// The provider's name.
    pub provider: &'a str,
    /// The model's id, or the beginning of ids with `*` behind it.
    pub model: &'a str,
    /// The price.
    pub price: &'a Price,
    /// Who set it.
    pub source: PriceSource,
}

/// Who set a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceSource {
    /// keymux came with it.
    BuiltIn,
    /// An operator.
    Operator,
}

/// A row that cannot be taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PriceError {
    /// Its price is none.
    #[error("price of {provider}/{model}: {wrong}")]
    Price {
        /// The row's provider.
        provider: String,
        /// The row's model.
        model: String,
        /// What is wrong with it.
        wrong: WrongPrice,
    },
    /// Its model is none.
    #[error("price of {provider}/{model}: model `{model}` {problem}")]
    Model {
        /// The row's provider.
        provider: String,
        /// The row's model.
        model: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl PriceTable {
    /// The rows that keymux comes with.
    pub fn builtin() -> Self {
        let mut builtin = Layer::default();
        for &(provider, model, price) in builtin::ROWS {
            builtin.insert(provider, model, price);
        }
        Self {
            builtin,
            overrides: Layer::default(),
        }
    }

    /// The same with an operator's rows (provider, model, price) instead of those that it had from one.
    pub fn with<'a>(
        self,
        overrides: impl IntoIterator<Item = (&'a str, &'a str, Price)>,
    ) -> Result<Self, PriceError> {
        let mut layer = Layer::default();
        for (provider, model, price) in overrides {
            check_row(provider, model, &price)?;
            layer.insert(provider, model, price);
        }
        Ok(Self {
            overrides: layer,
            ..self
        })
    }

    /// The price of a model.
    ///
    /// An operator's rows come first, wildcards too: whoever writes `*` means it. Within each: the id as it is; without
    /// what marks a release (`-001`, `-latest`, `-preview-09-2025`); the longest beginning.
    pub fn find(&self, provider: &str, model: &str) -> Option<&Price> {
        let own = self.overrides.find(provider, model);
        own.or_else(|| self.builtin.find(provider, model))
    }

    /// What an answer costs; none: the model has no price.
    pub fn cost(&self, provider: &str, model: &str, usage: &Usage) -> Option<Nanodollars> {
        let price = self.find(provider, model)?;
        Some(cost::cost(price, usage))
    }

    /// Every row by provider and model; of a row that keymux came with and an operator replaced, the operator's.
    pub fn rows(&self) -> Vec<PriceRow<'_>> {
        let row = |source| {
            move |(provider, model, price)| PriceRow {
                provider,
                model,
                price,
                source,
            }
        };
        let is_kept =
            |&(provider, model, _): &(&str, &str, &Price)| !self.overrides.has_row(provider, model);
        let builtin = self.builtin.rows().filter(is_kept);
        let mut rows: Vec<_> = builtin.map(row(PriceSource::BuiltIn)).collect();
        rows.extend(self.overrides.rows().map(row(PriceSource::Operator)));
        rows.sort_by_key(|row| (row.provider, row.model));
        rows
    }
}

fn check_row(provider: &str, model: &str, price: &Price) -> Result<(), PriceError> {
    Pattern::read(model).map_err(|problem| PriceError::Model {
        provider: provider.to_owned(),
        model: model.to_owned(),
        problem,
    })?;
    check_price(price).map_err(|wrong| PriceError::Price {
        provider: provider.to_owned(),
        model: model.to_owned(),
        wrong,
    })
}

#[cfg(test)]
mod tests;
