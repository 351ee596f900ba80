//! The stand-in seen from outside, over real sockets: one module per group of behaviour.

#[cfg(test)]
mod control;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod gigachat;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod live;
#[cfg(test)]
mod openai;
#[cfg(test)]
mod perplexity;
#[cfg(test)]
mod program;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod support;
#[cfg(test)]
mod surface;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod xai;
