#!/bin/bash
# Which lines the committed seeds reach: runs each target over its seeds and regressions with a stable
# compiler's coverage, and writes the table in README.md between its two markers.
#
# Needs llvm-cov and llvm-profdata of the compiler's own LLVM or a later one; LLVM names their folder.
set -euo pipefail
cd "$(dirname "$0")"

export CARGO_TARGET_DIR=$PWD/target/coverage
llvm=${LLVM:-$(printf '%s\n' /usr/lib/llvm-*/bin | sort -V | tail -1)}
replay=$CARGO_TARGET_DIR/debug/examples/replay
profiles=$CARGO_TARGET_DIR/profiles

RUSTFLAGS="-Cinstrument-coverage" LLVM_PROFILE_FILE=/dev/null \
    cargo build --quiet --locked --no-default-features --example replay
rm -rf "$profiles"
mkdir -p "$profiles"

targets() {
    sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"$/\1/p' Cargo.toml
}

# Covered lines of each room, in per cent, from these raw profiles.
row() {
    local name=$1 room file files percent
    shift
    "$llvm/llvm-profdata" merge -sparse "$@" -o "$profiles/$name.profdata"
    printf '| %s |' "$name"
    for room in src/detect.rs "src/cms src/cms.rs" "src/open src/open.rs" src/envelope.rs; do
        files=()
        for file in $room; do
            files+=("$(realpath "../$file")")
        done
        percent=$("$llvm/llvm-cov" report -instr-profile "$profiles/$name.profdata" "$replay" \
            "${files[@]}" | awk '$1 == "TOTAL" { print $10 }')
        printf ' %s |' "$percent"
    done
    printf '\n'
}

table() {
    echo "| target | src/detect | src/cms | src/open | src/envelope |"
    echo "|---|---|---|---|---|"
    local target folders folder
    for target in $(targets); do
        folders=()
        for folder in "seeds/$target" "regressions/$target"; do
            [ -d "$folder" ] && folders+=("$folder")
        done
        LLVM_PROFILE_FILE="$profiles/$target.profraw" "$replay" "$target" "${folders[@]}" >&2
        row "$target" "$profiles/$target.profraw"
    done
    row "all" "$profiles"/*.profraw
}

table >"$CARGO_TARGET_DIR/table"
sed -i -e '/^<!-- coverage -->$/,/^<!-- end -->$/{//!d}' \
    -e "/^<!-- coverage -->\$/r $CARGO_TARGET_DIR/table" README.md
sed -n '/^<!-- coverage -->$/,/^<!-- end -->$/p' README.md
