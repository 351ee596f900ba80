//! What keymux asks providers of its own accord, with one key: which models they have, and whether the key works, alone or
//! with a model. It costs no quota, and leaves by the egress that requests with the key leave by. Requests of callers do
//! not come here; they are `gateway/`.

use std::time::Duration;

use bytes::Bytes;
use domain::{Class, Key, Secret, Verdict};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::{BodyExt, Limited};
use providers::{Check, CheckCall, ErrorAnswer, Finding, ModelsPage, Step};

use crate::clock::Clock;
use crate::egress::{
    Culprit, Egress, EgressFault, Leaving, LeavingKey, Outgoing, OutgoingBody, Proxies, ProxyId,
};
use crate::snapshot::Provider;

const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST_ANSWER: usize = 16 << 20;
const MOST_PAGES: usize = 20;
/// Proxies that may fail one question.
const MOST_WAYS: usize = 3;

/// What a provider said of a key.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) finding: Finding,
    /// The status of the answer that this is about; none: there was none.
    pub(crate) status: Option<u16>,
    /// By which way the provider was asked last; none: there was none.
    pub(crate) egress: Option<Egress>,
}

/// Whom keymux asks, with which key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) provider: &'a Provider,
    pub(crate) key: &'a Key,
    pub(crate) proxies: &'a Proxies,
    pub(crate) clock: &'a Clock,
}

#[derive(Debug)]
struct Answered {
    status: u16,
    body: Bytes,
    egress: Egress,
}

/// No answer to use.
#[derive(Debug)]
struct Unanswered {
    /// None: there was no answer at all.
    status: Option<u16>,
    verdict: Verdict,
    /// By which way it was asked.
    egress: Option<Egress>,
    /// What it says of the way.
    fault: Option<EgressFault>,
}

impl From<Verdict> for Unanswered {
    fn from(verdict: Verdict) -> Self {
        Self {
            status: None,
            verdict,
            egress: None,
            fault: None,
        }
    }
}

impl Asking<'_> {
    /// Whether the provider takes the key, and with a model whether it can be used: what the provider says itself.
    pub(crate) async fn check(&self, model: Option<&str>) -> Said {
        let (mut check, mut call) = Check::begin(self.provider.api, model);
        let mut refused_with = None;
        loop {
            let (status, egress, answer) = match self.ask(&call).await {
                Ok(answer) => (Some(answer.status), Some(answer.egress), Ok(answer.body)),
                Err(unanswered) => {
                    refused_with = Some(unanswered.status);
                    (
                        unanswered.status,
                        unanswered.egress,
                        Err(unanswered.verdict),
                    )
                }
            };
            let heard = answer.as_deref().map_err(Verdict::clone);
            match check.heard(heard) {
                Step::Ask(next) => call = next,
                Step::Over(finding) => {
                    // After a missing model the key is asked about alone: that success is not what was found.
                    let status = match refused_with {
                        Some(refused) if finding.verdict.class != Class::Ok => refused,
                        _ => status,
                    };
                    return Said {
                        finding,
                        status,
                        egress,
                    };
                }
            }
        }
    }

    /// The ids of the models that the provider lists for the key, as it names them.
    pub(crate) async fn models(&self) -> Result<Vec<String>, Verdict> {
        let api = self.provider.api;
        let mut models = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let (path, place) = api.models(next.as_deref());
            let call = CheckCall {
                method: Method::GET,
                path,
                body: "",
                place,
            };
            let answer = self.ask(&call).await.map_err(|it| it.verdict)?;
            let page = ModelsPage::read(api, &answer.body);
            let page = page.ok_or_else(|| Verdict::new(Class::ServerError, "not_a_list"))?;
            models.extend(page.ids);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        Ok(models)
    }

    async fn ask(&self, call: &CheckCall) -> Result<Answered, Unanswered> {
        match tokio::time::timeout(PATIENCE, self.ask_by_some_way(call)).await {
            Ok(asked) => asked,
            Err(_) => Err(Verdict::new(Class::Timeout, "no_answer").into()),
        }
    }

    /// Asks by the egress that requests with the key leave by, and by others where that fails.
    async fn ask_by_some_way(&self, call: &CheckCall) -> Result<Answered, Unanswered> {
        let mut failed = Vec::new();
        loop {
            let egress = self.choose_egress(&failed)?;
            let unanswered = match self.ask_again(call, &egress).await {
                Ok(answer) => return Ok(answer),
                Err(unanswered) => unanswered,
            };
            let fault = unanswered.fault.as_ref();
            let Some(fault) = fault.filter(|fault| fault.is_before_sending) else {
                return Err(unanswered);
            };
            if fault.culprit == Culprit::Proxy {
                let now = self.clock.now();
                self.proxies.failed(&fault.proxy, fault.reason, now);
            }
            failed.push(fault.proxy.id);
        }
    }

    fn choose_egress(&self, failed: &[ProxyId]) -> Result<Egress, Verdict> {
        let leaving = Leaving {
            key: LeavingKey::Known(self.key.id),
            own: self.key.egress.as_ref(),
            is_encrypted: self.provider.is_encrypted(),
            failed,
            avoided: &[],
            preferred: None,
            is_enough: failed.len() >= MOST_WAYS,
        };
        let chosen = self.proxies.choose(&leaving, self.clock.now());
        chosen.map_err(|why| Verdict::new(Class::Network, why.reason()))
    }

    /// Asks, and once more where only the token was refused that the key had been exchanged for.
    async fn ask_again(&self, call: &CheckCall, egress: &Egress) -> Result<Answered, Unanswered> {
        match self.ask_once(call, egress).await {
            Err(it) if self.provider.says_token_is_over(&it.verdict) => {
                self.ask_once(call, egress).await
            }
            asked => asked,
        }
    }

    async fn ask_once(&self, call: &CheckCall, egress: &Egress) -> Result<Answered, Unanswered> {
        let Self { provider, key, .. } = *self;
        let bearer = provider.bearer(&key.secret, egress, self.clock.now()).await;
        let bearer = bearer.map_err(|refusal| Unanswered {
            status: refusal.status,
            verdict: refusal.verdict.clone(),
            egress: Some(egress.clone()),
            fault: refusal.egress.clone(),
        })?;
        let mut request = outgoing(provider, Some(&bearer), call)
            .ok_or_else(|| Verdict::new(Class::KeyInvalid, "key_not_sendable"))?;
        let answer = provider.origin.send(&mut request, egress).await;
        let answer = answer.map_err(|error| Unanswered {
            fault: EgressFault::of(&error, egress),
            ..Verdict::new(Class::Network, error.reason()).into()
        })?;
        if let Some(proxy) = egress.proxy() {
            self.proxies.reached(proxy, self.clock.now());
        }
        let (head, body) = answer.into_parts();
        let status = head.status.as_u16();
        // Read to its end also where it says nothing new, so that the connection can be used again.
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        let body = body
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        if head.status.is_success() {
            let egress = egress.clone();
            return Ok(Answered {
                status,
                body,
                egress,
            });
        }
        let verdict = provider.api.judge_error(&ErrorAnswer {
            status,
            headers: &head.headers,
            body: &body,
            place: call.place,
        });
        provider.refuse_token(&key.secret, &bearer, &verdict);
        Err(Unanswered {
            status: Some(status),
            verdict,
            egress: Some(egress.clone()),
            fault: None,
        })
    }
}

/// A call as it leaves, with what is shown to the provider or without. None: that cannot be sent.
pub(crate) fn outgoing(
    provider: &Provider,
    bearer: Option<&Secret>,
    call: &CheckCall,
) -> Option<Outgoing> {
    let mut headers = HeaderMap::new();
    let mut chunks = Vec::new();
    if !call.body.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        chunks.push(Bytes::from_static(call.body.as_bytes()));
    }
    if let Some(bearer) = bearer {
        let shown = provider.api.authenticate(&mut headers, bearer, call.place);
        shown.ok()?;
    }
    provider.add_default_headers(&mut headers);
    Some(Outgoing {
        method: call.method.clone(),
        path_and_query: call.path.clone(),
        headers,
        body: OutgoingBody::Buffered(chunks.into()),
        creates: false,
    })
}
