#!/bin/bash
# Sends a stream through `sdi encrypt` and `sdi decrypt` by pipes, in both profiles and both forms, with
# the plaintext passed on as it comes and staged in a folder: what comes out is what went in, and no
# command takes more than 16 MiB of memory. Prints the seconds and the peaks.
#
#   tests/pipe.sh [MIB [CASE..]]     # 1024, and all cases; a case is PROFILE-FORM-STAGE
#
# The staged ones need as much room in TMPDIR. SDI names the command; without it, it is built.
set -euo pipefail
cd "$(dirname "$0")/.."

.ci/need python3
limit=16384
mib=${1:-1024}
shift || true
if [ $# -eq 0 ]; then
    set -- {rfc8886,authenticated}-{pem,der}-{off,folder}
fi
sdi=${SDI:-$PWD/target/release/sdi}
[ -n "${SDI:-}" ] || cargo build --quiet --release --locked --package sdi-cli --bin sdi
usage=$PWD/tests/usage.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir staged
"$sdi" keygen -q -o key >out
"$sdi" cert self-signed --id SN1 -k key -o crt >out

# The same bytes each time, which no cipher makes shorter.
stream() {
    openssl enc -aes-128-ctr -K 00 -iv 00 -in /dev/zero 2>errors | head -c "${mib}M"
}

wanted=$(set +o pipefail && stream | sha256sum)
for case in "$@"; do
    IFS=- read -r profile form stage <<<"$case"
    [ "$stage" = off ] || stage=staged
    found=$(
        set +o pipefail
        stream |
            "$usage" encrypt.used "$sdi" encrypt -r crt --profile "$profile" --form "$form" -o - - |
            "$usage" decrypt.used "$sdi" decrypt -k key --stage "$stage" -o - - |
            sha256sum
    )
    [ "$found" = "$wanted" ] || {
        echo "$case: what comes out is not what went in" >&2
        exit 1
    }
    read -r seconds _ _ sealed <encrypt.used
    read -r _ _ _ opened <decrypt.used
    printf '%-28s %6d MiB in %4.0f s, peaks of encrypt %5d KiB, of decrypt %5d KiB\n' \
        "$case" "$mib" "$seconds" "$sealed" "$opened"
    if [ "$sealed" -gt "$limit" ] || [ "$opened" -gt "$limit" ]; then
        echo "$case: more than $limit KiB" >&2
        exit 1
    fi
done
