//! Rules that the compiler does not know: every exported function is one frame against panics, and
//! unsafe code is in two files.

mod support;

use std::process::Command;
use support::{files, package, read, repository, run};

/// The exported functions of a source file: head and body.
fn exported(source: &str) -> Vec<(&str, &str)> {
    let starts = source.match_indices("extern \"C\" fn sdi_").map(|(at, _)| &source[at..]);
    starts
        .map(|function| {
            let (function, _) = function.split_once("\n}\n").expect("a function ends");
            function.split_once(" {\n").expect("a function has a body")
        })
        .collect()
}

/// Whether the body is one `boundary!` and nothing else.
fn is_one_frame(body: &str) -> bool {
    let body = body.trim().trim_end_matches(';');
    let Some(inside) = body.strip_prefix("boundary!(") else { return false };
    let mut depth = 1_u32;
    let end = inside.find(|letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    end == Some(inside.len() - 1) && !inside.contains("boundary!")
}

#[test]
fn every_exported_function_is_one_frame() {
    let mut functions = 0;
    for file in files(&package().join("src"), ".rs") {
        let source = read(&file);
        let found = exported(&source);
        for (head, body) in &found {
            assert!(is_one_frame(body), "{}: {head}", file.display());
        }
        let marked = source.matches("#[unsafe(no_mangle)]\npub ").count();
        assert_eq!(found.len(), marked, "{}", file.display());
        functions += found.len();
    }
    assert!(functions > 70, "{functions}");
    assert!(is_one_frame("    boundary!(else (), |c| c.free(e));"));
    for bad in
        ["work()", "let x = 1; boundary!(|c| x)", "boundary!(|c| x) + f()", "boundary!(|c| x); f()"]
    {
        assert!(!is_one_frame(bad), "{bad}");
    }
}

/// Elsewhere the word only marks an exported function, whose caller makes the promise.
#[test]
fn unsafe_code_is_in_two_files() {
    let mut blocks = 0;
    for file in files(&package().join("src"), ".rs") {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a file name");
        let is_border = ["pointer.rs", "key_ops.rs"].contains(&name);
        for line in read(&file).lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let line =
                line.replace("#[unsafe(no_mangle)]", "").replace("unsafe extern \"C\" fn", "");
            blocks += line.matches("unsafe {").count();
            assert!(is_border || !line.contains("unsafe"), "{name}: {line}");
        }
    }
    assert!(blocks > 10, "{blocks}");
}

/// Many 32-bit processors of devices have none.
#[test]
fn there_is_no_atomic_of_64_bits() {
    for folder in ["src", "ffi/src"] {
        for file in files(&repository().join(folder), ".rs") {
            let source = read(&file);
            for word in ["AtomicU64", "AtomicI64"] {
                assert!(!source.contains(word), "{}: {word}", file.display());
            }
        }
    }
}

/// A panic unwinds to its frame, in every profile but that of firmware.
#[test]
fn one_profile_aborts() {
    let read = |manifest| read(repository().join(manifest));
    let (workspace, package) = (read("Cargo.toml"), read("ffi/Cargo.toml"));
    let (_, firmware) = workspace.split_once("[profile.firmware]\n").expect("the profile is there");
    let firmware = firmware.split("\n[").next().unwrap_or_default();
    assert!(firmware.contains("panic = \"abort\""), "{firmware}");
    assert_eq!((workspace.matches("panic =").count(), package.matches("panic =").count()), (1, 0));
}

/// Every feature of the core is one of the library, under the same name; the default ones, too, but for
/// `simd`.
#[test]
fn every_feature_of_the_core_is_forwarded() {
    let features = |manifest: &str| -> Vec<String> {
        let text = read(repository().join(manifest));
        let part = text.split("[features]\n").nth(1).and_then(|part| part.split("\n[").next());
        let lines = part.expect("there are features").lines().filter(|line| !line.starts_with('#'));
        lines.filter(|line| !line.is_empty()).map(String::from).collect()
    };
    let (core, library) = (features("Cargo.toml"), features("ffi/Cargo.toml"));
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    for feature in &core {
        let expected = match name(feature).as_str() {
            "default" => feature.replace("\"simd\", ", ""),
            name => format!("{name} = [\"sdi/{name}\"]"),
        };
        assert!(library.contains(&expected), "{expected}");
    }
    let own = library
        .iter()
        .map(|line| name(line))
        .filter(|name| !core.iter().any(|line| line.starts_with(name)));
    assert_eq!(own.collect::<Vec<_>>(), ["capi", "panic-test"]);
}

/// Features of other packages of the workspace must not leak into the library.
#[test]
fn the_library_has_no_back_end_for_servers() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--package", "sdi-ffi", "--edges", "normal,features"]);
    let tree = run(cargo.current_dir(repository()));
    assert!(tree.contains("secure-device-install"), "{tree}");
    assert!(!tree.contains("aws-lc"), "{tree}");
}
