//! What callers have used, may still use, and what it costs. Pure: no async, no clock, no I/O; time is an argument.
//! Read `meter/mod.rs` for limits that count (how much), `access/mod.rs` for those that do not (what, from where),
//! `price/mod.rs` for what an answer costs. Who a caller is, and in which shape it is refused, is the server's.

mod access;
mod calendar;
mod meter;
mod price;

pub use access::{Access, AccessError};
pub use meter::{Allowance, DayCounts, Gauge, Limit, Meter, Permit, Refusal, Spending, Standing};
pub use price::{PriceError, PriceRow, PriceSource, PriceTable, WrongPrice, check_price};
