#!/bin/bash
# Builds the library without `std`, links it with no C library at all, and runs the result. What the
# library took from an operating system would be an undefined symbol here.
set -euo pipefail
cd "$(dirname "$0")"

cargo build -q --release --locked
gcc -std=c11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-tree-loop-distribute-patterns \
    -nostdlib -static -Wl,--gc-sections start.c target/release/libno_std_proof.a \
    -o target/no_std_proof
status=0
target/no_std_proof || status=$?
if [ "$status" -ne 0 ]; then
    echo "no_std: step $status of tests/no_std/src/lib.rs failed" >&2
    exit 1
fi
echo "no_std: detected, opened and sealed without an operating system"
