//! The prices that keymux comes with, in US dollars for a million tokens.
//! Source: the price table of litellm 1.109.1 of November 2026, not the providers' own pages; operators can set others.
//! Left out is what has no price by tokens: videos by the second, images by the piece, searches by the call.
//! GigaChat's prices are in roubles for packages of tokens, so operators enter them.

use domain::{LongPrompt, Price};

/// Provider, model (a trailing `*`: all that begin so), price.
pub(super) const ROWS: &[(&str, &str, Price)] = &[
    ("google", "gemini-4-argon", cached(2.0, 0.10, 10.0)),
    ("google", "gemini-3.8-flash", cached(0.75, 0.075, 3.75)),
    ("google", "gemini-3.7-flash", cached(0.75, 0.075, 3.75)),
    ("google", "gemini-3.6-flash", cached(0.75, 0.075, 3.75)),
    ("google", "gemini-flash-latest", cached(0.75, 0.075, 3.75)),
    ("google", "gemini-3.5-flash", cached(1.5, 0.15, 9.0)),
    ("google", "gemini-3.5-flash-lite", cached(0.30, 0.03, 2.50)),
    (
        "google",
        "gemini-flash-lite-latest",
        cached(0.30, 0.03, 2.50),
    ),
    ("google", "gemini-3.1-flash-lite", cached(0.25, 0.025, 1.50)),
    ("google", "gemini-3.1-pro-preview", PRO_3_1),
    ("google", "gemini-pro-latest", PRO_3_1),
    ("google", "gemini-3-flash-preview", cached(0.5, 0.05, 3.0)),
    (
        "google",
        "gemini-2.5-pro",
        long(cached(1.25, 0.125, 10.0), 200_000, [2.5, 0.25, 15.0]),
    ),
    ("google", "gemini-2.5-flash", cached(0.30, 0.03, 2.50)),
    ("google", "gemini-2.5-flash-lite", cached(0.10, 0.01, 0.40)),
    ("google", "gemini-embedding-001", plain(0.15, 0.0)),
    ("google", "gemini-embedding-2", plain(0.20, 0.0)),
    ("google", "gemini-2.5-flash-image", cached(0.3, 0.03, 2.5)),
    ("google", "gemini-3.1-flash-image", plain(0.5, 3.0)),
    ("google", "gemini-3-pro-image", plain(2.0, 12.0)),
    ("google", "gemini-nano-banana-2.1", plain(1.5, 7.5)),
    ("google", "gemini-omni-1.1-flash", plain(1.5, 9.0)),
    ("google", "gemma-4-*", plain(0.0, 0.0)),
    ("xai", "grok-4.7", GROK_4_6),
    ("xai", "grok-4.6", GROK_4_6),
    ("xai", "grok-4.5", doubled(cached(2.0, 0.3, 6.0), 0.3)),
    ("xai", "grok-4.3", GROK_4_20),
    ("xai", "grok-4.20", GROK_4_20),
    ("xai", "grok-4.20-*", GROK_4_20),
    ("xai", "grok-build-0.1", GROK_CODE),
    ("xai", "grok-code-fast*", GROK_CODE),
    ("perplexity", "perplexity/sonar", cached(0.25, 0.0625, 2.5)),
    ("perplexity", "openai/gpt-6-luna", plain(0.10, 0.50)),
    ("perplexity", "google/gemini-3.8-flash", plain(0.75, 3.75)),
    ("perplexity", "xai/grok-4.7", plain(2.0, 6.0)),
    ("perplexity", "sonar", plain(1.0, 1.0)),
    ("perplexity", "sonar-pro", plain(3.0, 15.0)),
    ("perplexity", "sonar-reasoning-pro", plain(2.0, 8.0)),
    (
        "perplexity",
        "sonar-deep-research",
        Price {
            reasoning: Some(3.0),
            ..plain(2.0, 8.0)
        },
    ),
];

const PRO_3_1: Price = long(cached(2.0, 0.20, 12.0), 200_000, [4.0, 0.4, 18.0]);
const GROK_4_6: Price = doubled(cached(2.0, 0.5, 6.0), 0.5);
const GROK_4_20: Price = doubled(cached(1.25, 0.2, 2.5), 0.2);
const GROK_CODE: Price = doubled(cached(1.0, 0.2, 2.0), 0.2);

const fn plain(input: f64, output: f64) -> Price {
    Price {
        input,
        cached_input: None,
        output,
        reasoning: None,
        long_prompt: None,
    }
}

const fn cached(input: f64, cached_input: f64, output: f64) -> Price {
    Price {
        cached_input: Some(cached_input),
        ..plain(input, output)
    }
}

/// With prices of input, cached input and output for prompts above a number of tokens.
const fn long(price: Price, above_tokens: u32, prices: [f64; 3]) -> Price {
    let [input, cached_input, output] = prices;
    Price {
        long_prompt: Some(LongPrompt {
            above_tokens,
            input,
            cached_input: Some(cached_input),
            output,
        }),
        ..price
    }
}

/// xAI takes twice as much for prompts of more than 200 000 tokens.
const fn doubled(price: Price, cached_input: f64) -> Price {
    let twice = [price.input * 2.0, cached_input * 2.0, price.output * 2.0];
    long(price, 200_000, twice)
}
