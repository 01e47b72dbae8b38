//! What the tests of the command share: a folder, and the built binary in it.
#![expect(dead_code, reason = "each test uses its part")]

pub(crate) mod fleet;
pub(crate) mod help;

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Not a secret, but it stands for one: it must show in no message.
pub(crate) const CONFIG: &[u8] = b"hostname ams-edge-07\r\nradius-server key CANARY-7d1f\nend\n";
pub(crate) const SDI: &str = env!("CARGO_BIN_EXE_sdi");

/// A temporary folder with a device in it: `device.key`, `SN1.crt` and `router.cfg`.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn with_device(algorithm: &str) -> Self {
        let folder = Self::empty();
        folder.device("SN1", algorithm);
        folder.write("router.cfg", CONFIG);
        folder
    }

    /// Makes `ID.key` and `ID.crt`; `device.key` is the first one's.
    pub(crate) fn device(&self, id: &str, algorithm: &str) {
        let key = format!("{id}.key");
        self.sdi(["keygen", "-a", algorithm, "-o", &key]).succeeds();
        let crt = format!("{id}.crt");
        self.sdi(["cert", "self-signed", "--id", id, "-k", &key, "-o", &crt]).succeeds();
        if !self.path("device.key").exists() {
            fs::hard_link(self.path(&key), self.path("device.key")).expect("a second name");
        }
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names in the folder, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.0.path()).stdin(Stdio::null()).env("NO_COLOR", "1");
        // Whoever runs the tests has settings of their own.
        command.env("XDG_CONFIG_HOME", self.path("settings")).env_remove("SDI_PROFILE");
        command
    }

    pub(crate) fn sdi<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Done {
        Done(self.command(SDI).args(arguments).output().expect("sdi runs"))
    }

    /// With bytes on stdin.
    pub(crate) fn sdi_with<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        stdin: &[u8],
    ) -> Done {
        let mut command = self.command(SDI);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("sdi runs");
        let mut pipe = child.stdin.take().expect("a pipe");
        let bytes = stdin.to_vec();
        // What does not want to read all of it closes the pipe.
        let writer = std::thread::spawn(move || drop(pipe.write_all(&bytes)));
        let output = child.wait_with_output().expect("sdi ends");
        writer.join().expect("the writer ends");
        Done(output)
    }

    /// Commands in bash that must succeed; `sdi` is the built one.
    pub(crate) fn bash(&self, commands: &str) -> Done {
        let folder = Path::new(SDI).parent().expect("the folder of sdi");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
        let mut command = self.command("bash");
        command.env("PATH", std::env::join_paths(paths).expect("a path"));
        let output = command.args(["-euo", "pipefail", "-c", commands]).output();
        Done(output.expect("bash runs"))
    }
}

/// How a command went.
pub(crate) struct Done(pub(crate) Output);

impl Done {
    pub(crate) fn status(&self) -> Option<i32> {
        self.0.status.code()
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout()))
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert!(self.0.status.success(), "{:?}\n{}", self.0.status, self.stderr());
        self
    }

    /// Fails with this code, says so, and gives nothing away.
    #[track_caller]
    pub(crate) fn fails(self, code: &str) -> Self {
        let exit = code[3..].parse().expect("a code as E0004");
        assert_eq!(self.status(), Some(exit), "{}{}", self.stdout(), self.stderr());
        let (out, err) = (self.stdout(), self.stderr());
        assert!(err.starts_with(&format!("error[sdi::{code}]: ")), "{code}: {out}{err}");
        assert!(!out.contains("CANARY") && !err.contains("CANARY"), "{out}{err}");
        self
    }
}
