#!/bin/bash
# Measures sdi beside libcrypto, with both back ends, and writes benches/RESULTS.md. Words after it
# choose cases, and then the figures are printed only: benches/run.sh open P256
set -euo pipefail
cd "$(dirname "$0")/.."

.ci/need gcc openssl pkg-config libssl-dev
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# built TARGET FLAGS..: the path of the program
built() {
    cargo build --quiet --release --locked --manifest-path benches/openssl/Cargo.toml \
        --target-dir "benches/openssl/target/$1" "${@:2}" >&2
    echo "benches/openssl/target/$1/release/sdi-bench"
}

default=$(built default)
fast=$(built aws-lc --features aws-lc)
if [ $# -gt 0 ]; then
    "$default" "$@"
    "$fast" "$@"
    exit
fi

# How many files the loop that everybody writes encrypts in a second, on one core.
shell_loop() {
    local files=100 start end
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=SN1 \
        -keyout "$work/key" -out "$work/crt" 2>"$work/log"
    head -c 4096 /dev/zero >"$work/plain"
    start=$(date +%s%N)
    for ((i = 0; i < files; i++)); do
        openssl cms -encrypt -binary -aes-256-gcm -in "$work/plain" -outform PEM -out "$work/$i.enc" "$work/crt"
    done
    end=$(date +%s%N)
    echo "$((files * 1000000000 / (end - start))) files a second by a shell loop around \`openssl cms -encrypt\`, on one core"
}

{
    echo "# How fast, measured"
    echo
    echo "Made by \`benches/run.sh\` on $(date -u +%F): $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort -u),"
    echo "$(nproc) cores, $(rustc --version), $(openssl version | cut -d' ' -f1-2)."
    echo
    echo "Each cell: how many times as fast sdi is as libcrypto's \`CMS_decrypt\` or \`CMS_encrypt\` on the"
    echo "same input in the same process (above 1 sdi is faster), and the time of one call of sdi."
    echo
    echo "## The default build"
    "$default"
    echo
    "$default" fleet 20000
    echo
    echo "## With the feature aws-lc"
    "$fast"
    echo
    "$fast" fleet 100000
    echo
    shell_loop
} >"$work/results"
cp "$work/results" benches/RESULTS.md
cat benches/RESULTS.md
