//! `sdi decrypt --sanity`: what is no configuration is not written.

mod support;

use support::Folder;

/// Every text of these kinds of check, and whether it passes.
#[test]
fn a_check_accepts_its_kind_and_refuses_others() {
    let folder = Folder::with_device("p256");
    let ios = "hostname r1\nend\n";
    let junos = "system {\n    host-name r1; ## CANARY }\n}\n";
    let commands = "set system host-name r1\r\nset system services ssh\r\n";
    let xml = "<configuration>\n<version>23.4</version>\n</configuration>\n";
    let binary = "hostname \0r1\nend\n";
    for (sanity, accepted, refused) in [
        ("text", &[ios, junos, commands, xml][..], &[binary][..]),
        ("ios", &[ios], &[junos, commands, xml, binary, &ios[..14]]),
        ("junos", &[junos, commands, xml], &[ios, binary, &junos[..16], &xml[..20], "set x\n\0"]),
        ("regex:^hostname ", &[ios, binary], &[junos, commands, xml]),
        ("regex:ssh$", &[commands], &[ios, junos]),
        (r"regex:\Ahostname[^\x00]*\nend\n\z", &[ios], &[binary, junos]),
        ("regex:", &[ios, binary], &[]),
        ("none", &[ios, junos, binary], &[]),
    ] {
        for (text, is_accepted) in
            accepted.iter().map(|text| (text, true)).chain(refused.iter().map(|text| (text, false)))
        {
            folder.write("x.cfg", text.as_bytes());
            folder.sdi(["encrypt", "--force", "-r", "SN1.crt", "x.cfg"]).succeeds();
            for output in ["-", "out"] {
                let args = ["decrypt", "-k", "device.key", "--sanity", sanity, "-o", output];
                let done = folder.sdi([&args[..], &["x.enc"]].concat());
                if is_accepted {
                    let done = done.succeeds();
                    let found = if output == "-" { done.0.stdout } else { folder.read("out") };
                    assert_eq!(found, text.as_bytes(), "{sanity}");
                    folder.bash("rm -f out").succeeds();
                } else {
                    let done = done.fails("E0013");
                    assert!(done.0.stdout.is_empty() && !folder.path("out").exists(), "{sanity}");
                }
            }
        }
    }
}

#[test]
fn the_reason_names_the_line_or_the_expression() {
    let folder = Folder::with_device("p256");
    folder.write("x.cfg", b"version 1;\nsystem {\n");
    folder.sdi(["encrypt", "-r", "SN1.crt", "x.cfg"]).succeeds();
    let refused = |sanity: &str| {
        let args =
            ["decrypt", "--json", "-k", "device.key", "--sanity", sanity, "-o", "x", "x.enc"];
        let json = folder.sdi(args).json();
        assert_eq!(json["error"]["code"], "E0013");
        json["error"]["fields"].clone()
    };
    let fields = refused("junos");
    assert_eq!(
        (&fields["reason"], &fields["line"]),
        (&"a brace is not closed".into(), &"2".into())
    );
    assert_eq!(refused("regex:^end$")["expression"], "^end$");
}

#[test]
fn a_bad_expression_is_a_usage_error() {
    let folder = Folder::with_device("p256");
    folder.sdi(["encrypt", "-r", "SN1.crt", "router.cfg"]).succeeds();
    for wrong in ["regex:(", "regex:\\p{Greek}", "regexp:x", "junos:", ""] {
        let done = folder.sdi(["decrypt", "-k", "device.key", "--sanity", wrong, "router.enc"]);
        assert_eq!(done.status(), Some(2), "{wrong}");
        assert!(done.0.stdout.is_empty(), "{wrong}");
        let args = ["decrypt", "--json", "-k", "device.key", "--sanity", wrong, "router.enc"];
        assert_eq!(folder.sdi(args).json()["error"]["code"], "E0002");
    }
    let args = ["decrypt", "-k", "device.key", "--sanity", "regex:x", "--stage", "off"];
    folder.sdi([&args[..], &["router.enc"]].concat()).fails("E0002");
    let args = ["decrypt", "-k", "device.key", "--sanity", "junos", "--stage", "off"];
    assert_eq!(folder.sdi([&args[..], &["router.enc"]].concat()).status(), Some(13));
}

/// Where the plaintext does not fit into the memory in which it waits.
#[test]
fn an_expression_is_searched_for_in_the_whole_of_a_long_text() {
    let folder = Folder::with_device("p256");
    let line = "! a line of a long configuration\n";
    folder.write("long.cfg", (line.repeat(200_000) + "end\n").as_bytes());
    folder.sdi(["encrypt", "-r", "SN1.crt", "long.cfg"]).succeeds();
    let decrypt = |sanity: &str| {
        folder.sdi(["decrypt", "-k", "device.key", "--sanity", sanity, "-o", "-", "long.enc"])
    };
    assert!(decrypt("regex:^end$").succeeds().0.stdout == folder.read("long.cfg"));
    assert!(decrypt("regex:^fin$").fails("E0013").0.stdout.is_empty());
}
