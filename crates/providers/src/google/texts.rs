//! What Google's reasons and sentences mean, one row each, whatever status they come with.
//! Sentences are compared from their beginning: further on they may quote what the caller sent.

use domain::{Certainty, Class, Scope, Verdict};

use super::case::Case;

/// What a reason or a sentence means.
struct Finding {
    class: Class,
    certainty: Certainty,
    scope: Scope,
    reason: &'static str,
}

const fn nobody(class: Class, reason: &'static str) -> Finding {
    key(class, Certainty::Suspected, reason)
}

const fn key(class: Class, certainty: Certainty, reason: &'static str) -> Finding {
    Finding {
        class,
        certainty,
        scope: Scope::Key,
        reason,
    }
}

/// A project can be paid for, or its API switched on, without anybody telling keymux: it is tried again.
const fn project(class: Class, reason: &'static str) -> Finding {
    whole_project(class, Certainty::Suspected, reason)
}

const fn suspended(reason: &'static str) -> Finding {
    whole_project(Class::AcctSuspended, Certainty::Decisive, reason)
}

const fn whole_project(class: Class, certainty: Certainty, reason: &'static str) -> Finding {
    Finding {
        class,
        certainty,
        scope: Scope::Project,
        reason,
    }
}

/// Beginnings of messages, in lower case.
const SENTENCES: &[(&str, Finding)] = &[
    (
        "api key not valid",
        key(Class::KeyInvalid, Certainty::Suspected, "api_key_invalid"),
    ),
    (
        "api key not found",
        key(Class::KeyInvalid, Certainty::Suspected, "api_key_not_found"),
    ),
    (
        "api key expired",
        key(Class::KeyInvalid, Certainty::Decisive, "api_key_expired"),
    ),
    (
        "your api key was reported as leaked",
        key(Class::KeyInvalid, Certainty::Decisive, "api_key_leaked"),
    ),
    (
        "your project has been denied access",
        suspended("project_denied"),
    ),
    (
        "generative language api has not been used in project",
        project(Class::KeyRestricted, "service_disabled"),
    ),
    (
        "user location is not supported",
        nobody(Class::Region, "location_unsupported"),
    ),
    (
        "method doesn't allow unregistered callers",
        nobody(Class::GatewayBug, "no_credentials"),
    ),
    (
        "api keys are not supported by this api",
        nobody(Class::BadRequest, "oauth_required"),
    ),
    (
        "you do not have permission to access the",
        nobody(Class::AffinityMiss, "foreign_resource"),
    ),
    (
        "cachedcontent not found",
        nobody(Class::AffinityMiss, "foreign_resource"),
    ),
    (
        "your prepayment credits are depleted",
        project(Class::Billing, "prepay_depleted"),
    ),
];

/// `ErrorInfo.reason`, of Google's public list of error reasons (`google.api.ErrorReason`).
const REASONS: &[(&str, Finding)] = &[
    (
        "API_KEY_INVALID",
        key(Class::KeyInvalid, Certainty::Suspected, "api_key_invalid"),
    ),
    (
        "ACCESS_TOKEN_TYPE_UNSUPPORTED",
        key(
            Class::KeyInvalid,
            Certainty::Suspected,
            "token_type_unsupported",
        ),
    ),
    (
        "API_KEY_SERVICE_BLOCKED",
        key(Class::KeyRestricted, Certainty::Decisive, "service_blocked"),
    ),
    (
        "API_KEY_HTTP_REFERRER_BLOCKED",
        key(
            Class::KeyRestricted,
            Certainty::Decisive,
            "referrer_blocked",
        ),
    ),
    (
        "API_KEY_IP_ADDRESS_BLOCKED",
        key(
            Class::KeyRestricted,
            Certainty::Decisive,
            "ip_address_blocked",
        ),
    ),
    (
        "API_KEY_ANDROID_APP_BLOCKED",
        key(Class::KeyRestricted, Certainty::Decisive, "app_blocked"),
    ),
    (
        "API_KEY_IOS_APP_BLOCKED",
        key(Class::KeyRestricted, Certainty::Decisive, "app_blocked"),
    ),
    ("CONSUMER_SUSPENDED", suspended("consumer_suspended")),
    ("CONSUMER_INVALID", suspended("consumer_invalid")),
    (
        "SERVICE_DISABLED",
        project(Class::KeyRestricted, "service_disabled"),
    ),
    (
        "BILLING_DISABLED",
        project(Class::Billing, "billing_disabled"),
    ),
    (
        "CREDENTIALS_MISSING",
        nobody(Class::BadRequest, "oauth_required"),
    ),
];

/// The verdict, where the body alone decides.
pub(super) fn judge(case: &Case<'_>) -> Option<Verdict> {
    let sentence = || {
        SENTENCES
            .iter()
            .find(|(start, _)| case.text.starts_with(start))
    };
    let reason = || {
        REASONS
            .iter()
            .find(|(reason, _)| *reason == case.fault.reason())
    };
    sentence()
        .or_else(reason)
        .map(|(_, finding)| finding.verdict())
}

impl Finding {
    fn verdict(&self) -> Verdict {
        let verdict = Verdict::new(self.class, self.reason).certainty(self.certainty);
        Verdict {
            scope: self.scope,
            ..verdict
        }
    }
}
