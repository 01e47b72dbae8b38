#!/bin/bash
# How fast `sdi encrypt-dir` is with many devices, beside the library alone on what is in memory
# already: what lies between is reading, writing and syncing files.
#
#   benches/fleet.sh [FILES]      # 5000, if no number is named
#
# The folder is made in TMPDIR, so that a disk can be chosen.
set -euo pipefail
cd "$(dirname "$0")/.."

files=${1:-5000}
.ci/need python3
cargo build --quiet --release --locked --package sdi-cli --bin sdi --example fleet
sdi=$PWD/target/release/sdi
fleet=$PWD/target/release/examples/fleet
usage=$PWD/tests/usage.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$fleet" make "$work" "$files"
sync
cd "$work"
mkdir tftp
"$usage" used "$sdi" encrypt-dir -q configs --store certs -o tftp --changed-only --state state >lines
read -r wall user system peak <used
read -r library library_cpu < <("$fleet" seal .)

written=$(grep -c '"action":"written"' lines)
[ "$written" = "$files" ] || {
    echo "$written files of $files were written" >&2
    exit 1
}
"$usage" again "$sdi" encrypt-dir -q configs --store certs -o tftp --changed-only --state state >lines
read -r wall_again _ <again
[ "$(grep -c '"action":"unchanged"' lines)" = "$files" ]

awk -v files="$files" -v wall="$wall" -v user="$user" -v system_="$system" -v peak="$peak" \
    -v library="$library" -v library_cpu="$library_cpu" -v again="$wall_again" -v cores="$(nproc)" 'BEGIN {
    printf "%d files of 4 KiB to as many P-256 keys, %d cores\n", files, cores
    printf "sdi encrypt-dir   %7.0f files/s  %.1f s, CPU %.1f s + %.1f s in the system, peak %.1f MiB\n",
        files / wall, wall, user, system_, peak / 1024
    printf "the library       %7.0f files/s  %.1f s, CPU %.1f s, from memory to memory\n",
        files / library, library, library_cpu
    printf "files and syncs   %6.0f %% of the time, %.0f %% of the CPU\n",
        100 * (wall - library) / wall, 100 * (user + system_ - library_cpu) / (user + system_)
    printf "nothing changed   %7.0f files/s  %.1f s\n", files / again, again
}'
