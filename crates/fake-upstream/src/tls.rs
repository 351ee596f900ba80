//! Certificates for a stand-in that serves HTTPS: a certificate authority made at start, and a
//! server certificate for loopback names signed by it. No resolver need know `provider.localhost`: a
//! client that reaches it left the name to its proxy.

use std::io;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

/// What a TLS listener needs, and what its clients must trust.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_pem: String,
}

impl Tls {
    /// Makes fresh certificates for a listener that speaks these protocols; fails when the crypto
    /// library refuses.
    pub(crate) fn generate(protocols: &[&[u8]]) -> io::Result<Self> {
        let ca_key = KeyPair::generate().map_err(io::Error::other)?;
        let mut ca = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL finds an authority by its name, also among several in one file.
        let id = format!("{:x}", Sha256::digest(ca_key.public_key_raw()));
        let name = format!("authority {}", &id[..16]);
        ca.distinguished_name.push(DnType::CommonName, name);
        let ca_pem = ca.self_signed(&ca_key).map_err(io::Error::other)?.pem();

        let key = KeyPair::generate().map_err(io::Error::other)?;
        let names = ["localhost", "provider.localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        // OpenSSL takes a certificate with its issuer's subject for a self-signed one.
        params
            .distinguished_name
            .push(DnType::CommonName, "stand-in");
        let issuer = Issuer::new(ca, ca_key);
        let cert = params.signed_by(&key, &issuer).map_err(io::Error::other)?;

        let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], private)
            .map_err(io::Error::other)?;
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            ca_pem,
        })
    }
}
