//! TLS to providers: always verified, with the roots of the provider alone.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Mozilla's roots, and those of `ca_file` for this provider only. `http2` offers HTTP/2 before HTTP/1.1.
pub(crate) fn client_config(
    ca_file: Option<&Path>,
    http2: bool,
) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = ca_file {
        add_roots(&mut roots, path).with_context(|| format!("read ca_file {}", path.display()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = if http2 {
        vec![b"h2".into(), b"http/1.1".into()]
    } else {
        vec![b"http/1.1".into()]
    };
    Ok(Arc::new(config))
}

/// The same for connections that leave HTTP behind: only HTTP/1.1 does that.
pub(crate) fn for_upgrades(config: &ClientConfig) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"http/1.1".into()];
    Arc::new(config)
}

fn add_roots(roots: &mut RootCertStore, path: &Path) -> anyhow::Result<()> {
    let mut found = false;
    for certificate in CertificateDer::pem_file_iter(path)? {
        roots.add(certificate?)?;
        found = true;
    }
    anyhow::ensure!(
        found,
        "no certificate in it; expected PEM blocks `BEGIN CERTIFICATE`"
    );
    Ok(())
}
