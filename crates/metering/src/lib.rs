//! What callers have used, may still use, and what it costs. Pure: no async, no clock, no I/O; time is an argument.
//! Read `meter/mod.rs` for limits that count (how much), `access/mod.rs` for those that do not (what, from where),
//! `price/mod.rs` for what an answer costs; of callers without a client key, `visitors/mod.rs` for how often they may
//! come and `shedding.rs` for when they are refused so that others are served. Who a caller is, and in which shape it is
//! refused, is the server's.

mod access;
mod calendar;
mod familiar;
mod meter;
mod price;
mod shedding;
mod visitors;

pub use access::{Access, AccessError};
pub use familiar::Familiar;
pub use meter::{Allowance, DayCounts, Gauge, Limit, Meter, Permit, Refusal, Spending, Standing};
pub use price::{PriceError, PriceRow, PriceSource, PriceTable, WrongPrice, check_price};
pub use shedding::{Dice, Shedding};
pub use visitors::{Visit, VisitorLimits, Visitors};
