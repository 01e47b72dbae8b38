/* Callbacks: a module's answers are judged, destroy runs once on every path, and a call from inside a
 * callback does the outer call no harm. */
#include "common.h"
#include <pthread.h>
#include <stddef.h>

/* ---- a module that can do nothing, in many ways ---- */

typedef struct module {
    int destroyed, asked;
    int32_t answer;     /* what agree returns */
    size_t len;         /* what it says that it has written */
    void (*inside)(struct module *m);
    sdi_opener *opener;
    sdi_keyring *ring;
    sdi_key *key;
    const sdi_bytes *file;
} module;

static int32_t agree(void *user, sdi_key_alg curve, const uint8_t *peer, size_t peer_len, uint8_t *z, size_t z_cap,
                     size_t *z_len)
{
    module *m = user;
    CHECK(m->destroyed == 0);
    CHECK(curve == SDI_KEY_P256 && peer_len == 65 && peer[0] == 4);
    CHECK(z_cap == 32 && *z_len == 0);
    m->asked++;
    memset(z, 7, z_cap);
    if (m->inside != NULL)
        m->inside(m);
    if (m->len != 0)
        *z_len = m->len;
    return m->answer;
}

static int32_t sign(void *user, sdi_sig_scheme scheme, const uint8_t *msg, size_t msg_len, const uint8_t *digest,
                    size_t digest_len, uint8_t *sig, size_t sig_cap, size_t *sig_len)
{
    module *m = user;
    CHECK(scheme == SDI_SIG_ECDSA_P256_SHA256 && msg_len > 0 && msg != NULL);
    CHECK(digest_len == 32 && digest != NULL && sig_cap == 64);
    m->asked++;
    if (m->inside != NULL)
        m->inside(m);
    memset(sig, 1, sig_cap);
    *sig_len = m->len;
    return m->answer;
}

static void destroy(void *user)
{
    module *m = user;
    CHECK(m->destroyed++ == 0);
    if (m->inside != NULL)
        m->inside(m);
}

static sdi_key_ops all(void)
{
    sdi_key_ops ops;
    memset(&ops, 0, sizeof ops);
    ops.size = sizeof ops;
    ops.agree = agree;
    ops.sign = sign;
    ops.destroy = destroy;
    return ops;
}

static device software;
static sdi_bytes *spki, *file;

static sdi_key *with(module *m, const sdi_key_ops *ops)
{
    sdi_key *key;
    OK(sdi_key_from_ops(ops, m, sdi_bytes_data(spki), sdi_bytes_len(spki), &key, NULL));
    return key;
}

/* A ring with the module's key, and nothing else that holds it. */
static sdi_keyring *ring_of(module *m)
{
    sdi_key_ops ops = all();
    sdi_key *key = with(m, &ops);
    sdi_keyring *ring;
    OK(sdi_keyring_new(&ring, NULL));
    OK(sdi_keyring_set_vendor(ring, software.cert, key, NULL));
    sdi_key_free(key);
    CHECK(m->destroyed == 0);
    return ring;
}

static sdi_result open_with(sdi_keyring *ring, sdi_error **err)
{
    sdi_bytes *plain;
    sdi_result r = sdi_open(ring, sdi_bytes_data(file), sdi_bytes_len(file), &plain, err);
    CHECK((r == SDI_OK) == (plain != NULL));
    sdi_bytes_free(plain);
    return r;
}

/* ---- creation ---- */

static void creation(void)
{
    sdi_key_ops ops = all();
    sdi_key *key = (sdi_key *)&ops;
    sdi_error *err = NULL;
    size_t size, accepted = 0;

    IS(SDI_ERR_NULL, sdi_key_from_ops(NULL, NULL, sdi_bytes_data(spki), sdi_bytes_len(spki), &key, &err));
    CHECK(key == NULL);
    sdi_error_free(err);
    {
        module m = {0};
        IS(SDI_ERR_NULL, sdi_key_from_ops(&ops, &m, sdi_bytes_data(spki), sdi_bytes_len(spki), NULL, NULL));
        CHECK(m.destroyed == 1);
    }
    {
        module m = {0};
        IS(SDI_ERR_NULL, sdi_key_from_ops(&ops, &m, NULL, 5, &key, NULL));
        CHECK(m.destroyed == 1 && key == NULL);
    }
    {
        module m = {0};
        IS(SDI_ERR_ARGUMENT, sdi_key_from_ops(&ops, &m, sdi_bytes_data(spki), SIZE_MAX, &key, NULL));
        CHECK(m.destroyed == 1);
    }
    {
        module m = {0};
        IS(SDI_ERR_KEY, sdi_key_from_ops(&ops, &m, (const uint8_t *)"no key", 6, &key, NULL));
        CHECK(m.destroyed == 1);
    }
    /* Every size up to the whole, and one beyond. */
    for (size = 0; size <= sizeof ops; size++) {
        module m = {0};
        sdi_result r;
        ops.size = size;
        r = sdi_key_from_ops(&ops, &m, sdi_bytes_data(spki), sdi_bytes_len(spki), &key, NULL);
        if (r == SDI_OK) {
            accepted++;
            CHECK(m.destroyed == 0);
            sdi_key_free(key);
        } else {
            CHECK(r == SDI_ERR_ARGUMENT && key == NULL);
        }
        CHECK(m.destroyed == (size >= offsetof(sdi_key_ops, decapsulate)));
    }
    CHECK(accepted == 8);
    {
        struct { sdi_key_ops ops; void *later; } newer;
        module m = {0};
        newer.ops = all();
        newer.ops.size = sizeof newer;
        newer.later = &m;
        key = with(&m, &newer.ops);
        sdi_key_free(key);
        CHECK(m.destroyed == 1);
    }
    /* What the struct does not have, the key cannot do. */
    {
        module m = {0};
        sdi_bytes *pem;
        ops = all();
        ops.size = offsetof(sdi_key_ops, agree);
        key = with(&m, &ops);
        IS(SDI_ERR_KEY, sdi_csr(key, "SN1", &pem, NULL));
        IS(SDI_ERR_UNSUPPORTED, sdi_key_export_pem(key, &pem, NULL));
        CHECK(pem == NULL && m.asked == 0);
        sdi_key_free(key);
    }
}

/* ---- answers ---- */

static void answers(void)
{
    static const struct { int32_t answer; size_t len; sdi_result expected; int64_t code; } cases[] = {
        { 0x18b, 32, SDI_ERR_KEY, 0x18b },
        { -5, 32, SDI_ERR_KEY, -5 },
        { INT32_MAX, 32, SDI_ERR_KEY, INT32_MAX },
        { SDI_OP_REFUSED, 32, SDI_ERR_DECRYPT, 0 },
        { 0, 32, SDI_ERR_DECRYPT, 0 },        /* a wrong secret */
        { 0, 31, SDI_ERR_DECRYPT, 0 },        /* padded on the left */
        { 0, 33, SDI_ERR_KEY, 0 },            /* more than there was room for */
        { 0, SIZE_MAX, SDI_ERR_KEY, 0 },
        { 0, 0, SDI_ERR_KEY, 0 },             /* never set */
    };
    size_t i;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        module m = {0};
        sdi_keyring *ring = ring_of(&m);
        sdi_error *err;
        m.answer = cases[i].answer;
        m.len = cases[i].len;
        IS(cases[i].expected, open_with(ring, &err));
        CHECK(m.asked == 1 && sdi_error_vendor_code(err) == cases[i].code);
        sdi_error_free(err);
        sdi_keyring_free(ring);
        CHECK(m.destroyed == 1);
    }
}

/* ---- who holds the key ---- */

static void holders(void)
{
    sdi_key_ops ops = all();
    module m = {0}, other = {0};
    sdi_key *key = with(&m, &ops);
    sdi_keyring *ring;
    sdi_opener *opener;
    uint8_t pin[32];

    OK(sdi_keyring_new(&ring, NULL));
    IS(SDI_ERR_STATE, sdi_opener_new(ring, NULL, NULL, &opener, NULL));
    OK(sdi_keyring_set_vendor(ring, NULL, key, NULL));
    OK(sdi_key_spki_sha256(key, pin, NULL));
    OK(sdi_opener_new(ring, NULL, NULL, &opener, NULL));
    sdi_key_free(key);
    sdi_keyring_free(ring);
    CHECK(m.destroyed == 0);
    sdi_opener_free(opener);
    CHECK(m.destroyed == 1);

    /* The vendor's key leaves the ring with the operator's replacement. */
    memset(&m, 0, sizeof m);
    ring = ring_of(&m);
    key = with(&other, &ops);
    OK(sdi_keyring_set_operator(ring, NULL, key, SDI_OPERATOR_REPLACE, NULL));
    CHECK(m.destroyed == 1 && other.destroyed == 0);
    OK(sdi_keyring_set_operator(ring, NULL, NULL, SDI_OPERATOR_REPLACE, NULL));
    sdi_key_free(key);
    CHECK(other.destroyed == 1);
    IS(SDI_ERR_NOT_FOR_THIS_DEVICE, open_with(ring, NULL));
    sdi_keyring_free(ring);
}

/* ---- calls from inside a callback ---- */

static void call_the_opener(module *m)
{
    sdi_opener *opener = m->opener;
    int32_t identity, authenticated;
    sdi_error *err;
    IS(SDI_ERR_STATE, sdi_opener_update(opener, sdi_bytes_data(file), 1, &err));
    CHECK(err != NULL);
    sdi_error_free(err);
    IS(SDI_ERR_STATE, sdi_opener_finish(opener, NULL));
    IS(SDI_ERR_STATE, sdi_opener_hold(opener, 1, NULL));
    IS(SDI_ERR_STATE, sdi_opener_set_max_file(opener, 1, NULL));
    IS(SDI_ERR_STATE, sdi_opener_require_authenticated(opener, 1, NULL));
    IS(SDI_ERR_STATE, sdi_opener_used(opener, &identity, &authenticated));
}

static int32_t calling_sink(void *user, const uint8_t *data, size_t len)
{
    module *m = user;
    CHECK(data != NULL && len > 0);
    call_the_opener(m);
    m->asked++;
    return 0;
}

static void free_the_opener(module *m)
{
    if (m->opener != NULL) {
        sdi_opener *opener = m->opener;
        call_the_opener(m);
        m->opener = NULL;
        sdi_opener_free(opener);
        sdi_opener_free(opener);     /* put off, so this is no double free yet */
        IS(SDI_ERR_STATE, sdi_opener_update(opener, NULL, 0, NULL));
    }
}

static int32_t freeing_sink(void *user, const uint8_t *data, size_t len)
{
    (void)data;
    (void)len;
    free_the_opener(user);
    return 0;
}

static void use_the_ring(module *m)
{
    sdi_opener *opener;
    if (m->ring == NULL)
        return;
    IS(SDI_ERR_STATE, open_with(m->ring, NULL));
    IS(SDI_ERR_STATE, sdi_opener_new(m->ring, NULL, NULL, &opener, NULL));
    IS(SDI_ERR_STATE, sdi_keyring_set_max_file(m->ring, 1, NULL));
    IS(SDI_ERR_STATE, sdi_keyring_set_vendor(m->ring, NULL, software.key, NULL));
    IS(SDI_ERR_STATE, sdi_keyring_remove_operator(m->ring, NULL));
    /* Another ring is another handle. */
    OK(open_with(software.ring, NULL));
    sdi_keyring_free(m->ring);
    CHECK(m->destroyed == 1 || m->asked == 1);
    m->ring = NULL;
}

static void use_the_key(module *m)
{
    sdi_bytes *bytes;
    if (m->key == NULL)
        return;
    IS(SDI_ERR_STATE, sdi_key_public_der(m->key, &bytes, NULL));
    IS(SDI_ERR_STATE, sdi_csr(m->key, "SN1", &bytes, NULL));
    sdi_key_free(m->key);
    CHECK(m->destroyed == 0);
    m->key = NULL;
}

static void inside(void)
{
    const uint8_t *bytes = sdi_bytes_data(file);
    size_t len = sdi_bytes_len(file);
    sdi_key_ops ops = all();
    sdi_bytes *pem;
    sdi_result r;

    /* A sink that calls its own opener; the plaintext is whole all the same. */
    {
        module m = {0};
        OK(sdi_opener_new(software.ring, calling_sink, &m, &m.opener, NULL));
        OK(sdi_opener_update(m.opener, bytes, len, NULL));
        OK(sdi_opener_finish(m.opener, NULL));
        CHECK(m.asked > 0);
        sdi_opener_free(m.opener);
    }
    /* A sink that frees it: the call ends well, then the opener is gone. */
    {
        module m = {0};
        OK(sdi_opener_new(software.ring, freeing_sink, &m, &m.opener, NULL));
        OK(sdi_opener_update(m.opener, bytes, len, NULL));
        if (m.opener != NULL)
            OK(sdi_opener_finish(m.opener, NULL));
        CHECK(m.opener == NULL);
    }
    /* The same from agree, which runs in update or in finish. */
    {
        module m = {0};
        sdi_keyring *ring = ring_of(&m);
        sdi_error *err;
        m.inside = free_the_opener;
        m.answer = 77;
        OK(sdi_opener_new(ring, NULL, NULL, &m.opener, NULL));
        sdi_keyring_free(ring);
        r = sdi_opener_update(m.opener, bytes, len, &err);
        if (r == SDI_OK)
            r = sdi_opener_finish(m.opener, &err);
        CHECK(r == SDI_ERR_KEY && sdi_error_vendor_code(err) == 77);
        sdi_error_free(err);
        CHECK(m.asked == 1 && m.opener == NULL && m.destroyed == 1);
    }
    /* The ring is working in sdi_open; its free is put off until that returns. */
    {
        module m = {0};
        sdi_error *err;
        m.ring = ring_of(&m);
        m.inside = use_the_ring;
        m.answer = 5;
        IS(SDI_ERR_KEY, open_with(m.ring, &err));
        CHECK(sdi_error_vendor_code(err) == 5 && m.asked == 1 && m.ring == NULL && m.destroyed == 1);
        sdi_error_free(err);
    }
    /* The key is working in sdi_csr. */
    {
        module m = {0};
        m.key = with(&m, &ops);
        m.inside = use_the_key;
        m.len = 64;
        OK(sdi_csr(m.key, "SN1", &pem, NULL));
        CHECK(m.key == NULL && m.asked == 1 && m.destroyed == 1);
        sdi_bytes_free(pem);
    }
    /* The ring is working while a key that it drops is destroyed. */
    {
        module m = {0};
        sdi_keyring *ring = ring_of(&m);
        m.ring = ring;
        m.inside = use_the_ring;
        OK(sdi_keyring_set_vendor(ring, software.cert, software.key, NULL));
        CHECK(m.destroyed == 1 && m.ring == NULL);
    }
    /* The same while the ring itself is freed. */
    {
        module m = {0};
        m.ring = ring_of(&m);
        m.inside = use_the_ring;
        sdi_keyring_free(m.ring);
        CHECK(m.destroyed == 1 && m.ring == NULL);
    }
}

/* ---- sinks and randomness ---- */

static int32_t refusing_sink(void *user, const uint8_t *data, size_t len)
{
    (void)data;
    (void)len;
    return *(int32_t *)user;
}

static int32_t random_bytes(void *user, uint8_t *out, size_t len)
{
    size_t i;
    for (i = 0; i < len; i++)
        out[i] = (uint8_t)(i * 7 + 1);
    return *(int32_t *)user;
}

static void sinks_and_randomness(void)
{
    int32_t code = -42, none = 0;
    sdi_opener *opener;
    sdi_sealer *sealer;
    sdi_error *err;
    sdi_key *key;
    const sdi_cert *to[1];
    sdi_result r;

    OK(sdi_opener_new(software.ring, refusing_sink, &code, &opener, NULL));
    r = sdi_opener_update(opener, sdi_bytes_data(file), sdi_bytes_len(file), &err);
    if (r == SDI_OK)
        r = sdi_opener_finish(opener, &err);
    CHECK(r == SDI_ERR_SINK && sdi_error_vendor_code(err) == -42);
    sdi_error_free(err);
    IS(SDI_ERR_STATE, sdi_opener_update(opener, NULL, 0, NULL));
    IS(SDI_ERR_STATE, sdi_opener_finish(opener, NULL));
    sdi_opener_free(opener);

    to[0] = software.cert;
    IS(SDI_ERR_NULL, sdi_sealer_new(to, 1, SDI_PROFILE_AUTO, SDI_FORM_DER, NULL, NULL, &sealer, NULL));
    OK(sdi_sealer_new(to, 1, SDI_PROFILE_AUTO, SDI_FORM_DER, refusing_sink, &code, &sealer, NULL));
    IS(SDI_ERR_SINK, sdi_sealer_update(sealer, (const uint8_t *)"x", 1, &err));
    CHECK(sdi_error_vendor_code(err) == -42);
    sdi_error_free(err);
    IS(SDI_ERR_STATE, sdi_sealer_finish(sealer, NULL));
    sdi_sealer_free(sealer);

    IS(SDI_ERR_RANDOM, sdi_key_generate_with(SDI_KEY_P256, random_bytes, &code, &key, &err));
    CHECK(key == NULL && sdi_error_vendor_code(err) == -42);
    sdi_error_free(err);
    IS(SDI_ERR_NULL, sdi_key_generate_with(SDI_KEY_P256, NULL, NULL, &key, NULL));
    OK(sdi_key_generate_with(SDI_KEY_P256, random_bytes, &none, &key, NULL));
    sdi_key_free(key);
}

/* ---- threads ---- */

static void *reader(void *unused)
{
    int i;
    for (i = 0; i < 20; i++)
        OK(open_with(software.ring, NULL));
    return unused;
}

static void threads(void)
{
    pthread_t thread[4];
    size_t i;
    for (i = 0; i < 4; i++)
        CHECK(pthread_create(&thread[i], NULL, reader, NULL) == 0);
    for (i = 0; i < 4; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
}

int main(void)
{
    static const char plain[] = "hostname r1\n";
    software = device_new(SDI_KEY_P256);
    OK(sdi_key_public_der(software.key, &spki, NULL));
    file = sealed(software, SDI_PROFILE_AUTHENTICATED, SDI_FORM_DER, plain, sizeof plain - 1);
    creation();
    answers();
    holders();
    inside();
    sinks_and_randomness();
    threads();
    sdi_bytes_free(spki);
    sdi_bytes_free(file);
    device_free(software);
    return 0;
}
