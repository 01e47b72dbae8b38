//! A TFTP client that reads (RFC 1350, octet mode), as small as a boot loader's.
//!
//! Blocks have 512 bytes and no options are asked for: a configuration is a few kilobytes. Nothing
//! from the network is believed: another host cannot join in, a server cannot send more than `max`
//! bytes, and every block must come within the time for it.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

const READ: u16 = 1;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
/// Numbers of errors.
const NOT_FOUND: u16 = 1;
const NO_ROOM: u16 = 3;
const UNKNOWN_TRANSFER: u16 = 5;
const BLOCK: usize = 512;

/// How a transfer is carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    /// The most bytes that a file may have.
    pub(crate) max: usize,
    /// How long an answer may take before the last packet is sent again.
    pub(crate) patience: Duration,
    /// How often a packet is sent before the server is given up.
    pub(crate) tries: u32,
}

/// Why there is no file.
#[derive(Debug)]
pub(crate) enum Failure {
    Io(io::Error),
    /// The server has no file of this name.
    NotFound,
    /// The server says no: its number, and its words as printable ASCII.
    Refused(u16, String),
    /// No answer, or none that continues the transfer.
    Silence,
    /// The file has more bytes than allowed.
    TooLong,
}

impl Client {
    /// Reads a file. The server answers from a port of its own choice, its transfer identifier.
    pub(crate) fn read(self, server: SocketAddr, name: &str) -> Result<Vec<u8>, Failure> {
        let any: SocketAddr = match server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any)?;
        let mut transfer = Transfer { socket, server, peer: None };
        let mut file = Vec::new();
        let mut last = [&READ.to_be_bytes()[..], name.as_bytes(), b"\0octet\0"].concat();
        let mut block: u16 = 1;
        loop {
            let data = self.next_block(&mut transfer, &last, block)?;
            if data.len() > self.max.saturating_sub(file.len()) {
                transfer.send(&packet(ERROR, NO_ROOM, b"too long\0"))?;
                return Err(Failure::TooLong);
            }
            file.extend_from_slice(&data);
            last = packet(ACK, block, b"");
            if data.len() < BLOCK {
                // Nobody waits for the fate of this last one. If it is lost, the server sends its
                // last block a few times more and gives up; the file is whole here.
                transfer.send(&last)?;
                return Ok(file);
            }
            block = block.wrapping_add(1);
        }
    }

    /// Sends `packet` until the block comes that it asks for.
    fn next_block(
        self,
        transfer: &mut Transfer,
        request: &[u8],
        block: u16,
    ) -> Result<Vec<u8>, Failure> {
        for _ in 0..self.tries {
            transfer.send(request)?;
            // Packets that do not continue the transfer must not make the wait longer.
            let deadline = Instant::now() + self.patience;
            while let Some((answer, from)) = transfer.receive(deadline)? {
                match parse(&answer) {
                    Some((DATA, number, data)) if number == block => {
                        transfer.peer = Some(from);
                        return Ok(data.to_vec());
                    }
                    Some((ERROR, code, words)) => return Err(refused(code, words)),
                    // A block that is here already. Our packet after it is sent again when the
                    // time is over, not now: answering each copy would double all that follow.
                    _ => {}
                }
            }
        }
        Err(Failure::Silence)
    }
}

/// The two ends of one transfer.
struct Transfer {
    socket: UdpSocket,
    server: SocketAddr,
    /// Host and port that the first block came from.
    peer: Option<SocketAddr>,
}

impl Transfer {
    fn send(&self, packet: &[u8]) -> io::Result<()> {
        self.socket.send_to(packet, self.peer.unwrap_or(self.server)).map(drop)
    }

    /// The next packet of this transfer, or none in time.
    fn receive(&self, deadline: Instant) -> io::Result<Option<(Vec<u8>, SocketAddr)>> {
        // One byte more than the longest packet, to notice a longer one.
        let mut buffer = [0; 4 + BLOCK + 1];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.socket.set_read_timeout(Some(left))?;
            let (len, from) = match self.socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if is_timeout(&error) => return Ok(None),
                Err(error) => return Err(error),
            };
            let is_peer = match self.peer {
                Some(peer) => peer == from,
                None => from.ip() == self.server.ip(),
            };
            if is_peer {
                return Ok(Some((buffer[..len].to_vec(), from)));
            }
            // RFC 1350, 4: tell the stranger, and go on.
            self.socket.send_to(&packet(ERROR, UNKNOWN_TRANSFER, b"who?\0"), from)?;
        }
    }
}

fn packet(kind: u16, number: u16, rest: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &number.to_be_bytes(), rest].concat()
}

/// Kind, number, and the rest of a packet.
fn parse(packet: &[u8]) -> Option<(u16, u16, &[u8])> {
    let (kind, rest) = packet.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    (rest.len() <= BLOCK).then_some((u16::from_be_bytes(*kind), u16::from_be_bytes(*number), rest))
}

fn refused(code: u16, words: &[u8]) -> Failure {
    if code == NOT_FOUND {
        return Failure::NotFound;
    }
    let words = words.split(|byte| *byte == 0).next().unwrap_or_default();
    Failure::Refused(code, words.escape_ascii().to_string())
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::NotFound => f.write_str("the server has no file for this device"),
            Self::Refused(code, words) => write!(f, "the server says: {words} ({code})"),
            Self::Silence => f.write_str("the server does not answer"),
            Self::TooLong => f.write_str("the file is longer than allowed"),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// A whole transfer in these tests is 700 bytes: one full block and one that ends it.
    const FULL: [u8; BLOCK] = [b'a'; BLOCK];
    const REST: [u8; 188] = [b'b'; 188];

    struct Server {
        requests: UdpSocket,
        transfer: UdpSocket,
    }

    impl Server {
        fn new() -> Self {
            let bind = || {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                // A client that fails must not leave the test waiting for ever.
                socket.set_read_timeout(Some(PATIENT.patience)).unwrap();
                socket
            };
            Self { requests: bind(), transfer: bind() }
        }

        fn address(&self) -> SocketAddr {
            self.requests.local_addr().unwrap()
        }

        fn request(&self) -> SocketAddr {
            let mut buffer = [0; 600];
            let (len, client) = self.requests.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..len], b"\0\x01r1.enc\0octet\0");
            client
        }

        fn send(&self, kind: u16, number: u16, rest: &[u8], client: SocketAddr) {
            self.transfer.send_to(&packet(kind, number, rest), client).unwrap();
        }

        fn expect_ack(&self, block: u16) {
            let mut buffer = [0; 600];
            let (len, _) = self.transfer.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..len], packet(ACK, block, b""));
        }
    }

    /// Reads `r1.enc` from a server that acts as told.
    fn read(
        client: Client,
        act: impl FnOnce(&Server) + Send + 'static,
    ) -> Result<Vec<u8>, Failure> {
        let server = Server::new();
        let address = server.address();
        let acting = thread::spawn(move || act(&server));
        let file = client.read(address, "r1.enc");
        assert!(acting.join().is_ok(), "the server saw what it did not expect");
        file
    }

    /// So patient that a test never depends on time.
    const PATIENT: Client = Client { max: 700, patience: Duration::from_secs(60), tries: 1 };

    #[test]
    fn blocks_are_joined_up_to_the_bound() {
        let serve = |server: &Server| {
            let client = server.request();
            server.send(DATA, 1, &FULL, client);
            server.expect_ack(1);
            server.send(DATA, 2, &REST, client);
        };
        let file = read(PATIENT, serve).unwrap();
        assert_eq!(file, [&FULL[..], &REST].concat());
        let short = Client { max: 699, ..PATIENT };
        let told = move |server: &Server| {
            serve(server);
            let mut buffer = [0; 600];
            let (len, _) = server.transfer.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..len], packet(ERROR, NO_ROOM, b"too long\0"));
        };
        assert!(matches!(read(short, told), Err(Failure::TooLong)));
    }

    #[test]
    fn a_lost_packet_is_sent_again() {
        let client = Client { patience: Duration::from_millis(50), tries: 1000, ..PATIENT };
        let file = read(client, |server| {
            server.request(); // lost
            let client = server.request();
            server.send(DATA, 1, &FULL, client);
            server.expect_ack(1); // lost
            server.send(DATA, 1, &FULL, client);
            server.expect_ack(1);
            server.send(DATA, 2, &REST, client);
        });
        assert_eq!(file.unwrap().len(), 700);
    }

    #[test]
    fn strangers_are_told_and_change_nothing() {
        let file = read(PATIENT, |server| {
            let client = server.request();
            server.send(DATA, 1, &FULL, client);
            server.expect_ack(1);
            let stranger = Server::new();
            stranger.send(DATA, 2, b"evil", client);
            let mut buffer = [0; 600];
            let (len, _) = stranger.transfer.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..len], packet(ERROR, UNKNOWN_TRANSFER, b"who?\0"));
            server.send(DATA, 2, &REST, client);
        });
        assert_eq!(file.unwrap(), [&FULL[..], &REST].concat());
    }

    #[test]
    fn what_is_no_next_block_is_passed_over() {
        let file = read(PATIENT, |server| {
            let client = server.request();
            for noise in [&b""[..], b"\0", b"\0\x03\0", &packet(DATA, 1, &[0; BLOCK + 1])] {
                server.transfer.send_to(noise, client).unwrap();
            }
            server.send(DATA, 2, b"too early", client);
            server.send(ACK, 1, b"", client);
            server.send(DATA, 1, &REST, client);
        });
        assert_eq!(file.unwrap(), REST);
    }

    #[test]
    fn a_refusal_and_silence_end_the_transfer() {
        let refusal = read(PATIENT, |server| {
            let client = server.request();
            server.send(ERROR, 2, b"no\x1b[31m entry\0hidden", client);
        });
        let text = refusal.unwrap_err().to_string();
        assert_eq!(text, "the server says: no\\x1b[31m entry (2)");

        let nothing = read(PATIENT, |server| {
            let client = server.request();
            server.send(ERROR, NOT_FOUND, b"\0", client);
        });
        assert!(matches!(nothing, Err(Failure::NotFound)));

        let client = Client { patience: Duration::from_millis(10), tries: 3, ..PATIENT };
        let silence = read(client, |server| {
            for _ in 0..3 {
                server.request();
            }
        });
        assert!(matches!(silence, Err(Failure::Silence)));
    }
}
