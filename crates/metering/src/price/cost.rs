//! What one answer costs at a price.

use domain::{Nanodollars, Price, Usage};

/// Prices are dollars for a million tokens: this many billionths of a dollar for one.
const NANODOLLARS_PER_TOKEN: f64 = 1_000.0;

/// The cost of an answer.
///
/// Tool results are input where they are neither in the prompt nor in the output, which the total tells. Google does not
/// charge for those of its search; they cannot be told from others, so this counts them.
/// Source: Gemini API, `usageMetadata`.
pub(super) fn cost(price: &Price, usage: &Usage) -> Nanodollars {
    let rates = Rates::of(price, usage.prompt);
    let tool = u64::from(usage.tool).min(beyond(usage));
    let uncached = u64::from(usage.prompt.saturating_sub(usage.cached)) + tool;
    let visible = usage.output.saturating_sub(usage.reasoning);
    let sum = uncached as f64 * rates.input
        + f64::from(usage.cached) * rates.cached_input
        + f64::from(visible) * rates.output
        + f64::from(usage.reasoning) * rates.reasoning;
    Nanodollars((sum * NANODOLLARS_PER_TOKEN).round() as i64)
}

/// Tokens of the total that are neither prompt nor output.
fn beyond(usage: &Usage) -> u64 {
    u64::from(usage.total)
        .saturating_sub(u64::from(usage.prompt))
        .saturating_sub(u64::from(usage.output))
}

/// What holds for all tokens of one request.
struct Rates {
    input: f64,
    cached_input: f64,
    output: f64,
    reasoning: f64,
}

impl Rates {
    fn of(price: &Price, prompt: u32) -> Self {
        let long = price.long_prompt.filter(|long| prompt > long.above_tokens);
        match long {
            Some(long) => Self {
                input: long.input,
                cached_input: long.cached_input.unwrap_or(long.input),
                output: long.output,
                reasoning: long.output,
            },
            None => Self {
                input: price.input,
                cached_input: price.cached_input.unwrap_or(price.input),
                output: price.output,
                reasoning: price.reasoning.unwrap_or(price.output),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::LongPrompt;

    const PRICE: Price = Price {
        input: 2.0,
        cached_input: Some(0.5),
        output: 10.0,
        reasoning: Some(3.0),
        long_prompt: Some(LongPrompt {
            above_tokens: 1_000,
            input: 4.0,
            cached_input: None,
            output: 20.0,
        }),
    };
    const PLAIN: Price = Price {
        cached_input: None,
        reasoning: None,
        long_prompt: None,
        ..PRICE
    };

    /// Tokens are prompt, cached, output, reasoning, tool and total.
    fn check(price: &Price, tokens: [u32; 6], nanodollars: i64) {
        let [prompt, cached, output, reasoning, tool, total] = tokens;
        let usage = Usage {
            prompt,
            output,
            reasoning,
            cached,
            tool,
            total,
        };
        assert_eq!(cost(price, &usage), Nanodollars(nanodollars), "{usage:?}");
    }

    #[test]
    fn every_kind_of_token_has_its_price() {
        check(&PRICE, [100, 0, 0, 0, 0, 100], 200_000);
        check(&PRICE, [100, 40, 0, 0, 0, 100], 60 * 2_000 + 40 * 500);
        check(&PRICE, [0, 0, 50, 0, 0, 50], 500_000);
        check(&PRICE, [0, 0, 50, 20, 0, 50], 30 * 10_000 + 20 * 3_000);
        check(&PLAIN, [100, 40, 50, 20, 0, 150], 200_000 + 500_000);
        check(&PRICE, [0; 6], 0);
    }

    #[test]
    fn tool_results_are_input_unless_the_prompt_holds_them() {
        check(&PRICE, [100, 0, 10, 0, 30, 140], 130 * 2_000 + 100_000);
        check(&PRICE, [100, 0, 10, 0, 30, 110], 100 * 2_000 + 100_000);
        check(&PRICE, [100, 0, 10, 0, 30, 0], 100 * 2_000 + 100_000);
    }

    #[test]
    fn long_prompts_have_prices_for_all_tokens_of_the_request() {
        check(&PRICE, [1_000, 0, 10, 0, 0, 1_010], 2_000_000 + 100_000);
        check(&PRICE, [1_001, 0, 10, 0, 0, 1_011], 4_004_000 + 200_000);
        check(&PRICE, [1_001, 500, 10, 10, 0, 1_011], 4_004_000 + 200_000);
    }

    #[test]
    fn counts_that_contradict_each_other_are_never_negative() {
        check(&PRICE, [10, 100, 5, 50, 0, 15], 100 * 500 + 50 * 3_000);
    }

    #[test]
    fn the_largest_counts_fit() {
        let dearest = Price {
            input: 1e6,
            output: 1e6,
            ..PLAIN
        };
        check(
            &dearest,
            [u32::MAX, 0, u32::MAX, 0, 0, 0],
            8_589_934_590_000_000_000,
        );
    }
}
