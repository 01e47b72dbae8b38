// A module that OpenSSL plays: its key can only be used through key_ops, and it counts itself.
#ifndef MODULE_HPP
#define MODULE_HPP

#include "check.hpp"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <functional>
#include <memory>
#include <stdexcept>

struct evp_free {
    void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX *context) const { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
    void operator()(ECDSA_SIG *both) const { ECDSA_SIG_free(both); }
};
template <class T> using evp = std::unique_ptr<T, evp_free>;

struct module {
    evp<EVP_PKEY> key;
    counted alive;
    int calls = 0;
    std::function<std::int32_t()> instead; // what the callbacks do beforehand; 0 is to go on

    module(EVP_PKEY *own, int &count) : key(own), alive(count) {}

    std::vector<std::uint8_t> spki() const {
        unsigned char *der = nullptr;
        const int len = i2d_PUBKEY(key.get(), &der);
        CHECK(len > 0);
        std::vector<std::uint8_t> copied(der, der + len);
        OPENSSL_free(der);
        return copied;
    }

    std::int32_t agree(sdi::bytes_view peer, sdi::bytes_span z, std::size_t &z_len) const {
        const evp<EVP_PKEY> other(EVP_PKEY_new());
        const evp<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(key.get(), nullptr));
        CHECK(EVP_PKEY_copy_parameters(other.get(), key.get()) == 1);
        CHECK(EVP_PKEY_set1_encoded_public_key(other.get(), peer.data(), peer.size()) == 1);
        CHECK(EVP_PKEY_derive_init(context.get()) == 1);
        CHECK(EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1);
        z_len = z.size();
        CHECK(EVP_PKEY_derive(context.get(), z.data(), &z_len) == 1);
        return 0;
    }

    std::int32_t rsa_raw(sdi::bytes_view ct, sdi::bytes_span out, std::size_t &out_len) const {
        const evp<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(key.get(), nullptr));
        CHECK(EVP_PKEY_decrypt_init(context.get()) == 1);
        CHECK(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1);
        out_len = out.size();
        CHECK(EVP_PKEY_decrypt(context.get(), out.data(), &out_len, ct.data(), ct.size()) == 1);
        return 0;
    }

    // ECDSA: OpenSSL writes DER, and sdi takes r and s.
    std::int32_t sign(sdi::bytes_view msg, sdi::bytes_span sig, std::size_t &sig_len) const {
        const evp<EVP_MD_CTX> context(EVP_MD_CTX_new());
        std::uint8_t der[128];
        std::size_t der_len = sizeof der;
        CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
        CHECK(EVP_DigestSign(context.get(), der, &der_len, msg.data(), msg.size()) == 1);
        const unsigned char *at = der;
        const evp<ECDSA_SIG> both(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der_len)));
        CHECK(both != nullptr && sig.size() == 64);
        CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(both.get()), sig.data(), 32) == 32);
        CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(both.get()), sig.data() + 32, 32) == 32);
        sig_len = sig.size();
        return 0;
    }
};

// The ops of a module, which they share.
inline sdi::key_ops ops_of(const std::shared_ptr<module> &m) {
    const auto first = [m] {
        m->calls++;
        return m->instead ? m->instead() : 0;
    };
    sdi::key_ops ops;
    ops.rsa_schemes = sdi::rsa_scheme::raw | sdi::rsa_scheme::oaep_sha1;
    ops.agree = [m, first](sdi::key_alg curve, sdi::bytes_view peer, sdi::bytes_span z,
                           std::size_t &z_len) {
        CHECK(curve == sdi::key_alg::p256 && peer.size() == 65 && z.size() == 32 && z_len == 0);
        const std::int32_t refusal = first();
        return refusal != 0 ? refusal : m->agree(peer, z, z_len);
    };
    ops.rsa_decrypt = [m, first](sdi::rsa_scheme scheme, sdi::bytes_view ct, sdi::bytes_span out,
                                 std::size_t &out_len) {
        CHECK(scheme == sdi::rsa_scheme::raw && ct.size() == 256 && out.size() == 256);
        const std::int32_t refusal = first();
        return refusal != 0 ? refusal : m->rsa_raw(ct, out, out_len);
    };
    ops.sign = [m, first](sdi::sig_scheme scheme, sdi::bytes_view msg, sdi::bytes_view digest,
                          sdi::bytes_span sig, std::size_t &sig_len) {
        CHECK(scheme == sdi::sig_scheme::ecdsa_p256_sha256 && digest.size() == 32);
        const std::int32_t refusal = first();
        return refusal != 0 ? refusal : m->sign(msg, sig, sig_len);
    };
    ops.decapsulate = [m](sdi::key_alg, sdi::bytes_view, sdi::bytes_span, std::size_t &) {
        return sdi::op_refused;
    };
    return ops;
}

// A key whose only owner of the module is the library, and a weak look at the module.
inline sdi::key key_of(EVP_PKEY *own, int &count, std::weak_ptr<module> &look) {
    const auto m = std::make_shared<module>(own, count);
    look = m;
    return must(sdi::key::from_ops(ops_of(m), m->spki()));
}

#endif
