//! Addresses that mean this very machine.

use url::{Host, Url};

/// Whether an address means this very machine: only `localhost` and loopback addresses do, whatever else a name may lead to.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        let is = |text: &str| is_loopback(&Url::parse(text).expect("valid"));
        for own in ["http://localhost:8800", "http://127.0.0.1/", "https://127.9.9.9", "http://[::1]:1"] {
            assert!(is(own), "{own}");
        }
        for other in ["http://localhost.example.com", "http://10.0.0.1", "https://127.0.0.1.example.com", "data:,x"] {
            assert!(!is(other), "{other}");
        }
    }
}
