//! The network's own client against a sandbox that closes idle connections and compresses its answers.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use sexton::provider::transport::{HttpTransport, Request, RequestBody, Timeouts, Transport as _, read_body};
use sexton::sandbox::{Sandbox, Settings, World, serve};
use tokio::net::TcpListener;

#[tokio::test(start_paused = true)]
async fn a_connection_that_the_server_has_closed_meanwhile_is_not_used_again() {
    let start = "2026-11-21T10:00:00Z".parse().expect("a moment");
    let world = World::builder().start(start).build().expect("a world");
    let sandbox = Sandbox::new(world, Settings::harsh(start, 5));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let server = tokio::spawn(serve(listener, sandbox.clone(), std::future::pending()));
    let transport = HttpTransport::new(Timeouts::default()).expect("TLS is there");
    // A request that meets a connection just as it is closed is another story: nobody knows then what became of it.
    for pause in [0, 2, 30, 300] {
        // Time is paused: the server's own timer runs out in it, and nothing is waited for.
        tokio::time::sleep(Duration::from_secs(pause)).await;
        for method in [Method::GET, Method::DELETE] {
            let url = format!("{address}/services/data").parse().expect("valid");
            let request = Request { method: method.clone(), url, headers: HeaderMap::new(), body: RequestBody::Empty };
            // No request is sent twice, so that one into a closed connection would be an error here.
            let answer = transport.send(request).await.unwrap_or_else(|error| panic!("{method} after {pause} s: {error}"));
            let expected = if method == Method::GET { StatusCode::OK } else { StatusCode::METHOD_NOT_ALLOWED };
            assert_eq!(answer.status, expected);
            let body = read_body(answer.body, 1 << 20).await.expect("whole");
            let read = serde_json::from_slice::<serde_json::Value>(&body).expect("it was compressed on the way");
            assert!(read.is_array());
        }
    }
    assert_eq!(sandbox.requests().len(), 8);
    server.abort();
}
