//! A server that answers as a test says, for tests of what leaves the machine. It stops with the test's runtime.
//! Whole providers are scripted with `fake-upstream` in `tests/it` instead.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::app::Tasks;

/// A request as the server got it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// A header's text; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

/// Listens on a free port, and answers every request with what `answer` makes of it.
pub(crate) async fn serve<F, A>(answer: F) -> SocketAddr
where
    F: Fn(Asked) -> A + Send + Sync + 'static,
    A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tasks, answer) = (Tasks::default(), Arc::new(answer));
    tasks.clone().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| reply(answer.clone(), request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tasks.spawn(async move { drop(connection.await) });
        }
    });
    address
}

async fn reply<F, A>(
    answer: Arc<F>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible>
where
    F: Fn(Asked) -> A,
    A: Future<Output = Response<Full<Bytes>>>,
{
    let (head, body) = request.into_parts();
    let asked = Asked {
        path: head.uri.to_string(),
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    };
    Ok(answer(asked).await)
}
