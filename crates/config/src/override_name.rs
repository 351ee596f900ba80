//! The name of the variable that sets a field: `pool.max_failures` is `KEYMUX__POOL__MAX_FAILURES`.

/// What every such variable begins with.
pub(crate) const PREFIX: &str = "KEYMUX__";

/// The variable that sets the field at this path.
pub(crate) fn variable_of(path: &str) -> String {
    let name = path.to_ascii_uppercase().replace('-', "_");
    format!("{PREFIX}{}", name.replace('.', "__"))
}

/// The path of the field that this variable sets, in segments; none for any other variable.
pub(crate) fn segments_of(variable: &str) -> Option<Vec<String>> {
    let rest = variable.strip_prefix(PREFIX)?;
    Some(
        rest.to_ascii_lowercase()
            .split("__")
            .map(str::to_owned)
            .collect(),
    )
}

/// Whether a segment of a variable's name means this key of a mapping.
pub(crate) fn segment_means(segment: &str, key: &str) -> bool {
    key.to_ascii_lowercase().replace('-', "_") == segment.replace('-', "_")
}
