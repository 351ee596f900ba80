//! The token endpoint: `Authorization: Basic <authorization key>`, a uuid in `RqUID`, and a form with
//! the scope. Errors are `{"code", "message"}`; code 3 for the `RqUID` is a guess.

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::accounts::Scope;
use crate::call::Call;
use crate::fault::KeyFault;
use crate::keys::Standing;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::stand::Stand;

/// Answers a request for a token.
pub(crate) fn serve(stand: &Stand, call: &Call) -> Result<Reply, Refusal> {
    stand.accounts.count_request();
    let key = authorization_key(&call.headers)
        .ok_or_else(|| bad(4, "Can't decode 'Authorization' header"))?;
    if !call.header("rquid").is_some_and(is_uuid4) {
        return Err(bad(3, "RqUID header is missing or invalid"));
    }
    let allowed = match stand.keyring.look_up(key) {
        Standing::Good(caller) => caller.key.and_then(|key| key.scope),
        Standing::Faulty(_, fault @ (KeyFault::Invalid | KeyFault::ScopeMismatch)) => {
            return Err(super::faults::refusal(fault).unwrap_or_else(wrong_key));
        }
        Standing::Faulty(key, _) => key.scope,
        Standing::Unknown => return Err(wrong_key()),
    };
    let named = scope_of(call).unwrap_or_default();
    if named.is_empty() {
        return Err(Refusal::fixture("gigachat/errors/oauth_400_code5.json"));
    }
    let Some(scope) = Scope::of(&named) else {
        return Err(Refusal::fixture("gigachat/errors/oauth_400_code1.json"));
    };
    if allowed.is_some_and(|allowed| allowed != named) {
        return Err(Refusal::fixture("gigachat/errors/oauth_400_code7.json"));
    }
    let token = format!(
        "eyJjdHkiOiJqd3QiLCJlbmMiOiJBMjU2R0NNIn0.{}",
        stand.fresh_id(200)
    );
    Ok(Reply::compact(&stand.accounts.issue(token, key, scope)))
}

/// The key of a `Basic` credential, as it stands there.
pub(crate) fn authorization_key(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let key = text.strip_prefix("Basic ")?.trim();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"+/=-_".contains(&b);
    (!key.is_empty() && key.bytes().all(allowed)).then_some(key)
}

fn scope_of(call: &Call) -> Option<String> {
    let kind = call.header("content-type")?;
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return None;
    }
    let form = std::str::from_utf8(&call.body).ok()?;
    let value = form
        .split('&')
        .find_map(|pair| pair.strip_prefix("scope="))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

fn is_uuid4(text: &str) -> bool {
    let fits = |(at, b): (usize, u8)| match at {
        8 | 13 | 18 | 23 => b == b'-',
        14 => b == b'4',
        19 => b"89abAB".contains(&b),
        _ => b.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

fn wrong_key() -> Refusal {
    Refusal::fixture("gigachat/errors/oauth_401.json")
}

fn bad(code: u8, message: &str) -> Refusal {
    Refusal::json(
        StatusCode::BAD_REQUEST,
        &json!({"code": code, "message": message}),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_version_4_uuids_are_taken() {
        assert!(is_uuid4("0d7c6a52-0000-4000-8000-0000000000b7"));
        for wrong in [
            "",
            "0d7c6a52-0000-1000-8000-0000000000b7",
            "0d7c6a5200004000800000000000b7",
        ] {
            assert!(!is_uuid4(wrong), "{wrong}");
        }
    }
}
