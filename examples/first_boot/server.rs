//! The operator's configuration server: TFTP on a free port of this machine.

use crate::Result;
use async_tftp::server::TftpServerBuilder;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::thread;

/// Serves the files of a folder until the program ends.
pub(crate) fn serve(folder: &Path) -> Result<SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_addr()?;
    let builder = TftpServerBuilder::with_dir_ro(folder)?.std_socket(socket)?;
    let server = async_io::block_on(builder.build())?;
    thread::spawn(move || {
        if let Err(error) = async_io::block_on(server.serve()) {
            eprintln!("the TFTP server has ended: {error}");
        }
    });
    Ok(address)
}
