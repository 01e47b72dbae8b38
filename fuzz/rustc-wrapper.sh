#!/bin/bash
# Compiles our own crates so that libFuzzer sees where an input goes. The cryptography of others is left
# as fast as it is: it would be most of what libFuzzer sees, and none of what it looks for.
set -euo pipefail

flags=()
if [[ "$*" =~ --crate-name\ (sdi|sdi_c|sdi_fuzz)\  ]]; then
    flags=(
        -Cpasses=sancov-module
        -Cllvm-args=-sanitizer-coverage-level=4
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
        -Cllvm-args=-sanitizer-coverage-pc-table
        -Cllvm-args=-sanitizer-coverage-trace-compares
    )
fi
exec "$@" "${flags[@]}"
