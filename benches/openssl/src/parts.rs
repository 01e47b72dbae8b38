//! What the time of a call is made of: the operation with the key, the cipher, the base64.

use crate::cipher::Cipher;
use crate::device::Device;
use crate::measure::{Effort, cpu_time, gigabytes, shown};
use openssl::derive::Deriver;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::symm::{Crypter, Mode};
use sdi::{
    DeviceKey, Form, Identity, KeyAlgorithm, KeyError, KeyRing, Opener, PeerPoint, PublicKey,
    RsaScheme, Sealer, Secret, SoftwareKey, SystemRandom,
};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What is pushed at once.
const PIECE: usize = 64 << 10;
/// What a stream says that it will be: more than is ever pushed.
const ENDLESS: u64 = 1 << 35;

pub(crate) fn tables(devices: &[(KeyAlgorithm, Device)], effort: Effort) {
    println!("| operation with a private key | sdi | libcrypto | ratio |");
    println!("|---|---:|---:|---:|");
    for (algorithm, device) in devices {
        let (ours, theirs) = (our_operation(device, effort), their_operation(device, effort));
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        println!("| {algorithm:?} | {} | {} | **{ratio:.2}** |", shown(ours), shown(theirs));
    }
    let device = &devices[0].1;
    println!("\n| content, in pieces of 64 KiB | sdi | EVP | ratio |");
    println!("|---|---:|---:|---:|");
    for cipher in Cipher::BOTH {
        for mode in [Mode::Encrypt, Mode::Decrypt] {
            let mut evp = evp(cipher, mode);
            let (name, paired) = match mode {
                Mode::Encrypt => ("encrypt", effort.pairs(&mut sealing(device, cipher), &mut evp)),
                Mode::Decrypt => ("decrypt", effort.pairs(&mut opening(device, cipher), &mut evp)),
            };
            let ours = gigabytes(PIECE, paired.ours);
            let theirs = gigabytes(PIECE, paired.ours.mul_f64(paired.ratio));
            println!("| {cipher}, {name} | {ours} | {theirs} | **{:.2}** |", paired.ratio);
        }
    }
    println!("\nBase64 in lines is decoded at {} of text.", text_rate(device, effort));
}

/// A key that says how long its operations take.
#[derive(Debug)]
struct Timed {
    key: Arc<SoftwareKey>,
    nanos: AtomicU64,
}

impl Timed {
    fn timed<T>(&self, operation: impl FnOnce() -> T) -> T {
        let start = cpu_time();
        let result = operation();
        let nanos = u64::try_from((cpu_time() - start).as_nanos()).unwrap();
        self.nanos.store(nanos, Ordering::Relaxed);
        result
    }
}

impl DeviceKey for Timed {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn agree(&self, peer: PeerPoint<'_>) -> Result<Secret, KeyError> {
        self.timed(|| self.key.agree(peer))
    }

    fn rsa_decrypt(&self, scheme: RsaScheme, ciphertext: &[u8]) -> Result<Secret, KeyError> {
        self.timed(|| self.key.rsa_decrypt(scheme, ciphertext))
    }
}

/// The median time of the operation while small files are opened.
fn our_operation(device: &Device, effort: Effort) -> Duration {
    let key = Arc::new(Timed { key: device.key(), nanos: AtomicU64::new(0) });
    let mut ring = KeyRing::new();
    let identity = Identity::new(key.clone(), Some(device.certificate.clone())).unwrap();
    ring.set_vendor(identity).unwrap();
    let to = [device.certificate.clone()];
    let profile = Cipher::Cbc.profile();
    let file = sdi::seal_as(b"x", &to, profile, Form::Der, &mut SystemRandom).unwrap();
    effort.spent(&mut || {
        black_box(sdi::open(&file, &ring).unwrap());
        Duration::from_nanos(key.nanos.load(Ordering::Relaxed))
    })
}

fn their_operation(device: &Device, effort: Effort) -> Duration {
    let (key, _) = device.openssl();
    let mut operation: Box<dyn FnMut()> = match key.rsa() {
        Ok(rsa) => {
            let mut block = vec![0; key.size()];
            block[1..].fill(0x5a);
            let mut answer = block.clone();
            Box::new(move || {
                rsa.private_decrypt(&block, &mut answer, Padding::NONE).unwrap();
            })
        }
        Err(_) => {
            let peer = another(&key);
            Box::new(move || {
                let mut deriver = Deriver::new(&key).unwrap();
                deriver.set_peer(&peer).unwrap();
                black_box(deriver.derive_to_vec().unwrap());
            })
        }
    };
    effort.spent(&mut || {
        let start = cpu_time();
        operation();
        cpu_time() - start
    })
}

/// A key on the same curve.
fn another(key: &PKey<Private>) -> PKey<Private> {
    let key = key.ec_key().unwrap();
    PKey::from_ec_key(openssl::ec::EcKey::generate(key.group()).unwrap()).unwrap()
}

fn sealer(device: &Device, cipher: Cipher, form: Form) -> Sealer {
    let to = [device.certificate.clone()];
    let mut sealer = Sealer::new(&to, cipher.profile(), form, &mut SystemRandom).unwrap();
    sealer.set_length(ENDLESS).unwrap();
    sealer
}

fn discard(bytes: &[u8]) -> sdi::Result<()> {
    black_box(bytes);
    Ok(())
}

fn sealing(device: &Device, cipher: Cipher) -> impl FnMut() {
    let mut sealer = sealer(device, cipher, Form::Der);
    let piece = vec![0x5a; PIECE];
    move || sealer.push(&piece, &mut discard).unwrap()
}

/// Whatever comes is ciphertext: what it decrypts to is not known to be wrong before the end.
fn opening(device: &Device, cipher: Cipher) -> impl FnMut() {
    let mut start = Vec::new();
    sealer(device, cipher, Form::Der).push(&[0; PIECE], &mut start).unwrap();
    let mut opener = Opener::new(&device.ring()).unwrap();
    opener.push(&start, &mut discard).unwrap();
    let piece = vec![0x5a; PIECE];
    move || opener.push(&piece, &mut discard).unwrap()
}

fn evp(cipher: Cipher, mode: Mode) -> impl FnMut() {
    let kind = cipher.openssl();
    let iv = vec![1; kind.iv_len().unwrap()];
    let mut crypter = Crypter::new(kind, mode, &[7; 32], Some(&iv)).unwrap();
    let piece = vec![0x5a; PIECE];
    let mut out = vec![0; PIECE + kind.block_size()];
    move || {
        black_box(crypter.update(&piece, &mut out).unwrap());
    }
}

/// What text costs beyond the same file in DER.
fn text_rate(device: &Device, effort: Effort) -> String {
    const LEN: usize = 64 << 20;
    let ring = device.ring();
    let [(text, pem), (_, der)] = [Form::Pem, Form::Der].map(|form| {
        let mut start = Vec::new();
        sealer(device, Cipher::Cbc, form).push(&vec![0; LEN], &mut start).unwrap();
        let time = effort.alone(&mut || {
            let mut opener = Opener::new(&ring).unwrap();
            opener.push(&start, &mut discard).unwrap();
        });
        (start.len(), time)
    });
    gigabytes(text, pem.saturating_sub(der))
}
