//! Accepts connections and serves them until it is told to stop; then lets what is under way come to its end.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use http::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::connections::{Activity, Connected, Connections, Order, Patience};
use super::router::{self, Router};
use crate::app::App;

/// The largest head of a request, and with it the buffer of a connection.
const LARGEST_HEAD: usize = 64 * 1024;
/// Connections that may wait to be accepted: a thousand callers may come at once.
const BACKLOG: u32 = 4096;
const MOST_HEADERS: usize = 128;
const SWEEP: Duration = Duration::from_secs(1);
/// Whoever connects while the program stops, and then says nothing, must not keep it from stopping.
const IDLE_WHILE_DRAINING: Duration = Duration::from_secs(1);

/// A bound address.
#[derive(Debug)]
pub(crate) struct Listener {
    tcp: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Listener {
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // A restart does not wait for connections of the last run to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let tcp = socket.listen(BACKLOG)?;
        let address = tcp.local_addr()?;
        Ok(Self { tcp, address })
    }
}

/// Serves until `stop` ends; then gives open requests `server.shutdown_grace` to finish. Until they have, new
/// connections are still taken: a load balancer is to read in `/ready` that it should look elsewhere.
pub(crate) async fn serve(app: Arc<App>, listener: Listener, stop: impl Future<Output = ()>) {
    let router = Arc::new(Router::new(app.clone()));
    let connections = Arc::new(Connections::new());
    accept_until(&router, &listener, &connections, stop).await;
    app.phase.draining();
    connections.tell_all(Order::Drain);
    let grace = app.snapshot.load().config.server.shutdown_grace;
    tracing::info!(
        connections = connections.count(),
        grace_s = grace.as_secs(),
        "stopping"
    );
    let drained = tokio::time::timeout(grace, async {
        connections.emptied().await;
        app.live_sessions.emptied().await;
    });
    let mut is_drained = false;
    let finished = async { is_drained = drained.await.is_ok() };
    accept_until(&router, &listener, &connections, finished).await;
    drop(listener);
    if !is_drained {
        tracing::warn!(
            connections = connections.count(),
            live_sessions = app.live_sessions.count(),
            "cut off what did not end in time"
        );
    }
    app.live_sessions.end_all();
    connections.tell_all(Order::Close);
    connections.emptied().await;
    app.live_sessions.emptied().await;
}

async fn accept_until(
    router: &Arc<Router>,
    listener: &Listener,
    connections: &Arc<Connections>,
    end: impl Future<Output = ()>,
) {
    let mut end = pin!(end);
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            accepted = listener.tcp.accept() => match accepted {
                Ok((stream, peer)) => admit(router, connections, stream, peer),
                Err(error) => wait_out(&error).await,
            },
            _ = sweep.tick() => connections.sweep(patience(&router.app)),
            () = &mut end => return,
        }
    }
}

fn patience(app: &App) -> Patience {
    let snapshot = app.snapshot.load();
    let server = &snapshot.config.server;
    let is_draining = app.phase.is_draining();
    Patience {
        head: server.header_read_timeout,
        idle: if is_draining {
            IDLE_WHILE_DRAINING
        } else {
            server.idle_timeout
        },
        unread: server.idle_timeout,
    }
}

/// Out of file descriptors, most likely: accepting again at once would only spin.
async fn wait_out(error: &io::Error) {
    tracing::error!(%error, "accept failed");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

fn admit(
    router: &Arc<Router>,
    connections: &Arc<Connections>,
    stream: TcpStream,
    peer: SocketAddr,
) {
    let app = &router.app;
    let open = connections.count() + app.live_sessions.count();
    if open >= app.snapshot.load().config.server.max_connections {
        tracing::warn!("connection refused: server.max_connections are open");
        return;
    }
    let _ = stream.set_nodelay(true);
    app.tasks.spawn(connection(
        router.clone(),
        connections.enter(),
        stream,
        peer,
    ));
}

async fn connection(
    router: Arc<Router>,
    connected: Connected,
    stream: TcpStream,
    peer: SocketAddr,
) {
    let activity = &connected.activity;
    let io = TokioIo::new(Watched {
        stream,
        activity: activity.clone(),
    });
    let service = service_fn(|request| {
        let busy = activity.busy();
        let router = &router;
        async move {
            let mut response = router::serve(router, request, peer.ip()).await;
            if router.app.phase.is_draining() {
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(response.map(|body| body.busy(busy)))
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            // Heads are timed by the sweep.
            .header_read_timeout(None)
            .max_header_size(LARGEST_HEAD)
            .max_headers(MOST_HEADERS)
            .serve_connection(io, service)
            .with_upgrades()
    );
    let mut is_draining = false;
    let ended = poll_fn(|cx| {
        match activity.order(cx) {
            Order::Close => return Poll::Ready(Ok(())),
            Order::Drain if !is_draining => {
                is_draining = true;
                connection.as_mut().graceful_shutdown();
            }
            Order::Drain | Order::Live => {}
        }
        connection.as_mut().poll(cx)
    });
    if let Err(error) = ended.await {
        tracing::debug!(%peer, %error, "connection ended");
    }
}

/// A connection's bytes; tells when a head begins.
#[derive(Debug)]
struct Watched {
    stream: TcpStream,
    activity: Arc<Activity>,
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buf);
        if polled.is_ready() {
            this.activity.bytes_came();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.activity.wrote(polled.is_pending());
        polled
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.activity.wrote(polled.is_pending());
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
