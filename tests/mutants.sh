#!/bin/bash
# Mutation tests, by hand: cargo-mutants changes the code in small ways, and a test has to notice. Each
# part of the library is judged by the tests that belong to it, which keeps a mutant at seconds; what
# survives them is judged by others that know the part, where there are any. docs/testing.md has the
# results.
#
#   tests/mutants.sh [PART..]
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A files=(
    [autoinstall]="src/autoinstall.rs src/autoinstall/*.rs"
    [cbc]="src/cms/content/cbc.rs"
    [ktri]="src/cms/ktri.rs"
    [ring]="src/key/ring.rs"
    [recipient]="src/cms/recipient.rs src/cms/recipient/*.rs src/cms/recipient/candidates/*.rs"
    [detect]="src/detect.rs src/cms/armor.rs src/cms/armor/*.rs"
    [ber]="src/limits.rs src/cms/ber.rs src/cms/ber/*.rs"
)
declare -A tests=(
    [autoinstall]="autoinstall autoinstall_schedule autoinstall_state"
    [cbc]="refuse_parameters"
    [ktri]="envelope hardware_key refuse_parameters"
    [ring]="factory_reset keyring"
    [recipient]="recipients keyring hardware_key refuse_points limits"
    [detect]="detect mangled envelope limits splits"
    [ber]="structure envelope limits refuse_parameters splits"
)
declare -A others=(
    [cbc]="--lib cms::content"
    [ktri]="--lib cms::ktri"
    [ring]="--lib key::ring"
    [recipient]="--test bounded_memory"
    [detect]="--lib cms::armor"
    [ber]="--test refuse --test bounded_memory -- --skip flipped"
)

parts=("$@")
if [ ${#parts[@]} -eq 0 ]; then
    parts=(autoinstall cbc ktri ring recipient detect ber)
fi

place=$PWD/target/mutants
PATH=$place/tools/bin:$PATH
command -v cargo-mutants >/dev/null ||
    cargo install cargo-mutants --version 27.1.0 --locked --root "$place/tools"

# The mutants are made in a copy of the tree, with a build that stays warm.
rm -rf "$place/tree"
mkdir -p "$place/tree"
git ls-files | tar c -T - | tar xm -C "$place/tree"
export CARGO_TARGET_DIR=$place/build RUST_BACKTRACE=0

# Without debug information a mutant is linked sooner.
quick=profile.dev.package.secure-device-install.debug=0

# judge PART ARGUMENT..
judge() {
    local part=$1 arguments=() file
    shift
    for file in ${files[$part]}; do
        arguments+=(--file "$file")
    done
    (cd "$place/tree" && cargo mutants --package secure-device-install --in-place --no-shuffle \
        --baseline=skip --timeout=60 --output "$place/$part" "${arguments[@]}" \
        --cargo-arg=--config=$quick "$@")
}

status=0
for part in "${parts[@]}"; do
    rm -rf "${place:?}/${part:?}"
    # One program of all the part's tests is linked faster than many.
    for test in ${tests[$part]}; do
        echo "#[path = \"$test.rs\"] mod $test;"
    done >"$place/tree/tests/mutants.rs"
    # What does not pass, or not even compile, without a mutant judges nothing.
    (cd "$place/tree" && cargo test --quiet --package secure-device-install --config=$quick --test mutants)
    survived=0
    judge "$part" --cargo-arg=--test=mutants || survived=1
    if [ "$survived" -eq 1 ] && [ -n "${others[$part]-}" ]; then
        survived=0
        read -ra words <<<"${others[$part]}"
        judge "$part" --iterate -- "${words[@]}" || survived=1
    fi
    if [ "$survived" -eq 1 ]; then status=1; fi
done
exit "$status"
