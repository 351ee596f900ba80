//! The form that a file is uploaded with (`POST /files` of GigaChat and OpenAI): RFC 7578, written as browsers do.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use memchr::memmem;

const UNKNOWN_TYPE: &str = "application/octet-stream";

/// The content type and the body of a form with the fields `purpose` and `file`. The file's bytes are not copied.
///
/// Name and type may be a stranger's: they cannot end their line, and a type that is none becomes
/// `application/octet-stream`.
pub(crate) fn multipart(
    file_name: &str,
    mime: &str,
    data: Bytes,
    purpose: &str,
) -> (HeaderValue, Arc<[Bytes]>) {
    let boundary = boundary_outside(&data);
    let mime = if is_type(mime) { mime } else { UNKNOWN_TYPE };
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\n{purpose}\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
         content-type: {mime}\r\n\r\n",
        quoted(file_name)
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"));
    (
        content_type.unwrap_or_else(|_| HeaderValue::from_static("multipart/form-data")),
        [head.into(), data, tail.into()].into(),
    )
}

/// A boundary that the data does not hold: whoever sends it could otherwise add fields.
fn boundary_outside(data: &[u8]) -> String {
    loop {
        let boundary = format!("{:032x}", fastrand::u128(..));
        if memmem::find(data, boundary.as_bytes()).is_none() {
            return boundary;
        }
    }
}

/// A file's name as it stands between quotes (HTML, multipart/form-data encoding algorithm).
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Whether it is a media type without parameters (RFC 6838, section 4.2).
fn is_type(mime: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    mime.split_once('/')
        .is_some_and(|(kind, format)| is_name(kind) && is_name(format))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Field {
        name: Option<String>,
        file_name: Option<String>,
        mime: Option<String>,
        data: Bytes,
    }

    /// What a server reads out of the form.
    async fn read_back(content_type: &HeaderValue, body: &Arc<[Bytes]>) -> Vec<Field> {
        let boundary = multer::parse_boundary(content_type.to_str().unwrap()).unwrap();
        let chunks: Vec<_> = body.iter().cloned().map(Ok::<_, multer::Error>).collect();
        let mut form = multer::Multipart::new(stream::iter(chunks), boundary);
        let mut fields = Vec::new();
        while let Some(field) = form.next_field().await.unwrap() {
            fields.push(Field {
                name: field.name().map(str::to_owned),
                file_name: field.file_name().map(str::to_owned),
                mime: field.content_type().map(ToString::to_string),
                data: field.bytes().await.unwrap(),
            });
        }
        fields
    }

    /// Builds a form, and reads back a purpose and a file with this name and type.
    async fn check(name: &str, mime: &str, data: &[u8], expected: (&str, &str)) {
        let data = Bytes::copy_from_slice(data);
        let (content_type, body) = multipart(name, mime, data.clone(), "general");
        let purpose = Field {
            name: Some("purpose".to_owned()),
            file_name: None,
            mime: None,
            data: "general".into(),
        };
        let file = Field {
            name: Some("file".to_owned()),
            file_name: Some(expected.0.to_owned()),
            mime: Some(expected.1.to_owned()),
            data,
        };
        assert_eq!(read_back(&content_type, &body).await, [purpose, file]);
    }

    #[tokio::test]
    async fn a_file_is_read_back_as_it_was() {
        check(
            "cat.png",
            "image/png",
            b"\x89PNG\r\n--x\r\n",
            ("cat.png", "image/png"),
        )
        .await;
        check("кот.jpg", "image/jpeg", b"", ("кот.jpg", "image/jpeg")).await;
    }

    #[tokio::test]
    async fn a_hostile_name_or_type_adds_nothing() {
        let name = "a\"\r\nx-evil: 1\r\n\r\nb";
        let harmless = "a%22%0D%0Ax-evil: 1%0D%0A%0D%0Ab";
        for mime in [
            "image/png\r\nx-evil: 1",
            "",
            "image",
            "image/",
            "a/b; c=d",
            "a/b/c",
        ] {
            check(name, mime, b"data", (harmless, UNKNOWN_TYPE)).await;
        }
    }

    #[test]
    fn the_files_bytes_are_not_copied() {
        let data = Bytes::from_static(b"pixels");
        let (_, body) = multipart("a", "image/png", data.clone(), "general");
        assert_eq!(body[1].as_ptr(), data.as_ptr());
    }

    proptest! {
        #[test]
        fn any_data_is_one_file(data: Vec<u8>, name: String) {
            let data = Bytes::from(data);
            let (content_type, body) = multipart(&name, "image/png", data.clone(), "general");
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let fields = runtime.block_on(read_back(&content_type, &body));
            prop_assert_eq!(fields.len(), 2);
            prop_assert_eq!(&fields[1].data, &data);
        }
    }
}
