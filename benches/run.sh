#!/bin/bash
# Measures sdi beside OpenSSL and others: see README.md in this folder.
#
#   benches/run.sh              all; writes benches/RESULTS.md and benches/growth.svg
#   benches/run.sh quick        all, with few repetitions; writes to target/bench
#   benches/run.sh PART         pairs, fresh, parts, fleet, processes, memory or growth: prints it
#   benches/run.sh pairs WORD.. the pairs with all these words, as: pairs open P256 GCM
set -euo pipefail
cd "$(dirname "$0")/.."

quick=()
out=benches
devices=(20000 100000)
if [ "${1:-}" = quick ]; then
    shift
    quick=(quick)
    out=target/bench
    devices=(2000 10000)
fi

.ci/need gcc openssl pkg-config libssl-dev python3 gpgsm
mkdir -p target/bench
work=$(mktemp -d)
# Commands work on files in memory, so that no disk is measured.
in_memory=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$work" "$in_memory"' EXIT

# built TARGET FLAGS..: the path of the program
built() {
    cargo build --quiet --release --locked --manifest-path benches/openssl/Cargo.toml \
        --target-dir "benches/openssl/target/$1" "${@:2}" >&2
    echo "benches/openssl/target/$1/release/sdi-bench"
}

default=$(built default)
fast=$(built aws-lc --features aws-lc)

# warm PROGRAM WORD..: glibc gives freed memory back to the system, or does not, by what came before, and
# then a case pays for the cases before it. Here it keeps all, so that both sides find warm memory.
warm() {
    GLIBC_TUNABLES=glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=$((1 << 40)) "$1" "${quick[@]}" "${@:2}"
}

# fresh PROGRAM WORD..: each large buffer is new from the system, as in a process that opens one file.
fresh() {
    GLIBC_TUNABLES=glibc.malloc.mmap_threshold=$((128 << 10)) "$1" "${quick[@]}" "${@:2}"
}

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
    echo "- $((files * 1000000000 / (end - start))) files a second by a shell loop around \`openssl cms -encrypt\`, on one core"
}

parts() {
    echo "### The default build"
    echo
    warm "$default" parts
    echo
    echo "### With the feature aws-lc"
    echo
    warm "$fast" parts
}

fleet() {
    echo "- the default build: $("$default" fleet "${devices[0]}")"
    echo "- with the feature aws-lc: $("$fast" fleet "${devices[1]}")"
    shell_loop
}

processes() {
    local python=target/bench/python
    cargo build --quiet --release --locked --package sdi-cli >&2
    if [ ! -x "$python/bin/python" ] || ! "$python/bin/pip" show -q cryptography 2>"$work/log"; then
        python3 -m venv "$python" >&2
        "$python/bin/pip" install -q cryptography==50.0.2 >&2
    fi
    "$default" "${quick[@]}" processes "$in_memory" target/release/sdi "$python/bin/python"
}

memory() {
    "$default" "${quick[@]}" memory "$work"
}

growth() {
    {
        warm "$default" growth sdi
        warm "$fast" growth "sdi with aws-lc"
        warm "$default" growth OpenSSL
    } >"$work/figures"
    "$default" plot "$work/figures" "$out/growth.svg"
}

all() {
    echo "# How fast, how much memory, measured"
    echo
    echo "Made by \`benches/run.sh${quick[0]:+ quick}\` on $(date -u +%F): $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort -u),"
    echo "$(nproc) cores, $(rustc --version), $(openssl version | cut -d' ' -f1-2). How to read it:"
    echo "[README.md](README.md)."
    echo
    echo "## Calls in one process"
    echo
    echo "Each cell: how many times as fast sdi is as libcrypto's \`CMS_decrypt\` or \`CMS_encrypt\` (above 1"
    echo "sdi is faster), and the time of one call of sdi. Freed memory stays with the process, for both."
    echo
    echo "### The default build"
    warm "$default" pairs
    echo
    echo "### With the feature aws-lc"
    warm "$fast" pairs
    echo
    echo "### In memory that is new"
    echo
    echo "As above, but each large buffer comes new from the system, as it does in a process that opens one file."
    echo "First the default build, then the feature aws-lc."
    fresh "$default" pairs P256
    fresh "$fast" pairs P256
    echo
    echo "## What a call is made of"
    echo
    parts
    echo
    echo "## A fleet: 4 KiB to each of many devices with a P-256 key"
    echo
    fleet
    echo
    echo "## Whole commands"
    echo
    echo "From start to end on files in memory, PEM. Each cell of another program: how many times as long as"
    echo "\`sdi\` it takes, and its time."
    echo
    processes
    echo
    echo "A dash: gpgsm $(gpgsm --version | sed -n '1s/.* //p') takes no key on an elliptic curve, neither to decrypt nor to encrypt, and refuses"
    echo "AES-GCM; Python's cryptography knows RSA with AES-CBC alone. gpgsm decrypts in a process that stays,"
    echo "gpg-agent, which runs already. \`sdi\` asks for its output to be on the disk before it says that it is"
    echo "done (fsync); in memory that takes no time, on a disk it may take more than all else."
    echo
    echo "## Memory"
    echo
    echo "What is taken at most, by a P-256 key, beside what was there. \"resident\" is beside the same process"
    echo "with a file of one byte. OpenSSL's streams are those of \`openssl cms\`."
    echo
    memory
    echo
    echo "## Growth"
    echo
    echo "![Time per byte and per recipient](growth.svg)"
    echo
    growth
}

if [ $# -eq 0 ]; then
    all >"$work/results"
    cp "$work/results" "$out/RESULTS.md"
    cat "$out/RESULTS.md"
    exit
fi
case $1 in
    parts | fleet | processes | memory) "$1" ;;
    fresh)
        fresh "$default" pairs "${@:2}"
        fresh "$fast" pairs "${@:2}"
        ;;
    growth)
        out=target/bench
        growth
        echo "$out/growth.svg is written"
        ;;
    pairs)
        warm "$default" pairs "${@:2}"
        warm "$fast" pairs "${@:2}"
        ;;
    *)
        sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
