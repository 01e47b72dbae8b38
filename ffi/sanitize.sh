#!/bin/bash
# The C and C++ suites under sanitizers: ffi/sanitize.sh [asan] [ubsan] [valgrind] [cpp] [tsan]
#
# Without arguments it runs the first three, and cpp. asan, cpp and tsan need a nightly Rust, for its
# sanitizers. Each mode ends with the first program that is not clean, and all but ubsan have to find
# planted defects.
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
out=target/sanitize
programs=(nulls arguments order ownership callbacks modules reentry threads)
programs_cpp=(values callbacks install timeline)
strict=(-std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Werror -g -Iinclude)
read -ra libraries <<<"$(pkg-config --libs libcrypto) -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc"
mkdir -p "$out"

# built MODE TOOLCHAIN RUSTFLAGS: where the library is that was built so.
built() {
    RUSTFLAGS=$3 cargo "+$2" build --quiet --locked --package sdi-ffi --target "$host" \
        --target-dir "target/$1"
    echo "target/$1/$host/debug"
}

# compile MODE PROGRAM FLAGS..
compile() {
    gcc "${strict[@]}" "ffi/tests/c/$2.c" -o "$out/$1-$2" "${@:3}" "${libraries[@]}"
}

corpus() {
    python3 - <<'PY'
import json
for n, case in enumerate(json.load(open("tests/corpus/index.json"))):
    print(n, *("tests/corpus/" + case[what] for what in ("key", "cert", "message")), sep="\t")
PY
}

# Of every tenth file, what must happen and where it is.
corpus_cpp() {
    python3 - <<'PY'
import json
cases = [case for case in json.load(open("tests/corpus/index.json")) if case["expect"] in ("ok", "reject")]
for case in cases[::10]:
    paths = ("tests/corpus/" + case.get(what, "") for what in ("key", "cert", "message", "plain"))
    print(case["expect"], *paths, sep="\t")
PY
}

# clean MODE COMMAND..: runs every program, and complains of none.
clean() {
    local program
    for program in "${programs[@]}"; do
        echo "-- $1: $program"
        "${@:2}" "$out/$1-$program"
    done
}

# finds MODE WORDS DEFECT COMMAND..: the planted defect has to end in a report with these words.
finds() {
    if "${@:4}" "$out/$1-planted" "$3" >"$out/report" 2>&1 || ! grep -qE "$2" "$out/report"; then
        echo "$1 does not find the planted defect: $3" >&2
        tail -n 20 "$out/report" >&2
        return 1
    fi
    echo "-- $1 finds the planted $3"
}

asan() {
    local library program
    library=$(built asan nightly -Zsanitizer=address)
    for program in "${programs[@]}" corpus planted; do
        compile asan "$program" -fsanitize=address "$library/libsdi.a"
    done
    clean asan env ASAN_OPTIONS=detect_leaks=1
    echo "-- asan: corpus"
    corpus | "$out/asan-corpus" >/dev/null
    "$out/asan-planted" none
    finds asan "LeakSanitizer: detected memory leaks" leak env
    finds asan "heap-use-after-free" use-after-free env
    finds asan "heap-buffer-overflow" short-buffer env
    finds asan "heap-buffer-overflow" over-read env
}

ubsan() {
    local program
    cargo build --quiet --locked --package sdi-ffi --target-dir target
    for program in "${programs[@]}" corpus; do
        compile ubsan "$program" -fsanitize=undefined -fno-sanitize-recover=all target/debug/libsdi.a
    done
    clean ubsan env
    echo "-- ubsan: corpus"
    corpus | "$out/ubsan-corpus" >/dev/null
}

valgrind_() {
    local program
    local -a valgrind=(valgrind --quiet --leak-check=full --error-exitcode=9
        "--errors-for-leak-kinds=definite,possible" --fair-sched=yes)
    cargo build --quiet --locked --package sdi-ffi --target-dir target
    ln -sf ../debug/libsdi.so "$out/libsdi.so.0"
    for program in "${programs[@]}" planted; do
        compile valgrind "$program" -L"$out" -l:libsdi.so.0 -Wl,-rpath,"$PWD/$out"
    done
    SDI_REPEAT=20 clean valgrind "${valgrind[@]}"
    "${valgrind[@]}" "$out/valgrind-planted" none
    finds valgrind "definitely lost" leak "${valgrind[@]}"
    finds valgrind "Invalid read" use-after-free "${valgrind[@]}"
    finds valgrind "Invalid write" short-buffer "${valgrind[@]}"
    finds valgrind "Invalid read" over-read "${valgrind[@]}"
}

# The C++ suite, with both sanitizers of the compiler and the library of asan.
cpp() {
    local library program
    local -a programs=("${programs_cpp[@]}") # those that clean runs
    library=$(built asan nightly -Zsanitizer=address)
    for program in "${programs[@]}" corpus planted; do
        g++ -std=c++17 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -g -Iinclude \
            -Ibindings/cpp -fsanitize=address,undefined -fno-sanitize-recover=all \
            "ffi/tests/cpp/$program.cpp" -o "$out/cpp-$program" "$library/libsdi.a" "${libraries[@]}"
    done
    clean cpp env ASAN_OPTIONS=detect_leaks=1
    echo "-- cpp: corpus"
    corpus_cpp | "$out/cpp-corpus" >/dev/null
    "$out/cpp-planted" none
    finds cpp "LeakSanitizer: detected memory leaks" leak env
    finds cpp "heap-use-after-free" use-after-free env
    finds cpp "heap-buffer-overflow" short-buffer env
}

# Rust's runtime is linked, not that of gcc, which lacks functions that Rust calls.
tsan() {
    local library runtime
    library=$(built tsan nightly "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer")
    runtime=$(rustc +nightly --print sysroot)/lib/rustlib/$host/lib/librustc-nightly_rt.tsan.a
    gcc "${strict[@]}" -fsanitize=thread -c ffi/tests/c/threads.c -o "$out/threads.o"
    gcc "$out/threads.o" -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive "$library/libsdi.a" \
        "${libraries[@]}" -o "$out/tsan-threads"
    echo "-- tsan: threads"
    "$out/tsan-threads"
    ln -sf tsan-threads "$out/tsan-planted"
    finds tsan "WARNING: ThreadSanitizer: data race" race env
}

modes=("$@")
[ ${#modes[@]} -gt 0 ] || modes=(asan ubsan valgrind cpp)
for mode in "${modes[@]}"; do
    case $mode in
    asan | ubsan | cpp | tsan) "$mode" ;;
    valgrind) valgrind_ ;;
    *)
        echo "usage: ffi/sanitize.sh [asan] [ubsan] [valgrind] [cpp] [tsan]" >&2
        exit 2
        ;;
    esac
done
