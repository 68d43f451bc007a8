//! TLS and HTTP/2 end to end: the sandbox behind a certificate of an authority that exists for this test alone.

use std::sync::{Arc, Mutex};

use axum::extract::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sexton::sandbox::{Sandbox, Settings};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tower::ServiceExt as _;

use super::service::{add_leads, builder, start};
use super::workplace::{Workplace, policy};

/// A sandbox of three old leads at `https://localhost`, the certificate of its authority, and the versions of HTTP that were spoken.
struct Secure {
    url: String,
    authority: String,
    spoken: Arc<Mutex<Vec<http::Version>>>,
    _runtime: Runtime,
}

impl Secure {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let names = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = names.signed_by(&key, &authority).expect("signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a usable certificate");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

        let mut world = builder().build().expect("a world");
        add_leads(&mut world, 3, "Old");
        let router = Sandbox::new(world, Settings::starting_at(start())).router();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("loopback");
        let url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
        let spoken = Arc::<Mutex<Vec<http::Version>>>::default();
        let (acceptor, noted) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&spoken));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, router, noted) = (acceptor.clone(), router.clone(), Arc::clone(&noted));
                tokio::spawn(async move {
                    // Who does not trust the certificate leaves at this point.
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                        noted.lock().expect("not poisoned").push(request.version());
                        router.clone().oneshot(request.map(axum::body::Body::new) as Request)
                    });
                    Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await.ok();
                });
            }
        });
        Self { url, authority: authority.pem(), spoken, _runtime: runtime }
    }
}

#[test]
fn a_plan_and_an_apply_go_over_tls_and_http_2() {
    let secure = Secure::new();
    let place = Workplace::new(&secure.url, &policy(""));
    place.write("authority.pem", &secure.authority);
    let trusting = |words: &[&str]| {
        let output =
            place.command(words).env("SSL_CERT_FILE", place.path().join("authority.pem")).output().expect("the program");
        assert_eq!(output.status.code(), Some(0), "{}", place.shown(&output));
        place.shown(&output)
    };
    assert!(trusting(&["plan"]).contains("Plan: 3 to delete"));
    assert!(trusting(&["apply", "--auto-approve"]).contains("3 deleted"));
    let spoken = secure.spoken.lock().expect("not poisoned");
    assert!(!spoken.is_empty() && spoken.iter().all(|version| *version == http::Version::HTTP_2), "{spoken:?}");
}

#[test]
fn a_certificate_of_an_authority_that_is_not_known_is_refused_and_told_how_to_trust() {
    let secure = Secure::new();
    let place = Workplace::new(&secure.url, &policy(""));
    let output = place.expect(1, &["plan"]);
    let told = place.told(&output);
    assert!(told.contains("UnknownIssuer") && told.contains("`SSL_CERT_FILE`"), "{told}");
    assert!(secure.spoken.lock().expect("not poisoned").is_empty(), "no request was sent");
}
