//! Which row a model finds, what operators may set, and what the list shows.

use super::*;
use domain::LongPrompt;

fn plain(input: f64) -> Price {
    Price {
        input,
        output: input,
        ..Price::default()
    }
}

fn check(table: &PriceTable, model: &str, input: Option<f64>) {
    let (provider, id) = model.split_once(':').unwrap();
    let found = table.find(provider, id).map(|price| price.input);
    assert_eq!(found, input, "{model}");
}

#[test]
fn models_find_their_row_in_all_their_spellings() {
    let table = PriceTable::builtin();
    for (model, input) in [
        ("google:gemini-2.5-flash", Some(0.30)),
        ("google:models/gemini-2.5-flash", Some(0.30)),
        ("google:gemini-2.5-flash-001", Some(0.30)),
        ("google:models/gemini-2.5-flash-002", Some(0.30)),
        ("google:gemini-2.5-flash-latest", Some(0.30)),
        ("google:gemini-2.5-flash-preview-09-2025", Some(0.30)),
        ("google:gemini-2.5-flash-preview-05-20", Some(0.30)),
        ("google:gemini-2.5-flash-lite-preview-09-2025", Some(0.10)),
        ("google:gemini-2.5-flash-preview", None),
        ("google:gemini-2.5-flash-preview-tts", None),
        ("google:gemini-2.5-flash-20", None),
        ("google:gemini-flash-latest", Some(0.75)),
        ("google:gemini-embedding-001", Some(0.15)),
        ("google:gemini-embedding", None),
        ("google:gemma-4-27b-it", Some(0.0)),
        ("google:gemma-4", None),
        ("google:GEMINI-2.5-flash", None),
        ("google:", None),
        ("xai:grok-4.20-reasoning", Some(1.25)),
        ("xai:grok-code-fast-1", Some(1.0)),
        ("xai:gemini-2.5-flash", None),
        ("perplexity:perplexity/sonar", Some(0.25)),
        ("perplexity:sonar", Some(1.0)),
        ("gigachat:GigaChat-2", None),
        ("other:gemini-2.5-flash", None),
    ] {
        check(&table, model, input);
    }
}

#[test]
fn operators_rows_come_first_and_the_longest_beginning_wins() {
    let overrides = [
        ("google", "gemini-2.5-flash", plain(7.0)),
        ("google", "gemini-3*", plain(3.0)),
        ("google", "gemini-3.8-*", plain(8.0)),
        ("google", "gemini-3.7-*", plain(5.0)),
        ("google", "gemini-3.7-*", plain(6.0)),
        ("google", "models/mine", plain(1.0)),
        ("gigachat", "*", plain(9.0)),
    ];
    let table = PriceTable::builtin().with(overrides).unwrap();
    for (model, input) in [
        ("google:gemini-2.5-flash-001", Some(7.0)),
        ("google:gemini-2.5-flash-lite", Some(0.10)),
        ("google:gemini-3.8-flash", Some(8.0)),
        ("google:gemini-3.7-flash", Some(6.0)),
        ("google:gemini-3.6-flash", Some(3.0)),
        ("google:mine", Some(1.0)),
        ("gigachat:GigaChat-2-Max", Some(9.0)),
    ] {
        check(&table, model, input);
    }
    let again = table.with([("google", "mine", plain(2.0))]).unwrap();
    check(&again, "google:mine", Some(2.0));
    check(&again, "google:gemini-2.5-flash", Some(0.30));
}

#[test]
fn a_model_without_a_price_has_no_cost() {
    let table = PriceTable::builtin();
    let usage = Usage {
        prompt: 1_000_000,
        total: 1_000_000,
        ..Usage::default()
    };
    let cost = |model| table.cost("google", model, &usage);
    assert_eq!(cost("gemini-3.8-flash"), Some(Nanodollars(750_000_000)));
    assert_eq!(cost("gemini-2.5-pro"), Some(Nanodollars(2_500_000_000)));
    assert_eq!(cost("gemma-4-27b-it"), Some(Nanodollars(0)));
    assert_eq!(cost("unheard-of"), None);
}

#[test]
fn every_row_is_listed_once_with_its_source() {
    let overrides = [
        ("google", "gemini-2.5-flash", plain(7.0)),
        ("gigachat", "*", plain(9.0)),
    ];
    let table = PriceTable::builtin().with(overrides).unwrap();
    let rows = table.rows();
    assert_eq!(rows.len(), builtin::ROWS.len() + 1);
    assert!(rows.is_sorted_by_key(|row| (row.provider, row.model)));
    let source = |model| {
        let row = rows.iter().find(|row| row.model == model).unwrap();
        (row.source, row.price.input)
    };
    assert_eq!(source("gemini-2.5-flash"), (PriceSource::Operator, 7.0));
    assert_eq!(source("*"), (PriceSource::Operator, 9.0));
    assert_eq!(source("gemma-4-*"), (PriceSource::BuiltIn, 0.0));
}

#[test]
fn builtin_rows_are_distinct_and_are_prices() {
    let rows = PriceTable::builtin();
    assert_eq!(rows.rows().len(), builtin::ROWS.len());
    for row in rows.rows() {
        assert_eq!(check_row(row.provider, row.model, row.price), Ok(()));
        let long = row.price.long_prompt;
        assert!(
            long.is_none_or(|long| long.input > row.price.input && long.output > row.price.output),
            "{row:?}"
        );
    }
}

fn check_error(model: &str, price: Price, error: &str) {
    let refused = PriceTable::builtin().with([("google", model, price)]);
    assert_eq!(refused.unwrap_err().to_string(), error);
}

#[test]
fn what_is_no_price_is_refused_by_name() {
    check_error(
        "m",
        plain(-1.0),
        "price of google/m: input is -1, not a number of dollars from 0 to 1000000",
    );
    check_error(
        "m",
        Price {
            output: f64::NAN,
            ..plain(1.0)
        },
        "price of google/m: output is NaN, not a number of dollars from 0 to 1000000",
    );
    check_error(
        "m",
        Price {
            long_prompt: Some(LongPrompt {
                above_tokens: 1,
                input: 1.0,
                cached_input: Some(f64::INFINITY),
                output: 1.0,
            }),
            ..plain(1.0)
        },
        "price of google/m: long_prompt.cached_input is inf, not a number of dollars from 0 to 1000000",
    );
    check_error(
        "a*b",
        plain(1.0),
        "price of google/a*b: model `a*b` has a `*` that is not its last character",
    );
    check_error("", plain(1.0), "price of google/: model `` is empty");
}

#[test]
fn the_highest_price_is_one() {
    assert_eq!(check_price(&plain(1e6)), Ok(()));
    assert!(check_price(&plain(1_000_000.1)).is_err());
}
