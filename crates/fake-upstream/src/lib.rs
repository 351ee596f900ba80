//! Scripted stand-ins for Gemini, xAI, Perplexity, GigaChat and OpenAI-compatible servers, for tests,
//! `make demo` and benches: keys, quotas, every error row, streams, files, and faults on demand; and
//! the outbound proxies to reach them through.
//! It is never linked into keymux and knows nothing of it; the facts it imitates are the providers'.
//!
//! Start with [`gemini()`] or a sibling of it; `stand.rs` shows the path of one request, `provider.rs`
//! where the providers part, `proxy/` the proxies; `control.rs` and `form.rs` document the JSON that
//! other languages steer it with.

mod body;
mod call;
mod clock;
mod control;
mod dialect;
mod fast;
mod fault;
mod fixtures;
mod form;
mod gemini;
mod gigachat;
mod keys;
mod multipart;
mod openai;
mod peers;
mod perplexity;
mod prompt;
mod provider;
mod proxy;
mod quota;
mod refusal;
mod reply;
mod responses;
mod rule;
mod said;
mod sample;
mod script;
mod seat;
mod seen;
mod server;
mod socket;
mod stand;
mod stream;
mod tls;
mod vector;
mod voice;
mod websocket;
mod xai;

pub use fault::KeyFault;
pub use form::ScriptForm;
pub use keys::FakeKey;
pub use provider::Provider;
pub use proxy::{FakeProxy, Login, ProxyFault, ProxyKind, ProxyScript, ProxySeen};
pub use rule::{EmptyKind, Rule};
pub use script::Script;
pub use seen::Seen;
pub use server::FakeUpstream;

/// A stand-in for Google that takes any key and quotes every prompt, until told otherwise.
/// Configure [`FakeUpstream::base_url`].
pub fn gemini() -> Script {
    Script::of(Provider::Gemini)
}

/// A stand-in for xAI; configure `base_url() + "/v1"`.
pub fn xai() -> Script {
    Script::of(Provider::Xai)
}

/// A stand-in for Perplexity; configure `base_url()`.
pub fn perplexity() -> Script {
    Script::of(Provider::Perplexity)
}

/// A stand-in for GigaChat; configure `base_url() + "/api/v1"`, and `base_url() + "/api/v2/oauth"` for
/// tokens. With [`Script::tls`] its certificate has a root of its own, as the real one's has.
pub fn gigachat() -> Script {
    Script::of(Provider::Gigachat)
}

/// A stand-in for any server that speaks OpenAI's API; configure `base_url() + "/v1"`.
pub fn openai() -> Script {
    Script::of(Provider::Openai)
}

/// An HTTP proxy, for CONNECT alone.
pub fn http_proxy() -> ProxyScript {
    ProxyScript::of(ProxyKind::Http)
}

/// The same behind TLS with a certificate of an authority of its own.
pub fn https_proxy() -> ProxyScript {
    ProxyScript::of(ProxyKind::Https)
}

/// A SOCKS5 proxy.
pub fn socks5_proxy() -> ProxyScript {
    ProxyScript::of(ProxyKind::Socks5)
}
