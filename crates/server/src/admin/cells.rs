//! Texts in the cells of exported tables.

use std::borrow::Cow;

/// A text that callers or operators chose, so that a spreadsheet takes it for no formula (OWASP, "CSV Injection").
pub(super) fn inert(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        return Cow::Owned(format!("'{text}"));
    }
    Cow::Borrowed(text)
}
