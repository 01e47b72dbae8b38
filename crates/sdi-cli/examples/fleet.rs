//! Devices by the thousand, and how fast the library alone encrypts to them; for `benches/fleet.sh`.
//!
//! ```text
//! fleet make FOLDER N    FOLDER/configs/SN0000000.cfg and so on, of 4 KiB each, and FOLDER/certs with
//!                        a certificate for each, all of different P-256 keys that nobody keeps
//! fleet seal FOLDER      takes all of them into memory, encrypts them there, and prints the seconds that it
//!                        took, and those of CPU
//! ```

use sdi::{
    Certificate, DeviceId, IdentityBuilder, KeyAlgorithm, Profile, SoftwareKey, SystemRandom,
};
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["make", folder, devices] => make(Path::new(folder), devices.parse()?),
        ["seal", folder] => seal(Path::new(folder)),
        _ => Err("fleet make FOLDER N, or fleet seal FOLDER".into()),
    }
}

fn make(folder: &Path, devices: usize) -> Result<()> {
    let (configs, certs) = (folder.join("configs"), folder.join("certs"));
    fs::create_dir_all(&configs)?;
    fs::create_dir_all(&certs)?;
    on_every_core(devices, |n| {
        let id = format!("SN{n:07}");
        let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom)?;
        let certificate = IdentityBuilder::new(DeviceId::new(&id)?, 0).self_sign(&key)?;
        fs::write(certs.join(format!("{id}.crt")), certificate.to_pem())?;
        let mut config = format!("hostname {id}\n");
        while config.len() < 4096 {
            config.push_str("interface GigabitEthernet0/1\n ip address dhcp\n no shutdown\n");
        }
        config.truncate(4096);
        fs::write(configs.join(format!("{id}.cfg")), config)?;
        Ok(())
    })
}

fn seal(folder: &Path) -> Result<()> {
    let mut devices = Vec::new();
    for entry in fs::read_dir(folder.join("configs"))? {
        let config = entry?.path();
        let id = config.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let certificate = fs::read(folder.join(format!("certs/{id}.crt")))?;
        devices.push((fs::read(config)?, certificate));
    }
    let (begun, cpu) = (Instant::now(), cpu()?);
    on_every_core(devices.len(), |n| {
        if let Some((config, certificate)) = devices.get(n) {
            let to = [Certificate::parse(certificate)?];
            black_box(sdi::seal(config, &to, Profile::Auto, &mut SystemRandom)?);
        }
        Ok(())
    })?;
    println!("{:.3} {:.2}", begun.elapsed().as_secs_f64(), self::cpu()? - cpu);
    Ok(())
}

/// The seconds of CPU that this process took; Linux counts hundredths.
fn cpu() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("no name in /proc/self/stat")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    match (fields.get(11), fields.get(12)) {
        (Some(user), Some(system)) => Ok((user.parse::<f64>()? + system.parse::<f64>()?) / 100.0),
        _ => Err("no times in /proc/self/stat".into()),
    }
}

fn on_every_core(tasks: usize, task: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    let cores = available_parallelism()?.get();
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        loop {
            match next.fetch_add(1, Ordering::Relaxed) {
                n if n < tasks => task(n)?,
                _ => return Ok(()),
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a thread failed")?)
    })
}
