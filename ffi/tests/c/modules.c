/* Modules that sign, and that decrypt with RSA: what the header says of each callback is enough to write
 * it, and OpenSSL agrees with what comes of it. */
#include "check.h"
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static int decrypts, signatures;

/* The padding is the library's work with SDI_RSA_RAW, and the module's otherwise. */
static int32_t rsa_decrypt(void *user, sdi_rsa_scheme scheme, const uint8_t *ct, size_t ct_len,
                           uint8_t *out, size_t out_cap, size_t *out_len)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new((EVP_PKEY *)user, NULL);
    size_t zeros = 0;
    int done = EVP_PKEY_decrypt_init(context);
    decrypts++;
    if (scheme == SDI_RSA_RAW) {
        done = done == 1 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1;
    } else {
        const EVP_MD *md = scheme == SDI_RSA_OAEP_SHA1 ? EVP_sha1() : EVP_sha256();
        CHECK(scheme == SDI_RSA_OAEP_SHA1 || scheme == SDI_RSA_OAEP_SHA256);
        done = done == 1 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_oaep_md(context, md) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) == 1;
    }
    *out_len = out_cap;
    done = done && EVP_PKEY_decrypt(context, out, out_len, ct, ct_len) == 1;
    EVP_PKEY_CTX_free(context);
    if (!done) {
        return SDI_OP_REFUSED;
    }
    while (scheme == SDI_RSA_RAW && zeros < *out_len && out[zeros] == 0) {
        zeros++; /* some modules give a number and not a block */
    }
    memmove(out, out + zeros, *out_len - zeros);
    *out_len -= zeros;
    return 0;
}

static int32_t sign(void *user, sdi_sig_scheme scheme, const uint8_t *msg, size_t msg_len,
                    const uint8_t *digest, size_t digest_len, uint8_t *sig, size_t sig_cap,
                    size_t *sig_len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t made[1024], hash[64];
    unsigned hash_len = 0;
    size_t made_len = sizeof made;
    const EVP_MD *md = scheme == SDI_SIG_ECDSA_P384_SHA384   ? EVP_sha384()
                       : scheme == SDI_SIG_ECDSA_P521_SHA512 ? EVP_sha512()
                                                             : EVP_sha256();
    signatures++;
    CHECK(EVP_Digest(msg, msg_len, hash, &hash_len, md, NULL) == 1);
    CHECK(hash_len == digest_len && memcmp(hash, digest, digest_len) == 0);
    CHECK(EVP_DigestSignInit(context, NULL, md, NULL, (EVP_PKEY *)user) == 1);
    CHECK(EVP_DigestSign(context, made, &made_len, msg, msg_len) == 1);
    EVP_MD_CTX_free(context);
    if (scheme == SDI_SIG_RSA_PKCS1_SHA256) {
        CHECK(made_len == sig_cap);
        memcpy(sig, made, made_len);
    } else {
        const unsigned char *at = made;
        ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &at, (long)made_len);
        int half = (int)(sig_cap / 2);
        CHECK(both != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(both), sig, half) == half);
        CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(both), sig + half, half) == half);
        ECDSA_SIG_free(both);
    }
    *sig_len = sig_cap;
    return 0;
}

static sdi_key *key_of(EVP_PKEY *module, uint32_t rsa_schemes)
{
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(module, &spki);
    sdi_key *key = NULL;
    sdi_key_ops ops;
    CHECK(len > 0);
    memset(&ops, 0, sizeof ops);
    ops.size = sizeof ops;
    ops.rsa_schemes = rsa_schemes;
    ops.rsa_decrypt = rsa_decrypt;
    ops.sign = sign;
    GIVES(SDI_OK, sdi_key_from_ops(&ops, module, spki, (size_t)len, &key, &err));
    OPENSSL_free(spki);
    return key;
}

static sdi_cert *certificate_of(const sdi_key *key)
{
    sdi_cert *cert = NULL;
    sdi_bytes *der = NULL, *csr = NULL;
    const unsigned char *at;
    X509 *x509;
    GIVES(SDI_OK, sdi_cert_self_sign(key, "module", 0, &cert, &err));
    GIVES(SDI_OK, sdi_csr(key, "module", &csr, &err));
    GIVES(SDI_OK, sdi_cert_der(cert, &der, &err));
    at = sdi_bytes_data(der);
    x509 = d2i_X509(NULL, &at, (long)sdi_bytes_len(der));
    CHECK(x509 != NULL && X509_verify(x509, X509_get0_pubkey(x509)) == 1);
    X509_free(x509);
    sdi_bytes_free(csr);
    sdi_bytes_free(der);
    return cert;
}

static void signs_with(EVP_PKEY *module)
{
    sdi_key *key = key_of(module, 0);
    int before = signatures;
    sdi_cert_free(certificate_of(key));
    CHECK(signatures == before + 2);
    sdi_key_free(key);
    EVP_PKEY_free(module);
}

static sdi_result opens(EVP_PKEY *module, uint32_t schemes, const sdi_cert *cert,
                        const sdi_bytes *file)
{
    sdi_key *key = key_of(module, schemes);
    sdi_keyring *ring = NULL;
    sdi_bytes *plain = NULL;
    sdi_result r;
    GIVES(SDI_OK, sdi_keyring_new(&ring, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(ring, cert, key, &err));
    sdi_key_free(key);
    r = sdi_open(ring, sdi_bytes_data(file), sdi_bytes_len(file), &plain, NULL);
    if (r == SDI_OK) {
        CHECK(sdi_bytes_len(plain) == 5 && memcmp(sdi_bytes_data(plain), "hello", 5) == 0);
    }
    sdi_bytes_free(plain);
    sdi_keyring_free(ring);
    return r;
}

static void decrypts_with_rsa(void)
{
    const int32_t profiles[] = {SDI_PROFILE_RFC8886, SDI_PROFILE_AUTHENTICATED};
    EVP_PKEY *module = EVP_RSA_gen(2048), *other = EVP_RSA_gen(2048);
    sdi_key *key = key_of(module, SDI_RSA_RAW);
    sdi_cert *cert = certificate_of(key);
    const sdi_cert *to = cert;
    int i;
    for (i = 0; i < 2; i++) {
        sdi_bytes *file = NULL;
        sdi_result oaep;
        GIVES(SDI_OK, sdi_seal(&to, 1, profiles[i], SDI_FORM_DER, (const uint8_t *)"hello", 5, &file,
                               &err));
        decrypts = 0;
        CHECK(opens(module, SDI_RSA_RAW, cert, file) == SDI_OK && decrypts == 1);
        if (profiles[i] == SDI_PROFILE_AUTHENTICATED) { /* padding passes by accident, 1 in 255 */
            CHECK(opens(other, SDI_RSA_RAW, NULL, file) == SDI_ERR_DECRYPT);
        }
        decrypts = 0;
        CHECK(opens(module, 0, cert, file) == SDI_ERR_UNSUPPORTED && decrypts == 0);
        oaep = opens(module, SDI_RSA_OAEP_SHA1 | SDI_RSA_OAEP_SHA256, cert, file);
        CHECK(oaep == (profiles[i] == SDI_PROFILE_RFC8886 ? SDI_ERR_UNSUPPORTED : SDI_OK));
        sdi_bytes_free(file);
    }
    sdi_cert_free(cert);
    sdi_key_free(key);
    EVP_PKEY_free(other);
    EVP_PKEY_free(module);
}

/* A file with bad padding, sent again and again to a device whose module answers in the clear: one
 * outcome. A substitute key that were drawn anew would tell bad padding from good. */
static void answers_the_same_a_thousand_times(void)
{
    static const uint8_t octets[] = {0x04, 0x82, 0x01, 0x00};
    EVP_PKEY *module = EVP_RSA_gen(2048);
    sdi_key *key = key_of(module, SDI_RSA_RAW);
    sdi_cert *cert = certificate_of(key);
    const sdi_cert *to = cert;
    sdi_keyring *ring = NULL;
    sdi_bytes *sealed = NULL, *first = NULL;
    uint8_t *file;
    size_t len, at;
    sdi_result outcome;
    const char *few = getenv("SDI_REPEAT"); /* under valgrind, where RSA takes fifty times as long */
    int i, times = few == NULL ? 1000 : atoi(few);
    GIVES(SDI_OK, sdi_seal(&to, 1, SDI_PROFILE_RFC8886, SDI_FORM_DER, (const uint8_t *)"hello", 5,
                           &sealed, &err));
    len = sdi_bytes_len(sealed);
    file = (uint8_t *)malloc(len);
    CHECK(file != NULL);
    memcpy(file, sdi_bytes_data(sealed), len);
    for (at = 0; at + 260 < len && memcmp(file + at, octets, sizeof octets) != 0; at++) {
    }
    CHECK(at + 260 < len);
    file[at + 259] ^= 1; /* the end of the encrypted key: still a number below the modulus */
    GIVES(SDI_OK, sdi_keyring_new(&ring, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(ring, cert, key, &err));
    outcome = sdi_open(ring, file, len, &first, NULL);
    CHECK(outcome == SDI_ERR_DECRYPT || outcome == SDI_OK); /* padding passes by accident, 1 in 255 */
    decrypts = 0;
    for (i = 0; i < times; i++) {
        sdi_bytes *plain = NULL;
        CHECK(sdi_open(ring, file, len, &plain, NULL) == outcome);
        CHECK(sdi_bytes_len(plain) == sdi_bytes_len(first));
        CHECK(outcome != SDI_OK ||
              memcmp(sdi_bytes_data(plain), sdi_bytes_data(first), sdi_bytes_len(first)) == 0);
        sdi_bytes_free(plain);
    }
    CHECK(decrypts == times);
    free(file);
    sdi_bytes_free(first);
    sdi_bytes_free(sealed);
    sdi_keyring_free(ring);
    sdi_cert_free(cert);
    sdi_key_free(key);
    EVP_PKEY_free(module);
}

int main(void)
{
    signs_with(EVP_EC_gen("P-256"));
    signs_with(EVP_EC_gen("P-384"));
    signs_with(EVP_EC_gen("P-521"));
    signs_with(EVP_RSA_gen(2048));
    decrypts_with_rsa();
    answers_the_same_a_thousand_times();
    return 0;
}
