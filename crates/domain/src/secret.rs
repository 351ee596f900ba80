//! A secret that cannot be printed by accident, and the fingerprint it is found by.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A provider key, client key, password or token.
///
/// It has no `Display` and no serialisation, its `Debug` shows nothing of it, and its memory is wiped on drop.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself: for the header it is sent in, and for encryption.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What operators may see: the first and last four characters, less where the secret is short.
    pub fn masked(&self) -> String {
        let chars: Vec<char> = self.0.chars().collect();
        let shown = match chars.len() {
            0..8 => 0,
            8..16 => 2,
            _ => 4,
        };
        let head: String = chars[..shown].iter().collect();
        let tail: String = chars[chars.len() - shown..].iter().collect();
        format!("{head}…{tail}")
    }

    /// What the secret is looked up by, and recognised by as a duplicate.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.as_bytes())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a secret of high entropy (32 bytes).
///
/// Looking a caller's key up by it takes the same time whatever part of a key was guessed right.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of these bytes.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Its first eight bytes as a number: enough to share things out by, not to tell them apart.
    pub fn number(&self) -> u64 {
        let first = self.0.first_chunk().copied();
        u64::from_be_bytes(first.unwrap_or_default())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("sk-very-secret")), "Secret(…)");
    }

    #[test]
    fn mask_never_shows_half_of_a_secret() {
        for (secret, masked) in [
            ("", "…"),
            ("short", "…"),
            ("12345678", "12…78"),
            ("AIzaSyFAKE00000000000000000000000000000", "AIza…0000"),
        ] {
            assert_eq!(Secret::new(secret).masked(), masked);
        }
    }
}
