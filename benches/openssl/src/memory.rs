//! What opening and sealing take at most: heap, and what is resident. Each case is a process of its own.

use crate::cipher::Cipher;
use crate::device::{Device, Stored};
use crate::measure::{Effort, bytes};
use crate::streams::{PIECE, Pieces, open, seal};
use crate::{heap, theirs};
use sdi::{Form, KeyAlgorithm};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wait4::Wait4;

const KIB: u64 = 1 << 10;
/// What may be taken beside the file and the plaintext.
const TARGET: u64 = 64 * KIB;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    OpenInPlace,
    OpenStream,
    SealStream,
}

impl Way {
    const ALL: [(&'static str, Self); 4] = [
        ("open", Self::Open),
        ("open in place", Self::OpenInPlace),
        ("open a stream", Self::OpenStream),
        ("seal a stream", Self::SealStream),
    ];

    fn sizes(self, effort: Effort) -> &'static [u64] {
        const SIZES: [u64; 3] = [1 << 20, 64 << 20, 1 << 30];
        let streams = matches!(self, Self::OpenStream | Self::SealStream);
        &SIZES[..if streams && !effort.is_quick() { 3 } else { 2 }]
    }
}

/// Prints the table. The folder is empty, and has room for 2 GiB.
pub(crate) fn table(folder: &Path, effort: Effort) {
    let device = Device::new(KeyAlgorithm::P256);
    let stored = device.write(folder);
    println!(
        "| | content | size | sdi: heap | beside file and plaintext | at most 64 KiB | sdi: resident \
         | OpenSSL: heap | OpenSSL: resident |\n|---|---|---:|---:|---:|---|---:|---:|---:|"
    );
    for (name, way) in Way::ALL {
        for cipher in Cipher::BOTH {
            let empty = Files::new(&device, folder, cipher, 1);
            let least = measure_ours(folder, name, cipher, &empty).resident;
            let their_least = measure_theirs(folder, way, name, cipher, &empty, &stored);
            for &size in way.sizes(effort) {
                let files = Files::new(&device, folder, cipher, size);
                let ours = measure_ours(folder, name, cipher, &files);
                let heap = ours.heap.unwrap();
                let known = match way {
                    Way::Open => fs::metadata(&files.sealed).unwrap().len() + size,
                    Way::OpenInPlace => fs::metadata(&files.sealed).unwrap().len(),
                    Way::OpenStream | Way::SealStream => 0,
                };
                let beside = heap.saturating_sub(known);
                let verdict = if beside <= TARGET { "met" } else { "**not met**" };
                let theirs = measure_theirs(folder, way, name, cipher, &files, &stored);
                let (their_heap, their_resident) = match (theirs, &their_least) {
                    (Some(theirs), Some(least)) => (
                        theirs.heap.map_or_else(|| "-".into(), kib),
                        kib(theirs.resident.saturating_sub(least.resident)),
                    ),
                    _ => ("-".into(), "-".into()),
                };
                println!(
                    "| {name} | {cipher} | {} | {} | {} | {verdict} | {} | {their_heap} | {their_resident} |",
                    bytes(size),
                    kib(heap),
                    kib(beside),
                    kib(ours.resident.saturating_sub(least)),
                );
            }
        }
    }
}

fn kib(size: u64) -> String {
    let kib = size.div_ceil(KIB);
    if kib < 10_000 { format!("{kib} KiB") } else { format!("{} MiB", kib.div_ceil(KIB)) }
}

/// A plaintext of zeros, which takes no room on most disks, and the same sealed.
struct Files {
    plain: PathBuf,
    sealed: PathBuf,
}

impl Files {
    /// This process stays small: what it has resident would count for its children.
    fn new(device: &Device, folder: &Path, cipher: Cipher, size: u64) -> Self {
        let files = Self { plain: folder.join("plain"), sealed: folder.join("sealed") };
        File::create(&files.plain).unwrap().set_len(size).unwrap();
        let mut out = BufWriter::with_capacity(PIECE, File::create(&files.sealed).unwrap());
        let to = [device.certificate.clone()];
        seal(&mut Pieces::of(&files.plain), size, &to, cipher.profile(), &mut |bytes: &[u8]| {
            out.write_all(bytes).unwrap();
            Ok(())
        });
        out.flush().unwrap();
        files
    }
}

/// What a process took.
struct Peak {
    heap: Option<u64>,
    resident: u64,
}

fn measure_ours(folder: &Path, name: &str, cipher: Cipher, files: &Files) -> Peak {
    measured(itself("sdi", folder, name, cipher, files))
}

/// For streams it is the command: libcrypto has none for opening, and the crate none for sealing.
fn measure_theirs(
    folder: &Path,
    way: Way,
    name: &str,
    cipher: Cipher,
    files: &Files,
    stored: &Stored,
) -> Option<Peak> {
    let mut command = Command::new("openssl");
    match way {
        Way::Open => return Some(measured(itself("libcrypto", folder, name, cipher, files))),
        Way::OpenInPlace => return None,
        Way::OpenStream => {
            command.args(["cms", "-decrypt", "-binary", "-inform", "DER", "-out", "/dev/null"]);
            command.arg("-in").arg(&files.sealed).arg("-inkey").arg(&stored.key);
            command.arg("-recip").arg(&stored.certificate);
        }
        Way::SealStream => {
            command.args(["cms", "-encrypt", "-binary", "-stream", "-outform", "DER"]);
            command.args([cipher.openssl_option(), "-out", "/dev/null", "-in"]);
            command.arg(&files.plain).arg(&stored.certificate);
        }
    }
    Some(measured(command))
}

fn itself(side: &str, folder: &Path, name: &str, cipher: Cipher, files: &Files) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["peak", side, name, cipher.profile_name()]);
    command.arg(folder).arg(&files.plain).arg(&files.sealed);
    command
}

fn measured(mut command: Command) -> Peak {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let end = child.wait4().unwrap();
    assert!(end.status.success(), "{command:?}");
    Peak { heap: said.trim().parse().ok(), resident: end.rusage.maxrss }
}

/// The process of one case: prints the heap that is taken at most.
pub(crate) fn child(words: &[&str]) {
    let [side, name, profile, folder, plain, sealed] = words else { panic!("{words:?}") };
    let way = Way::ALL.iter().find(|way| way.0 == *name).unwrap().1;
    let cipher = Cipher::BOTH.into_iter().find(|it| it.profile_name() == *profile).unwrap();
    let is_ours = *side == "sdi";
    if !is_ours {
        heap::count_openssl();
    }
    let device = Device::read(Path::new(folder));
    let ring = device.ring();
    let (plain, sealed) = (Path::new(plain), Path::new(sealed));
    let mut done: u64 = 0;
    let peak = match way {
        Way::Open if is_ours => heap::peak_of(|| {
            let file = fs::read(sealed).unwrap();
            done = black_box(sdi::open(&file, &ring).unwrap()).summary().plaintext_len();
        }),
        Way::Open => {
            let (key, certificate) = device.openssl();
            heap::peak_of(|| {
                let file = fs::read(sealed).unwrap();
                let opened = black_box(theirs::open(&file, Form::Der, &key, &certificate));
                done = opened.len().try_into().unwrap();
            })
        }
        Way::OpenInPlace => heap::peak_of(|| {
            let mut file = fs::read(sealed).unwrap();
            done = sdi::open_in_place(&mut file, &ring).unwrap().plaintext_len();
        }),
        Way::OpenStream => {
            let mut pieces = Pieces::of(sealed);
            heap::peak_of(|| done = open(&mut pieces, &ring))
        }
        Way::SealStream => {
            done = fs::metadata(plain).unwrap().len();
            let (mut pieces, to) = (Pieces::of(plain), [device.certificate.clone()]);
            let mut sink = |bytes: &[u8]| {
                black_box(bytes);
                Ok(())
            };
            heap::peak_of(|| seal(&mut pieces, done, &to, cipher.profile(), &mut sink))
        }
    };
    assert_eq!(done, fs::metadata(plain).unwrap().len());
    println!("{peak}");
}
