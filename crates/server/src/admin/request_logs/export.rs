//! The request log as a file. It is read page by page while it is sent, so its length costs no memory; who stops
//! reading stops it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::{AppendHeaders, IntoResponse, Response};
use domain::RequestId;
use futures_util::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use store::RecordFilter;

use super::BUDGET;
use super::filter::Form;
use super::view::{Labels, Line, RequestView};
use crate::app::App;

const AT_ONCE: u64 = 500;

/// Where an export stands.
struct Export {
    app: Arc<App>,
    filter: RecordFilter,
    form: Form,
    before: Option<RequestId>,
    has_head: bool,
    is_over: bool,
}

/// The file with all requests that match.
pub(super) fn file(app: Arc<App>, filter: RecordFilter, form: Form) -> Response {
    let (kind, name) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "requests.csv"),
        Form::Json | Form::Jsonl => ("application/x-ndjson", "requests.jsonl"),
    };
    let export = Export {
        app,
        filter,
        form,
        before: None,
        has_head: false,
        is_over: false,
    };
    let chunks = stream::unfold(export, async |mut export| {
        let chunk = export.next().await?;
        Some((chunk, export))
    });
    let disposition = format!("attachment; filename=\"keymux-{name}\"");
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    (AppendHeaders(headers), Body::from_stream(chunks)).into_response()
}

impl Export {
    async fn next(&mut self) -> Option<anyhow::Result<Bytes>> {
        if self.is_over {
            return None;
        }
        let chunk = self.page().await;
        self.is_over |= chunk.is_err();
        Some(chunk)
    }

    async fn page(&mut self) -> anyhow::Result<Bytes> {
        let page = self
            .app
            .store
            .records_page(&self.filter, self.before, AT_ONCE, BUDGET)
            .await?;
        self.before = page.next;
        self.is_over = page.next.is_none();
        let labels = Labels::of(&self.app, &page.records);
        let rows = page
            .records
            .iter()
            .map(|record| RequestView::new(record, &labels));
        let text = match self.form {
            Form::Csv => csv(rows, (!self.has_head).then_some(&Line::COLUMNS))?,
            Form::Json | Form::Jsonl => jsonl(rows)?,
        };
        self.has_head = true;
        Ok(text.into())
    }
}

/// A page of the file; the first one begins with the head, also when it has no rows.
fn csv(rows: impl Iterator<Item = RequestView>, head: Option<&[&str]>) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    if let Some(head) = head {
        writer.write_record(head)?;
    }
    for row in rows {
        writer.serialize(row.line())?;
    }
    Ok(writer.into_inner()?)
}

fn jsonl(rows: impl Iterator<Item = RequestView>) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, &row)?;
        text.push(b'\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use domain::{Dialect, RequestRecord};

    use super::*;

    #[test]
    fn columns_are_the_fields_of_a_line() {
        let record = RequestRecord::plain(RequestId(1), Dialect::Gemini, "other", 200);
        let row = RequestView::new(&record, &Labels::default());
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.serialize(row.line()).unwrap();
        let file = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        assert_eq!(file.lines().next(), Some(&*Line::COLUMNS.join(",")));
    }
}
