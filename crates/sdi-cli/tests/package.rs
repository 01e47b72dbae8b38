//! The Debian package: built, unpacked, and its command, library and documents tried.

mod support;

use std::path::Path;
use support::{CONFIG, Folder};

#[test]
fn the_package_brings_command_library_and_documents() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("package.sh");
    let folder = Folder::empty();
    folder.write("router.cfg", CONFIG);
    folder.write(
        "use.c",
        b"#include <sdi.h>\n#include <stdio.h>\nint main(void) { return puts(sdi_version()) < 0; }\n",
    );
    folder
        .bash(&format!("PROFILE=dev {} \"$PWD\" && dpkg-deb -x sdi_*.deb root", script.display()))
        .succeeds();
    let control = folder.bash("dpkg-deb --field sdi_*.deb").succeeds().stdout();
    let version = env!("CARGO_PKG_VERSION");
    assert!(control.contains(&format!("Package: sdi\nVersion: {version}\n")), "{control}");
    assert!(control.contains("Depends: libc6 (>= 2."), "{control}");

    let tried = folder.bash(
        "export PATH=$PWD/root/usr/bin:$PATH lib=$(echo $PWD/root/usr/lib/*-linux-*)
         sdi keygen -q -o SN1.key
         sdi cert self-signed --id SN1 -k SN1.key -o SN1.crt
         sdi encrypt -q -r SN1.crt router.cfg
         sdi decrypt -k SN1.key router.enc | cmp - router.cfg
         export PKG_CONFIG_SYSROOT_DIR=$PWD/root PKG_CONFIG_PATH=$lib/pkgconfig
         gcc use.c $(pkg-config --cflags --libs sdi) -o use
         echo C: $(LD_LIBRARY_PATH=$lib ./use) $(readlink $lib/libsdi.so)
         cd root && md5sum --quiet -c <(dpkg-deb --ctrl-tarfile ../sdi_*.deb | tar xO ./md5sums)
         for page in sdi sdi-encrypt-dir sdi-cert-wrap; do
             zcat usr/share/man/man1/$page.1.gz | grep -q '^.SH FILES'
         done
         bash -n usr/share/bash-completion/completions/sdi
         grep -q '#compdef sdi' usr/share/zsh/vendor-completions/_sdi
         test -s usr/share/fish/vendor_completions.d/sdi.fish
         test -s usr/share/doc/sdi/copyright
         find . -not -type l -perm /022",
    );
    let said = tried.succeeds().stdout();
    assert!(said.contains(&format!("C: {version} libsdi.so.0\n")), "{said}");
    assert!(said.ends_with("libsdi.so.0\n"), "others may write: {said}");
}
