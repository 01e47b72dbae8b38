// The whole way of a configuration, by a program that has only what was installed.
#include <cstdio>
#include <sdi.hpp>
#include <string_view>

int main() {
    const auto fails = [](const sdi::error &error) {
        std::fprintf(stderr, "%s: %s\n", sdi::name(error.code()), error.text());
        return 1;
    };
    const auto key = sdi::key::generate(sdi::key_alg::p256);
    if (!key) {
        return fails(key.error());
    }
    const auto cert = sdi::cert::self_sign(*key, "SN19842256", 0);
    if (!cert) {
        return fails(cert.error());
    }
    const auto file = sdi::seal(*cert, sdi::profile::auto_, sdi::form::pem, std::string_view("hostname r1\n"));
    if (!file) {
        return fails(file.error());
    }
    auto ring = sdi::keyring::create();
    if (!ring) {
        return fails(ring.error());
    }
    if (const auto set = ring->set_vendor(*cert, *key); !set) {
        return fails(set.error());
    }
    const auto plain = sdi::open(*ring, *file);
    if (!plain) {
        return fails(plain.error());
    }
    std::printf("%s: %.*s", sdi::version(), static_cast<int>(plain->size()), plain->view().text().data());
    return 0;
}
