#!/bin/bash
# Timing, by valgrind: secrets are marked as undefined, and whatever branches on them or uses them as
# an address before the verdict fails. Naive code beside it has to be caught in the same run.
set -euo pipefail
cd "$(dirname "$0")"

cargo build -q --release --locked
failed=0
for case in $(target/release/ctgrind list); do
    valgrind -q --xml=yes --xml-file="target/$case.xml" --error-limit=no --track-origins=no \
        target/release/ctgrind "$case"
    target/release/ctgrind check "$case" "target/$case.xml" || failed=1
done
exit "$failed"
