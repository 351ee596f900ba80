//! Google's words for the faults of a key.

use crate::fault::{KeyFault, Subject};
use crate::refusal::Refusal;

/// The key and the project number written in the fixtures; answers carry the real ones.
const FIXTURE_KEY: &str = "AIzaSyFAKE00000000000000000000000000000";
const FIXTURE_PROJECT: &str = "482913374650";

pub(crate) fn refusal(fault: KeyFault, subject: &Subject) -> Option<Refusal> {
    let refusal = Refusal::named(fixture(fault)?)
        .with(FIXTURE_KEY, subject.key)
        .with(FIXTURE_PROJECT, subject.project);
    Some(refusal)
}

fn fixture(fault: KeyFault) -> Option<&'static str> {
    Some(match fault {
        KeyFault::Invalid => "400_api_key_invalid",
        KeyFault::InvalidDebugInfo => "400_api_key_invalid_debuginfo",
        KeyFault::Expired => "400_api_key_expired",
        KeyFault::NotFound => "400_api_key_not_found",
        KeyFault::Leaked => "403_key_leaked",
        KeyFault::Suspended => "403_consumer_suspended",
        KeyFault::ProjectDenied => "403_project_denied",
        KeyFault::ServiceDisabled => "403_service_disabled",
        KeyFault::ServiceBlocked => "403_api_key_service_blocked",
        KeyFault::AccessTokenType => "401_access_token_type",
        KeyFault::PrepayDepleted => "402_prepay_depleted",
        KeyFault::PrepayLegacy => "429_prepay_legacy",
        KeyFault::SpendCap => "429_spend_cap",
        KeyFault::NoPermission => "403_caller_no_permission",
        KeyFault::Location => "400_location",
        KeyFault::ModelNewUsers => "404_model_new_users",
        KeyFault::BareQuota => "429_bare",
        KeyFault::Cancelled => "499_cancelled",
        KeyFault::Internal => "500_internal",
        KeyFault::BadGateway => "502_html",
        KeyFault::Overloaded => "503_overloaded",
        KeyFault::HighDemand => "503_high_demand",
        KeyFault::Deadline => "504_deadline",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_carry_the_key_and_project_they_are_about() {
        let subject = Subject {
            key: "AIza-x",
            project: "p9",
            model: None,
        };
        let suspended = format!("{:?}", refusal(KeyFault::Suspended, &subject).unwrap());
        assert!(suspended.contains("api_key:AIza-x") && suspended.contains("projects/p9"));
        assert!(!suspended.contains(FIXTURE_KEY) && !suspended.contains(FIXTURE_PROJECT));
    }
}
