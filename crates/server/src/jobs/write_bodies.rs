//! Redacts, compresses and stores the bodies that are kept with the request log. What the database does not take is
//! lost and counted: bodies are a help, and must not fill the memory.

use std::io::Write as _;
use std::sync::Arc;

use domain::Secret;
use flate2::Compression;
use flate2::write::GzEncoder;
use store::{RecordBodies, StoredBody};
use tokio::sync::mpsc::Receiver;

use crate::app::App;
use crate::gateway::{KeptBodies, KeptBody};

const MOST_AT_ONCE: usize = 64;
const GZIP: &str = "gzip";

pub(super) async fn run(app: Arc<App>, mut queue: Receiver<KeptBodies>) {
    let mut batch = Vec::with_capacity(MOST_AT_ONCE);
    loop {
        tokio::select! {
            biased;
            count = queue.recv_many(&mut batch, MOST_AT_ONCE) => if count == 0 { return },
            () = app.tasks.stopping() => {
                queue.close();
                continue;
            }
        }
        let bodies = std::mem::take(&mut batch);
        let count = bodies.len() as u64;
        let packed =
            tokio::task::spawn_blocking(move || bodies.iter().map(pack).collect::<Vec<_>>());
        let written = match packed.await {
            Ok(packed) => app.store.write_bodies(&packed).await.is_ok(),
            Err(_) => false,
        };
        if !written {
            app.metrics.dropped_bodies.inc_by(count);
        }
    }
}

fn pack(bodies: &KeptBodies) -> RecordBodies {
    let secrets: Vec<&str> = bodies.secrets.iter().map(Secret::expose).collect();
    let pack = |body: &KeptBody| pack_one(body, &secrets);
    RecordBodies {
        id: bodies.id,
        request: bodies.request.as_ref().map(pack),
        response: bodies.response.as_ref().map(pack),
    }
}

fn pack_one(body: &KeptBody, secrets: &[&str]) -> StoredBody {
    StoredBody {
        bytes: gzip(&body.redacted(secrets)),
        encoding: GZIP.to_owned(),
        original_len: body.original_len,
        truncated: body.is_truncated(),
    }
}

/// Writing to memory cannot fail.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
