#!/bin/bash
# Measures sdi beside libcrypto and writes benches/RESULTS.md. Words after it choose cases, and then
# the figures are printed only: benches/run.sh open P256
set -euo pipefail
cd "$(dirname "$0")/.."

.ci/need gcc pkg-config libssl-dev
cargo build --quiet --release --locked --manifest-path benches/openssl/Cargo.toml
program=benches/openssl/target/release/sdi-bench
if [ $# -gt 0 ]; then
    exec "$program" "$@"
fi

results=$(mktemp)
trap 'rm -f "$results"' EXIT
{
    echo "# How fast, measured"
    echo
    echo "Made by \`benches/run.sh\` on $(date -u +%F): $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort -u),"
    echo "$(rustc --version), $(openssl version | cut -d' ' -f1-2)."
    echo
    echo "Each cell: how many times as fast sdi is as libcrypto's \`CMS_decrypt\` or \`CMS_encrypt\` on the"
    echo "same input in the same process (above 1 sdi is faster), and the time of one call of sdi."
    "$program"
} >"$results"
cp "$results" benches/RESULTS.md
cat benches/RESULTS.md
