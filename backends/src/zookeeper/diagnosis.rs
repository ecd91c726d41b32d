//! Why no server gave a session: the client says only that none did.
//!
//! Each server is asked once more, by a connection of its own, for what a person needs to know.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rustls::{CertificateError, ClientConfig, ClientConnection, StreamOwned};

use super::address::Address;
use super::tls::{self, TlsFiles};

/// How long each step with a server may take.
const STEP: Duration = Duration::from_secs(1);
/// Bytes of an answer that are read.
const ANSWER_MAX: usize = 256;

/// Asks each of `addresses`, and says in one line what is wrong with which.
pub(crate) async fn why_unreachable(addresses: &[Address], files: Option<&TlsFiles>) -> String {
    let config = files.map(TlsFiles::config).transpose();
    let config = match config {
        Ok(config) => config,
        Err(unusable) => return unusable,
    };
    let authorities = files.map(|files| Arc::<Path>::from(files.authorities.as_path()));
    let looks = addresses.iter().map(|address| {
        let secured = config.clone().zip(authorities.clone());
        let asked = address.clone();
        tokio::task::spawn_blocking(move || match secured {
            Some((config, authorities)) => look_by_tls(&asked, config, &authorities),
            None => look(&asked),
        })
    });
    let found = join_all(looks).await;
    let found = found
        .into_iter()
        .map(|found| found.unwrap_or_else(|_| "it could not be asked".to_owned()));
    summary(addresses, &found.collect::<Vec<_>>())
}

/// Servers with the same trouble are named together.
fn summary(addresses: &[Address], found: &[String]) -> String {
    let mut troubles: Vec<(&str, String)> = Vec::new();
    for (address, trouble) in addresses.iter().zip(found) {
        match troubles.iter_mut().find(|(known, _)| known == trouble) {
            Some((_, servers)) => {
                let written = write!(servers, ", {address}");
                written.expect("text can always be appended");
            }
            None => troubles.push((trouble, address.to_string())),
        }
    }
    let troubles: Vec<_> = troubles
        .iter()
        .map(|(trouble, servers)| format!("{servers}: {trouble}"))
        .collect();
    format!("no server gives a session: {}", troubles.join("; "))
}

fn connect(address: &Address) -> Result<TcpStream, String> {
    let resolved = (address.host.as_str(), address.port).to_socket_addrs();
    let resolved =
        resolved.map_err(|error| format!("its name cannot be resolved: {}", terse(&error)))?;
    let mut refused = "its name has no address".to_owned();
    for place in resolved {
        match TcpStream::connect_timeout(&place, STEP) {
            Ok(stream) => {
                let limited = stream
                    .set_read_timeout(Some(STEP))
                    .and_then(|()| stream.set_write_timeout(Some(STEP)));
                return limited.map(|()| stream).map_err(|error| terse(&error));
            }
            Err(error) => refused = terse(&error),
        }
    }
    Err(refused)
}

/// An error of the system in a few words, without its number.
fn terse(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "it refuses connections: does it run, and on this port?",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "it does not answer: is there a way to it?",
        _ => return error.to_string(),
    }
    .to_owned()
}

/// What a server answers when it is asked how it is.
enum Answer {
    Nothing,
    Hangup,
    Text(String),
    Tls,
}

fn ask(stream: &mut impl ReadWrite) -> Result<Answer, std::io::Error> {
    let mut answer = [0; ANSWER_MAX];
    let read = stream
        .write_all(b"srvr")
        .and_then(|()| stream.flush())
        .and_then(|()| stream.read(&mut answer));
    match read {
        Ok(0) => Ok(Answer::Hangup),
        // An alert of TLS.
        Ok(_) if answer[0] == 0x15 => Ok(Answer::Tls),
        Ok(length) => Ok(Answer::Text(
            String::from_utf8_lossy(&answer[..length]).into_owned(),
        )),
        Err(error) => match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Ok(Answer::Nothing),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
                Ok(Answer::Hangup)
            }
            _ => Err(error),
        },
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

fn look(address: &Address) -> String {
    let answer = connect(address).map(|mut stream| ask(&mut stream));
    match answer {
        Err(trouble) => trouble,
        Ok(Ok(Answer::Text(text))) => served(&text),
        Ok(Ok(Answer::Tls)) => EXPECTS_TLS.to_owned(),
        Ok(Ok(Answer::Hangup | Answer::Nothing)) if speaks_tls(address) => EXPECTS_TLS.to_owned(),
        Ok(Ok(Answer::Hangup)) => HANGS_UP.to_owned(),
        Ok(Ok(Answer::Nothing)) => SAYS_NOTHING.to_owned(),
        Ok(Err(error)) => terse(&error),
    }
}

const EXPECTS_TLS: &str = "it expects TLS: name the certificate authority of its certificate";
const HANGS_UP: &str = "it takes connections and ends them: is this a port of ZooKeeper's?";
const SAYS_NOTHING: &str = "it takes connections and says nothing";
const REFUSES_CLIENT: &str =
    "name a client certificate, with its key, that its authority has signed";

/// What a server says of itself that gave no session.
fn served(text: &str) -> String {
    if text.contains("not currently serving") {
        "it serves nobody now: it has no quorum of the ensemble".to_owned()
    } else if text.contains("Zookeeper version") || text.contains("whitelist") {
        "it runs, and gave no session in time".to_owned()
    } else {
        HANGS_UP.to_owned()
    }
}

fn handshake(
    address: &Address,
    config: Arc<ClientConfig>,
) -> Result<StreamOwned<ClientConnection, TcpStream>, Result<std::io::Error, String>> {
    let name = tls::server_name(address).map_err(Err)?;
    let mut stream = connect(address).map_err(Err)?;
    let mut connection =
        ClientConnection::new(config, name).map_err(|error| Err(error.to_string()))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(Ok)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

/// Whether a server answers a handshake at all.
fn speaks_tls(address: &Address) -> bool {
    match handshake(address, tls::trusts_nobody()) {
        Ok(_) => true,
        Err(Ok(error)) => matches!(
            broken(&error),
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::AlertReceived(_))
        ),
        Err(Err(_)) => false,
    }
}

/// What rustls says underneath.
fn broken(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn look_by_tls(address: &Address, config: Arc<ClientConfig>, authorities: &Path) -> String {
    let error = match handshake(address, config) {
        Err(Err(trouble)) => return trouble,
        Err(Ok(error)) => error,
        // Who refuses a client's certificate may do so only now.
        Ok(mut stream) => match ask(&mut stream) {
            Ok(Answer::Text(text)) => return served(&text),
            Ok(Answer::Hangup) => return HANGS_UP.to_owned(),
            Ok(Answer::Nothing | Answer::Tls) => return SAYS_NOTHING.to_owned(),
            Err(error) => error,
        },
    };
    let authorities = authorities.display();
    match broken(&error) {
        // The second is of an authority with the same name.
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => format!("its certificate is not signed by an authority in {authorities}"),
        Some(rustls::Error::InvalidCertificate(
            why @ (CertificateError::NotValidForName
            | CertificateError::NotValidForNameContext { .. }),
        )) => format!("its certificate is for another host: {why}"),
        Some(rustls::Error::InvalidCertificate(why)) => {
            format!("its certificate cannot be trusted: {why}")
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            format!("it ends the handshake ({alert:?}): {REFUSES_CLIENT}")
        }
        Some(rustls::Error::InvalidMessage(_)) => NO_TLS.to_owned(),
        Some(other) => format!("no handshake: {other}"),
        None => match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                NO_TLS.to_owned()
            }
            _ => terse(&error),
        },
    }
}

const NO_TLS: &str =
    "it ends the handshake: is this the port for TLS, and does it want a client certificate?";

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Address {
        Address {
            host: "localhost".to_owned(),
            port,
        }
    }

    #[test]
    fn servers_with_the_same_trouble_are_named_together() {
        let found = ["down", "odd", "down"].map(str::to_owned);
        assert_eq!(
            summary(&[address(1), address(2), address(3)], &found),
            "no server gives a session: localhost:1, localhost:3: down; localhost:2: odd"
        );
    }

    #[test]
    fn what_a_server_says_of_itself_is_understood() {
        for (text, says) in [
            (
                "This ZooKeeper instance is not currently serving requests\n",
                "no quorum",
            ),
            ("Zookeeper version: 3.8.0\nLatency", "no session in time"),
            (
                "srvr is not executed because it is not in the whitelist.\n",
                "no session in time",
            ),
            ("HTTP/1.1 400 Bad Request\r\n", "a port of ZooKeeper's"),
        ] {
            let said = served(text);
            assert!(said.contains(says), "{text}: {said}");
        }
    }

    #[test]
    fn nobody_at_a_port_is_said_to_refuse() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let said = look(&Address {
            host: "127.0.0.1".to_owned(),
            port,
        });
        assert!(said.contains("refuses connections"), "{said}");
    }
}
