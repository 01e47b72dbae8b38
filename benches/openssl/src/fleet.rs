//! A configuration for each device of a fleet, on all cores.

use sdi::{
    Certificate, DeviceId, Form, IdentityBuilder, KeyAlgorithm, Profile, SoftwareKey, SystemRandom,
};
use std::hint::black_box;
use std::thread;
use std::time::Instant;

/// Seals 4 KiB to each of so many different P-256 certificates and prints how many were sealed in a
/// second.
pub(crate) fn measure(devices: usize) {
    let cores = thread::available_parallelism().unwrap().get();
    let numbers: Vec<usize> = (0..devices).collect();
    let share = devices.div_ceil(cores);
    let certificates: Vec<Certificate> = thread::scope(|scope| {
        let workers = numbers.chunks(share);
        let workers: Vec<_> = workers.map(|part| scope.spawn(|| made(part))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let start = Instant::now();
    thread::scope(|scope| {
        for part in certificates.chunks(share) {
            scope.spawn(|| part.iter().for_each(seal));
        }
    });
    let rate = f64::from(u32::try_from(devices).unwrap()) / start.elapsed().as_secs_f64();
    println!("{rate:.0} files of 4 KiB a second to {devices} P-256 devices, on {cores} cores");
}

fn made(numbers: &[usize]) -> Vec<Certificate> {
    let one = |number| {
        let key = SoftwareKey::generate(KeyAlgorithm::P256, &mut SystemRandom).unwrap();
        let id = DeviceId::new(&format!("SN{number:08}")).unwrap();
        IdentityBuilder::new(id, 1_700_000_000).self_sign(&key).unwrap()
    };
    numbers.iter().map(one).collect()
}

fn seal(certificate: &Certificate) {
    let plaintext = [b'x'; 4096];
    let to = [certificate.clone()];
    let profile = Profile::Authenticated;
    let file = sdi::seal_as(&plaintext, &to, profile, Form::Pem, &mut SystemRandom);
    black_box(file.unwrap());
}
