//! Methods that the stand-in does not imitate: 200 with what arrived, so that a test can tell
//! whether it was forwarded byte for byte.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::call::Call;
use crate::reply::Reply;

/// Says what was received; `path` is decoded, `query` is as on the wire.
pub(crate) fn reply(call: &Call) -> Reply {
    Reply::json(&json!({"echo": {
        "method": call.method.as_str(),
        "path": call.path,
        "query": call.raw_query,
        "bodySha256": hex(&Sha256::digest(&call.body)),
        "bodyLength": call.body.len(),
    }}))
}

/// Some bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
