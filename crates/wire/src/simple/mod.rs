//! The simple dialect: short forms for one prompt, one chat, one image. Its requests are read here and put as
//! `generateContent` wants them (`generate.rs`), what the model said is taken out of its answers (`said.rs`), and answers
//! and errors of the dialect are written. Which key and model are used is not decided here.

mod chat;
mod failure;
mod fields;
mod generate;
mod image;
mod model;
mod proxy;
mod said;

pub use chat::{ChatRequest, Role, Turn, chat_answer};
pub use failure::{Code, Failure, detail, failed, invalid};
pub use fields::Wrong;
pub use generate::{LARGEST_IMAGE, chat_body, image_body, prompt_body};
pub use image::{Image, NotAnImage, image_answer};
pub use model::model_id;
pub use proxy::{Given, ProxyRequest, proxy_answer};
pub use said::Said;
