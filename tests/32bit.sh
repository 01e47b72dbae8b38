#!/bin/bash
# The tests of lengths, limits and whole files on a machine whose usize has 32 bits (i686), by hand:
# it takes minutes. Where rustup has the target, `cargo test --target i686-unknown-linux-gnu` does it.
# Here the standard library is built from source, by a compiler and sources that fit together:
# Debian's, which are unpacked below target/ and not installed. Needs gcc-multilib, and a nightly cargo.
set -euo pipefail
cd "$(dirname "$0")/.."

place=$PWD/target/32bit
root=$place/root
compiler=$place/rustc
if [ ! -x "$compiler" ]; then
    mkdir -p "$place/packages" "$root"
    library=$(apt-cache depends rustc-web | sed -n 's/^ *Depends: \(libstd-rust-web-dev\)$/\1/p')
    driver=$(apt-cache depends "$library" | sed -n 's/^ *Depends: \(libstd-rust-web-[0-9.]*\)$/\1/p')
    (cd "$place/packages" && apt-get download -q rustc-web rust-web-src "$library" "$driver")
    for package in "$place/packages"/*.deb; do
        dpkg -x "$package" "$root"
    done
    libraries=$(dirname "$(find "$root/usr/lib" -name 'librustc_driver*' | head -n 1)")
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s/usr/bin/rustc "$@"\n' "$libraries" "$root" >"$compiler"
    chmod +x "$compiler"
fi
"$compiler" -vV | grep '^release'

# The source of the standard library uses what only nightly compilers allow.
export RUSTC=$compiler RUSTC_BOOTSTRAP=1
cargo +nightly test -Zbuild-std --locked --target i686-unknown-linux-gnu --target-dir "$place" \
    --config 'profile.dev.package."*".opt-level = 1' -p secure-device-install \
    --lib --test limits --test bounded_memory --test refuse --test corpus --test splits --test seal \
    "$@" -- --skip wycheproof
