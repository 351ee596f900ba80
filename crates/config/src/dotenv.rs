//! The lines of a `.env` file: `NAME=value`, `export NAME="value"`, comments. Values are never interpolated.

use crate::Origin;
use crate::findings::Findings;

/// The variables that the text sets, in order; lines that cannot be read become problems without their text.
///
/// `origin` says where a line of the text is.
pub(crate) fn parse(
    text: &str,
    origin: &dyn Fn(usize) -> Origin,
    findings: &mut Findings,
) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match assignment(line) {
            Ok(variable) => variables.push(variable),
            Err(reason) => findings.problem(&origin(index + 1), "", reason),
        }
    }
    variables
}

fn assignment(line: &str) -> Result<(String, String), &'static str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=').ok_or("expected NAME=value")?;
    let name = name.trim();
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err("expected NAME=value, with a name of letters, digits and _");
    }
    Ok((name.to_owned(), unquoted(value.trim())?))
}

fn unquoted(value: &str) -> Result<String, &'static str> {
    if let Some(rest) = value.strip_prefix('\'') {
        let (text, rest) = rest.split_once('\'').ok_or(UNCLOSED)?;
        return ends_here(rest).map(|()| text.to_owned());
    }
    if let Some(rest) = value.strip_prefix('"') {
        return double_quoted(rest);
    }
    let comment = value.find(" #").unwrap_or(value.len());
    let comment = if value.starts_with('#') { 0 } else { comment };
    Ok(value[..comment].trim_end().to_owned())
}

const UNCLOSED: &str = "a quote is not closed on its line";

fn double_quoted(rest: &str) -> Result<String, &'static str> {
    let mut text = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return ends_here(chars.as_str()).map(|()| text),
            '\\' => match chars.next().ok_or(UNCLOSED)? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    Err(UNCLOSED)
}

fn ends_here(rest: &str) -> Result<(), &'static str> {
    let rest = rest.trim_start();
    let is_end = rest.is_empty() || rest.starts_with('#');
    is_end.then_some(()).ok_or("text follows the closing quote")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize) -> Origin {
        Origin::file(&".env".into(), line)
    }

    fn check(line: &str, expected: Result<(&str, &str), &str>) {
        let mut findings = Findings::default();
        let found = parse(line, &at, &mut findings);
        let found = match findings.problems.as_slice() {
            [] => Ok(found),
            [problem, ..] => Err(problem.to_string()),
        };
        let expected = expected
            .map(|(name, value)| vec![(name.to_owned(), value.to_owned())])
            .map_err(|text| format!(".env:1: {text}"));
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn assignments_are_read_as_shells_write_them() {
        check("A=1", Ok(("A", "1")));
        check("export A = two words # note", Ok(("A", "two words")));
        check("A=", Ok(("A", "")));
        check("A=#", Ok(("A", "")));
        check("A=p#ss", Ok(("A", "p#ss")));
        check("A='${B} # \"'", Ok(("A", "${B} # \"")));
        check(r#"A="a \"b\"\n" # note"#, Ok(("A", "a \"b\"\n")));
        check("\u{feff}A=b=c", Ok(("A", "b=c")));
    }

    #[test]
    fn other_lines_are_refused_without_being_shown() {
        check("sk-secret", Err("expected NAME=value"));
        check(
            "A-B=1",
            Err("expected NAME=value, with a name of letters, digits and _"),
        );
        check("A='sk-secret", Err(UNCLOSED));
        check("A=\"sk-secret\\", Err(UNCLOSED));
        check("A='x' sk-secret", Err("text follows the closing quote"));
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        let mut findings = Findings::default();
        assert!(parse("\n# A=1\n  \n", &at, &mut findings).is_empty());
        assert!(findings.problems.is_empty());
    }
}
