//! Google's Live API: who may open a session, and with what. The talk itself is `session.rs`; ephemeral tokens are
//! `tokens.rs`, and what a session can be resumed by `handles.rs`.

mod handles;
mod session;
mod tokens;

pub(crate) use handles::Handles;
pub(crate) use tokens::Tokens;

use std::sync::Arc;

use crate::call::Call;
use crate::keys::Caller;
use crate::refusal::Refusal;
use crate::stand::Stand;
use crate::websocket::Talk;
use session::Session;

const PATH: &str = "/ws/google.ai.generativelanguage.";

/// Opens a session for the call, where its path is one of Live's. As Google does, a wrong key is told by how the
/// socket is closed, and not before.
pub(crate) fn open(stand: &Arc<Stand>, call: &Call) -> Option<Result<Box<dyn Talk>, Refusal>> {
    let (version, method) = call.path.strip_prefix(PATH)?.split_once('.')?;
    let method = method.strip_prefix("GenerativeService.")?;
    if !method.starts_with("Bidi") {
        return None;
    }
    let admitted = admit(stand, call);
    Some(Ok(Box::new(Session::new(stand, version, admitted))))
}

fn admit(stand: &Stand, call: &Call) -> Result<Caller, Refusal> {
    if let Some(token) = token(call) {
        return stand.live_tokens.open(&token);
    }
    super::admit(stand, call)
}

/// The ephemeral token that is shown instead of a key.
fn token(call: &Call) -> Option<String> {
    let in_header = || call.header("authorization")?.strip_prefix("Token ");
    call.param("access_token")
        .or_else(in_header)
        .map(str::to_owned)
}
