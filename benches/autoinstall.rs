//! Nanoseconds for each transition of the auto-install machine, and its size.
//!
//! `cargo bench --bench autoinstall`
#![expect(clippy::unwrap_used, reason = "a panic ends the measurement")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use sdi::{Autoinstall, Detection, DeviceId, Encoding, Event, Policy};
use std::hint::black_box;
use std::time::Duration;

const ENVELOPED: Event = Event::Fetched(Detection::Enveloped(Encoding::Der));

/// A machine that has taken these events.
fn after(policy: &Policy, events: &[Event]) -> Autoinstall {
    let mut machine = Autoinstall::new(policy.clone(), Duration::ZERO);
    for event in events {
        machine.poll(Duration::ZERO);
        machine.handle(Duration::ZERO, *event).unwrap();
    }
    machine
}

fn transitions(criterion: &mut Criterion) {
    println!("a machine has {} bytes", size_of::<Autoinstall>());
    let now = Duration::from_secs(300);
    let policy = Policy::for_device(&DeviceId::new("SN19842256").unwrap());
    let mut group = criterion.benchmark_group("autoinstall");

    let waiting = after(&policy, &[Event::FetchFailed]);
    group.bench_function("poll, waiting", |bencher| {
        let mut machine = waiting.clone();
        bencher.iter(|| machine.poll(black_box(Duration::from_secs(1))));
    });
    group.bench_function("poll, start of an attempt", |bencher| {
        bencher.iter_batched_ref(
            || waiting.clone(),
            |machine| machine.poll(black_box(2 * now)),
            BatchSize::SmallInput,
        );
    });
    for (name, before, event) in [
        ("fetched", &[][..], ENVELOPED),
        ("decrypted", &[ENVELOPED], Event::Decrypted),
        ("checked", &[ENVELOPED, Event::Decrypted], Event::Checked),
        ("check failed", &[ENVELOPED, Event::Decrypted], Event::CheckFailed),
        ("installed", &[ENVELOPED, Event::Decrypted, Event::Checked], Event::Installed),
    ] {
        let mut machine = after(&policy, before);
        machine.poll(Duration::ZERO);
        group.bench_function(format!("handle, {name}"), |bencher| {
            bencher.iter_batched_ref(
                || machine.clone(),
                |machine| machine.handle(black_box(now), black_box(event)).unwrap(),
                BatchSize::SmallInput,
            );
        });
    }
    group.bench_function("save", |bencher| bencher.iter(|| waiting.save(black_box(now))));
    let state = waiting.save(now);
    group.bench_function("restore", |bencher| {
        bencher.iter(|| Autoinstall::restore(policy.clone(), now, black_box(&state)).unwrap());
    });
    group.finish();
}

criterion_group!(benches, transitions);
criterion_main!(benches);
