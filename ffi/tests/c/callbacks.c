/* Callbacks that fail at call n, for n from 1 to 20, and what becomes of everything else. */
#include "module.h"

enum { LAST = 20 };

/* Fails at one of its calls. */
struct failing {
    int calls, fail_at;
    uint64_t state;
};

static int32_t failing_sink(void *user, const uint8_t *data, size_t len)
{
    struct failing *f = (struct failing *)user;
    CHECK(data != NULL && len > 0);
    return ++f->calls == f->fail_at ? -1000 - f->fail_at : 0;
}

static int32_t failing_random(void *user, uint8_t *out, size_t len)
{
    struct failing *f = (struct failing *)user;
    size_t i;
    for (i = 0; i < len; i++) {
        f->state ^= f->state << 13;
        f->state ^= f->state >> 7;
        f->state ^= f->state << 17;
        out[i] = (uint8_t)(f->state >> 24);
    }
    return ++f->calls == f->fail_at ? INT32_MAX - f->fail_at : 0;
}

/* The stream is over after its error, and only its free is left. */
static void sinks_of_openers(const struct fixture *f)
{
    static const uint8_t plain[200000] = {0};
    const sdi_cert *to = f->cert;
    sdi_bytes *sealed = NULL;
    const uint8_t *file;
    size_t len, at;
    int n;
    GIVES(SDI_OK, sdi_seal(&to, 1, SDI_PROFILE_AUTHENTICATED, SDI_FORM_PEM, plain, sizeof plain,
                           &sealed, &err));
    file = sdi_bytes_data(sealed);
    len = sdi_bytes_len(sealed);
    for (n = 1; n <= LAST; n++) {
        struct failing failing = {0, 0, 1};
        sdi_opener *opener = NULL;
        sdi_error *detail = NULL;
        sdi_result r = SDI_OK;
        int32_t a = 77, b = 77;
        failing.fail_at = n;
        GIVES(SDI_OK, sdi_opener_new(f->ring, failing_sink, &failing, &opener, &err));
        for (at = 0; at < len && r == SDI_OK; at += 100) {
            r = sdi_opener_update(opener, file + at, len - at < 100 ? len - at : 100, &detail);
        }
        CHECK(r == SDI_ERR_SINK && failing.calls == n);
        CHECK(sdi_error_vendor_code(detail) == -1000 - n);
        sdi_error_free(detail);
        GIVES(SDI_ERR_STATE, sdi_opener_update(opener, file, 1, &err));
        GIVES(SDI_ERR_STATE, sdi_opener_hold(opener, 1, &err));
        GIVES(SDI_ERR_STATE, sdi_opener_set_max_file(opener, 1, &err));
        GIVES(SDI_ERR_STATE, sdi_opener_require_authenticated(opener, 1, &err));
        GIVES(SDI_ERR_STATE, sdi_opener_finish(opener, &err));
        CHECK(sdi_opener_used(opener, &a, &b) == SDI_ERR_STATE && a == 77 && b == 77);
        CHECK(failing.calls == n);
        sdi_opener_free(opener);
    }
    sdi_bytes_free(sealed);
    still_works(f);
}

static void sinks_of_sealers(const struct fixture *f)
{
    const sdi_cert *to = f->cert;
    size_t at;
    int n, with_length;
    for (n = 1; n <= LAST; n++) {
        for (with_length = 0; with_length < 2; with_length++) {
            struct failing failing = {0, 0, 1};
            sdi_sealer *sealer = NULL;
            sdi_error *detail = NULL;
            sdi_result r = SDI_OK;
            failing.fail_at = n;
            GIVES(SDI_OK, sdi_sealer_new(&to, 1, SDI_PROFILE_RFC8886, SDI_FORM_PEM, failing_sink,
                                         &failing, &sealer, &err));
            if (with_length) {
                GIVES(SDI_OK, sdi_sealer_set_length(sealer, sizeof f->plain, &err));
            }
            for (at = 0; at < sizeof f->plain && r == SDI_OK; at += 100) {
                r = sdi_sealer_update(sealer, f->plain + at, 100, &detail);
            }
            if (r == SDI_OK) {
                r = sdi_sealer_finish(sealer, &detail);
            }
            if (r == SDI_OK) {
                CHECK(failing.calls < n); /* it has fewer calls than that */
            } else {
                CHECK(r == SDI_ERR_SINK && failing.calls == n);
                CHECK(sdi_error_vendor_code(detail) == -1000 - n);
            }
            sdi_error_free(detail);
            GIVES(SDI_ERR_STATE, sdi_sealer_update(sealer, f->plain, 1, &err));
            GIVES(SDI_ERR_STATE, sdi_sealer_set_length(sealer, 1, &err));
            GIVES(SDI_ERR_STATE, sdi_sealer_finish(sealer, &err));
            sdi_sealer_free(sealer);
        }
    }
}

static void randomness(void)
{
    const sdi_key_alg kinds[] = {SDI_KEY_P256, SDI_KEY_P384, SDI_KEY_P521, SDI_KEY_X25519};
    size_t kind;
    int n, failures = 0;
    for (kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        for (n = 1; n <= LAST; n++) {
            struct failing failing = {0, 0, 88172645463325252u};
            sdi_key *key = NOWHERE(sdi_key);
            sdi_error *detail = NULL;
            sdi_result r;
            failing.fail_at = n;
            r = sdi_key_generate_with(kinds[kind], failing_random, &failing, &key, &detail);
            if (r == SDI_OK) {
                CHECK(failing.calls < n && detail == NULL);
            } else {
                CHECK(r == SDI_ERR_RANDOM && failing.calls == n && key == NULL);
                CHECK(sdi_error_vendor_code(detail) == INT32_MAX - n);
                failures++;
            }
            sdi_error_free(detail);
            sdi_key_free(key);
        }
    }
    CHECK(failures >= 4); /* each kind asks at least once */
}

/* One file for twenty others: a key without a certificate is tried on each recipient. */
static void modules(const struct fixture *f)
{
    const sdi_cert *to[LAST];
    sdi_cert *certs[LAST];
    sdi_bytes *spki = NULL, *file = NULL;
    const int32_t answers[] = {5, -5, INT32_MAX, SDI_OP_REFUSED};
    size_t a;
    int n;
    GIVES(SDI_OK, sdi_key_public_der(f->key, &spki, &err));
    for (n = 0; n < LAST; n++) {
        certs[n] = NULL;
        GIVES(SDI_OK, sdi_cert_wrap(sdi_bytes_data(spki), sdi_bytes_len(spki), "other", 0,
                                    &certs[n], &err));
        to[n] = certs[n];
    }
    GIVES(SDI_OK, sdi_seal(to, LAST, SDI_PROFILE_AUTO, SDI_FORM_DER, f->plain, 100, &file, &err));
    for (n = 1; n <= LAST; n++) {
        for (a = 0; a < sizeof answers / sizeof answers[0]; a++) {
            struct device d;
            sdi_keyring *bare = NULL;
            sdi_bytes *plain = NOWHERE(sdi_bytes);
            sdi_error *detail = NULL;
            sdi_result r;
            device_make(&d);
            GIVES(SDI_OK, sdi_keyring_new(&bare, &err));
            GIVES(SDI_OK, sdi_keyring_set_vendor(bare, NULL, d.key, &err));
            d.module.fail_at = n;
            d.module.answer = answers[a];
            r = sdi_open(bare, sdi_bytes_data(file), sdi_bytes_len(file), &plain, &detail);
            CHECK(r != SDI_OK && plain == NULL && d.module.calls >= 1);
            CHECK(d.module.destroyed == 0);
            if (d.module.calls < n) {
                CHECK(sdi_error_vendor_code(detail) == 0);
            } else if (answers[a] == SDI_OP_REFUSED) {
                CHECK(r != SDI_ERR_KEY && sdi_error_vendor_code(detail) == 0);
            } else {
                CHECK(r == SDI_ERR_KEY && sdi_error_vendor_code(detail) == answers[a]);
            }
            sdi_error_free(detail);
            sdi_keyring_free(bare);
            device_free(&d);
        }
    }
    for (n = 0; n < LAST; n++) {
        sdi_cert_free(certs[n]);
    }
    sdi_bytes_free(file);
    sdi_bytes_free(spki);
}

/* Answers that break the rules of a callback. */
static size_t lie;

static int32_t lying_agree(void *user, sdi_key_alg curve, const uint8_t *peer, size_t peer_len,
                           uint8_t *z, size_t z_cap, size_t *z_len)
{
    (void)user, (void)curve, (void)peer, (void)peer_len;
    memset(z, 1, z_cap);
    *z_len = lie;
    return 0;
}

static int32_t lying_sign(void *user, sdi_sig_scheme scheme, const uint8_t *msg, size_t msg_len,
                          const uint8_t *digest, size_t digest_len, uint8_t *sig, size_t sig_cap,
                          size_t *sig_len)
{
    (void)user, (void)msg, (void)msg_len;
    CHECK(scheme == SDI_SIG_ECDSA_P256_SHA256 && digest != NULL && digest_len == 32);
    memset(sig, 0xff, sig_cap);
    *sig_len = lie;
    return 0;
}

static void lies(const struct fixture *f)
{
    const size_t lengths[] = {SIZE_MAX, SIZE_MAX / 2 + 1, 1000, 65, 33};
    sdi_bytes *spki = NULL;
    sdi_key *key = NULL;
    sdi_keyring *ring = NULL;
    sdi_key_ops ops;
    size_t i;
    memset(&ops, 0, sizeof ops);
    ops.size = sizeof ops;
    ops.agree = lying_agree;
    ops.sign = lying_sign;
    GIVES(SDI_OK, sdi_key_public_der(f->key, &spki, &err));
    GIVES(SDI_OK, sdi_key_from_ops(&ops, NULL, sdi_bytes_data(spki), sdi_bytes_len(spki), &key,
                                   &err));
    GIVES(SDI_OK, sdi_keyring_new(&ring, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(ring, f->cert, key, &err));
    for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        sdi_bytes *plain = NULL;
        sdi_cert *cert = NULL;
        lie = lengths[i];
        GIVES_NO(plain, SDI_ERR_KEY, sdi_open(ring, sdi_bytes_data(f->file),
                                              sdi_bytes_len(f->file), &plain, &err));
        if (lie > 64) {
            GIVES_NO(cert, SDI_ERR_KEY, sdi_cert_self_sign(key, "lies", 0, &cert, &err));
        }
    }
    for (lie = 0; lie < 33; lie++) { /* a wrong secret, whatever its length */
        sdi_bytes *plain = NULL;
        sdi_result r = sdi_open(ring, sdi_bytes_data(f->file), sdi_bytes_len(f->file), &plain, NULL);
        CHECK(plain == NULL && (r == SDI_ERR_DECRYPT || r == SDI_ERR_KEY));
    }
    sdi_keyring_free(ring);
    sdi_key_free(key);
    sdi_bytes_free(spki);
}

int main(void)
{
    struct fixture f;
    fixture_make(&f);
    sinks_of_openers(&f);
    sinks_of_sealers(&f);
    randomness();
    modules(&f);
    lies(&f);
    still_works(&f);
    fixture_free(&f);
    return 0;
}
