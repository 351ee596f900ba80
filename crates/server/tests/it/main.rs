//! keymux as its callers and operators meet it: a real program on real sockets, in front of a scripted provider.
//! One file for each part of the contract; `support` has the gateway, the client and the words they are told in.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where its steps fail"
)]

mod support;

mod accounts;
mod admin;
mod affinity;
mod anonymous;
mod callers;
mod checks;
mod cli;
mod client_limits;
mod dashboard;
mod docs;
mod egress;
mod failover_table;
mod forwarding;
mod gigachat;
mod key_files;
mod limits;
mod live;
mod openai;
mod perplexity;
mod pool;
mod records;
mod restart;
mod rotation;
mod secrets;
mod simple;
mod status;
mod streams;
mod uploads;
