#!/bin/bash
# Makes a Debian package of the command, the shared library and what belongs to them:
#
#   crates/sdi-cli/package.sh [FOLDER]      # target/package, if none is named
#
# PROFILE=dev is quicker, for a try. The same sources give the same package, apart from the compiler's
# part.
set -euo pipefail
cd "$(dirname "$0")/../.."

profile=${PROFILE:-release}
folder=${1:-target/package}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
architecture=$(dpkg --print-architecture)
triplet=$(gcc -print-multiarch)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat --format %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

# Each alone: cargo unifies the features of what it builds together.
make --no-print-directory -C ffi install-shared \
    PREFIX=/usr LIBDIR="/usr/lib/$triplet" DESTDIR="$root" PROFILE="$profile"
cargo build --locked --package sdi-cli --profile "$profile"
out=target/$([ "$profile" = dev ] && echo debug || echo "$profile")
install -D -m 755 "$out/sdi" "$root/usr/bin/sdi"
strip --strip-unneeded "$root/usr/bin/sdi" "$root/usr/lib/$triplet/libsdi.so.$version"

install -d "$root/usr/share/man/man1"
"$root/usr/bin/sdi" man -q "$root/usr/share/man/man1" >/dev/null
gzip -9n "$root"/usr/share/man/man1/*
complete() {
    install -d "$(dirname "$root/usr/share/$2")"
    "$root/usr/bin/sdi" completions "$1" >"$root/usr/share/$2"
}
complete bash bash-completion/completions/sdi
complete zsh zsh/vendor-completions/_sdi
complete fish fish/vendor_completions.d/sdi.fish
install -D -m 644 -t "$root/usr/share/doc/sdi" README.md CHANGELOG.md SECURITY.md LICENSE-APACHE \
    docs/operating.md docs/integrating-in-firmware.md
install -D -m 644 -t "$root/usr/share/doc/sdi/schemas" crates/sdi-cli/schemas/*.json
{
    echo "Apache-2.0 or MIT, as you like. LICENSE-APACHE stands beside this file; the other one is:"
    echo
    cat LICENSE-MIT
} >"$root/usr/share/doc/sdi/copyright"

# The newest symbols of the C library that are used.
libc=$(objdump -T "$root/usr/bin/sdi" "$root/usr/lib/$triplet/libsdi.so.$version" |
    sed -n 's/.*GLIBC_\([0-9.]*\).*/\1/p' | sort -V | tail -n 1)
install -d "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<EOF
Package: sdi
Version: $version
Architecture: $architecture
Maintainer: The Secure Device Install developers <sdi@localhost>
Section: net
Priority: optional
Depends: libc6 (>= $libc), libgcc-s1
Installed-Size: $(du -sk --exclude DEBIAN "$root" | cut -f 1)
Description: encrypted device configurations (RFC 8886)
 A new router is shipped straight to its site and fetches its configuration
 there. With this, only that router can read it: the command sdi encrypts
 configurations to the keys of devices, and the library libsdi opens them in a
 device's firmware.
EOF
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
echo "activate-noawait ldconfig" >"$root/DEBIAN/triggers"

mkdir -p "$folder"
dpkg-deb --root-owner-group --build "$root" "$folder/sdi_${version}_$architecture.deb"
