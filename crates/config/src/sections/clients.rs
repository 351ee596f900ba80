//! `clients`: client keys that the configuration fixes.

use domain::{ClientLimits, Secret, UnixMs};
use ipnet::IpNet;

use crate::section::{choice, section};

section! {
    /// A client key. A limit that is not set is none.
    pub struct ClientKey {
        /// What it is called in logs and metrics.
        name: String,
        /// What the caller shows.
        key: Secret,
        /// `false`: refused with 401.
        enabled: bool = "true",
        /// A date or an instant (RFC 3339) from which on it is refused.
        expires_at: Option<UnixMs> = "null",
        /// The user whom it belongs to.
        owner: Option<String> = "null",
        /// Requests a minute.
        rpm: Option<u32> = "null" in "1" ..= "4294967295",
        /// Requests a day.
        rpd: Option<u32> = "null" in "1" ..= "4294967295",
        /// Tokens a minute.
        tpm: Option<u64> = "null" in "1" ..= "9000000000000000000",
        /// Tokens a day.
        tpd: Option<u64> = "null" in "1" ..= "9000000000000000000",
        /// Requests at the same time.
        max_concurrent: Option<u32> = "null" in "1" ..= "1000000",
        /// Providers by name; empty: any.
        allowed_providers: Vec<String> = "[]",
        /// Models by id; empty: any.
        allowed_models: Vec<String> = "[]",
        /// Endpoints by name, such as `generateContent`; empty: any.
        allowed_endpoints: Vec<String> = "[]",
        /// Addresses of callers; empty: any.
        allowed_ips: Vec<IpNet> = "[]",
        /// What it may cost in a period, in US dollars.
        budget_usd: Option<f64> = "null" in "0.000000001" ..= "1000000000",
        /// The period of the budget.
        budget_period: BudgetPeriod = "month",
    }
}

choice! {
    /// The period of a budget.
    pub enum BudgetPeriod {
        /// A day.
        Day = "day",
        /// A month.
        Month = "month",
    }
}

impl ClientKey {
    /// What it may do.
    pub fn limits(&self) -> ClientLimits {
        let names = |list: &[String]| list.iter().cloned().collect();
        ClientLimits {
            rpm: self.rpm,
            rpd: self.rpd,
            tpm: self.tpm,
            tpd: self.tpd,
            max_concurrent: self.max_concurrent,
            allowed_providers: names(&self.allowed_providers),
            allowed_models: names(&self.allowed_models),
            allowed_endpoints: names(&self.allowed_endpoints),
            allowed_ips: self.allowed_ips.iter().map(ToString::to_string).collect(),
            budget_usd: self.budget_usd,
            budget_period: match self.budget_period {
                BudgetPeriod::Day => domain::BudgetPeriod::Day,
                BudgetPeriod::Month => domain::BudgetPeriod::Month,
            },
        }
    }
}
