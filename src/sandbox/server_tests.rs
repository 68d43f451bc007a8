//! The sandbox on a real socket: what a fault does to a connection.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::{Effect, Fault, RecordKey, Sandbox, Settings, World, serve};

struct Served {
    sandbox: Sandbox,
    address: std::net::SocketAddr,
    token: String,
    lead: RecordKey,
    stop: oneshot::Sender<()>,
    server: tokio::task::JoinHandle<io::Result<()>>,
}

async fn serving(fault: Option<Effect>) -> Served {
    let start = "2026-11-21T10:00:00Z".parse().expect("valid");
    let mut world = World::builder().start(start).build().expect("consistent");
    let lead = world.insert("Lead", []).expect("known");
    let user = world.first_user();
    let sandbox = Sandbox::new(world, Settings::starting_at(start));
    if let Some(effect) = fault {
        sandbox.add_fault(Fault::on("DELETE", "*", effect).nth(1));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, sandbox.clone(), async {
        let _ = stopped.await;
    }));
    Served { token: sandbox.access_token(user), sandbox, address, lead, stop, server }
}

impl Served {
    /// Sends the deletion of the lead and reads until the connection closes.
    async fn delete(&self) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("listening");
        let request = format!(
            "DELETE /services/data/v66.0/composite/sobjects?ids={} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             connection: close\r\n\r\n",
            self.lead, self.token
        );
        stream.write_all(request.as_bytes()).await.expect("open");
        let mut answer = Vec::new();
        // A reset and an orderly close are both an end without an answer.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).expect("text")
    }
}

#[tokio::test]
async fn a_dropped_connection_closes_without_a_byte() {
    let before = serving(Some(Effect::DropBefore)).await;
    assert_eq!(before.delete().await, "");
    assert!(before.sandbox.world().exists(before.lead));
    let after = serving(Some(Effect::DropAfter)).await;
    assert_eq!(after.delete().await, "");
    assert!(after.sandbox.world().in_bin(after.lead));
    assert!(after.delete().await.contains("ENTITY_IS_DELETED"), "the server goes on");
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_its_length_and_a_truncated_one_is_not() {
    let length = |answer: &str| -> Option<usize> {
        let line = answer.lines().find_map(|line| line.strip_prefix("Content-Length: "))?;
        line.parse().ok()
    };
    let cut = serving(Some(Effect::Cut { bytes: 5 })).await.delete().await;
    let (head, body) = cut.split_once("\r\n\r\n").expect("a head");
    assert!(body.len() <= 5 && length(head).expect("a length") > 5, "{cut}");
    let truncated = serving(Some(Effect::Truncate { bytes: 5 })).await.delete().await;
    let (head, body) = truncated.split_once("\r\n\r\n").expect("a head");
    assert_eq!(length(head), None);
    assert!(body.ends_with("\r\n0\r\n\r\n"), "a whole chunked body: {truncated}");
}

#[tokio::test]
async fn header_names_are_in_title_case() {
    let answer = serving(None).await.delete().await;
    let names: Vec<&str> = answer
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| Some(line.split_once(':')?.0))
        .collect();
    assert!(names.contains(&"Sforce-Limit-Info") && names.contains(&"Content-Type"), "{names:?}");
}

#[tokio::test]
async fn stops_when_it_is_told_to() {
    let served = serving(None).await;
    assert!(served.delete().await.contains(r#""success":true"#));
    served.stop.send(()).expect("listening");
    served.server.await.expect("no panic").expect("no error");
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_by_the_server_after_the_time_that_is_set() {
    let start = "2026-11-21T10:00:00Z".parse().expect("valid");
    let world = World::builder().start(start).build().expect("consistent");
    let sandbox = Sandbox::new(world, Settings::harsh(start, 1));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    let server = tokio::spawn(serve(listener, sandbox, std::future::pending()));
    let mut stream = TcpStream::connect(address).await.expect("listening");
    stream.write_all(b"GET /services/data HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("open");
    let mut answer = String::new();
    // The client keeps the connection open, so that this ends only where the server closes it.
    stream.read_to_string(&mut answer).await.expect("closed in order");
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    server.abort();
}
