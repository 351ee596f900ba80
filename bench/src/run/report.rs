//! The results as a Markdown table, ratios to nginx first, and as JSON with every sample.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::figures::{ALL, Better, Figure, Goal};
use super::gateways::Gateway;
use super::machine;
use super::results::{Reached, Results};
use super::tools::Tools;

/// The table of all figures that were measured, with the machine above and remarks below.
pub(crate) fn markdown(results: &Results, tools: &Tools) -> String {
    let columns = gateways_with_figures(results);
    let mut text = format!(
        "{}; {}\n\n",
        machine::describe(),
        tools.versions().join("; ")
    );
    let names: Vec<&str> = columns.iter().map(|gateway| gateway.name()).collect();
    let _ = writeln!(
        text,
        "| figure | keymux ÷ nginx | {} | first | then |",
        names.join(" | ")
    );
    let _ = writeln!(text, "|---|{}", "---:|".repeat(columns.len() + 3));
    for figure in ALL.iter().filter(|figure| is_measured(results, figure)) {
        let ratio = results
            .ratio(figure)
            .map_or_else(|| "–".to_owned(), |ratio| format!("**{ratio:.2}**"));
        let values: Vec<String> = columns
            .iter()
            .map(|gateway| number(results.value(figure, *gateway)))
            .collect();
        let first = goal(results, figure, figure.first);
        let then = goal(results, figure, figure.then);
        let _ = writeln!(
            text,
            "| {} | {ratio} | {} | {first} | {then} |",
            figure.what,
            values.join(" | ")
        );
    }
    if !results.remarks.is_empty() {
        text.push('\n');
    }
    for remark in &results.remarks {
        let _ = writeln!(text, "- {remark}");
    }
    text
}

/// Every sample of every figure, by the figure's id and the gateway's name.
pub(crate) fn samples(results: &Results) -> Value {
    let of_figure = |figure: &Figure| -> Value {
        let with_samples = Gateway::ALL
            .into_iter()
            .filter(|g| results.value(figure, *g).is_some());
        with_samples
            .map(|g| (g.name().to_owned(), json!(results.samples(figure, g))))
            .collect()
    };
    let measured = ALL.iter().filter(|figure| is_measured(results, figure));
    measured
        .map(|figure| (figure.id.to_owned(), of_figure(figure)))
        .collect()
}

fn gateways_with_figures(results: &Results) -> Vec<Gateway> {
    let has_any = |gateway: &Gateway| {
        ALL.iter()
            .any(|figure| results.value(figure, *gateway).is_some())
    };
    Gateway::ALL.into_iter().filter(has_any).collect()
}

fn is_measured(results: &Results, figure: &Figure) -> bool {
    Gateway::ALL
        .into_iter()
        .any(|gateway| results.value(figure, gateway).is_some())
}

/// Three digits that matter.
fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) if value.abs() >= 1.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.3}"),
    }
}

fn goal(results: &Results, figure: &Figure, goal: Goal) -> String {
    let sign = if figure.better == Better::Lower {
        '≤'
    } else {
        '≥'
    };
    let text = match goal {
        Goal::None => return String::new(),
        Goal::Ratio(bound) => format!("{sign} {bound} ×"),
        Goal::Value(bound) => format!("{sign} {bound}"),
    };
    match results.reached(figure, goal) {
        Reached::Yes => format!("{text} ✓"),
        Reached::No => format!("{text} ✗"),
        Reached::Unknown => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::figures::JSON_CPU;

    #[test]
    fn goals_show_whether_they_are_reached() {
        let mut results = Results::default();
        assert_eq!(goal(&results, &JSON_CPU, JSON_CPU.first), "≤ 2 ×");
        results.add(&JSON_CPU, Gateway::Keymux, 0.15);
        results.add(&JSON_CPU, Gateway::Nginx, 0.1);
        assert_eq!(goal(&results, &JSON_CPU, JSON_CPU.first), "≤ 2 × ✓");
        assert_eq!(goal(&results, &JSON_CPU, JSON_CPU.then), "≤ 1.4 × ✗");
    }

    #[test]
    fn numbers_keep_three_digits() {
        let shown = [0.0, 0.1234, 1.234, 12.34, 61_234.5].map(|value| number(Some(value)));
        assert_eq!(shown, ["0", "0.123", "1.23", "12.3", "61234"]);
        assert_eq!(number(None), "–");
    }
}
