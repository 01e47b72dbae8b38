//! What a build can leave out. Every function is in every build; some only say that it is not there.

use crate::error::Failure;
use sdi::RandomSource;

/// The operating system's randomness.
#[cfg(feature = "std")]
pub(crate) const fn system_random() -> Result<impl RandomSource, Failure> {
    Ok::<_, Failure>(sdi::SystemRandom)
}

#[cfg(not(feature = "std"))]
pub(crate) const fn system_random() -> Result<impl RandomSource, Failure> {
    Err::<crate::pointer::Random, _>(Failure::Unsupported("does not use the system's randomness"))
}

/// Making keys, certificates and requests.
#[cfg(feature = "identity")]
pub(crate) mod identity {
    use super::{Failure, RandomSource};
    use alloc::string::String;
    use sdi::SoftwareKey;
    use sdi::{Certificate, DeviceId, DeviceKey, IdentityBuilder, KeyAlgorithm, PublicKey, Secret};

    pub(crate) fn generate(
        algorithm: KeyAlgorithm,
        random: &mut dyn RandomSource,
    ) -> Result<SoftwareKey, Failure> {
        Ok(SoftwareKey::generate(algorithm, random)?)
    }

    pub(crate) fn pem(key: &SoftwareKey) -> Result<Secret, Failure> {
        Ok(key.to_pem()?)
    }

    pub(crate) fn self_sign(
        key: &dyn DeviceKey,
        id: &str,
        not_before_unix: u64,
    ) -> Result<Certificate, Failure> {
        Ok(IdentityBuilder::new(DeviceId::new(id)?, not_before_unix).self_sign(key)?)
    }

    pub(crate) fn wrap(
        spki: &[u8],
        id: &str,
        not_before_unix: u64,
    ) -> Result<Certificate, Failure> {
        let builder = IdentityBuilder::new(DeviceId::new(id)?, not_before_unix);
        Ok(builder.wrap(&PublicKey::parse(spki)?, &mut super::system_random()?)?)
    }

    pub(crate) fn request(key: &dyn DeviceKey, id: &str) -> Result<String, Failure> {
        Ok(IdentityBuilder::new(DeviceId::new(id)?, 0).request(key)?)
    }
}

#[cfg(not(feature = "identity"))]
pub(crate) mod identity {
    use super::{Failure, RandomSource};
    use alloc::string::String;
    use sdi::{Certificate, DeviceKey, KeyAlgorithm, Secret, SoftwareKey};

    const LEFT_OUT: Failure = Failure::Unsupported("makes no keys and certificates");

    pub(crate) const fn generate(
        _: KeyAlgorithm,
        _: &mut dyn RandomSource,
    ) -> Result<SoftwareKey, Failure> {
        Err(LEFT_OUT)
    }

    pub(crate) const fn pem(_: &SoftwareKey) -> Result<Secret, Failure> {
        Err(LEFT_OUT)
    }

    pub(crate) const fn self_sign(
        _: &dyn DeviceKey,
        _: &str,
        _: u64,
    ) -> Result<Certificate, Failure> {
        Err(LEFT_OUT)
    }

    pub(crate) const fn wrap(_: &[u8], _: &str, _: u64) -> Result<Certificate, Failure> {
        Err(LEFT_OUT)
    }

    pub(crate) const fn request(_: &dyn DeviceKey, _: &str) -> Result<String, Failure> {
        Err(LEFT_OUT)
    }
}

/// Sealing.
#[cfg(feature = "seal")]
pub(crate) mod seal {
    use super::Failure;
    use crate::seal::{sdi_form_code, sdi_profile_code};
    use alloc::vec::Vec;
    pub(crate) use sdi::Sealer;
    use sdi::{Certificate, Form, Profile};

    pub(crate) fn whole(
        to: &[Certificate],
        profile: sdi_profile_code,
        form: sdi_form_code,
        plain: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let random = &mut super::system_random()?;
        Ok(sdi::seal_as(plain, to, profile_of(profile), form_of(form), random)?)
    }

    pub(crate) fn stream(
        to: &[Certificate],
        profile: sdi_profile_code,
        form: sdi_form_code,
    ) -> Result<Sealer, Failure> {
        let random = &mut super::system_random()?;
        Ok(Sealer::new(to, profile_of(profile), form_of(form), random)?)
    }

    const fn profile_of(profile: sdi_profile_code) -> Profile {
        match profile {
            sdi_profile_code::SDI_PROFILE_AUTO => Profile::Auto,
            sdi_profile_code::SDI_PROFILE_RFC8886 => Profile::Rfc8886,
            sdi_profile_code::SDI_PROFILE_AUTHENTICATED => Profile::Authenticated,
            sdi_profile_code::SDI_PROFILE_POST_QUANTUM => Profile::PostQuantum,
        }
    }

    const fn form_of(form: sdi_form_code) -> Form {
        match form {
            sdi_form_code::SDI_FORM_PEM => Form::Pem,
            sdi_form_code::SDI_FORM_DER => Form::Der,
            sdi_form_code::SDI_FORM_SMIME => Form::Smime,
            sdi_form_code::SDI_FORM_MAGIC_DER => Form::MagicDer,
        }
    }
}

#[cfg(not(feature = "seal"))]
pub(crate) mod seal {
    use super::Failure;
    use crate::seal::{sdi_form_code, sdi_profile_code};
    use alloc::vec::Vec;
    use sdi::{Certificate, Misuse, Sink};

    const LEFT_OUT: Failure = Failure::Unsupported("does not seal");

    pub(crate) const fn whole(
        _: &[Certificate],
        _: sdi_profile_code,
        _: sdi_form_code,
        _: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        Err(LEFT_OUT)
    }

    pub(crate) const fn stream(
        _: &[Certificate],
        _: sdi_profile_code,
        _: sdi_form_code,
    ) -> Result<Sealer, Failure> {
        Err(LEFT_OUT)
    }

    /// There is none.
    pub(crate) enum Sealer {}

    #[expect(clippy::needless_pass_by_ref_mut, reason = "the signatures are those of the real one")]
    impl Sealer {
        pub(crate) const fn set_length(&mut self, _: u64) -> Result<(), Misuse> {
            match *self {}
        }

        pub(crate) fn push(&mut self, _: &[u8], _: &mut dyn Sink) -> Result<(), sdi::Error> {
            match *self {}
        }

        pub(crate) fn finish(self, _: &mut dyn Sink) -> Result<(), sdi::Error> {
            match self {}
        }
    }
}
