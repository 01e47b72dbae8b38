//! How much heap a hostile or a long file costs, by a counting allocator.
//!
//! This file is longer than others, because a program has one allocator: what it counts is here.

mod support;

use sdi::{Error, Form, Hint, KeyAlgorithm, KeyRing, Limit, Opener, Profile, Sealer, SystemRandom};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use support::corpus::case;
use support::der::{Node, edited, integer, octets, oid, path, sequence, set};
use support::keys::Device;

/// What a header or a stream may cost.
const BOUND: usize = 64 << 10;

/// Counts the bytes that the current thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn held(bytes: usize) {
    HELD.set(HELD.get().wrapping_add(bytes));
    PEAK.set(PEAK.get().max(HELD.get()));
}

fn released(bytes: usize) {
    // What another thread allocated may be freed here.
    HELD.set(HELD.get().saturating_sub(bytes));
}

// SAFETY: every call goes to the system's allocator as it came; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        held(layout.size());
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        released(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may exist side by side.
        held(size);
        released(layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The result of a call, the most that it held at a time, and what it still holds.
fn measured<T>(call: impl FnOnce() -> T) -> (T, usize, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = call();
    (result, PEAK.get() - before, HELD.get().saturating_sub(before))
}

/// The heap of an opener over its whole life, whoever else allocates between its calls.
struct Metered {
    opener: Opener,
    held: usize,
    peak: usize,
}

impl Metered {
    fn new(ring: &KeyRing) -> Self {
        let (opener, peak, held) = measured(|| Opener::new(ring));
        Self { opener: opener.expect("the ring has a key"), held, peak }
    }

    fn push(&mut self, input: &[u8], sink: &mut dyn sdi::Sink) -> sdi::Result<()> {
        let before = HELD.get();
        let (result, peak, _) = measured(|| self.opener.push(input, sink));
        self.peak = self.peak.max(self.held + peak);
        self.held = (self.held + HELD.get()).saturating_sub(before);
        result
    }

    /// The peak, with that of the end.
    fn finish(self, sink: &mut dyn sdi::Sink) -> (sdi::Result<sdi::Summary>, usize) {
        let (result, peak, _) = measured(|| self.opener.finish(sink));
        (result, self.peak.max(self.held + peak))
    }
}

#[test]
fn the_meter_counts() {
    let (kept, peak, held) = measured(|| {
        drop(vec![1_u8; 3 << 20]);
        vec![1_u8; 1 << 20]
    });
    assert_eq!((kept.len(), peak, held), (1 << 20, 3 << 20, 1 << 20));
}

/// Length octets that claim from 2^31-1 to 2^64-1 bytes.
const CLAIMS: [u64; 7] = [
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// The file up to a node, and a header of the node's tag that claims a length. With `open_ended`
/// what is around the node has no length that would contradict it.
fn cut_at(file: &[u8], path: &[usize], claim: u64, open_ended: bool) -> Vec<u8> {
    let mut tree = Node::parse(file);
    for depth in 0..if open_ended { path.len() } else { 0 } {
        let node = tree.at(&path[..depth]);
        if let Node::Constructed(tag, children) = node.clone() {
            *node = Node::Indefinite(tag, children);
        }
    }
    let whole = tree.encode();
    let mut marked = tree.at(path).encode();
    let tag = marked[0];
    marked[0] = !tag;
    *tree.at(path) = Node::Raw(marked);
    let at = whole.iter().zip(tree.encode()).position(|(a, b)| *a != b).expect("the mark");
    let octets = claim.to_be_bytes();
    let significant = if claim < 1 << 32 { &octets[4..] } else { &octets };
    let count = u8::try_from(significant.len()).expect("at most eight");
    [&whole[..at], &[tag, 0x80 | count], significant].concat()
}

#[test]
fn a15_headers_that_claim_gigabytes() {
    let case = case("openssl/size-p256-gcm-p17");
    let (file, ring) = (case.message(), case.ring());
    let control = measured(|| sdi::open(&file, &ring).map(|opened| opened.plaintext().to_vec()));
    assert_eq!(control.0.unwrap(), case.plaintext());
    assert!((1..BOUND).contains(&control.1), "the control takes {} bytes", control.1);
    let point = [path::ORIGINATOR_KEY, &[1]].concat();
    let places: [&[usize]; 10] = [
        &[],
        &[1],
        path::ENVELOPED,
        path::RECIPIENTS,
        path::RECIPIENT,
        &point,
        path::WRAPPED_KEYS,
        path::CONTENT_INFO,
        path::CONTENT,
        path::MAC,
    ];
    for place in places {
        for claim in CLAIMS {
            for open_ended in [false, true] {
                let hostile = cut_at(&file, place, claim, open_ended);
                for tail in [0, 100] {
                    let hostile = [hostile.as_slice(), &vec![0x42; tail]].concat();
                    let what = format!("{place:?} claims {claim:#x}, {open_ended}, {tail}");
                    let error = refuses_within_bound(&hostile, &ring, &what);
                    let fits = match error {
                        Error::Malformed(_) | Error::Limit { .. } => true,
                        // Not even the type is there.
                        Error::NotEncrypted => place.is_empty() && tail != 0,
                        _ => false,
                    };
                    assert!(fits, "{what}: {error:?}");
                }
            }
        }
    }
}

fn refuses_within_bound(file: &[u8], ring: &KeyRing, what: &str) -> Error {
    let (opened, peak, _) = measured(|| sdi::open(file, ring).map(|_| ()));
    let error = opened.expect_err(what);
    assert!(peak < BOUND, "{what}: {peak} bytes at once");
    let mut buffer = file.to_vec();
    let (opened, peak, _) = measured(|| sdi::open_in_place(&mut buffer, ring).map(|_| ()));
    assert!(opened.is_err() && peak < BOUND, "{what}: {peak} bytes in place");
    let (envelope, peak, _) =
        measured(|| sdi::Envelope::parse(file, &sdi::Limits::default()).map(|_| ()));
    assert!(envelope.is_err() && peak < BOUND, "{what}: {peak} bytes without a key");
    let mut nowhere = |_: &[u8]| Ok(());
    let mut metered = Metered::new(ring);
    let pushed = metered.push(file, &mut nowhere);
    let (finished, peak) = metered.finish(&mut nowhere);
    assert!(pushed.is_err() || finished.is_err(), "{what}");
    assert!(peak < BOUND, "{what}: {peak} bytes as a stream");
    error
}

#[test]
fn detection_takes_no_memory() {
    for case in support::corpus::cases("corpus").iter().step_by(7) {
        let file = case.message();
        let hint = Hint { at_end: true, ..Hint::default() };
        let (_, peak, _) = measured(|| sdi::detect(Some(b"router.enc"), &file, hint));
        assert_eq!(peak, 0, "{}", case.id());
    }
}

/// Nothing inside an envelope is expanded, whatever it calls itself.
#[test]
fn a26_nested_bombs_stay_small() {
    let case = case("openssl/size-p256-gcm-p17");
    let (file, ring) = (case.message(), case.ring());
    for bomb in [
        [0x24, 0x80].repeat(20_000),
        [0x30, 0x80].repeat(20_000),
        [&[0x30, 0x80, 0x06, 0x09], &file[6..15], &[0xa0, 0x80].repeat(20_000)].concat(),
        edited(&file, path::RECIPIENT, |set| *set = Node::Raw([0xa1, 0x80].repeat(20_000))),
        edited(&file, path::CONTENT, |set| *set = Node::Raw([0xa0, 0x80].repeat(20_000))),
    ] {
        let (opened, peak, _) = measured(|| sdi::open(&bomb, &ring).map(|_| ()));
        assert!(opened.is_err() && peak < BOUND, "{peak} bytes, {opened:?}");
    }
}

/// Ten thousand recipients pass by; only what a key of ours may open is kept.
#[test]
fn a15_ten_thousand_recipients_in_a_stream() {
    /// What the kept entries may take beside the bound: 16 of less than 256 bytes.
    const KEPT: usize = 16 * 256;

    let case = case("openssl/recips-5-mixed-p256-last");
    let many = |count: usize| {
        edited(&case.message(), path::RECIPIENTS, |set| {
            let strangers = set.children()[..4].to_vec();
            let ours = set.children()[4].clone();
            let strangers = strangers.into_iter().cycle().take(count - 1);
            *set.children() = strangers.chain([ours]).collect();
        })
    };
    for (count, opens) in [(10_000, true), (10_001, false)] {
        let (file, ring) = (many(count), case.ring());
        let mut plaintext = Vec::with_capacity(1000);
        let mut metered = Metered::new(&ring);
        let pushed = file.chunks(4096).try_for_each(|piece| metered.push(piece, &mut plaintext));
        let (finished, peak) = metered.finish(&mut plaintext);
        if opens {
            assert_eq!((pushed, finished.map(|_| plaintext)), (Ok(()), Ok(case.plaintext())));
        } else {
            let limit = Error::Limit { which: Limit::Recipients, max: 10_000 };
            assert_eq!(pushed, Err(limit));
        }
        assert!(peak < BOUND + KEPT, "{count} recipients: {peak} bytes");
    }
}

/// Parts that are as long as their limits allow, made of what costs the most: no buffer passes the
/// bound, and what is kept of the recipients has its own.
#[test]
fn a15_parts_at_their_limits() {
    /// Sixteen recipients that name a key, each with the longest keying material.
    const NAMED: usize = 16 * (3 << 10);
    /// What a key alone keeps.
    const UNNAMED: usize = 64 << 10;

    let case = case("openssl/size-p256-gcm-p17");
    let (file, named, bare) = (case.message(), case.ring(), case.bare_ring());
    let point = [path::ORIGINATOR_KEY, &[1]].concat();
    let many_points = |count: u8, length: usize| {
        let recipient = Node::parse(&file).at(path::RECIPIENT).clone();
        edited(&file, path::RECIPIENTS, |set| {
            set.children().extend((1..=count).map(|number| {
                let mut other = recipient.clone();
                let bits = other.at(&point[path::RECIPIENT.len()..]).body();
                bits.resize(length, number);
                bits[1] ^= number;
                other
            }));
        })
    };
    let keying_material = |count: usize, length: usize| {
        edited(&file, path::RECIPIENTS, |set| {
            let mut other = set.children()[0].clone();
            let explicit = Node::Constructed(0xa1, vec![octets(vec![7; length])]);
            other.children().insert(2, explicit);
            set.children().extend(vec![other; count]);
        })
    };
    let keys_of_one_agreement = |count: usize| {
        edited(&file, path::WRAPPED_KEYS, |keys| {
            let mut other = keys.children()[0].clone();
            other.children()[1].body()[0] ^= 1;
            let others = vec![other; count];
            let ours = keys.children()[0].clone();
            *keys.children() = others.into_iter().chain([ours]).collect();
        })
    };
    let long_names = edited(&file, path::RECIPIENTS, |set| {
        let mut other = set.children()[0].clone();
        let key = other.at(&path::WRAPPED_KEYS[path::RECIPIENT.len()..]).children()[0].children();
        key[0] = Node::Constructed(0xa0, vec![octets(vec![0; 1000])]);
        set.children().extend(vec![other; 100]);
    });
    let attributes = |count: usize, reversed: bool| {
        let values = (0..count).map(|number| {
            let number = u8::try_from(number * 100 / count).expect("it is below 100");
            integer(if reversed { 99 - number } else { number })
        });
        let attribute = sequence([oid("1.2.3"), set(values.collect::<Vec<_>>())]);
        edited(&file, path::ENVELOPED, |enveloped| {
            enveloped.children().insert(3, Node::Constructed(0xa1, vec![attribute]));
        })
    };
    let algorithm = |length: usize| {
        edited(&file, path::CONTENT_ALGORITHM, |algorithm| {
            algorithm.children()[1].children().push(octets(vec![7; length]));
        })
    };
    let rsa = case_of_oaep();
    let labelled = |length: usize| {
        edited(&rsa.message(), path::TRANSPORT, |algorithm| {
            let label = sequence([oid("1.2.840.113549.1.1.9"), octets(vec![7; length])]);
            algorithm.children()[1].children().push(Node::Constructed(0xa2, vec![label]));
        })
    };
    let sixteen_labels = edited(&labelled(15_000), path::RECIPIENTS, |set| {
        let recipient = set.children()[0].clone();
        *set.children() = vec![recipient; 16];
    });
    const PARAMETERS: Error = Error::Malformed("the content encryption's parameters are damaged");
    let limit = |which, max| Err(Error::Limit { which, max });
    let ok = || Ok(());
    for (what, file, ring, kept, verdict) in [
        ("long points", many_points(64, 15_000), &bare, UNNAMED, ok()),
        ("too long points", many_points(1, 17_000), &bare, 0, limit(Limit::Recipient, 16 << 10)),
        ("true points", many_points(63, 66), &bare, UNNAMED, ok()),
        (
            "long points, named",
            many_points(64, 15_000),
            &named,
            NAMED,
            limit(Limit::OwnRecipients, 16),
        ),
        ("keying material", keying_material(15, 1024), &named, NAMED, ok()),
        (
            "more keying material",
            keying_material(16, 1024),
            &named,
            NAMED,
            limit(Limit::OwnRecipients, 16),
        ),
        ("keying material, a key alone", keying_material(63, 1024), &bare, UNNAMED, ok()),
        ("500 keys of one agreement", keys_of_one_agreement(499), &bare, UNNAMED, ok()),
        (
            "10,000 keys of one agreement",
            keys_of_one_agreement(9_999),
            &bare,
            UNNAMED,
            limit(Limit::KeyOps, 64),
        ),
        ("long names", long_names, &named, 0, ok()),
        ("long labels", sixteen_labels, &rsa.ring(), 0, Err(Error::Decrypt)),
        (
            "a label of 64 KiB",
            labelled(64 << 10),
            &rsa.ring(),
            0,
            limit(Limit::Recipient, 16 << 10),
        ),
        ("a long algorithm", algorithm(8000), &named, 0, Err(PARAMETERS)),
        ("a longer algorithm", algorithm(60_000), &named, 0, limit(Limit::Header, 8 << 10)),
        ("attributes in order", attributes(1300, false), &named, 0, Err(Error::Decrypt)),
        ("attributes out of order", attributes(1300, true), &named, 0, Err(Error::Decrypt)),
    ] {
        let mut nowhere = |_: &[u8]| Ok(());
        let mut metered = Metered::new(ring);
        let pushed = file.chunks(4096).try_for_each(|piece| metered.push(piece, &mut nowhere));
        let (finished, peak) = metered.finish(&mut nowhere);
        assert_eq!(pushed.and(finished).map(drop), verdict, "{what}");
        assert!(peak < BOUND + kept, "{what}: {peak} bytes");
    }
}

fn case_of_oaep() -> support::corpus::Case {
    let case = case("openssl/oaep-sha256-mgf-sha512");
    assert_eq!(
        sdi::open(&case.message(), &case.ring()).expect("the control opens").plaintext(),
        case.plaintext()
    );
    case
}

/// 32 MiB from a sealer into an opener, each in constant memory.
#[test]
fn a_long_stream_takes_constant_memory() {
    const CHUNKS: usize = 512;
    const CHUNK: usize = 64 << 10;

    let device = Device::new(KeyAlgorithm::P256, "device");
    let (ring, to) = (device.ring(), [device.certificate.clone()]);
    let plaintext: Vec<u8> = (0..=255).cycle().take(CHUNK).collect();
    for (profile, form, length_is_known) in [
        (Profile::Authenticated, Form::Der, true),
        (Profile::Authenticated, Form::Pem, false),
        (Profile::Rfc8886, Form::Der, false),
        (Profile::Rfc8886, Form::Smime, true),
    ] {
        let mut sealer = Sealer::new(&to, profile, form, &mut SystemRandom).unwrap();
        if length_is_known {
            sealer.set_length(u64::try_from(CHUNKS * CHUNK).unwrap()).unwrap();
        }
        let mut metered = Metered::new(&ring);
        let (mut bytes, mut sealed) = (0, Vec::with_capacity(4 * CHUNK));
        let mut sink = |part: &[u8]| {
            let expected = (bytes % 256..).map(|byte| byte % 256);
            assert!(part.iter().map(|&byte| usize::from(byte)).zip(expected).all(|(a, b)| a == b));
            bytes += part.len();
            Ok(())
        };
        let mut sealing = 0;
        for _ in 0..CHUNKS {
            sealed.clear();
            let (pushed, peak, _) = measured(|| sealer.push(&plaintext, &mut sealed));
            pushed.unwrap();
            sealing = sealing.max(peak);
            metered.push(&sealed, &mut sink).unwrap();
        }
        sealed.clear();
        sealer.finish(&mut sealed).unwrap();
        metered.push(&sealed, &mut sink).unwrap();
        let (finished, peak) = metered.finish(&mut sink);
        let case = format!("{profile:?} {form:?}");
        assert_eq!(finished.unwrap().plaintext_len(), 32 << 20, "{case}");
        assert_eq!(bytes, 32 << 20, "{case}");
        assert!(peak < BOUND, "{case}: opening takes {peak} bytes");
        assert!(sealing < BOUND, "{case}: sealing takes {sealing} bytes");
    }
}
