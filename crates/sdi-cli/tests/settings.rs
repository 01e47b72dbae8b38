//! The configuration file and the environment: an option comes before the environment, and that before
//! the file.

mod support;

use std::fs;
use support::{Done, Folder};

/// With this in the environment.
fn encrypt(folder: &Folder, environment: &[(&str, &str)], more: &[&str]) -> Done {
    let mut command = folder.command(support::SDI);
    command.envs(environment.iter().copied());
    command.args(["encrypt", "--force", "-r", "SN1.crt", "router.cfg"]).args(more);
    Done(command.output().expect("sdi runs"))
}

/// The profile of what was encrypted last.
fn profile(folder: &Folder) -> String {
    let json = folder.sdi(["inspect", "--json", "router.enc"]).succeeds().json();
    json["profile"].as_str().expect("a profile").to_owned()
}

#[test]
fn an_unknown_value_in_the_environment_is_blamed_on_the_variable() {
    let folder = Folder::with_device("p256");
    let encrypt = |more: &str| {
        let command =
            format!("SDI_PROFILE=best sdi encrypt -r SN1.crt -o out.enc router.cfg {more}");
        folder.bash(&command)
    };
    let text = encrypt("").fails("E0002").stderr();
    assert!(text.contains("SDI_PROFILE") && text.contains("best"), "{text}");
    assert!(text.contains("auto, rfc8886, authenticated") && !text.contains("--profile"), "{text}");
    let json = encrypt("--json").json();
    assert!(json["error"]["message"].as_str().unwrap().contains("SDI_PROFILE"), "{json}");
    let text = encrypt("--profile best").stderr();
    assert!(text.contains("--profile") && !text.contains("SDI_PROFILE"), "{text}");
    encrypt("--profile auto").succeeds();
}

#[test]
fn an_option_comes_before_the_environment_and_that_before_the_file() {
    let folder = Folder::with_device("p256");
    folder.write("old.toml", b"profile = \"rfc8886\"\n");
    folder.write("new.toml", b"# mine\nprofile = 'authenticated'\n");
    let env = |value| [("SDI_PROFILE", value)];
    for (environment, more, expected) in [
        // `auto` is what the certificate says: authenticated.
        (&[][..], &[][..], "authenticated"),
        (&[], &["--config", "old.toml"], "rfc8886"),
        (&[], &["--config", "new.toml"], "authenticated"),
        (&env("authenticated"), &["--config", "old.toml"], "authenticated"),
        (&env("rfc8886"), &["--config", "new.toml"], "rfc8886"),
        (&env("authenticated"), &["--config", "new.toml", "--profile", "rfc8886"], "rfc8886"),
        (&[], &["--config", "old.toml", "--profile", "auto"], "authenticated"),
    ] {
        encrypt(&folder, environment, more).succeeds();
        assert_eq!(profile(&folder), expected, "{environment:?} {more:?}");
    }
    assert_eq!(encrypt(&folder, &env("best"), &[]).status(), Some(2));
}

#[test]
fn the_users_own_file_is_found() {
    let folder = Folder::with_device("p256");
    for place in ["xdg/sdi", "home/.config/sdi"] {
        fs::create_dir_all(folder.path(place)).unwrap();
    }
    let write = |place: &str, profile: &str| {
        folder.write(
            &format!("{place}/sdi/config.toml"),
            format!("profile = '{profile}'").as_bytes(),
        );
    };
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let (xdg, home) = (path("xdg"), path("home"));
    let in_home = [("XDG_CONFIG_HOME", ""), ("HOME", &home)];
    let in_xdg = [("XDG_CONFIG_HOME", xdg.as_str()), ("HOME", &home)];
    encrypt(&folder, &in_home, &[]).succeeds();
    assert_eq!(profile(&folder), "authenticated", "there is no file yet");

    write("home/.config", "rfc8886");
    encrypt(&folder, &in_home, &[]).succeeds();
    assert_eq!(profile(&folder), "rfc8886");
    // A relative path counts as none, as the specification of these folders has it.
    encrypt(&folder, &[("XDG_CONFIG_HOME", "xdg"), ("HOME", &home)], &[]).succeeds();
    assert_eq!(profile(&folder), "rfc8886");
    encrypt(&folder, &in_xdg, &[]).succeeds();
    assert_eq!(profile(&folder), "authenticated", "XDG_CONFIG_HOME has no file");
    write("xdg", "rfc8886");
    write("home/.config", "authenticated");
    encrypt(&folder, &in_xdg, &[]).succeeds();
    assert_eq!(profile(&folder), "rfc8886");
}

#[test]
fn encrypt_dir_has_the_same_default() {
    let folder = Folder::with_device("p256");
    folder
        .bash("mkdir configs certs out; cp router.cfg configs/SN1.cfg; cp SN1.crt certs")
        .succeeds();
    folder.write("old.toml", b"profile = 'rfc8886'");
    let args = ["encrypt-dir", "configs", "--store", "certs", "-o", "out", "--config", "old.toml"];
    folder.sdi(args).succeeds();
    let json = folder.sdi(["inspect", "--json", "out/SN1.enc"]).succeeds().json();
    assert_eq!(json["profile"], "rfc8886");
    let args = [&args[..], &["--force", "--profile", "auto"]].concat();
    folder.sdi(args).succeeds();
    let json = folder.sdi(["inspect", "--json", "out/SN1.enc"]).succeeds().json();
    assert_eq!(json["profile"], "authenticated");
}

#[test]
fn a_file_that_cannot_be_meant_is_refused_and_named() {
    let folder = Folder::with_device("p256");
    for (text, word) in [
        (&b"profil = 'auto'"[..], "profil\n"),
        (b"token = 'x'", "token\n"),
        (b"[profile]\nx = 1", "profile\n"),
        (b"profile = 1", "profile\n"),
        (b"profile = 'best'", "authenticated"),
        (b"profile = 'auto'\nprofile = 'auto'", "line    2"),
        (b"profile: auto", "line    1"),
        (b"profile = '\xff'", "no UTF-8"),
    ] {
        folder.write("my.toml", text);
        let refused = encrypt(&folder, &[], &["--config", "my.toml"]).fails("E0002");
        let said = refused.stderr();
        assert!(said.contains("my.toml") && said.contains(word), "{said}");
        assert!(!folder.path("router.enc").exists());
    }
    encrypt(&folder, &[], &["--config", "missing.toml"]).fails("E0001");
    folder.write("my.toml", b"");
    encrypt(&folder, &[], &["--config", "my.toml"]).succeeds();
    folder.write("my.toml", &[b'#'; 65 << 10]);
    encrypt(&folder, &[], &["--config", "my.toml"]).fails("E0203");
}

#[test]
fn keys_of_later_versions_are_said_to_be_unused() {
    let folder = Folder::with_device("p256");
    folder
        .write("my.toml", b"directory = 'https://keys.example'\npin_file = 'p'\nca_bundle = 'c'\n");
    let said = encrypt(&folder, &[], &["--config", "my.toml"]).succeeds().stderr();
    for key in ["directory", "pin_file", "ca_bundle"] {
        let expected = format!("warning: my.toml: {key} is not used by this version\n");
        assert!(said.contains(&expected), "{said}");
    }
    for quiet in ["-q", "--json"] {
        let done = encrypt(&folder, &[], &["--config", "my.toml", quiet]).succeeds();
        assert!(done.0.stderr.is_empty(), "{quiet}: {}", done.stderr());
    }
}
