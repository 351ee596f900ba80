//! One session of the Live API: it begins with `setup`, answers turns of text, echoes audio, calls functions, counts
//! tokens per turn, and gives handles to whoever asked for them. The text `GO_AWAY` makes it end after the turn.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::gemini::generate::{Said, say};
use crate::gemini::prompt::{field, text_field};
use crate::keys::Caller;
use crate::prompt::Prompt;
use crate::refusal::Refusal;
use crate::stand::Stand;
use crate::voice::tokens;
use crate::websocket::{Line, Over, Talk};

/// Tokens of one message of audio or video.
const TOKENS_OF_MEDIA: u64 = 25;
/// What a model's voice is sent as.
const VOICE: &str = "audio/pcm;rate=24000";

/// A session that has not been held yet.
#[derive(Debug)]
pub(super) struct Session {
    stand: Arc<Stand>,
    version: String,
    admitted: Result<Caller, Refusal>,
}

/// A session under way.
struct Held {
    stand: Arc<Stand>,
    caller: Caller,
    line: Line,
    setup: Value,
    /// What was said, by either side.
    contents: Vec<Value>,
    /// Media that came in this turn.
    media: u64,
}

impl Session {
    pub(super) fn new(
        stand: &Arc<Stand>,
        version: &str,
        admitted: Result<Caller, Refusal>,
    ) -> Self {
        Self {
            stand: Arc::clone(stand),
            version: version.to_owned(),
            admitted,
        }
    }

    async fn begin(self, mut line: Line) -> Result<(), Over> {
        let caller = match self.admitted {
            Ok(caller) => caller,
            Err(refusal) => {
                line.refuse(&refusal).await;
                return Err(Over);
            }
        };
        let first = read(&line.hear().await?);
        let Some(setup) = field(&first, "setup").cloned() else {
            let text = "setup must be the first message and only the first";
            line.close(1007, text).await;
            return Err(Over);
        };
        let mut held = Held {
            stand: self.stand,
            caller,
            line,
            setup,
            contents: Vec::new(),
            media: 0,
        };
        if let Err(refusal) = held.set_up(&self.version) {
            held.line.refuse(&refusal).await;
            return Err(Over);
        }
        held.talk().await
    }
}

impl Talk for Session {
    fn hold(self: Box<Self>, line: Line) -> BoxFuture<'static, ()> {
        async move {
            // Either way it is over, and whoever listens has been told.
            let _ = self.begin(line).await;
        }
        .boxed()
    }
}

impl Held {
    /// Finds the model, charges its quota, and remembers what was said before.
    fn set_up(&mut self, version: &str) -> Result<(), Refusal> {
        let named = text_field(&self.setup, "model").unwrap_or_default();
        let model = named.strip_prefix("models/").unwrap_or(&named);
        if !is_offered(&self.stand, model) {
            let text = format!(
                "{named} is not found for API version {version}, or is not supported for bidiGenerateContent."
            );
            return Err(Refusal::new(404, "NOT_FOUND", &text, &[]));
        }
        self.stand.ledger.charge(&self.caller, model, 1)?;
        let Some(handle) = self.resumption().and_then(|it| text_field(it, "handle")) else {
            return Ok(());
        };
        let before = self.stand.live_handles.find(&handle, &self.caller.project);
        self.contents = before.ok_or_else(|| {
            Refusal::new(
                404,
                "NOT_FOUND",
                "BidiGenerateContent session not found",
                &[],
            )
        })?;
        Ok(())
    }

    async fn talk(&mut self) -> Result<(), Over> {
        self.line.say(&json!({"setupComplete": {}})).await?;
        self.give_handle().await?;
        loop {
            let message = read(&self.line.hear().await?);
            if let Some(content) = field(&message, "clientContent") {
                self.take_turns(content).await?;
            } else if let Some(input) = field(&message, "realtimeInput") {
                self.take_input(input).await?;
            } else if let Some(results) = field(&message, "toolResponse") {
                let results = field(results, "functionResponses").cloned();
                self.take_results(results.unwrap_or_default()).await?;
            } else {
                self.line
                    .close(1007, "Request contains an invalid argument.")
                    .await;
                return Err(Over);
            }
        }
    }

    async fn take_turns(&mut self, content: &Value) -> Result<(), Over> {
        let turns = field(content, "turns").and_then(Value::as_array);
        self.contents.extend(turns.into_iter().flatten().cloned());
        if field(content, "turnComplete") == Some(&Value::Bool(true)) {
            return self.answer().await;
        }
        Ok(())
    }

    async fn take_input(&mut self, input: &Value) -> Result<(), Over> {
        if let Some(text) = text_field(input, "text") {
            self.contents
                .push(json!({"role": "user", "parts": [{"text": text}]}));
            return self.answer().await;
        }
        let media = ["audio", "video"].iter().find_map(|it| field(input, it));
        if let Some(data) = media.and_then(|media| text_field(media, "data")) {
            self.media += 1;
            let echo = json!({"inlineData": {"mimeType": VOICE, "data": data}});
            return self.say_parts(&[echo]).await;
        }
        let ends = ["audioStreamEnd", "activityEnd"];
        if ends.iter().any(|name| field(input, name).is_some()) {
            return self.end_turn(0).await;
        }
        Ok(())
    }

    async fn take_results(&mut self, results: Value) -> Result<(), Over> {
        let results = results.as_array().cloned().unwrap_or_default();
        let parts: Vec<Value> = results
            .into_iter()
            .map(|result| json!({"functionResponse": result}))
            .collect();
        self.contents.push(json!({"role": "user", "parts": parts}));
        self.answer().await
    }

    /// Says what a model would to all that was said.
    async fn answer(&mut self) -> Result<(), Over> {
        let mut request = self.setup.clone();
        request["contents"] = self.contents.clone().into();
        let prompt = Prompt::read(&request);
        match say(&self.stand, &prompt, &[]) {
            Said::Call { name, args } => {
                let call = json!({"id": self.stand.fresh_id(12), "name": name, "args": args});
                let part = json!({"functionCall": call});
                self.contents
                    .push(json!({"role": "model", "parts": [part]}));
                self.line
                    .say(&json!({"toolCall": {"functionCalls": [call]}}))
                    .await
            }
            Said::Text { text, .. } => {
                for chunk in self.stand.voice.chunks(&text, 1) {
                    self.say_parts(&[json!({"text": chunk})]).await?;
                }
                let part = json!({"text": text});
                self.contents
                    .push(json!({"role": "model", "parts": [part]}));
                let goes = prompt.text.contains("GO_AWAY");
                self.end_turn(tokens(&text)).await?;
                if goes {
                    return self.go_away().await;
                }
                Ok(())
            }
            Said::BlockedPrompt | Said::Unsafe => {
                self.line.close(1008, "The content was blocked.").await;
                Err(Over)
            }
        }
    }

    async fn say_parts(&mut self, parts: &[Value]) -> Result<(), Over> {
        let turn = json!({"role": "model", "parts": parts});
        self.line
            .say(&json!({"serverContent": {"modelTurn": turn}}))
            .await
    }

    async fn end_turn(&mut self, output: u64) -> Result<(), Over> {
        let done = json!({"serverContent": {"generationComplete": true}});
        self.line.say(&done).await?;
        let media = std::mem::take(&mut self.media) * TOKENS_OF_MEDIA;
        let mut request = json!({});
        request["contents"] = self.contents.clone().into();
        let prompt = Prompt::read(&request).tokens.saturating_sub(output) + media;
        let output = output + media;
        let usage = json!({
            "promptTokenCount": prompt,
            "responseTokenCount": output,
            "totalTokenCount": prompt + output,
            "responseTokensDetails": [{"modality": "TEXT", "tokenCount": output}],
        });
        let end = json!({"serverContent": {"turnComplete": true}, "usageMetadata": usage});
        self.line.say(&end).await?;
        self.give_handle().await
    }

    async fn give_handle(&mut self) -> Result<(), Over> {
        if self.resumption().is_none() {
            return Ok(());
        }
        let handle = self.stand.fresh_id(48);
        let handles = &self.stand.live_handles;
        handles.keep(&handle, &self.caller.project, &self.contents);
        let update = json!({"newHandle": handle, "resumable": true});
        self.line
            .say(&json!({"sessionResumptionUpdate": update}))
            .await
    }

    async fn go_away(&mut self) -> Result<(), Over> {
        self.line
            .say(&json!({"goAway": {"timeLeft": "0.1s"}}))
            .await?;
        self.line.close(1001, "The session has ended.").await;
        Err(Over)
    }

    fn resumption(&self) -> Option<&Value> {
        field(&self.setup, "sessionResumption")
    }
}

/// Live models have names of their own; the others are there as well.
fn is_offered(stand: &Stand, model: &str) -> bool {
    let is_live = ["live", "native-audio", "lyria"];
    is_live.iter().any(|word| model.contains(word))
        || stand
            .models
            .resolve("v1beta", model, "generateContent")
            .is_ok()
}

fn read(message: &Bytes) -> Value {
    serde_json::from_slice(message).unwrap_or_default()
}
