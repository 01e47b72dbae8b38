#!/bin/bash
# How many lines of src/ the tests run, and a floor that only rises. Not the slow tests: what they add
# is nothing but depth. Needs llvm-cov of the LLVM that rustc has.
#
#   tests/coverage.sh         fails below the floor
#   tests/coverage.sh lines   also prints each line that no test runs
set -euo pipefail
cd "$(dirname "$0")/.."

# Percent of lines. Raise it when the coverage has risen.
floor=98

llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
tools=/usr/lib/llvm-$llvm/bin
profiles=$PWD/target/coverage
tests=(autoinstall autoinstall_schedule autoinstall_state detect envelope error_texts hardware_key
    identity keyring limits mangled opener open_memory recipients refuse_parameters refuse_points seal structure)

rm -rf "$profiles"
mkdir -p "$profiles"
# Only the workspace's own code is built for it: dependencies are the ones of the other tests. Lists
# of foreign vectors take minutes, and show no line that the rest does not.
export RUSTC_WORKSPACE_WRAPPER=$PWD/tests/coverage-rustc.sh
export LLVM_PROFILE_FILE=$profiles/%m.profraw
programs=$(cargo test --locked --quiet -p secure-device-install --no-run --message-format=json-render-diagnostics \
    --lib "${tests[@]/#/--test=}" | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
cargo test --locked --quiet -p secure-device-install \
    --lib "${tests[@]/#/--test=}" -- --skip wycheproof

objects=()
for program in $programs; do
    objects+=(--object "$program")
done
"$tools/llvm-profdata" merge --sparse "$profiles"/*.profraw --output "$profiles/all.profdata"
report() {
    "$tools/llvm-cov" "$@" "${objects[@]}" --instr-profile "$profiles/all.profdata" \
        --ignore-filename-regex '/vectors\.rs$' --sources src
}
if [ "${1-}" = lines ]; then
    report show | grep -E '^ +[0-9]+\| +0\||^/'
fi
report report
report export --summary-only | python3 -c '
import json, sys
lines = json.load(sys.stdin)["data"][0]["totals"]["lines"]
percent = 100 * lines["covered"] / lines["count"]
floor = float(sys.argv[1])
print("%.2f %% of %d lines; the floor is %s %%" % (percent, lines["count"], sys.argv[1]))
if percent < floor:
    sys.exit("coverage has fallen below its floor: test what is new")
if percent >= floor + 1:
    print("it has risen: raise the floor in tests/coverage.sh")
' "$floor"
