//! Keys in a module that only does the bare operation: real files by other programs open with them,
//! and what they sign is accepted by others.

mod support;

use std::path::Path;
use std::process::Command;
use support::corpus::{Case, cases, modern_cases};
use support::{library, package, program, run, scratch};

/// Opens the case's file with what the module can do. Says whether it signed, too.
fn opens(program: &Path, does: &str, case: &Case) -> bool {
    let name = case.field("id").expect("a case has an id").replace('/', "-");
    let place = scratch(&format!("module-{does}-{name}"));
    let mut command = Command::new(program);
    command.current_dir(&place).arg(does);
    run(command.args(["key", "cert", "message", "plain"].map(|field| case.path(field))));
    if !place.join("own.crt").exists() {
        return false;
    }
    let openssl = |arguments: &[&str]| {
        let mut openssl = Command::new("openssl");
        run(openssl.current_dir(&place).args(arguments))
    };
    openssl(&["req", "-in", "own.csr", "-noout", "-verify"]);
    let verified = openssl(&["verify", "-check_ss_sig", "-CAfile", "own.crt", "own.crt"]);
    assert!(verified.contains("OK"), "{verified}");
    true
}

#[test]
fn a_key_that_only_agrees_opens_real_files() {
    let source = package().join("tests/programs/module.c");
    let program = program(&source, &scratch("module-agree"), &library());
    let (all, mut signed) = (cases(), 0);
    for curve in ["P-256", "P-384", "P-521"] {
        let mut of_curve: Vec<&Case> =
            all.iter().filter(|case| case.field("key_alg") == Some(curve)).collect();
        // One of each program that made them.
        of_curve.dedup_by_key(|case| case.field("peer"));
        assert!(of_curve.len() > 1, "{curve}");
        signed += of_curve.iter().filter(|case| opens(&program, "agree", case)).count();
    }
    assert!(signed >= 6, "{signed}");
    let modern = modern_cases();
    let x25519: Vec<&Case> = modern
        .iter()
        .filter(|case| case.field("id").is_some_and(|id| id.contains("x25519")))
        .collect();
    assert!(!x25519.is_empty());
    for case in x25519 {
        assert!(!opens(&program, "agree", case));
    }
}

#[test]
fn a_key_that_only_decrypts_opens_real_files() {
    let source = package().join("tests/programs/module.c");
    let program = program(&source, &scratch("module-rsa"), &library());
    let all = cases();
    let with = |transport: &str| {
        let found = all.iter().find(|case| {
            case.field("kt") == Some(transport)
                && case.field("key_alg") == Some("rsa:2048")
                && case.field("oaep_label").is_none()
        });
        found.unwrap_or_else(|| panic!("{transport} is not in the corpus"))
    };
    for transport in
        ["rsaes-pkcs1-v1_5", "rsaes-oaep(sha1,mgf1-sha1)", "rsaes-oaep(sha256,mgf1-sha256)"]
    {
        assert!(opens(&program, "raw", with(transport)));
    }
    assert!(opens(&program, "oaep-sha256", with("rsaes-oaep(sha256,mgf1-sha256)")));
}
