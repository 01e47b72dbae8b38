// Opens an encrypted configuration: open_file KEY CERTIFICATE FILE > CONFIGURATION
#include "read_file.hpp"

#include <cstdlib>

namespace {

sdi::result<sdi::keyring> ring_of(sdi::bytes_view key_file, sdi::bytes_view cert_file) {
    auto key = sdi::key::parse(key_file);
    if (!key) {
        return std::move(key).error();
    }
    auto cert = sdi::cert::parse(cert_file);
    if (!cert) {
        return std::move(cert).error();
    }
    auto ring = sdi::keyring::create();
    if (ring) {
        // The ring keeps what it needs: key and certificate may go.
        if (auto set = ring->set_vendor(*cert, *key); !set) {
            return std::move(set).error();
        }
    }
    return ring;
}

int failed(const sdi::error &why) {
    std::fprintf(stderr, "open_file: %s: %s\n", sdi::name(why.code()), why.text());
    return EXIT_FAILURE;
}

} // namespace

int main(int argc, char **argv) {
    auto key_file = argc == 4 ? read_file(argv[1]) : std::nullopt;
    const auto cert_file = argc == 4 ? read_file(argv[2]) : std::nullopt;
    const auto file = argc == 4 ? read_file(argv[3]) : std::nullopt;
    if (!key_file || !cert_file || !file) {
        std::fprintf(stderr, "usage: open_file KEY CERTIFICATE FILE > CONFIGURATION\n");
        return EXIT_FAILURE;
    }
    const auto ring = ring_of(*key_file, *cert_file);
    sdi::wipe(*key_file);
    if (!ring) {
        return failed(ring.error());
    }
    const auto plain = sdi::open(*ring, *file);
    if (!plain) {
        return failed(plain.error());
    }
    std::fwrite(plain->data(), 1, plain->size(), stdout);
    return std::fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
