//! Whether a price can be one.

use domain::Price;

/// No model costs as much for a million tokens; what does is a slip of the pen.
const HIGHEST: f64 = 1e6;

/// A field of a price that holds no price.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{field} is {value}, not a number of dollars from 0 to {HIGHEST}")]
pub struct WrongPrice {
    /// The field, for example `long_prompt.output`.
    pub field: &'static str,
    /// What it holds.
    pub value: f64,
}

/// Checks every field of a price.
pub fn check_price(price: &Price) -> Result<(), WrongPrice> {
    let long = price.long_prompt;
    let fields = [
        ("input", Some(price.input)),
        ("cached_input", price.cached_input),
        ("output", Some(price.output)),
        ("reasoning", price.reasoning),
        ("long_prompt.input", long.map(|long| long.input)),
        (
            "long_prompt.cached_input",
            long.and_then(|long| long.cached_input),
        ),
        ("long_prompt.output", long.map(|long| long.output)),
    ];
    let mut set = fields
        .into_iter()
        .filter_map(|(field, value)| Some((field, value?)));
    match set.find(|(_, value)| !(0.0..=HIGHEST).contains(value)) {
        Some((field, value)) => Err(WrongPrice { field, value }),
        None => Ok(()),
    }
}
