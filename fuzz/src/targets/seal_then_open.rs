//! What is sealed opens, for each recipient, whatever the profile, the form and the pieces.

use crate::choices::Choices;
use crate::corpus::{Device, devices};
use crate::promises::{AT_END, at_once};
use crate::support::forge::Random;
use sdi::{Certificate, Detection, Error, Form, Profile, Sealer, seal_as};

const PROFILES: [Profile; 4] =
    [Profile::Auto, Profile::Rfc8886, Profile::Authenticated, Profile::PostQuantum];
const FORMS: [Form; 4] = [Form::Pem, Form::Der, Form::Smime, Form::MagicDer];

/// Input: profile, form, recipients, randomness, the way of sealing, the plaintext.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let profile = *choices.one_of(&PROFILES);
    let form = *choices.one_of(&FORMS);
    let to: Vec<&Device> = (0..choices.below(4)).map(|_| choices.one_of(devices())).collect();
    let certificates: Vec<Certificate> =
        to.iter().map(|device| device.certificate().clone()).collect();
    let seed = u64::from(choices.byte());
    let (is_streamed, tell) = (choices.flag(), choices.byte());
    let step = choices.below(300) + 1;
    let plaintext = choices.rest();

    let at_once_sealed = seal_as(plaintext, &certificates, profile, form, &mut Random(seed));
    let sealed = match (is_streamed, &at_once_sealed) {
        (true, Ok(whole)) => {
            let sealer = Sealer::new(&certificates, profile, form, &mut Random(seed));
            let mut sealer = sealer.expect("at once it went well");
            let mut file = Vec::new();
            let len = u64::try_from(plaintext.len()).expect("it fits");
            let told = tell % 3 != 0;
            if told {
                // One byte too many is a mistake that shows in the end.
                let len = len + u64::from(tell % 3 == 2);
                sealer.set_length(len).expect("nothing was pushed");
            }
            for piece in plaintext.chunks(step) {
                sealer.push(piece, &mut file).expect("a vector takes it");
            }
            let finished = sealer.finish(&mut file);
            if tell % 3 == 2 {
                assert!(matches!(finished, Err(Error::Misuse(_))), "{finished:?}");
                return;
            }
            finished.expect("a vector takes it");
            if told {
                assert_eq!(file, *whole, "at once and in pieces");
            }
            Ok(file)
        }
        _ => at_once_sealed,
    };
    let file = match sealed {
        Ok(file) => file,
        Err(error) => {
            let expected = certificates.is_empty() || profile == Profile::PostQuantum;
            assert!(expected, "{error:?} for {} recipients", certificates.len());
            return;
        }
    };
    assert!(matches!(sdi::detect(None, &file, AT_END), Detection::Enveloped(_)));
    // Modules and P-521 are slow or moody; each of the others opens.
    for device in to.iter().filter(|device| format!("{:?}", device.key).starts_with("Software")) {
        let opened = at_once(&file, &device.ring());
        assert_eq!(opened.map(|(text, _)| text).as_deref(), Ok(plaintext));
    }
}
