//! Token counts of one usage object, and what they come to in neutral terms.
//! Providers differ in whether the output includes reasoning; their totals tell. `read.rs` fills the counts in.

use domain::Usage;

use super::fields::Slot;

/// Token counts of the usage object being read; none where it has none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    prompt: u32,
    cached: u32,
    output: u32,
    thoughts: Option<u32>,
    tool: u32,
    total: Option<u32>,
    is_any: bool,
}

impl Counts {
    /// Takes a count in; what is no count is none.
    pub(super) fn set(&mut self, slot: Slot, text: &[u8]) {
        let Some(number) = number(text) else { return };
        self.is_any = true;
        match slot {
            Slot::Prompt => self.prompt = number,
            Slot::Cached => self.cached = number,
            Slot::Output => self.output = number,
            Slot::Thoughts => self.thoughts = Some(number),
            Slot::Tool => self.tool = number,
            _ => self.total = Some(number),
        }
    }

    /// By the rule of Google's counts: output usually excludes thoughts; it includes them where the total
    /// adds up without them.
    pub(super) fn googles(self) -> Usage {
        let thoughts = self.thoughts.unwrap_or(0);
        let is_included = self.total == Some(self.visible()) && self.output >= thoughts;
        let output = if is_included {
            self.output
        } else {
            self.output.saturating_add(thoughts)
        };
        self.usage(output, thoughts)
    }

    /// By the rule of OpenAI's counts, and of any that come with a total: what the total has more than input
    /// and output is reasoning. None where nothing was counted, so that `{}` takes no earlier counts back.
    ///
    /// OpenAI's output includes reasoning. Google's endpoint of this shape leaves it out, often without saying
    /// how much it was; xAI leaves it out and says so.
    pub(super) fn by_total(self) -> Option<Usage> {
        let thoughts = self.thoughts.unwrap_or(0);
        let hidden = match self.total {
            Some(total) => total.saturating_sub(self.visible()),
            None if thoughts > self.output => thoughts,
            None => 0,
        };
        let output = self.output.saturating_add(hidden);
        let reasoning = self.thoughts.unwrap_or(hidden);
        self.is_any.then(|| self.usage(output, reasoning))
    }

    /// What is counted apart from thoughts.
    fn visible(self) -> u32 {
        self.prompt
            .saturating_add(self.output)
            .saturating_add(self.tool)
    }

    fn usage(self, output: u32, reasoning: u32) -> Usage {
        let sum = || self.prompt.saturating_add(output).saturating_add(self.tool);
        Usage {
            prompt: self.prompt,
            output,
            reasoning,
            cached: self.cached,
            tool: self.tool,
            total: self.total.unwrap_or_else(sum),
        }
    }
}

/// A count; what is larger than a `u32` is cut to it, and what is no count is none.
pub(super) fn number(text: &[u8]) -> Option<u32> {
    let number: u64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(slots: &[(Slot, &str)]) -> Counts {
        let mut counts = Counts::default();
        for (slot, text) in slots {
            counts.set(*slot, text.as_bytes());
        }
        counts
    }

    /// Prompt, output, reasoning, tool and total.
    fn check(slots: &[(Slot, &str)], expected: Option<(u32, u32, u32, u32, u32)>) {
        let usage = counts(slots).by_total();
        let seen = usage.map(|u| (u.prompt, u.output, u.reasoning, u.tool, u.total));
        assert_eq!(seen, expected, "{slots:?}");
    }

    #[test]
    fn reasoning_is_part_of_the_output_exactly_once() {
        use Slot::{Output, Prompt, Thoughts, Tool, Total};
        // OpenAI: included.
        check(
            &[
                (Prompt, "9"),
                (Output, "38"),
                (Thoughts, "31"),
                (Total, "47"),
            ],
            Some((9, 38, 31, 0, 47)),
        );
        // xAI: left out, and said.
        check(
            &[
                (Prompt, "20"),
                (Output, "3"),
                (Thoughts, "40"),
                (Total, "63"),
            ],
            Some((20, 43, 40, 0, 63)),
        );
        // Google: left out, and not said.
        check(
            &[(Prompt, "20"), (Output, "198"), (Total, "623")],
            Some((20, 603, 405, 0, 623)),
        );
        check(&[(Prompt, "21"), (Total, "81")], Some((21, 60, 60, 0, 81)));
        // An interaction: tools are counted apart.
        check(
            &[
                (Prompt, "5"),
                (Output, "2"),
                (Thoughts, "3"),
                (Tool, "7"),
                (Total, "17"),
            ],
            Some((5, 5, 3, 7, 17)),
        );
    }

    #[test]
    fn counts_without_a_total_are_added_up() {
        use Slot::{Output, Prompt, Thoughts};
        check(&[(Prompt, "7")], Some((7, 0, 0, 0, 7)));
        check(
            &[(Prompt, "7"), (Output, "9"), (Thoughts, "4")],
            Some((7, 9, 4, 0, 16)),
        );
        check(
            &[(Prompt, "7"), (Output, "3"), (Thoughts, "4")],
            Some((7, 7, 4, 0, 14)),
        );
    }

    #[test]
    fn odd_counts_are_no_trouble() {
        use Slot::{Output, Prompt, Total};
        check(&[], None);
        check(&[(Prompt, "many"), (Total, "-1"), (Output, "1.5")], None);
        check(&[(Prompt, "0"), (Total, "0")], Some((0, 0, 0, 0, 0)));
        check(
            &[(Prompt, "9"), (Output, "9"), (Total, "3")],
            Some((9, 9, 0, 0, 3)),
        );
        let most = "18446744073709551615";
        check(
            &[(Prompt, most), (Output, most), (Total, most)],
            Some((u32::MAX, u32::MAX, 0, 0, u32::MAX)),
        );
    }
}
