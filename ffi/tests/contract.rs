//! `contract.h` holds the declarations that programs were promised: they are all in `sdi.h`, with the
//! same types and values.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;
use support::c_text::{declarations, functions, names, without_comments};
use support::{output, package, read, repository, scratch};

/// A C file that compiles if `sdi.h` keeps the contract.
fn check(contract: &str) -> String {
    let (defines, declarations) = declarations(contract);
    let mut check = String::from("#include \"sdi.h\"\n");
    let mut say = |line: &str| writeln!(check, "{line}").expect("a string grows");
    for (name, value) in defines {
        say(&format!("_Static_assert({name} == {value}, \"{name}\");"));
    }
    for declaration in declarations {
        if let Some(constants) = declaration.strip_prefix("enum {") {
            for constant in constants.trim_end_matches('}').split(',') {
                let (name, value) = constant.split_once('=').expect("every constant has a value");
                say(&format!("_Static_assert({name} == {value}, \"{}\");", name.trim()));
            }
        } else if let Some((_, members)) = declaration.split_once('{') {
            // The one struct: the same members at the same places.
            let members = members.trim_end_matches("sdi_key_ops").trim().trim_end_matches('}');
            say(&format!("typedef struct {{ {members} }} contract_key_ops;"));
            say("_Static_assert(sizeof(contract_key_ops) == sizeof(sdi_key_ops), \"size\");");
            for member in members.split(';').filter(|member| !member.trim().is_empty()) {
                let name = match member.split_once("(*") {
                    Some((_, rest)) => names(rest).next().unwrap_or_default(),
                    None => names(member).last().unwrap_or_default(),
                };
                let of = |owner: &str| format!("__typeof__((({owner} *)0)->{name})");
                let (ours, theirs) = (of("sdi_key_ops"), of("contract_key_ops"));
                say(&format!(
                    "_Static_assert(__builtin_types_compatible_p({ours}, {theirs}) && \
                     offsetof(sdi_key_ops, {name}) == offsetof(contract_key_ops, {name}), \"{name}\");"
                ));
            }
        } else {
            // A second declaration has to be the same as the first.
            say(&format!("{declaration};"));
        }
    }
    check
}

/// Whether the compiler takes it.
fn compiles(name: &str, check: &str) -> bool {
    let source = scratch(name).join("check.c");
    std::fs::write(&source, check).expect("the file is written");
    let mut gcc = Command::new("gcc");
    gcc.args(["-std=c11", "-Werror", "-fsyntax-only", "-I"]);
    let output = output(gcc.arg(repository().join("include")).arg(source));
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    output.status.success()
}

#[test]
fn the_header_keeps_the_contract() {
    let contract = read(package().join("tests/contract.h"));
    let header = read(repository().join("include/sdi.h"));
    let (promised, declared) = (functions(&contract), functions(&header));
    assert!(promised.len() > 70, "{}", promised.len());
    assert!(promised.is_subset(&declared), "{:?}", promised.difference(&declared));
    // A type that is missing would be declared by the check itself.
    let (promised, header) = (without_comments(&contract), without_comments(&header));
    let known: BTreeSet<&str> = names(&header).collect();
    for name in names(&promised).filter(|name| name.to_ascii_lowercase().starts_with("sdi_")) {
        assert!(known.contains(name), "{name} is missing");
    }
    assert!(compiles("contract", &check(&contract)));
}

/// The check above notices what it is there for.
#[test]
fn a_broken_contract_does_not_compile() {
    let contract = read(package().join("tests/contract.h"));
    for (name, from, to) in [
        ("constant", "SDI_ERR_SINK = 6", "SDI_ERR_SINK = 7"),
        ("macro", "SDI_INSTALL_STATE_LEN 64", "SDI_INSTALL_STATE_LEN 65"),
        ("type", "typedef int32_t sdi_form;", "typedef int64_t sdi_form;"),
        ("result", "uint64_t    sdi_features(void);", "uint32_t    sdi_features(void);"),
        ("argument", "sdi_kind_name(sdi_kind k);", "sdi_kind_name(int64_t k);"),
        ("member", "uint32_t rsa_schemes;", "int32_t rsa_schemes;"),
        ("order", "size_t size;", "int64_t first; size_t size;"),
        ("callback", "(*sdi_sink)(void *user,", "(*sdi_sink)(const void *user,"),
    ] {
        assert!(contract.contains(from), "{from}");
        assert!(
            !compiles(&format!("broken-{name}"), &check(&contract.replacen(from, to, 1))),
            "{to}"
        );
    }
}
