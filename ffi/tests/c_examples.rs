//! The examples in C, built by their own Makefile and pkg-config, and what the documents show in C.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::c::{COMPILERS, WARNINGS, flags, library};
use support::{output, read, repository, run, scratch};

/// The examples, built, with a device's key and a file for it.
struct Bench(PathBuf);

impl Bench {
    fn new(name: &str) -> Self {
        let place = scratch(name);
        for entry in repository().join("examples/c").read_dir().expect("there are examples") {
            let entry = entry.expect("an example is there");
            std::fs::copy(entry.path(), place.join(entry.file_name())).expect("a copy");
        }
        let mut make = Command::new("make");
        run(make.arg("-C").arg(&place).env("PKG_CONFIG_PATH", library()));
        let bench = Self(place);
        let printed = bench.ok(&["factory_keygen", "SN1"]);
        let (id, fingerprint) = printed.trim().split_once(' ').expect("two words");
        assert_eq!((id, fingerprint.len()), ("SN1", 64));
        std::fs::write(bench.0.join("plain.cfg"), "hostname r1\n").expect("a configuration");
        let arguments =
            "cms -encrypt -binary -in plain.cfg -aes256 -outform PEM -out r1.enc SN1.crt";
        run(Command::new("openssl").args(arguments.split(' ')).current_dir(&bench.0));
        bench
    }

    fn try_(&self, words: &[&str]) -> Output {
        output(Command::new(self.0.join(words[0])).args(&words[1..]).current_dir(&self.0))
    }

    /// A call that succeeds, and what it prints.
    fn ok(&self, words: &[&str]) -> String {
        let output = self.try_(words);
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// A call that fails without a signal, prints no plaintext, and says why.
    fn fails(&self, words: &[&str], why: &str) {
        let output = self.try_(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{words:?}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(why), "{words:?}: {said}");
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    fn mode(&self, name: &str) -> u32 {
        self.0.join(name).metadata().expect("it is there").permissions().mode() & 0o777
    }
}

#[test]
fn keys_are_made_once_and_for_their_owner_alone() {
    let bench = Bench::new("example-factory");
    assert_eq!(bench.mode("SN1.key"), 0o600);
    let before = read(bench.0.join("SN1.key"));
    bench.fails(&["factory_keygen", "SN1"], "File exists");
    assert_eq!(read(bench.0.join("SN1.key")), before);
    bench.fails(&["factory_keygen", "../SN2"], "SDI_ERR_ARGUMENT");
    bench.ok(&["factory_keygen", "SN2"]);
}

#[test]
fn files_are_opened_with_every_kind_of_key() {
    let bench = Bench::new("example-open");
    bench.ok(&["factory_keygen", "SN2"]);
    assert_eq!(bench.ok(&["open_file", "SN1.key", "SN1.crt", "r1.enc"]), "hostname r1\n");
    bench.fails(&["open_file", "SN2.key", "SN2.crt", "r1.enc"], "SDI_ERR_NOT_FOR_THIS_DEVICE");
    bench.fails(&["open_file", "SN2.key", "SN1.crt", "r1.enc"], "SDI_ERR_KEY");
    bench.fails(&["open_file", "SN1.key", "SN1.crt", "plain.cfg"], "SDI_ERR_NOT_ENCRYPTED");
    bench.fails(&["open_file", "SN1.key", "SN1.crt", "nowhere"], "usage");
    assert_eq!(bench.ok(&["callback_key", "SN1.key", "r1.enc"]), "hostname r1\n");
    bench.fails(&["callback_key", "SN2.key", "r1.enc"], "SDI_ERR_");
    bench.fails(&["callback_key", "SN1.key", "plain.cfg"], "SDI_ERR_NOT_ENCRYPTED");
}

#[test]
fn a_file_is_installed_whole_or_not_at_all() {
    let bench = Bench::new("example-stream");
    let encrypted = read(bench.0.join("r1.enc"));
    let half = &encrypted[..encrypted.len() / 2];
    std::fs::write(bench.0.join("half.enc"), half).expect("half a file");
    let stream = |file| ["stream_to_disk", "SN1.key", "SN1.crt", file, "out.cfg"];
    bench.fails(&stream("half.enc"), "SDI_ERR_MALFORMED");
    assert!(!bench.has("out.cfg") && !bench.has("out.cfg.part"));
    // What a power cut left is no obstacle.
    std::fs::write(bench.0.join("out.cfg.part"), "old").expect("an old file");
    assert_eq!(bench.ok(&stream("r1.enc")), "");
    assert_eq!(read(bench.0.join("out.cfg")), "hostname r1\n");
    assert_eq!(bench.mode("out.cfg"), 0o600);
    assert!(!bench.has("out.cfg.part"));
    bench.fails(&stream("half.enc"), "SDI_ERR_MALFORMED");
    assert_eq!(read(bench.0.join("out.cfg")), "hostname r1\n");
}

#[test]
fn auto_install_installs() {
    let bench = Bench::new("example-autoinstall");
    bench.ok(&["autoinstall_loop", "SN1.key", "SN1.crt", "SN1", "r1.enc"]);
    assert_eq!(read(bench.0.join("SN1.conf")), "hostname r1\n");
    // A plain file is what a device without this feature installs, and so does this one.
    std::fs::write(bench.0.join("old.cfg"), "hostname r2\n").expect("a configuration");
    bench.ok(&["autoinstall_loop", "SN1.key", "SN1.crt", "SN1", "old.cfg"]);
    assert_eq!(read(bench.0.join("SN1.conf")), "hostname r2\n");
}

/// Every example is in the index, and in the Makefile.
#[test]
fn the_index_is_complete() {
    let folder = repository().join("examples/c");
    let (index, makefile) = (read(folder.join("README.md")), read(folder.join("Makefile")));
    let mut count = 0;
    for entry in folder.read_dir().expect("there are examples") {
        let name = entry.expect("an example is there").file_name().into_string().expect("text");
        if let Some(program) = name.strip_suffix(".c") {
            count += 1;
            assert!(index.contains(&format!("[{name}]({name})")), "{name} is not in the index");
            assert!(makefile.contains(program), "{name} is not in the Makefile");
        }
    }
    assert!(count >= 5);
}

/// Each block of C in the documents compiles: it is a file of its own.
#[test]
fn what_the_documents_show_compiles() {
    let place = scratch("c-documents");
    for document in ["docs/integrating-in-firmware.md", "docs/abi.md"] {
        let text = read(repository().join(document));
        let blocks: Vec<&str> = text
            .split("\n```c\n")
            .skip(1)
            .map(|rest| rest.split("\n```").next().expect("a block has an end"))
            .collect();
        assert!(!blocks.is_empty(), "{document} shows no C");
        for (number, block) in (1..).zip(blocks) {
            let stem = Path::new(document).file_stem().expect("a name").display();
            let source = place.join(format!("{stem}-{number}.c"));
            std::fs::write(&source, block).expect("a block is written");
            let (compiler, language) = COMPILERS[0];
            let mut command = Command::new(compiler);
            command
                .args(WARNINGS)
                .args(language)
                .arg("-c")
                .arg(&source)
                .arg("-o")
                .arg(place.join("block.o"));
            run(command.args(flags(library()).iter().filter(|flag| flag.starts_with("-I"))));
        }
    }
}
