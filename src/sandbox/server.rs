//! Serving a sandbox on a socket.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::{DroppedConnection, Sandbox};

/// How long open requests may take once the sandbox is told to stop.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers on `listener` until `shutdown` is done, then lets open requests end.
///
/// Where a fault drops a connection, it closes without a byte of an answer.
///
/// # Errors
///
/// When the listener fails for good.
pub async fn serve(listener: TcpListener, sandbox: Sandbox, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let router = sandbox.router();
    let idle = sandbox.settings().idle_connection;
    let open = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        let stream = tokio::select! {
            biased;
            // First, or a crowd at the door would keep it open.
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) if is_about_one_connection(&error) => continue,
                Err(error) => return Err(error),
            },
        };
        stream.set_nodelay(true)?;
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| answer(router.clone(), request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // Counted from the answer before, so that it bounds how long a connection is idle.
            .header_read_timeout(idle)
            // As the vendors write them over HTTP/1: some clients look for `Sforce-Locator` to the letter (seen by clients). Capitals within
            // a word, as in `Sforce-NumberOfRecords`, cannot be had in this way.
            .title_case_headers(true)
            .max_buf_size(64 * 1024)
            .serve_connection(TokioIo::new(stream), service);
        let connection = open.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    tokio::select! {
        biased;
        () = open.shutdown() => {}
        () = tokio::time::sleep(PATIENCE) => {}
    }
    Ok(())
}

async fn answer(
    router: Router,
    request: hyper::Request<hyper::body::Incoming>,
) -> Result<axum::response::Response, io::Error> {
    let request: Request = request.map(axum::body::Body::new);
    let response = router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {});
    if response.extensions().get::<DroppedConnection>().is_some() {
        return Err(io::Error::new(io::ErrorKind::ConnectionReset, "dropped by a fault"));
    }
    Ok(response)
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}
