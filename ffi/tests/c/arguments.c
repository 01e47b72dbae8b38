/* Lengths that no buffer has, numbers that no constant stands for, and text that nobody means. */
#include "check.h"

static const size_t lengths[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1};
static const int32_t unknown[] = {-1, INT32_MIN, INT32_MAX, 99, 1000};
enum { LENGTHS = 3, UNKNOWN = 5 };

static void impossible_lengths(const struct fixture *f)
{
    const uint8_t *file = sdi_bytes_data(f->file);
    const sdi_cert *to = f->cert;
    struct collected got = {{0}, 0};
    sdi_key_ops ops;
    int i;
    memset(&ops, 0, sizeof ops);
    ops.size = sizeof ops;
    for (i = 0; i < LENGTHS; i++) {
        size_t len = lengths[i];
        sdi_key *key = NOWHERE(sdi_key);
        sdi_cert *cert = NOWHERE(sdi_cert);
        sdi_bytes *bytes = NOWHERE(sdi_bytes);
        sdi_opener *opener = NULL;
        sdi_sealer *sealer = NULL;
        sdi_install *install = NULL;
        GIVES_NO(key, SDI_ERR_ARGUMENT, sdi_key_parse(file, len, &key, &err));
        GIVES_NO(key, SDI_ERR_ARGUMENT, sdi_key_from_ops(&ops, NULL, file, len, &key, &err));
        GIVES_NO(cert, SDI_ERR_ARGUMENT, sdi_cert_parse(file, len, &cert, &err));
        GIVES_NO(cert, SDI_ERR_ARGUMENT, sdi_cert_wrap(file, len, "a", 0, &cert, &err));
        GIVES_NO(bytes, SDI_ERR_ARGUMENT, sdi_open(f->ring, file, len, &bytes, &err));
        GIVES_NO(bytes, SDI_ERR_ARGUMENT, sdi_inspect(file, len, &bytes, &err));
        GIVES_NO(bytes, SDI_ERR_ARGUMENT, sdi_seal(&to, 1, SDI_PROFILE_AUTO, SDI_FORM_DER, file,
                                                   len, &bytes, &err));
        GIVES_NO(bytes, SDI_ERR_ARGUMENT, sdi_seal(&to, len, SDI_PROFILE_AUTO, SDI_FORM_DER, file,
                                                   1, &bytes, &err));
        GIVES_NO(sealer, SDI_ERR_ARGUMENT,
                 sdi_sealer_new(&to, len, SDI_PROFILE_AUTO, SDI_FORM_DER, collect, &got, &sealer,
                                &err));
        /* Such a call has changed nothing. */
        GIVES(SDI_OK, sdi_opener_new(f->ring, NULL, NULL, &opener, &err));
        GIVES(SDI_ERR_ARGUMENT, sdi_opener_update(opener, file, len, &err));
        GIVES(SDI_OK, sdi_opener_update(opener, file, sdi_bytes_len(f->file), &err));
        GIVES(SDI_OK, sdi_opener_finish(opener, &err));
        sdi_opener_free(opener);
        GIVES(SDI_OK, sdi_sealer_new(&to, 1, SDI_PROFILE_AUTO, SDI_FORM_DER, collect, &got,
                                     &sealer, &err));
        GIVES(SDI_ERR_ARGUMENT, sdi_sealer_update(sealer, file, len, &err));
        GIVES(SDI_OK, sdi_sealer_finish(sealer, &err));
        sdi_sealer_free(sealer);
        GIVES(SDI_OK, sdi_install_new(0, &install, &err));
        CHECK(sdi_install_set_jitter(install, 1, file, len) == SDI_ERR_ARGUMENT);
        CHECK(sdi_install_restore(install, 0, file, len) == SDI_ERR_ARGUMENT);
        CHECK(sdi_install_set_jitter(install, 1, file, 1) == SDI_OK);
        sdi_install_free(install);
        sdi_wipe(bytes, len);
        CHECK(sdi_detect(NULL, NULL, len, 0) != SDI_KIND_ENVELOPED);
        CHECK(sdi_detect(NULL, file, len, SDI_DETECT_AT_END) >= SDI_KIND_NEED_MORE);
    }
}

static void unknown_numbers(const struct fixture *f)
{
    const sdi_cert *to = f->cert;
    struct collected got = {{0}, 0};
    int i;
    for (i = 0; i < UNKNOWN; i++) {
        int32_t n = unknown[i];
        uint8_t next = 1;
        sdi_key *key = NOWHERE(sdi_key);
        sdi_bytes *bytes = NOWHERE(sdi_bytes);
        sdi_sealer *sealer = NOWHERE(sdi_sealer);
        sdi_keyring *ring = NULL;
        sdi_install *install = NULL;
        sdi_action act = 0;
        CHECK(strcmp(sdi_result_name(n), "SDI_ERR_?") == 0);
        CHECK(is_one_line(sdi_result_text(n)));
        CHECK(strcmp(sdi_kind_name(n), "SDI_KIND_?") == 0);
        CHECK(strcmp(sdi_action_name(n), "SDI_ACT_?") == 0);
        CHECK(strcmp(sdi_event_name(n), "SDI_EV_?") == 0);
        GIVES_NO(key, SDI_ERR_ARGUMENT, sdi_key_generate(n, &key, &err));
        GIVES_NO(key, SDI_ERR_ARGUMENT,
                 sdi_key_generate_with(n, counting_random, &next, &key, &err));
        GIVES_NO(bytes, SDI_ERR_ARGUMENT,
                 sdi_seal(&to, 1, n, SDI_FORM_DER, f->plain, 1, &bytes, &err));
        GIVES_NO(bytes, SDI_ERR_ARGUMENT,
                 sdi_seal(&to, 1, SDI_PROFILE_AUTO, n, f->plain, 1, &bytes, &err));
        GIVES_NO(sealer, SDI_ERR_ARGUMENT,
                 sdi_sealer_new(&to, 1, n, SDI_FORM_DER, collect, &got, &sealer, &err));
        GIVES_NO(sealer, SDI_ERR_ARGUMENT,
                 sdi_sealer_new(&to, 1, SDI_PROFILE_AUTO, n, collect, &got, &sealer, &err));
        GIVES(SDI_OK, sdi_keyring_new(&ring, &err));
        GIVES(SDI_ERR_ARGUMENT, sdi_keyring_set_operator(ring, f->cert, f->key, n, &err));
        GIVES(SDI_ERR_ARGUMENT, sdi_keyring_set_operator(ring, NULL, NULL, n, &err));
        GIVES(SDI_OK, sdi_keyring_set_vendor(ring, f->cert, f->key, &err));
        sdi_keyring_free(ring);
        GIVES(SDI_OK, sdi_install_new(0, &install, &err));
        CHECK(sdi_install_poll(install, 0, &act, NULL) == SDI_OK && act == SDI_ACT_FETCH);
        CHECK(sdi_install_handle(install, 0, n, 0) == SDI_ERR_ARGUMENT);
        CHECK(sdi_install_handle(install, 0, SDI_EV_FETCHED, n) == SDI_ERR_ARGUMENT);
        CHECK(sdi_install_handle(install, 0, SDI_EV_FETCHED, SDI_KIND_PLAIN) == SDI_OK);
        sdi_install_free(install);
        /* Other bits are ignored. */
        CHECK(sdi_detect(NULL, f->plain, 0, (uint32_t)n | SDI_DETECT_AT_END) != SDI_KIND_PLAIN);
    }
    {
        sdi_key *key = NOWHERE(sdi_key);
        sdi_bytes *bytes = NOWHERE(sdi_bytes);
        GIVES_NO(key, SDI_ERR_UNSUPPORTED, sdi_key_generate(SDI_KEY_ML_KEM_768, &key, &err));
        GIVES_NO(bytes, SDI_ERR_UNSUPPORTED,
                 sdi_seal(&to, 1, SDI_PROFILE_POST_QUANTUM, SDI_FORM_DER, f->plain, 1, &bytes,
                          &err));
    }
}

static void numbers_of_recipients(const struct fixture *f)
{
    static const sdi_cert *to[10001];
    sdi_bytes *bytes = NOWHERE(sdi_bytes);
    int i;
    for (i = 0; i < 10001; i++) {
        to[i] = f->cert;
    }
    GIVES_NO(bytes, SDI_ERR_ARGUMENT,
             sdi_seal(to, 0, SDI_PROFILE_AUTO, SDI_FORM_DER, f->plain, 1, &bytes, &err));
    GIVES_NO(bytes, SDI_ERR_ARGUMENT,
             sdi_seal(NULL, 0, SDI_PROFILE_AUTO, SDI_FORM_DER, f->plain, 1, &bytes, &err));
    bytes = NOWHERE(sdi_bytes);
    GIVES_NO(bytes, SDI_ERR_LIMIT,
             sdi_seal(to, 10001, SDI_PROFILE_AUTO, SDI_FORM_DER, f->plain, 1, &bytes, &err));
    GIVES(SDI_OK, sdi_seal(to, 3, SDI_PROFILE_AUTO, SDI_FORM_DER, f->plain, 1, &bytes, &err));
    sdi_bytes_free(bytes);
}

static void identifiers(const struct fixture *f)
{
    char long_id[66];
    const char *bad[] = {"", "../x", "a/b", "a b", "-a", ".", "a..b", "a\r\nb", "\xc3\xa4", "\xff",
                         "a%2e", "a\\b", long_id};
    const char *good[] = {"a", "SN19842256", "A_b.c:d-9"};
    size_t i;
    memset(long_id, 'a', 65);
    long_id[65] = 0;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sdi_cert *cert = NOWHERE(sdi_cert);
        sdi_bytes *bytes = NOWHERE(sdi_bytes);
        GIVES_NO(cert, SDI_ERR_ARGUMENT, sdi_cert_self_sign(f->key, bad[i], 0, &cert, &err));
        GIVES_NO(bytes, SDI_ERR_ARGUMENT, sdi_csr(f->key, bad[i], &bytes, &err));
    }
    for (i = 0; i < sizeof good / sizeof good[0]; i++) {
        sdi_cert *cert = NULL;
        GIVES(SDI_OK, sdi_cert_self_sign(f->key, good[i], 0, &cert, &err));
        sdi_cert_free(cert);
    }
}

static int destroyed;

static void destroy(void *user)
{
    CHECK(user == &destroyed);
    destroyed++;
}

/* size tells the version of the struct. */
static void sizes_of_ops(const struct fixture *f)
{
    sdi_bytes *spki = NULL;
    union {
        sdi_key_ops ops;
        uint8_t bytes[sizeof(sdi_key_ops) + 64];
    } space;
    size_t size;
    GIVES(SDI_OK, sdi_key_public_der(f->key, &spki, &err));
    for (size = 0; size <= sizeof space; size++) {
        size_t from_destroy = offsetof(sdi_key_ops, destroy) + sizeof space.ops.destroy;
        int has_destroy = size >= from_destroy, before = destroyed;
        sdi_key *key = NULL;
        sdi_result r;
        memset(&space, 0xee, sizeof space);
        memset(&space.ops, 0, sizeof space.ops);
        space.ops.size = size;
        space.ops.destroy = destroy;
        r = sdi_key_from_ops(&space.ops, &destroyed, sdi_bytes_data(spki), sdi_bytes_len(spki),
                             &key, NULL);
        CHECK(r == SDI_OK || r == SDI_ERR_ARGUMENT);
        CHECK(r == SDI_OK || size < sizeof space.ops);
        CHECK(r == SDI_OK || (key == NULL && destroyed == before + has_destroy));
        sdi_key_free(key);
        CHECK(destroyed == before + has_destroy);
    }
    sdi_bytes_free(spki);
}

int main(void)
{
    struct fixture f;
    fixture_make(&f);
    impossible_lengths(&f);
    unknown_numbers(&f);
    numbers_of_recipients(&f);
    identifiers(&f);
    sizes_of_ops(&f);
    still_works(&f);
    fixture_free(&f);
    return 0;
}
