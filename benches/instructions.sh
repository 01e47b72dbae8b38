#!/bin/bash
# Counts the instructions of opening and sealing under valgrind and compares them with
# benches/instructions.txt: more than 5 % either way fails. `--write` writes the file anew.
set -euo pipefail
cd "$(dirname "$0")/.."

.ci/need valgrind
cargo build --quiet --release --locked --bench instructions
# The newest of those that were ever built.
program=$(find target/release/deps -maxdepth 1 -name 'instructions-*' -executable -type f -printf '%T@ %p\n' |
    sort -rn | head -1 | cut -d' ' -f2)
counts=$(mktemp)
profile=$(mktemp)
trap 'rm -f "$counts" "$profile"' EXIT

for operation in open seal; do
    for cipher in cbc gcm; do
        for form in der pem; do
            for size in 1024 16384 65536 1048576; do
                count=$(valgrind --tool=callgrind --callgrind-out-file="$profile" \
                    --toggle-collect="*counted_$operation*" "$program" "$operation" "$cipher" "$form" "$size" 2>&1 |
                    sed -n 's/.*Collected : \([0-9]*\).*/\1/p')
                echo "$operation $cipher $form $size ${count:?valgrind counted nothing}"
            done
        done
    done
done >"$counts"

if [ "${1-}" = --write ]; then
    cp "$counts" benches/instructions.txt
    exit
fi
paste -d' ' "$counts" <(cut -d' ' -f5 benches/instructions.txt) | awk '
    NF != 6 || $5 < 1000 { print "benches/instructions.txt does not have: " $0; bad = 1; next }
    {
        change = 100 * ($5 - $6) / $6
        verdict = change > 5 || change < -5 ? "  more than 5 %" : ""
        if (verdict) bad = 1
        printf "%s %s %s %8d: %11d instructions, %+.1f %%%s\n", $1, $2, $3, $4, $5, change, verdict
    }
    END {
        if (bad) print "what is meant goes into the file by: benches/instructions.sh --write"
        exit bad
    }'
