//! What tests are written in: [`TestGateway`] starts keymux, its answers are [`Answer`]s.

mod answer;
mod client;
mod gateway;
mod postgres;
mod program;
mod raw;
mod socket;

pub(crate) use answer::Answer;
pub(crate) use client::{Connection, request};
pub(crate) use gateway::{
    CLIENT_KEY, MODEL, TestGateway, eventually, generate, post, prompt, stream,
};
pub(crate) use postgres::on_postgres;
pub(crate) use program::{Machine, Program, word_after};
pub(crate) use raw::{RawAnswer, RawUpstream};
pub(crate) use socket::Socket;
