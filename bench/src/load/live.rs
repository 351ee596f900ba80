//! Live sessions that are opened, talk a little, and are held.

use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{MODEL, Target};

const PATH: &str = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
/// A tenth of a second of speech in base64.
const SPEECH: usize = 4_300;
const PATIENCE: Duration = Duration::from_secs(30);

type Socket = WebSocketStream<TcpStream>;

/// Sessions that are open.
#[derive(Debug)]
pub(crate) struct Talks(Vec<Socket>);

impl Talks {
    /// Opens so many sessions, one after the other, and lets each one send and hear a second of speech.
    pub(crate) async fn open(target: &Target, count: usize) -> anyhow::Result<Self> {
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            let talk = tokio::time::timeout(PATIENCE, talk(target));
            open.push(talk.await.context("a session takes too long")??);
        }
        Ok(Self(open))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

async fn talk(target: &Target) -> anyhow::Result<Socket> {
    let mut request = format!("ws://{}{PATH}", target.addr).into_client_request()?;
    let (_, key) = target
        .credential
        .split_once(": ")
        .context("a header line")?;
    let key = HeaderValue::from_str(key)?;
    request.headers_mut().insert("x-goog-api-key", key);
    let tcp = TcpStream::connect(target.addr).await?;
    let (mut socket, _) = client_async(request, tcp).await?;
    let setup = json!({"setup": {"model": format!("models/{MODEL}")}});
    socket.send(Message::Text(setup.to_string().into())).await?;
    hear(&mut socket, "setupComplete").await?;
    let audio = json!({"data": "A".repeat(SPEECH), "mimeType": "audio/pcm;rate=16000"});
    let speech = json!({"realtimeInput": {"audio": audio}}).to_string();
    for _ in 0..10 {
        socket.send(Message::Text(speech.clone().into())).await?;
        hear(&mut socket, "serverContent").await?;
    }
    Ok(socket)
}

async fn hear(socket: &mut Socket, member: &str) -> anyhow::Result<()> {
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_close() {
            bail!("the session was closed: {message}");
        }
        let value: Value = serde_json::from_slice(&message.into_data()).unwrap_or_default();
        if !value[member].is_null() {
            return Ok(());
        }
    }
    bail!("the session broke off")
}
