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

# counted OPERATION CIPHER FORM SIZE
counted() {
    local count
    count=$(valgrind --tool=callgrind --callgrind-out-file="$profile" \
        --toggle-collect="*counted_$1*" "$program" "$@" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p')
    echo "$* ${count:?valgrind counted nothing}"
}

{
    for operation in open seal; do
        for cipher in cbc gcm; do
            for form in der pem; do
                for size in 1024 16384 65536 1048576; do
                    counted "$operation" "$cipher" "$form" "$size"
                done
            done
        done
    done
    # Text that is made to be slow: what it costs has to grow as it does.
    counted open gcm blanks 65536
    counted open gcm blanks 1048576
} >"$counts"

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
