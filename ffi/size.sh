#!/bin/bash
# Measures what libsdi takes, and fails where it is above a limit or where the table in
# docs/integrating-in-firmware.md says something else.
#
#   ffi/size.sh                 measures and compares
#   ffi/size.sh write           measures and writes the table
#   ffi/size.sh contributors    prints the largest sections, crates and symbols, and nothing else
#
# KB are 1000 bytes. The table may differ by 3 in a hundred: compilers do.
set -euo pipefail
cd "$(dirname "$0")/.."

document=docs/integrating-in-firmware.md
out=target/ffi/size
failed=0
table=()
mkdir -p "$out"

# figure NAME BYTES LIMIT: both in bytes; no limit is 0
figure() {
    local name=$1 kb=$((($2 + 500) / 1000)) limit=$(($3 / 1000))
    table+=("| $name | $kb |")
    if [ "$limit" -eq 0 ]; then
        echo "$kb KB: $name"
    else
        echo "$kb KB of $limit: $name"
    fi
    if [ "$3" -gt 0 ] && [ "$2" -gt "$3" ]; then
        echo "  is above its limit" >&2
        failed=1
    fi
}

# built NAME PROFILE FLAGS..: builds into a folder of this name, which the tests use, too.
built() {
    cargo build --quiet --locked --package sdi-ffi --profile "$2" --target-dir "target/ffi/$1" "${@:3}"
    strip --strip-unneeded -o "$out/$1-$2.so" "target/ffi/$1/$2/libsdi.so"
}

# contributors NAME LIBRARY: the library has its symbols still. A method counts for the crate of its type,
# a drop for what is dropped; what is inlined, for where it is inlined.
contributors() {
    local symbols=$out/$1-symbols
    local -x LC_ALL=C
    nm --demangle --print-size --radix=d --defined-only "$2" |
        awk 'NF > 3 && $3 !~ /[bB]/ { size = $2 + 0; $1 = $2 = $3 = ""; sub(/^ +/, ""); print size "\t" $0 }' |
        sort -k1,1nr -k2 >"$symbols"
    echo "== $1: sections"
    size --format=sysv "$2" | awk '$2 + 0 > 4096 && $3 > 0 { print $2 "\t" $1 }' | sort -k1,1nr -k2 | awk 'NR <= 10'
    echo "== $1: crates"
    awk -F '\t' '{
        name = $2
        sub(/^core::ptr::drop_in_place</, "", name)
        sub(/^[<&*(\[]*((mut|const|dyn) )?/, "", name)
        if (name !~ /^[A-Za-z0-9_]+::/)
            sub(/^.* as /, "", name)
        bytes[name ~ /^[A-Za-z0-9_]+::/ ? substr(name, 1, index(name, "::") - 1) : "(in C)"] += $1
    } END { for (crate in bytes) print bytes[crate] "\t" crate }' "$symbols" | sort -k1,1nr -k2 | awk 'NR <= 10'
    echo "== $1: symbols"
    head -10 "$symbols" | cut -c 1-120
}

if [ "${1:-}" = contributors ]; then
    cargo build --quiet --locked --package sdi-ffi --profile release --target-dir target/ffi/default
    contributors release target/ffi/default/release/libsdi.so
    # The profile strips: with its symbols it is a build of its own, and not the one that the tests use.
    cargo build --quiet --locked --package sdi-ffi --profile firmware --target-dir target/ffi/contributors \
        --config profile.firmware.package.sdi-ffi.strip=false
    contributors firmware target/ffi/contributors/firmware/libsdi.so
    exit
fi

bytes() {
    stat --format %s "$1"
}

# static NAME: examples/c/open_file.c with the firmware library in it, and the C library beside it
static() {
    gcc -std=c99 -D_POSIX_C_SOURCE=200809L -Os -Iinclude -ffunction-sections examples/c/open_file.c \
        "target/ffi/$1/firmware/libsdi.a" -Wl,--gc-sections -s -o "$out/$1-static"
}

# What a field of tests/corpus/index.json says of the case with this id.
case_of() {
    grep -F "\"id\": \"$1\"" tests/corpus/index.json | sed "s|.*\"$2\": \"\([^\"]*\)\".*|tests/corpus/\1|"
}

# The heap that opening takes, with the library of firmware: see the program. Two numbers.
heap() {
    local key cert
    key=$(case_of openssl/cms-p256-aes-256-cbc key)
    cert=$(case_of openssl/cms-p256-aes-256-cbc cert)
    head -c 65536 /dev/zero >"$out/plain"
    openssl cms -encrypt -binary -aes-256-gcm -in "$out/plain" -outform DER -out "$out/file" "$cert"
    ln -sf "$PWD/target/ffi/default/firmware/libsdi.so" "$out/libsdi.so.0"
    gcc -std=gnu11 -Iinclude ffi/tests/programs/heap.c -o "$out/heap" "$out/libsdi.so.0" \
        "-Wl,--disable-new-dtags,-rpath,$PWD/$out"
    "$out/heap" "$key" "$cert" "$out/file"
}

# An empty library of the same toolchain: what the standard library takes.
echo '#[unsafe(no_mangle)] pub extern "C" fn f() { let _ = std::panic::catch_unwind(|| panic!()); }' |
    rustc --edition 2024 --crate-name empty --crate-type cdylib -C opt-level=s -C lto=fat -C codegen-units=1 \
        -C strip=symbols -o "$out/empty.so" -

built default release
built default firmware
built open-only-p256 firmware --no-default-features
static default
static open-only-p256

# The standard library takes a fifth of the first one, most of that for printing where a panic was.
figure "libsdi.so, everything, profile release" "$(bytes "$out/default-release.so")" 1250000
figure "libsdi.so, everything, profile firmware" "$(bytes "$out/default-firmware.so")" 900000
figure "libsdi.so, opening with P-256 alone, profile firmware" "$(bytes "$out/open-only-p256-firmware.so")" 450000
figure "\`open_file\` with libsdi.a of everything in it, profile firmware" "$(bytes "$out/default-static")" 900000
figure "\`open_file\` with libsdi.a of P-256 alone in it, profile firmware" "$(bytes "$out/open-only-p256-static")" 450000
figure "an empty library in Rust: what the standard library takes in profile release" "$(bytes "$out/empty.so")" 0
heap >"$out/peaks"
{ read -r whole && read -r stream; } <"$out/peaks"
figure "heap of \`sdi_open\` for a file of 64 KiB, its plaintext among it" "$whole" $(($(bytes "$out/file") + 65536))
figure "heap of a stream with the same file" "$stream" 65536

written() {
    sed -n '/^<!-- footprint -->$/,/^<!-- end of footprint -->$/p' "$document" | grep '^| .* | [0-9]* |$' || true
}

if [ "${1:-}" = write ]; then
    {
        sed '/^<!-- footprint -->$/q' "$document"
        printf '| x86-64 Linux | KB |\n|---|---|\n'
        printf '%s\n' "${table[@]}"
        sed -n '/^<!-- end of footprint -->$/,$p' "$document"
    } >"$out/document"
    cp "$out/document" "$document"
fi
if ! diff <(written | sed 's/ | [0-9]* |$//') <(printf '%s\n' "${table[@]}" | sed 's/ | [0-9]* |$//') ||
    ! paste -d ' ' <(written | grep -o '[0-9]* |$') <(printf '%s\n' "${table[@]}" | grep -o '[0-9]* |$') |
    awk '{ off = $1 > $3 ? $1 - $3 : $3 - $1; if (off * 100 > $3 * 3 + 100) { print $1 " KB is now " $3; bad = 1 } }
        END { exit bad }'; then
    echo "$document is out of date: ffi/size.sh write" >&2
    failed=1
fi
exit "$failed"
