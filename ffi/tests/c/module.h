/* A module that OpenSSL plays: a P-256 key that only callbacks can use, and that can be told to fail
 * or to do something else meanwhile. */
#ifndef MODULE_H
#define MODULE_H

#include "check.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

struct module {
    EVP_PKEY *key;
    int calls;
    int fail_at;     /* the number of the call that fails; 0 for none */
    int32_t answer;  /* what that one returns */
    int destroyed;
    void (*meanwhile)(void *user);
    void *user;
};

static inline int32_t module_agree(void *user, sdi_key_alg curve, const uint8_t *peer,
                                   size_t peer_len, uint8_t *z, size_t z_cap, size_t *z_len)
{
    struct module *m = (struct module *)user;
    EVP_PKEY *other = EVP_PKEY_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(m->key, NULL);

    CHECK(m->destroyed == 0 && curve == SDI_KEY_P256 && peer_len == 65 && peer[0] == 4);
    CHECK(z_cap == 32 && *z_len == 0);
    m->calls++;
    if (m->meanwhile != NULL) {
        m->meanwhile(m->user);
    }
    *z_len = z_cap;
    CHECK(EVP_PKEY_copy_parameters(other, m->key) == 1);
    CHECK(EVP_PKEY_set1_encoded_public_key(other, peer, peer_len) == 1);
    CHECK(EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, other) == 1);
    CHECK(EVP_PKEY_derive(context, z, z_len) == 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    return m->calls == m->fail_at ? m->answer : 0;
}

static inline void module_destroy(void *user)
{
    struct module *m = (struct module *)user;
    CHECK(m->destroyed == 0);
    m->destroyed++;
    EVP_PKEY_free(m->key);
}

static inline sdi_key_ops module_ops(void)
{
    sdi_key_ops ops;
    memset(&ops, 0, sizeof ops);
    ops.size = sizeof ops;
    ops.agree = module_agree;
    ops.destroy = module_destroy;
    return ops;
}

/* A key, a certificate around it, and a ring with both. */
struct device {
    struct module module;
    sdi_key *key;
    sdi_cert *cert;
    sdi_keyring *ring;
};

static inline void device_make(struct device *d)
{
    sdi_key_ops ops = module_ops();
    unsigned char *spki = NULL;
    int len;

    memset(d, 0, sizeof *d);
    d->module.key = EVP_EC_gen("P-256");
    len = i2d_PUBKEY(d->module.key, &spki);
    CHECK(len > 0);
    GIVES(SDI_OK, sdi_key_from_ops(&ops, &d->module, spki, (size_t)len, &d->key, &err));
    GIVES(SDI_OK, sdi_cert_wrap(spki, (size_t)len, "module", 0, &d->cert, &err));
    GIVES(SDI_OK, sdi_keyring_new(&d->ring, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(d->ring, d->cert, d->key, &err));
    OPENSSL_free(spki);
}

static inline void device_free(struct device *d)
{
    sdi_keyring_free(d->ring);
    sdi_cert_free(d->cert);
    sdi_key_free(d->key);
    CHECK(d->module.destroyed == 1);
}

/* A PEM file for this device, of 10 000 bytes. */
static inline sdi_bytes *device_file(const struct device *d)
{
    static const uint8_t plain[10000] = {0};
    const sdi_cert *to = d->cert;
    sdi_bytes *file = NULL;
    GIVES(SDI_OK, sdi_seal(&to, 1, SDI_PROFILE_AUTHENTICATED, SDI_FORM_PEM, plain, sizeof plain,
                           &file, &err));
    return file;
}

#endif
