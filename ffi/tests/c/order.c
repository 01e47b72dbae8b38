/* Calls in the wrong order, and every call after an error. */
#include "check.h"

static void openers(const struct fixture *f)
{
    const uint8_t *file = sdi_bytes_data(f->file);
    size_t len = sdi_bytes_len(f->file);
    struct collected got = {{0}, 0};
    sdi_opener *opener = NULL;
    sdi_keyring *empty = NULL;
    sdi_bytes *plain = NULL;
    int32_t a = 77, b = 77;

    GIVES(SDI_OK, sdi_keyring_new(&empty, &err));
    GIVES_NO(plain, SDI_ERR_STATE, sdi_open(empty, file, len, &plain, &err));
    sdi_keyring_free(empty);

    /* A setting after the first update changes nothing, and the stream goes on. */
    got.len = 0;
    GIVES(SDI_OK, sdi_opener_new(f->ring, collect, &got, &opener, &err));
    GIVES(SDI_OK, sdi_opener_update(opener, file, 1, &err));
    GIVES(SDI_ERR_STATE, sdi_opener_hold(opener, 1, &err));
    GIVES(SDI_ERR_STATE, sdi_opener_set_max_file(opener, 1, &err));
    GIVES(SDI_ERR_STATE, sdi_opener_require_authenticated(opener, 1, &err));
    GIVES(SDI_OK, sdi_opener_update(opener, file + 1, len - 1, &err));
    CHECK(sdi_opener_used(opener, &a, &b) == SDI_ERR_STATE && a == 77 && b == 77);
    GIVES(SDI_OK, sdi_opener_finish(opener, &err));
    CHECK(is_plain(f, got.data, got.len));
    /* After the end. */
    GIVES(SDI_ERR_STATE, sdi_opener_finish(opener, &err));
    GIVES(SDI_ERR_STATE, sdi_opener_update(opener, file, 1, &err));
    GIVES(SDI_ERR_STATE, sdi_opener_update(opener, NULL, 0, &err));
    GIVES(SDI_ERR_STATE, sdi_opener_hold(opener, 1, &err));
    CHECK(sdi_opener_used(opener, &a, &b) == SDI_OK && a == SDI_IDENTITY_VENDOR && b == 1);
    sdi_opener_free(opener);

    /* Nothing at all, a half, and a half that is held. */
    GIVES(SDI_OK, sdi_opener_new(f->ring, collect, &got, &opener, &err));
    GIVES(SDI_ERR_MALFORMED, sdi_opener_finish(opener, &err));
    CHECK(sdi_opener_used(opener, &a, &b) == SDI_ERR_STATE);
    sdi_opener_free(opener);
    got.len = 0;
    GIVES(SDI_OK, sdi_opener_new(f->ring, collect, &got, &opener, &err));
    GIVES(SDI_OK, sdi_opener_hold(opener, sizeof f->plain, &err));
    GIVES(SDI_OK, sdi_opener_update(opener, file, len / 2, &err));
    GIVES(SDI_ERR_MALFORMED, sdi_opener_finish(opener, &err));
    CHECK(got.len == 0);
    sdi_opener_free(opener);
    GIVES(SDI_OK, sdi_opener_new(f->ring, collect, &got, &opener, &err));
    sdi_opener_free(opener); /* never used */

    /* Limits: one byte too few is an error, as many as needed are enough. */
    GIVES(SDI_OK, sdi_opener_new(f->ring, collect, &got, &opener, &err));
    GIVES(SDI_OK, sdi_opener_set_max_file(opener, len - 1, &err));
    GIVES(SDI_ERR_LIMIT, sdi_opener_update(opener, file, len, &err));
    sdi_opener_free(opener);
    got.len = 0;
    GIVES(SDI_OK, sdi_opener_new(f->ring, collect, &got, &opener, &err));
    GIVES(SDI_OK, sdi_opener_set_max_file(opener, len, &err));
    GIVES(SDI_OK, sdi_opener_hold(opener, sizeof f->plain, &err));
    GIVES(SDI_OK, sdi_opener_update(opener, file, len, &err));
    CHECK(got.len == 0);
    GIVES(SDI_OK, sdi_opener_finish(opener, &err));
    CHECK(is_plain(f, got.data, got.len));
    sdi_opener_free(opener);
    GIVES(SDI_OK, sdi_opener_new(f->ring, collect, &got, &opener, &err));
    GIVES(SDI_OK, sdi_opener_hold(opener, sizeof f->plain - 1, &err));
    GIVES(SDI_ERR_LIMIT, sdi_opener_update(opener, file, len, &err));
    sdi_opener_free(opener);
}

static void policies(const struct fixture *f)
{
    const uint8_t *cbc = sdi_bytes_data(f->cbc);
    size_t len = sdi_bytes_len(f->cbc);
    sdi_keyring *ring = NULL;
    sdi_opener *opener = NULL;
    sdi_bytes *plain = NULL;
    struct collected got = {{0}, 0};

    got.len = 0;
    GIVES(SDI_OK, sdi_opener_new(f->ring, collect, &got, &opener, &err));
    GIVES(SDI_OK, sdi_opener_require_authenticated(opener, -1, &err)); /* anything else is on */
    GIVES(SDI_OK, sdi_opener_require_authenticated(opener, 0, &err));  /* leaves it as it is */
    GIVES(SDI_ERR_POLICY, sdi_opener_update(opener, cbc, len, &err));
    CHECK(got.len == 0);
    sdi_opener_free(opener);

    GIVES(SDI_OK, sdi_keyring_new(&ring, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(ring, f->cert, f->key, &err));
    GIVES(SDI_OK, sdi_keyring_require_authenticated(ring, 1, &err));
    GIVES_NO(plain, SDI_ERR_POLICY, sdi_open(ring, cbc, len, &plain, &err));
    GIVES(SDI_OK, sdi_keyring_require_authenticated(ring, 0, &err));
    GIVES(SDI_OK, sdi_open(ring, cbc, len, &plain, &err));
    sdi_bytes_free(plain);
    GIVES(SDI_OK, sdi_keyring_set_max_file(ring, len - 1, &err));
    GIVES_NO(plain, SDI_ERR_LIMIT, sdi_open(ring, cbc, len, &plain, &err));
    GIVES(SDI_OK, sdi_opener_new(ring, NULL, NULL, &opener, &err));
    GIVES(SDI_OK, sdi_opener_set_max_file(opener, UINT64_MAX, &err)); /* it only tightens */
    GIVES(SDI_ERR_LIMIT, sdi_opener_update(opener, cbc, len, &err));
    sdi_opener_free(opener);
    GIVES(SDI_OK, sdi_keyring_set_max_file(ring, UINT64_MAX, &err));
    GIVES(SDI_OK, sdi_keyring_set_max_key_ops(ring, 0, &err));
    GIVES_NO(plain, SDI_ERR_LIMIT, sdi_open(ring, cbc, len, &plain, &err));
    GIVES(SDI_OK, sdi_keyring_set_max_key_ops(ring, UINT32_MAX, &err));
    GIVES(SDI_OK, sdi_open(ring, cbc, len, &plain, &err));
    sdi_bytes_free(plain);
    sdi_keyring_free(ring);
}

/* The operator's key replaces the vendor's for good (RFC 8886, 5.2). */
static void operators(const struct fixture *f)
{
    const uint8_t *file = sdi_bytes_data(f->file);
    size_t len = sdi_bytes_len(f->file);
    struct fixture other;
    sdi_keyring *ring = NULL;
    sdi_bytes *plain = NULL;

    fixture_make(&other);
    GIVES(SDI_OK, sdi_keyring_new(&ring, &err));
    GIVES(SDI_ERR_KEY, sdi_keyring_set_vendor(ring, other.cert, f->key, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(ring, f->cert, f->key, &err));
    GIVES(SDI_ERR_KEY,
          sdi_keyring_set_operator(ring, f->cert, other.key, SDI_OPERATOR_REPLACE, &err));
    GIVES(SDI_OK,
          sdi_keyring_set_operator(ring, other.cert, other.key, SDI_OPERATOR_PREFER, &err));
    GIVES(SDI_OK, sdi_open(ring, file, len, &plain, &err));
    sdi_bytes_free(plain);
    GIVES(SDI_OK, sdi_keyring_remove_operator(ring, &err));
    GIVES(SDI_OK, sdi_keyring_remove_operator(ring, &err)); /* nothing to remove is no error */
    GIVES(SDI_OK,
          sdi_keyring_set_operator(ring, other.cert, other.key, SDI_OPERATOR_REPLACE, &err));
    GIVES_NO(plain, SDI_ERR_NOT_FOR_THIS_DEVICE, sdi_open(ring, file, len, &plain, &err));
    GIVES(SDI_ERR_STATE, sdi_keyring_set_vendor(ring, f->cert, f->key, &err));
    GIVES(SDI_ERR_STATE, sdi_keyring_remove_operator(ring, &err));
    GIVES(SDI_OK, sdi_open(ring, sdi_bytes_data(other.file), sdi_bytes_len(other.file), &plain,
                           &err));
    sdi_bytes_free(plain);
    sdi_keyring_free(ring);
    fixture_free(&other);
}

static void sealers(const struct fixture *f)
{
    const sdi_cert *to = f->cert;
    struct collected got = {{0}, 0};
    sdi_sealer *sealer = NULL;
    got.len = 0;
    GIVES(SDI_OK, sdi_sealer_new(&to, 1, SDI_PROFILE_AUTO, SDI_FORM_DER, collect, &got, &sealer,
                                 &err));
    GIVES(SDI_OK, sdi_sealer_set_length(sealer, 4, &err));
    GIVES(SDI_OK, sdi_sealer_update(sealer, f->plain, 2, &err));
    GIVES(SDI_ERR_STATE, sdi_sealer_set_length(sealer, 2, &err)); /* changes nothing */
    GIVES(SDI_OK, sdi_sealer_update(sealer, f->plain, 2, &err));
    GIVES(SDI_OK, sdi_sealer_finish(sealer, &err));
    GIVES(SDI_ERR_STATE, sdi_sealer_update(sealer, f->plain, 1, &err));
    GIVES(SDI_ERR_STATE, sdi_sealer_finish(sealer, &err));
    GIVES(SDI_ERR_STATE, sdi_sealer_set_length(sealer, 1, &err));
    sdi_sealer_free(sealer);

    GIVES(SDI_OK, sdi_sealer_new(&to, 1, SDI_PROFILE_AUTO, SDI_FORM_DER, collect, &got, &sealer,
                                 &err));
    GIVES(SDI_OK, sdi_sealer_set_length(sealer, 4, &err));
    GIVES(SDI_ERR_STATE, sdi_sealer_update(sealer, f->plain, 5, &err));
    GIVES(SDI_ERR_STATE, sdi_sealer_update(sealer, f->plain, 4, &err)); /* it is lost */
    sdi_sealer_free(sealer);

    GIVES(SDI_OK, sdi_sealer_new(&to, 1, SDI_PROFILE_AUTO, SDI_FORM_DER, collect, &got, &sealer,
                                 &err));
    GIVES(SDI_OK, sdi_sealer_set_length(sealer, 4, &err));
    GIVES(SDI_OK, sdi_sealer_update(sealer, f->plain, 3, &err));
    GIVES(SDI_ERR_STATE, sdi_sealer_finish(sealer, &err));
    sdi_sealer_free(sealer);
}

static void installs(void)
{
    uint8_t state[SDI_INSTALL_STATE_LEN], seed[1] = {1};
    sdi_install *install = NULL, *second = NULL, *third = NULL;
    sdi_action act = 0;
    sdi_event event = 0;
    uint64_t until = 0;
    int32_t arg = 0;
    int i;
    GIVES(SDI_OK, sdi_install_new(5, &install, &err));
    CHECK(sdi_install_set_retry(install, 0, 1, 1) == SDI_ERR_ARGUMENT);
    CHECK(sdi_install_set_retry(install, 1, 1, 0) == SDI_ERR_ARGUMENT);
    CHECK(sdi_install_set_jitter(install, 501, seed, 1) == SDI_ERR_ARGUMENT);
    CHECK(sdi_install_set_jitter(install, 500, seed, 1) == SDI_OK);
    CHECK(sdi_install_set_jitter(install, 0, NULL, 0) == SDI_OK);
    CHECK(sdi_install_handle(install, 5, SDI_EV_FETCHED, SDI_KIND_PLAIN) == SDI_ERR_STATE);
    CHECK(sdi_install_set_max_attempts(install, 0) == SDI_OK); /* a refused answer is no poll */
    CHECK(sdi_install_poll(install, 5, &act, &until) == SDI_OK && act == SDI_ACT_FETCH);
    CHECK(sdi_install_set_encrypted_only(install, 1) == SDI_ERR_STATE);
    CHECK(sdi_install_set_parse_first(install, 1) == SDI_ERR_STATE);
    CHECK(sdi_install_set_abort_on_failure(install, 1) == SDI_ERR_STATE);
    CHECK(sdi_install_set_retry(install, 1, 1, 1) == SDI_ERR_STATE);
    CHECK(sdi_install_set_max_attempts(install, 1) == SDI_ERR_STATE);
    CHECK(sdi_install_set_jitter(install, 1, seed, 1) == SDI_ERR_STATE);
    CHECK(sdi_install_set_start_spread(install, 1) == SDI_ERR_STATE);
    CHECK(sdi_install_poke(install, 5) == SDI_ERR_STATE);
    for (i = SDI_EV_DECRYPTED; i < SDI_EV_CANCEL; i++) {
        CHECK(sdi_install_handle(install, 5, i, 0) == SDI_ERR_STATE);
        CHECK(sdi_install_poll(install, 5, &act, &until) == SDI_OK && act == SDI_ACT_FETCH);
    }
    CHECK(sdi_install_handle(install, 5, SDI_EV_FETCHED, SDI_KIND_ENVELOPED) == SDI_OK);
    CHECK(sdi_install_poll(install, 5, &act, &until) == SDI_OK && act == SDI_ACT_DECRYPT);
    CHECK(sdi_install_handle(install, 5, SDI_EV_DECRYPT_FAILED, SDI_ERR_DECRYPT) == SDI_OK);
    CHECK(sdi_install_outcome(install, &event, &arg) == SDI_OK);
    CHECK(event == SDI_EV_DECRYPT_FAILED && arg == SDI_ERR_DECRYPT);
    CHECK(sdi_install_poll(install, 5, &act, &until) == SDI_OK && act == SDI_ACT_WAIT);
    CHECK(until == 5 + 5 * 60 * 1000);
    CHECK(sdi_install_save(install, 5, state) == SDI_OK);
    GIVES(SDI_OK, sdi_install_new(1000, &second, &err));
    CHECK(sdi_install_restore(second, 1000, state, sizeof state - 1) == SDI_ERR_ARGUMENT);
    state[9] ^= 1;
    CHECK(sdi_install_restore(second, 1000, state, sizeof state) == SDI_ERR_ARGUMENT);
    state[9] ^= 1;
    CHECK(sdi_install_restore(second, 1000, state, sizeof state) == SDI_OK);
    CHECK(sdi_install_restore(second, 1000, state, sizeof state) == SDI_ERR_STATE);
    CHECK(sdi_install_set_max_attempts(second, 1) == SDI_ERR_STATE);
    CHECK(sdi_install_poll(second, 1000, &act, &until) == SDI_OK && act == SDI_ACT_WAIT);
    CHECK(until == 1000 + 5 * 60 * 1000 && sdi_install_attempts(second) == 1);
    CHECK(sdi_install_poke(second, 1000) == SDI_OK);
    CHECK(sdi_install_poll(second, 1000, &act, &until) == SDI_OK && act == SDI_ACT_FETCH);
    CHECK(sdi_install_handle(second, 1000, SDI_EV_CANCEL, 0) == SDI_OK);
    CHECK(sdi_install_poll(second, 1000, &act, &until) == SDI_OK && act == SDI_ACT_ABORTED);
    CHECK(sdi_install_handle(second, 1000, SDI_EV_CANCEL, 0) == SDI_ERR_STATE);
    CHECK(sdi_install_poke(second, 1000) == SDI_ERR_STATE);
    CHECK(sdi_install_outcome(second, &event, &arg) == SDI_OK && event == SDI_EV_CANCEL);
    CHECK(sdi_install_save(second, 1000, state) == SDI_OK);
    /* An end stays the end over a reboot. */
    GIVES(SDI_OK, sdi_install_new(7, &third, &err));
    CHECK(sdi_install_restore(third, 7, state, sizeof state) == SDI_OK);
    CHECK(sdi_install_poke(third, 7) == SDI_ERR_STATE);
    CHECK(sdi_install_poll(third, 7, &act, &until) == SDI_OK && act == SDI_ACT_ABORTED);
    sdi_install_free(third);
    sdi_install_free(second);
    sdi_install_free(install);
}

int main(void)
{
    struct fixture f;
    fixture_make(&f);
    openers(&f);
    policies(&f);
    operators(&f);
    sealers(&f);
    installs();
    still_works(&f);
    fixture_free(&f);
    return 0;
}
