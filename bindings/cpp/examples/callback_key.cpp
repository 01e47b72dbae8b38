// A device key that never leaves its module: callback_key KEY FILE > CONFIGURATION
//
// OpenSSL plays the module, so that the example runs anywhere; a TPM (TPM2_ECDH_ZGen) or PKCS#11
// (CKM_ECDH1_DERIVE with CKD_NULL) takes its place in module::agree() and nowhere else.
#include "read_file.hpp"

#include <cstdlib>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace {

struct evp_free {
    void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX *context) const { EVP_PKEY_CTX_free(context); }
};
using evp_key = std::unique_ptr<EVP_PKEY, evp_free>;
using evp_context = std::unique_ptr<EVP_PKEY_CTX, evp_free>;

class module {
public:
    explicit module(evp_key own) : own_(std::move(own)) {}

    // SubjectPublicKeyInfo; empty on failure.
    std::string public_key() const {
        unsigned char *der = nullptr;
        const int len = i2d_PUBKEY(own_.get(), &der);
        std::string spki;
        if (len > 0) {
            spki.assign(reinterpret_cast<const char *>(der), static_cast<std::size_t>(len));
        }
        OPENSSL_free(der);
        return spki;
    }

    // Raw ECDH. Each call has a context of its own and the key is only read, so several threads do not
    // disturb each other; a module with one session needs a lock.
    std::int32_t agree(sdi::key_alg curve, sdi::bytes_view peer, sdi::bytes_span z,
                       std::size_t &z_len) const {
        const evp_key other(EVP_PKEY_new());
        const evp_context context(EVP_PKEY_CTX_new(own_.get(), nullptr));
        if (curve != sdi::key_alg::p256) {
            return -1; // any number of yours: error::vendor_code() gives it back
        }
        if (!other || !context || EVP_PKEY_copy_parameters(other.get(), own_.get()) != 1 ||
            EVP_PKEY_derive_init(context.get()) != 1) {
            return -2;
        }
        if (EVP_PKEY_set1_encoded_public_key(other.get(), peer.data(), peer.size()) != 1) {
            return sdi::op_refused; // the module rejects this point: no defect, but a bad file
        }
        z_len = z.size();
        const bool is_done = EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1 &&
                             EVP_PKEY_derive(context.get(), z.data(), &z_len) == 1;
        return is_done ? 0 : -3;
    }

private:
    evp_key own_;
};

int failed(const sdi::error &why) {
    std::fprintf(stderr, "callback_key: %s: %s (%lld)\n", sdi::name(why.code()), why.text(),
                 static_cast<long long>(why.vendor_code()));
    return EXIT_FAILURE;
}

} // namespace

int main(int argc, char **argv) {
    const auto file = argc == 3 ? read_file(argv[2]) : std::nullopt;
    std::FILE *in = argc == 3 ? std::fopen(argv[1], "r") : nullptr;
    evp_key own;
    if (in != nullptr) {
        own.reset(PEM_read_PrivateKey(in, nullptr, nullptr, nullptr));
        std::fclose(in);
    }
    if (!own || !file) {
        std::fprintf(stderr, "usage: callback_key KEY FILE > CONFIGURATION\n");
        return EXIT_FAILURE;
    }

    // The library destroys the function, and the module with it, with the last of what uses the key.
    auto shared = std::make_shared<const module>(std::move(own));
    const std::string spki = shared->public_key();
    sdi::key_ops ops;
    ops.agree = [held = std::move(shared)](sdi::key_alg curve, sdi::bytes_view peer,
                                           sdi::bytes_span z, std::size_t &z_len) {
        return held->agree(curve, peer, z, z_len);
    };
    const auto key = sdi::key::from_ops(std::move(ops), spki);
    if (!key) {
        return failed(key.error());
    }
    auto ring = sdi::keyring::create();
    if (!ring) {
        return failed(ring.error());
    }
    if (const auto set = ring->set_vendor(*key); !set) {
        return failed(set.error());
    }
    const auto plain = sdi::open(*ring, *file);
    if (!plain) {
        return failed(plain.error());
    }
    std::fwrite(plain->data(), 1, plain->size(), stdout);
    return std::fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
