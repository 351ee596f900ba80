//! xAI's `/v1/realtime`: events of OpenAI's realtime API in text messages. A wrong key is refused before the socket opens.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{faults, refused, standing};
use crate::call::Call;
use crate::keys::{Caller, Standing};
use crate::prompt::Prompt;
use crate::refusal::Refusal;
use crate::stand::Stand;
use crate::voice::tokens;
use crate::websocket::{Line, Over, Talk};

/// The model that speaks unless the query names another.
const MODEL: &str = "grok-voice";

/// Opens a session for the call, where its path is that of the realtime API.
pub(crate) fn open(stand: &Arc<Stand>, call: &Call) -> Option<Result<Box<dyn Talk>, Refusal>> {
    if call.path != "/v1/realtime" {
        return None;
    }
    let model = call.param("model").unwrap_or(MODEL).to_owned();
    let session = admit(stand, call, &model).map(|()| -> Box<dyn Talk> {
        Box::new(Session {
            stand: Arc::clone(stand),
            model,
            said: Vec::new(),
        })
    });
    Some(session)
}

fn admit(stand: &Stand, call: &Call, model: &str) -> Result<(), Refusal> {
    let caller: Caller = match standing(stand, call)? {
        Standing::Good(caller) => caller,
        Standing::Faulty(key, fault) => return Err(refused(call, &key, fault)),
        Standing::Unknown => return Err(faults::invalid(call.bearer().unwrap_or_default())),
    };
    stand.ledger.charge(&caller, model, 1)
}

#[derive(Debug)]
struct Session {
    stand: Arc<Stand>,
    model: String,
    /// What the user said since the last response.
    said: Vec<String>,
}

impl Talk for Session {
    fn hold(mut self: Box<Self>, mut line: Line) -> BoxFuture<'static, ()> {
        async move {
            // Either way it is over, and whoever listens has been told.
            let _ = self.talk(&mut line).await;
        }
        .boxed()
    }
}

impl Session {
    async fn talk(&mut self, line: &mut Line) -> Result<(), Over> {
        let session = json!({"id": self.stand.fresh_uuid(), "model": self.model});
        line.say_in_text(&json!({"type": "session.created", "session": session}))
            .await?;
        loop {
            let event: Value = serde_json::from_slice(&line.hear().await?).unwrap_or_default();
            match event["type"].as_str() {
                Some("conversation.item.create") => {
                    let text = event["item"]["content"][0]["text"].as_str();
                    self.said.extend(text.map(str::to_owned));
                    let created =
                        json!({"type": "conversation.item.created", "item": event["item"]});
                    line.say_in_text(&created).await?;
                }
                Some("response.create") => self.respond(line).await?,
                _ => {
                    let error =
                        json!({"type": "invalid_request_error", "message": "unknown event"});
                    line.say_in_text(&json!({"type": "error", "error": error}))
                        .await?;
                }
            }
        }
    }

    async fn respond(&mut self, line: &mut Line) -> Result<(), Over> {
        let prompt = Prompt {
            text: std::mem::take(&mut self.said).join(" "),
            ..Prompt::default()
        };
        let id = self.stand.fresh_uuid();
        let text = self.stand.voice.answer(&prompt, &[]);
        line.say_in_text(&json!({"type": "response.created", "response": {"id": id}}))
            .await?;
        for delta in self.stand.voice.chunks(&text, 1) {
            line.say_in_text(&json!({"type": "response.output_text.delta", "delta": delta}))
                .await?;
        }
        let (input, output) = (tokens(&prompt.text), tokens(&text));
        let usage = json!({
            "input_tokens": input,
            "output_tokens": output,
            "total_tokens": input + output,
        });
        let response = json!({"id": id, "status": "completed", "usage": usage});
        line.say_in_text(&json!({"type": "response.done", "response": response}))
            .await
    }
}
