#!/bin/bash
# Builds libsdi in its sizes, prints them, and fails above a limit. KB are 1000 bytes, stripped. The
# goal is where they should be; the limit is where they are, and may only fall.
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0

# size NAME PROFILE GOAL LIMIT FEATURES..
size() {
    local name=$1 profile=$2 goal=$3 limit=$4 library bytes
    shift 4
    cargo build --quiet --locked --package sdi-ffi --profile "$profile" "$@" --target-dir "target/ffi/$name"
    library=target/ffi/$name/$profile/libsdi.so
    strip --strip-unneeded -o "$library.stripped" "$library"
    bytes=$(stat --format %s "$library.stripped")
    printf '%-32s %5d KB, goal %4d KB, limit %4d KB\n' "$name, profile $profile" "$((bytes / 1000))" "$goal" "$limit"
    if ((bytes > limit * 1000)); then
        echo "  is above its limit" >&2
        failed=1
    fi
}

# An empty library of the same toolchain: what std alone takes.
mkdir -p target/ffi
echo '#[unsafe(no_mangle)] pub extern "C" fn f() { let _ = std::panic::catch_unwind(|| panic!()); }' |
    rustc --edition 2024 --crate-name empty --crate-type cdylib -C opt-level=s -C lto=fat -C codegen-units=1 \
        -C strip=symbols -o target/ffi/empty.so -
printf '%-32s %5d KB\n' "an empty library" "$(($(stat --format %s target/ffi/empty.so) / 1000))"

size default release 1250 1420
size default firmware 900 1030
size open-only-p256 firmware 450 640 --no-default-features
exit "$failed"
