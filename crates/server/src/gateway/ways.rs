//! By which egress each attempt of a request leaves, and what its end says of that egress. A proxy that fails by its own
//! fault is set aside at once; one that may be to blame is, as soon as the provider answers on another way. No key is hurt
//! by either: that is decided nowhere else. Which proxy a key leaves by is `egress/proxies/`; whose fault a refusal is,
//! `egress/attribution.rs`.

use std::sync::Arc;

use domain::{Class, UnixMs};

use super::attempt::Tried;
use super::credential::Credential;
use crate::egress::{Culprit, Egress, EgressFault, Leaving, NoEgress, Proxies, Proxy, ProxyId};

/// Proxies that may fail one request. When so many do, the next is not likely to be better, and the caller waits.
const MOST_FAULTS: usize = 4;
const REGION: &str = "region_not_served";

/// The ways of one request.
#[derive(Debug)]
pub(crate) struct Ways {
    /// That on which an upload began.
    preferred: Option<ProxyId>,
    /// That of the last attempt.
    last: Egress,
    /// Proxies that did not lead to the provider.
    failed: Vec<ProxyId>,
    /// Proxies by which the request came to nothing, which may be for other reasons.
    avoided: Vec<ProxyId>,
    /// How often it was the way that failed.
    faults: usize,
    /// Proxies that are to blame if another way leads to the provider, and for what.
    suspects: Vec<(Arc<Proxy>, &'static str)>,
}

impl Ways {
    pub(crate) fn new(preferred: Option<ProxyId>) -> Self {
        Self {
            preferred,
            last: Egress::Direct,
            failed: Vec::new(),
            avoided: Vec::new(),
            faults: 0,
            suspects: Vec::new(),
        }
    }

    /// The way of the last attempt.
    pub(crate) fn last(&self) -> &Egress {
        &self.last
    }

    /// How the next attempt leaves with that key.
    pub(crate) fn choose(
        &mut self,
        proxies: &Proxies,
        credential: &Credential,
        is_encrypted: bool,
        now: UnixMs,
    ) -> Result<Egress, NoEgress> {
        let egress = proxies.choose(
            &Leaving {
                key: credential.leaving_key(),
                own: credential.key().and_then(|key| key.egress.as_ref()),
                is_encrypted,
                failed: &self.failed,
                avoided: &self.avoided,
                preferred: self.preferred,
                is_enough: self.faults >= MOST_FAULTS,
            },
            now,
        )?;
        self.last = egress.clone();
        Ok(egress)
    }

    /// What the end of an attempt says of its way, and of those before.
    pub(crate) fn learn(&mut self, proxies: &Proxies, tried: &Tried, now: UnixMs) {
        let failure = tried.result.as_ref().err();
        if let Some(fault) = failure.and_then(|failure| failure.egress.as_ref()) {
            return self.blame(proxies, fault, now);
        }
        let proxy = tried.egress.proxy();
        match tried.verdict.class {
            Class::Region => {
                if let Some(proxy) = proxy {
                    self.avoided.push(proxy.id);
                    self.suspects.push((proxy.clone(), REGION));
                }
            }
            // It may have been the way: the next attempt takes another.
            Class::Timeout if tried.status.is_none() => {
                self.avoided.extend(proxy.map(|proxy| proxy.id));
            }
            _ if tried.status.is_some() => {
                if let Some(proxy) = proxy {
                    match tried.result {
                        Ok(_) => proxies.worked(proxy, now),
                        Err(_) => proxies.reached(proxy, now),
                    }
                }
                self.arrived(proxies, proxy, now);
            }
            _ => {}
        }
    }

    fn blame(&mut self, proxies: &Proxies, fault: &EgressFault, now: UnixMs) {
        let EgressFault { proxy, reason, .. } = fault;
        self.faults += 1;
        if fault.is_before_sending {
            self.failed.push(proxy.id);
        } else {
            self.avoided.push(proxy.id);
        }
        match fault.culprit {
            Culprit::Proxy => proxies.failed(proxy, reason, now),
            Culprit::ProxyIfOthersWork => self.suspects.push((proxy.clone(), reason)),
            Culprit::Nobody => {}
        }
    }

    /// The provider has answered: whoever did not lead there is to blame.
    fn arrived(&mut self, proxies: &Proxies, by: Option<&Arc<Proxy>>, now: UnixMs) {
        for (suspect, reason) in self.suspects.drain(..) {
            if by.is_none_or(|proxy| proxy.id != suspect.id) {
                proxies.failed(&suspect, reason, now);
            }
        }
    }
}
