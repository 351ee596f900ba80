//! Configurations as users write them, and what comes of them.

#[cfg(test)]
mod documents;
#[cfg(test)]
mod problems;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod stored;
#[cfg(test)]
mod support;
#[cfg(test)]
mod values;
#[cfg(test)]
mod warnings;
