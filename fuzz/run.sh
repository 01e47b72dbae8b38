#!/bin/bash
# Builds the fuzz targets with the nightly compiler, replays what is committed, and fuzzes.
#
#   fuzz/run.sh                     replay all seeds and regressions, then each target for 6 s
#   fuzz/run.sh TARGET [ARGUMENT..] one target, with libFuzzer's own arguments; new inputs go to
#                                   fuzz/target/corpus/TARGET, crashes to fuzz/target/artifacts
#   fuzz/run.sh minimise            make fuzz/seeds anew: the fewest files with the same coverage
#
# SECONDS_EACH sets another time than 6 s. CUSTOM_LIBFUZZER_PATH may name a compiled libFuzzer;
# libclang-rt's is taken where it is installed, otherwise it is compiled here.
set -euo pipefail
cd "$(dirname "$0")"

export CARGO_TARGET_DIR=$PWD/target
triple=x86_64-unknown-linux-gnu
programs=$CARGO_TARGET_DIR/$triple/release

if ! rustup run nightly rustc --version; then
    echo "fuzzing needs the nightly compiler: rustup toolchain install nightly" >&2
    exit 1
fi
if [ -z "${CUSTOM_LIBFUZZER_PATH:-}" ]; then
    for library in /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a; do
        [ -e "$library" ] && export CUSTOM_LIBFUZZER_PATH=$library
    done
fi

# As cargo-fuzz does it, but with coverage of our own crates only.
build() {
    RUSTC_WRAPPER=$PWD/rustc-wrapper.sh RUSTFLAGS="--cfg fuzzing -Zsanitizer=address" \
        cargo +nightly build --quiet --locked --release --target "$triple" --bins
}

targets() {
    sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"$/\1/p' Cargo.toml
}

# Every committed input, then new ones, kept nowhere, until SECONDS_EACH are over.
short() {
    local target=$1 log=$CARGO_TARGET_DIR/log.$1 folders=()
    for folder in "seeds/$target" "regressions/$target"; do
        [ -d "$folder" ] && folders+=("$folder")
    done
    mkdir -p "$CARGO_TARGET_DIR/new/$target"
    if "$programs/$target" -dict=sdi.dict -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix="$CARGO_TARGET_DIR/artifacts/$target-" \
        -max_total_time="${SECONDS_EACH:-6}" -reload=0 "$CARGO_TARGET_DIR/new/$target" \
        "${folders[@]}" \
        >"$log" 2>&1; then
        echo "$target: $(find "${folders[@]}" -type f | wc -l) seeds, $(grep -a '^Done' "$log")"
    else
        echo "$target FAILED:" >&2
        grep -a -v '^    #' "$log" | tail -40 >&2
        return 1
    fi
}

all() {
    rm -rf "$CARGO_TARGET_DIR/new"
    mkdir -p "$CARGO_TARGET_DIR/artifacts"
    export -f short
    export programs
    targets | xargs -P "$(nproc)" -I{} bash -c 'short {}'
}

minimise() {
    local raw=$CARGO_TARGET_DIR/raw
    rm -rf "$raw"
    cargo run --quiet --locked --release --no-default-features --example seeds -- "$raw"
    for target in $(targets); do
        mkdir -p "seeds/$target" "$raw/$target" "$CARGO_TARGET_DIR/corpus/$target"
        rm -rf "$CARGO_TARGET_DIR/merged"
        mkdir "$CARGO_TARGET_DIR/merged"
        "$programs/$target" -merge=1 -rss_limit_mb=2048 "$CARGO_TARGET_DIR/merged" \
            "seeds/$target" "$raw/$target" "$CARGO_TARGET_DIR/corpus/$target" 2>&1 | tail -1
        rm -rf "seeds/$target"
        mv "$CARGO_TARGET_DIR/merged" "seeds/$target"
    done
}

build
case ${1:-all} in
    all) all ;;
    minimise) minimise ;;
    *)
        target=$1
        shift
        mkdir -p "target/corpus/$target" target/artifacts
        folders=("target/corpus/$target" "seeds/$target")
        exec "$programs/$target" -dict=sdi.dict -rss_limit_mb=2048 \
            -artifact_prefix="target/artifacts/$target-" "$@" "${folders[@]}"
        ;;
esac
