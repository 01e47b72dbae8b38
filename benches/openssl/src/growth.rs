//! How the cost grows with the size of the content and with the number of recipients. Prints a line
//! for each point, which [`crate::plot`] reads.

use crate::case::{Operation, configuration};
use crate::cipher::Cipher;
use crate::device::{Device, strangers};
use crate::measure::Effort;
use crate::plot::{Panel, Point};
use crate::streams::{Pieces, open, seal};
use crate::theirs;
use openssl::x509::X509;
use sdi::{Certificate, Form, KeyAlgorithm, Profile, SystemRandom};
use std::hint::black_box;
use std::io::{Read, repeat};

const CIPHER: Cipher = Cipher::Gcm;

/// Measures sdi under this name, or libcrypto under its own.
pub(crate) fn measure(name: &str, effort: Effort) {
    let device = Device::new(KeyAlgorithm::P256);
    let is_ours = name != "OpenSSL";
    let largest = if effort.is_quick() { 24 } else { 30 };
    for exponent in (10..=largest).step_by(2) {
        let size: u64 = 1 << exponent;
        let [opening, sealing] =
            if is_ours { our_size(&device, size) } else { their_size(&device, size) };
        print(name, effort, Panel::Bytes, Operation::Open, size, opening);
        print(name, effort, Panel::Bytes, Operation::Seal, size, sealing);
    }
    let most = if effort.is_quick() { 1000 } else { 10_000 };
    let mut all = strangers(most - 1);
    all.push(device.certificate.clone());
    for number in [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000] {
        if number > most {
            break;
        }
        // Ours is the last one.
        let to = &all[most - number..];
        let [opening, sealing] = recipients(&device, to, is_ours);
        let count = u64::try_from(number).unwrap();
        print(name, effort, Panel::Recipients, Operation::Open, count, opening);
        print(name, effort, Panel::Recipients, Operation::Seal, count, sealing);
    }
}

type Call<'a> = Box<dyn FnMut() + 'a>;

fn print(
    name: &str,
    effort: Effort,
    panel: Panel,
    operation: Operation,
    units: u64,
    mut call: Call<'_>,
) {
    let nanos = effort.alone(&mut *call).as_secs_f64() * 1e9;
    let point = Point {
        panel,
        operation: operation.to_string(),
        name: name.into(),
        units,
        nanos_each: nanos / u32::try_from(units).map(f64::from).unwrap(),
    };
    println!("{point}");
}

/// Streams in constant memory.
fn our_size(device: &Device, size: u64) -> [Call<'_>; 2] {
    let sealed_into = move |sink: &mut dyn sdi::Sink| {
        let mut pieces = Pieces::from(repeat(b'x').take(size));
        let to = [device.certificate.clone()];
        seal(&mut pieces, size, &to, CIPHER.profile(), sink);
    };
    let mut file = Vec::with_capacity(usize::try_from(size).unwrap() + 4096);
    sealed_into(&mut file);
    let ring = device.ring();
    let opening = move || assert_eq!(open(&mut Pieces::from(file.as_slice()), &ring), size);
    let sealing = move || {
        sealed_into(&mut |bytes: &[u8]| {
            black_box(bytes);
            Ok(())
        });
    };
    [Box::new(opening), Box::new(sealing)]
}

/// The whole file in memory: there is no other way.
fn their_size(device: &Device, size: u64) -> [Call<'_>; 2] {
    let (key, certificate) = device.openssl();
    let plaintext = configuration(usize::try_from(size).unwrap());
    let to = certificate.clone();
    let seal = move || theirs::seal(&plaintext, Form::Der, &[&to], CIPHER.openssl());
    let file = seal();
    let opening = move || drop(black_box(theirs::open(&file, Form::Der, &key, &certificate)));
    let sealing = move || drop(black_box(seal()));
    [Box::new(opening), Box::new(sealing)]
}

/// The file to open is libcrypto's for both.
fn recipients<'a>(device: &Device, to: &'a [Certificate], is_ours: bool) -> [Call<'a>; 2] {
    let plaintext = configuration(1024);
    let theirs: Vec<X509> = to.iter().map(|to| X509::from_der(to.der()).unwrap()).collect();
    let seal_theirs = move |plaintext: &[u8]| {
        let to: Vec<&X509> = theirs.iter().collect();
        theirs::seal(plaintext, Form::Der, &to, CIPHER.openssl())
    };
    let file = seal_theirs(&plaintext);
    if is_ours {
        let ring = device.ring();
        let opening = move || drop(black_box(sdi::open(&file, &ring).unwrap()));
        let sealing = move || {
            let random = &mut SystemRandom;
            drop(black_box(
                sdi::seal_as(&plaintext, to, Profile::Authenticated, Form::Der, random).unwrap(),
            ));
        };
        [Box::new(opening), Box::new(sealing)]
    } else {
        let (key, certificate) = device.openssl();
        let opening = move || drop(black_box(theirs::open(&file, Form::Der, &key, &certificate)));
        [Box::new(opening), Box::new(move || drop(black_box(seal_theirs(&plaintext))))]
    }
}
