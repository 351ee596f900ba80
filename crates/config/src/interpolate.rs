//! `${NAME}` in strings of the file. Next: `reader.rs`, which calls it for every scalar.

use crate::Env;

/// Puts the variables' values into the text; `$${` stands for `${`.
///
/// The error says what is wrong, without any value.
pub(crate) fn interpolate(text: &str, env: &Env) -> Result<String, String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, reference) = (&rest[..at], &rest[at + 2..]);
        if let Some(escaped) = before.strip_suffix('$') {
            result.push_str(escaped);
            result.push_str("${");
            rest = reference;
            continue;
        }
        let end = reference
            .find('}')
            .ok_or("has \"${\" without \"}\"; write \"$${\" for the text itself")?;
        let name = &reference[..end];
        if !is_name(name) {
            return Err("has \"${…}\" around what is not the name of a variable".to_owned());
        }
        let value = env
            .get(name)
            .ok_or_else(|| format!("needs the variable {name}, which is not set"))?;
        result.push_str(before);
        result.push_str(value);
        rest = &reference[end + 1..];
    }
    result.push_str(rest);
    Ok(result)
}

/// The variable's name where the whole text is one reference.
pub(crate) fn sole_reference(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    is_name(name).then_some(name)
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let is_start = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    bytes.next().is_some_and(is_start) && bytes.all(|b| is_start(b) || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let env = Env::from_iter([("A", "1"), ("NESTED", "${A}")]);
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(interpolate(text, &env), expected, "{text}");
    }

    #[test]
    fn variables_are_put_in_and_nothing_else_is() {
        check("plain $ text $A", Ok("plain $ text $A"));
        check("a${A}b${A}", Ok("a1b1"));
        check("${NESTED}", Ok("${A}"));
        check("$${A} ${A}", Ok("${A} 1"));
    }

    #[test]
    fn what_cannot_be_put_in_is_named() {
        check("${B}", Err("needs the variable B, which is not set"));
        check(
            "${A",
            Err("has \"${\" without \"}\"; write \"$${\" for the text itself"),
        );
        check(
            "${A B}",
            Err("has \"${…}\" around what is not the name of a variable"),
        );
    }
}
