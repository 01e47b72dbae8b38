//! A file of the corpus whose key notes what it is asked.

use super::corpus::{Case, case};
use super::keys::Log;
use super::opened_every_way;
use sdi::{Error, KeyRing};

/// A file whose key notes what it is asked.
pub(crate) struct Watched {
    pub(crate) case: Case,
    pub(crate) file: Vec<u8>,
    pub(crate) ring: KeyRing,
    pub(crate) log: Log,
}

impl Watched {
    /// The control: the file as it is opens.
    pub(crate) fn new(id: &str) -> Self {
        let (case, log) = (case(id), Log::default());
        let watched = Self {
            file: case.message(),
            ring: case.device().watched("key", &log).ring(),
            case,
            log,
        };
        watched.assert_opens(&watched.file);
        watched
    }

    pub(crate) fn assert_opens(&self, file: &[u8]) {
        match opened_every_way(file, &self.ring) {
            Ok((plaintext, _)) => assert_eq!(plaintext, self.case.plaintext()),
            Err(error) => panic!("{}: {error:?}", self.case.id()),
        }
        assert!(!self.log.take().is_empty());
    }

    /// The file is refused and no key is asked.
    pub(crate) fn refuses_unasked(&self, file: &[u8], what: &str) -> Error {
        let error = opened_every_way(file, &self.ring).expect_err(what);
        assert_eq!(self.log.take(), [""; 0], "{what}: {error:?}");
        error
    }

    pub(crate) fn assert_malformed(&self, file: &[u8], what: &str) {
        let error = self.refuses_unasked(file, what);
        assert!(matches!(error, Error::Malformed(_)), "{what}: {error:?}");
    }

    pub(crate) fn assert_unsupported(&self, file: &[u8], what: &str) {
        let error = self.refuses_unasked(file, what);
        assert!(matches!(error, Error::Unsupported(_)), "{what}: {error:?}");
    }
}
