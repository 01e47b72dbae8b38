//! One GET over plain HTTP, as a device makes it: no redirects, no encryption.

use crate::code::Code;
use crate::report::{Failure, printable};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// Where a file is.
struct Place<'a> {
    /// With the port, as it is connected to.
    authority: String,
    /// As the URL has it.
    host: &'a str,
    path: &'a str,
}

/// The body of the answer, of at most `limit` bytes.
pub(crate) fn get(url: &str, limit: usize) -> Result<Vec<u8>, Failure> {
    let place = Place::parse(url)?;
    let failed = |error: io::Error| {
        Failure::new(Code::NETWORK, "the server cannot be reached, or did not answer")
            .fact("url", printable(url))
            .fact("reason", error.to_string())
    };
    let mut server = connect(&place.authority).map_err(failed)?;
    // Version 1.0: the body ends with the connection and comes in one piece.
    let request = format!(
        "GET {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: sdi/{}\r\nConnection: close\r\n\r\n",
        place.path,
        place.host,
        env!("CARGO_PKG_VERSION"),
    );
    server.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(HEADERS);
    server.take(most).read_to_end(&mut answer).map_err(failed)?;
    body(answer, limit).map_err(|failure| failure.fact("url", printable(url)))
}

/// More than any server sends before the body.
const HEADERS: u64 = 64 << 10;

impl<'a> Place<'a> {
    fn parse(url: &'a str) -> Result<Self, Failure> {
        let wrong = |what: &str| Err(Failure::usage(what).fact("url", printable(url)));
        if url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://")) {
            return wrong("https is not spoken here yet; devices fetch over http");
        }
        let start = url.get(..7).filter(|start| start.eq_ignore_ascii_case("http://"));
        let Some(rest) = start.and_then(|_| url.get(7..)) else {
            return wrong("this is no http URL");
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let is_graphic = rest.bytes().all(|byte| byte.is_ascii_graphic());
        if host.is_empty() || host.contains('@') || !is_graphic || path.starts_with('?') {
            return wrong("this is no http URL");
        }
        let has_port = host.rsplit(']').next().is_some_and(|end| end.contains(':'));
        let authority = if has_port { host.into() } else { format!("{host}:80") };
        Ok(Self { authority, host, path: if path.is_empty() { "/" } else { path } })
    }
}

fn connect(authority: &str) -> io::Result<TcpStream> {
    let mut failure = io::Error::other("the name has no address");
    for address in authority.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(server) => {
                server.set_read_timeout(Some(PATIENCE))?;
                server.set_write_timeout(Some(PATIENCE))?;
                return Ok(server);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn body(mut answer: Vec<u8>, limit: usize) -> Result<Vec<u8>, Failure> {
    let no_http =
        || Failure::new(Code::NETWORK, "the server does not speak HTTP, or was cut short");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(no_http)?;
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).into_owned();
    let body = answer.split_off(end + 4);
    let mut lines = head.lines();
    let status: Option<u16> = lines
        .next()
        .filter(|line| line.starts_with("HTTP/"))
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let said = |code, what: &str, status: u16| {
        Err(Failure::new(code, what).fact("status", status.to_string()))
    };
    match status.ok_or_else(no_http)? {
        200 => {}
        status @ (404 | 410) => {
            return said(Code::NOT_FOUND, "the server has no such file", status);
        }
        status @ (429 | 500..=599) => {
            return said(Code::NETWORK, "the server is busy or broken", status);
        }
        status => return said(Code::OTHER, "the server does not give the file", status),
    }
    if body.len() > limit {
        return Err(Failure::new(Code::LIMIT, "the file is too long")
            .fact("limit", format!("{limit} bytes")));
    }
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") && value.trim() != body.len().to_string() {
            return Err(Failure::new(Code::NETWORK, "the answer was cut short")
                .fact("promised", format!("{} bytes", printable(value.trim())))
                .fact("received", format!("{} bytes", body.len())));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Failure::new(Code::OTHER, "the answer comes in pieces, unasked"));
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Option<(String, String, String)> {
        let place = Place::parse(url).ok()?;
        Some((place.authority, place.host.into(), place.path.into()))
    }

    #[test]
    fn urls_are_read() {
        let is = |url, authority: &str, host: &str, path: &str| {
            assert_eq!(place(url), Some((authority.into(), host.into(), path.into())), "{url}");
        };
        is("http://h/a.enc#x", "h:80", "h", "/a.enc");
        is("HTTP://h:8080", "h:8080", "h:8080", "/");
        is("http://[::1]/a?b", "[::1]:80", "[::1]", "/a?b");
        is("http://[::1]:81/a", "[::1]:81", "[::1]:81", "/a");
        for url in
            ["https://h/", "ftp://h/", "http://", "http://a@h/", "http://h/a b", "h", "http://h?x"]
        {
            assert_eq!(place(url), None, "{url}");
        }
    }

    #[test]
    fn answers_are_whole_or_refused() {
        let code = |answer: &str| body(answer.into(), 4).map_err(|failure| failure.code());
        assert_eq!(code("HTTP/1.0 200 OK\r\n\r\nabc"), Ok(b"abc".to_vec()));
        assert_eq!(code("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), Ok(b"abc".to_vec()));
        assert_eq!(code("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc"), Err(Code::NETWORK));
        assert_eq!(code("HTTP/1.1 404 No\r\n\r\n"), Err(Code::NOT_FOUND));
        assert_eq!(code("HTTP/1.1 503 Busy\r\n\r\n"), Err(Code::NETWORK));
        assert_eq!(code("HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n"), Err(Code::OTHER));
        assert_eq!(code("HTTP/1.0 200 OK\r\n\r\nabcde"), Err(Code::LIMIT));
        assert_eq!(code("hello"), Err(Code::NETWORK));
        assert_eq!(code("SSH-2.0\r\n\r\n"), Err(Code::NETWORK));
        let pieces = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3";
        assert_eq!(code(pieces), Err(Code::OTHER));
    }
}
