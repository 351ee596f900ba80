//! Aliases end somewhere: one that leads back to itself is refused.

use std::collections::{BTreeMap, BTreeSet};

use crate::findings::Findings;
use crate::sections::{Chain, Sections};
use crate::shown::entry_name;

/// Refuses every alias that can be reached from itself.
pub(crate) fn check(sections: &Sections, findings: &mut Findings) {
    let aliases = &sections.aliases;
    for name in aliases.keys() {
        if reachable(name, aliases).contains(name.as_str()) {
            let path = format!("aliases.{}", entry_name(name));
            findings.problem(&findings.origin(&path), &path, "leads back to itself");
        }
    }
}

/// Everything that the alias leads to, over one or more steps.
fn reachable<'a>(name: &str, aliases: &'a BTreeMap<String, Chain>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Chain> = aliases.get(name).into_iter().collect();
    while let Some(Chain(models)) = open.pop() {
        for model in models {
            if found.insert(model.as_str()) {
                open.extend(aliases.get(model));
            }
        }
    }
    found
}
