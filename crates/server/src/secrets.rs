//! Secrets that keymux makes, and passwords as they are kept.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use domain::Secret;

/// Without characters that are mistaken for each other when read aloud or copied by hand.
const ALPHABET: &[u8; 56] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A new client key: 40 random characters, some 230 bits.
pub(crate) fn new_client_key() -> anyhow::Result<Secret> {
    Ok(Secret::new(format!("sk-{}", random_text(40)?)))
}

/// A new session token: 40 random characters.
pub(crate) fn new_session() -> anyhow::Result<Secret> {
    Ok(Secret::new(format!("kms_{}", random_text(40)?)))
}

/// A new password: 20 random characters, some 115 bits.
pub(crate) fn new_password() -> anyhow::Result<Secret> {
    Ok(Secret::new(random_text(20)?))
}

/// The argon2id hash of a password, as it is stored.
pub(crate) fn hash_password(password: &Secret) -> anyhow::Result<String> {
    let mut salt = [0u8; 16];
    fill(&mut salt)?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| anyhow::anyhow!("salt: {error}"))?;
    let hash = Argon2::default().hash_password(password.expose().as_bytes(), &salt);
    Ok(hash
        .map_err(|error| anyhow::anyhow!("hash the password: {error}"))?
        .to_string())
}

/// Whether `password` is the one that was hashed.
pub(crate) fn is_password(password: &Secret, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.expose().as_bytes(), &hash)
            .is_ok()
    })
}

fn random_text(length: usize) -> anyhow::Result<String> {
    let mut text = String::with_capacity(length);
    let mut bytes = [0u8; 64];
    while text.len() < length {
        fill(&mut bytes)?;
        // Bytes beyond the last whole multiple would make some characters likelier than others.
        let fair = bytes.iter().filter(|&&byte| byte < 224);
        let wanted = length - text.len();
        text.extend(
            fair.take(wanted)
                .map(|&byte| char::from(ALPHABET[usize::from(byte) % 56])),
        );
    }
    Ok(text)
}

fn fill(bytes: &mut [u8]) -> anyhow::Result<()> {
    getrandom::fill(bytes)
        .map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_secrets_differ_and_have_their_length() {
        let (one, two) = (new_client_key().unwrap(), new_client_key().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.expose().len(), 43);
        assert_eq!(new_password().unwrap().expose().len(), 20);
    }

    #[test]
    fn a_password_is_known_by_its_hash() {
        let password = Secret::new("correct horse");
        let hash = hash_password(&password).unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(is_password(&password, &hash));
        assert!(!is_password(&Secret::new("wrong"), &hash));
    }
}
