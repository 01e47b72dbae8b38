/* NULL in every argument of every function. A test of the suite sees that no function is missing. */
#include "check.h"

static int destroyed;

static void destroy(void *user)
{
    CHECK(user == &destroyed);
    destroyed++;
}

static void results_version_and_bytes(void)
{
    CHECK(strcmp(sdi_result_name(SDI_OK), "SDI_OK") == 0);
    CHECK(is_one_line(sdi_result_text(SDI_OK)));
    CHECK(sdi_error_code(NULL) == SDI_OK);
    CHECK(strcmp(sdi_error_text(NULL), "") == 0);
    CHECK(sdi_error_vendor_code(NULL) == 0);
    sdi_error_free(NULL);
    CHECK(is_one_line(sdi_version()));
    CHECK(sdi_version_number() == SDI_VERSION_NUMBER);
    CHECK(sdi_abi_version() == SDI_ABI_VERSION);
    CHECK((sdi_features() & SDI_FEATURE_SEAL) != 0);
    CHECK(sdi_bytes_data(NULL) == NULL);
    CHECK(sdi_bytes_len(NULL) == 0);
    sdi_bytes_free(NULL);
    sdi_wipe(NULL, 0);
    sdi_wipe(NULL, 1000);
    CHECK(sdi_detect(NULL, NULL, 0, SDI_DETECT_AT_END) == SDI_KIND_EMPTY);
    CHECK(sdi_detect("x.enc", NULL, 0, SDI_DETECT_AT_END) != SDI_KIND_PLAIN);
    CHECK(sdi_detect(NULL, NULL, 1000, SDI_DETECT_AT_END) == SDI_KIND_EMPTY);
    CHECK(strcmp(sdi_kind_name(SDI_KIND_PLAIN), "SDI_KIND_PLAIN") == 0);
    CHECK(strcmp(sdi_action_name(SDI_ACT_FETCH), "SDI_ACT_FETCH") == 0);
    CHECK(strcmp(sdi_event_name(SDI_EV_CANCEL), "SDI_EV_CANCEL") == 0);
}

static void keys(const struct fixture *f)
{
    uint8_t next = 1, sha[32];
    sdi_key *key = NOWHERE(sdi_key);
    sdi_bytes *bytes = NOWHERE(sdi_bytes), *pem = NULL, *spki = NULL;
    sdi_key_ops ops;

    GIVES(SDI_ERR_NULL, sdi_key_generate(SDI_KEY_P256, NULL, &err));
    CHECK(sdi_key_generate(SDI_KEY_P256, NULL, NULL) == SDI_ERR_NULL);
    CHECK(sdi_key_generate(SDI_KEY_P256, &key, NULL) == SDI_OK);
    sdi_key_free(key);
    sdi_key_free(NULL);

    key = NOWHERE(sdi_key);
    GIVES_NO(key, SDI_ERR_NULL, sdi_key_generate_with(SDI_KEY_P256, NULL, &next, &key, &err));
    GIVES(SDI_ERR_NULL, sdi_key_generate_with(SDI_KEY_P256, counting_random, &next, NULL, &err));
    CHECK(sdi_key_generate_with(SDI_KEY_P256, counting_random, &next, &key, NULL) == SDI_OK);
    sdi_key_free(key);

    GIVES(SDI_OK, sdi_key_export_pem(f->key, &pem, &err));
    key = NOWHERE(sdi_key);
    GIVES_NO(key, SDI_ERR_NULL, sdi_key_parse(NULL, 100, &key, &err));
    GIVES_NO(key, SDI_ERR_KEY, sdi_key_parse(NULL, 0, &key, &err));
    GIVES(SDI_ERR_NULL, sdi_key_parse(sdi_bytes_data(pem), sdi_bytes_len(pem), NULL, &err));
    CHECK(sdi_key_parse(sdi_bytes_data(pem), sdi_bytes_len(pem), &key, NULL) == SDI_OK);
    sdi_key_free(key);

    GIVES_NO(bytes, SDI_ERR_NULL, sdi_key_export_pem(NULL, &bytes, &err));
    GIVES(SDI_ERR_NULL, sdi_key_export_pem(f->key, NULL, &err));
    CHECK(sdi_key_export_pem(NULL, NULL, NULL) == SDI_ERR_NULL);
    bytes = NOWHERE(sdi_bytes);
    GIVES_NO(bytes, SDI_ERR_NULL, sdi_key_public_der(NULL, &bytes, &err));
    GIVES(SDI_ERR_NULL, sdi_key_public_der(f->key, NULL, &err));
    CHECK(sdi_key_public_der(f->key, &spki, NULL) == SDI_OK);
    GIVES(SDI_ERR_NULL, sdi_key_spki_sha256(NULL, sha, &err));
    GIVES(SDI_ERR_NULL, sdi_key_spki_sha256(f->key, NULL, &err));
    CHECK(sdi_key_spki_sha256(f->key, sha, NULL) == SDI_OK);

    memset(&ops, 0, sizeof ops);
    ops.size = sizeof ops;
    ops.destroy = destroy;
    key = NOWHERE(sdi_key);
    GIVES_NO(key, SDI_ERR_NULL,
             sdi_key_from_ops(NULL, &destroyed, sdi_bytes_data(spki), sdi_bytes_len(spki), &key,
                              &err));
    CHECK(destroyed == 0);
    key = NOWHERE(sdi_key);
    GIVES_NO(key, SDI_ERR_NULL, sdi_key_from_ops(&ops, &destroyed, NULL, 100, &key, &err));
    CHECK(destroyed == 1);
    GIVES_NO(key, SDI_ERR_KEY, sdi_key_from_ops(&ops, &destroyed, NULL, 0, &key, &err));
    CHECK(destroyed == 2);
    GIVES(SDI_ERR_NULL, sdi_key_from_ops(&ops, &destroyed, sdi_bytes_data(spki),
                                         sdi_bytes_len(spki), NULL, &err));
    CHECK(destroyed == 3);
    ops.destroy = NULL; /* no member is needed but size, and user may be NULL */
    CHECK(sdi_key_from_ops(&ops, NULL, sdi_bytes_data(spki), sdi_bytes_len(spki), &key, NULL) ==
          SDI_OK);
    sdi_key_free(key);
    sdi_bytes_free(spki);
    sdi_bytes_free(pem);
}

static void certificates(const struct fixture *f)
{
    uint8_t sha[32];
    sdi_cert *cert = NOWHERE(sdi_cert);
    sdi_bytes *bytes = NOWHERE(sdi_bytes), *der = NULL, *spki = NULL;

    GIVES(SDI_OK, sdi_cert_der(f->cert, &der, &err));
    GIVES(SDI_OK, sdi_key_public_der(f->key, &spki, &err));

    GIVES_NO(cert, SDI_ERR_NULL, sdi_cert_parse(NULL, 100, &cert, &err));
    GIVES_NO(cert, SDI_ERR_KEY, sdi_cert_parse(NULL, 0, &cert, &err));
    GIVES(SDI_ERR_NULL, sdi_cert_parse(sdi_bytes_data(der), sdi_bytes_len(der), NULL, &err));
    CHECK(sdi_cert_parse(sdi_bytes_data(der), sdi_bytes_len(der), &cert, NULL) == SDI_OK);
    sdi_cert_free(cert);
    sdi_cert_free(NULL);

    cert = NOWHERE(sdi_cert);
    GIVES_NO(cert, SDI_ERR_NULL, sdi_cert_self_sign(NULL, "a", 0, &cert, &err));
    cert = NOWHERE(sdi_cert);
    GIVES_NO(cert, SDI_ERR_NULL, sdi_cert_self_sign(f->key, NULL, 0, &cert, &err));
    GIVES(SDI_ERR_NULL, sdi_cert_self_sign(f->key, "a", 0, NULL, &err));
    CHECK(sdi_cert_self_sign(f->key, "a", 0, NULL, NULL) == SDI_ERR_NULL);

    cert = NOWHERE(sdi_cert);
    GIVES_NO(cert, SDI_ERR_NULL, sdi_cert_wrap(NULL, 91, "a", 0, &cert, &err));
    cert = NOWHERE(sdi_cert);
    GIVES_NO(cert, SDI_ERR_NULL,
             sdi_cert_wrap(sdi_bytes_data(spki), sdi_bytes_len(spki), NULL, 0, &cert, &err));
    GIVES(SDI_ERR_NULL,
          sdi_cert_wrap(sdi_bytes_data(spki), sdi_bytes_len(spki), "a", 0, NULL, &err));
    CHECK(sdi_cert_wrap(sdi_bytes_data(spki), sdi_bytes_len(spki), "a", 0, &cert, NULL) == SDI_OK);
    sdi_cert_free(cert);

    GIVES_NO(bytes, SDI_ERR_NULL, sdi_csr(NULL, "a", &bytes, &err));
    bytes = NOWHERE(sdi_bytes);
    GIVES_NO(bytes, SDI_ERR_NULL, sdi_csr(f->key, NULL, &bytes, &err));
    GIVES(SDI_ERR_NULL, sdi_csr(f->key, "a", NULL, &err));
    CHECK(sdi_csr(f->key, "a", &bytes, NULL) == SDI_OK);
    sdi_bytes_free(bytes);

    bytes = NOWHERE(sdi_bytes);
    GIVES_NO(bytes, SDI_ERR_NULL, sdi_cert_pem(NULL, &bytes, &err));
    GIVES(SDI_ERR_NULL, sdi_cert_pem(f->cert, NULL, &err));
    CHECK(sdi_cert_pem(f->cert, NULL, NULL) == SDI_ERR_NULL);
    bytes = NOWHERE(sdi_bytes);
    GIVES_NO(bytes, SDI_ERR_NULL, sdi_cert_der(NULL, &bytes, &err));
    GIVES(SDI_ERR_NULL, sdi_cert_der(f->cert, NULL, &err));
    CHECK(sdi_cert_der(f->cert, NULL, NULL) == SDI_ERR_NULL);
    GIVES(SDI_ERR_NULL, sdi_cert_spki_sha256(NULL, sha, &err));
    GIVES(SDI_ERR_NULL, sdi_cert_spki_sha256(f->cert, NULL, &err));
    CHECK(sdi_cert_spki_sha256(f->cert, sha, NULL) == SDI_OK);
    sdi_bytes_free(spki);
    sdi_bytes_free(der);
}

static void key_rings(const struct fixture *f)
{
    sdi_keyring *ring = NULL;

    GIVES(SDI_ERR_NULL, sdi_keyring_new(NULL, &err));
    CHECK(sdi_keyring_new(NULL, NULL) == SDI_ERR_NULL);
    CHECK(sdi_keyring_new(&ring, NULL) == SDI_OK);
    sdi_keyring_free(NULL);

    GIVES(SDI_ERR_NULL, sdi_keyring_set_vendor(NULL, f->cert, f->key, &err));
    GIVES(SDI_ERR_NULL, sdi_keyring_set_vendor(ring, f->cert, NULL, &err));
    GIVES(SDI_ERR_NULL, sdi_keyring_set_vendor(ring, NULL, NULL, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(ring, NULL, f->key, &err));
    CHECK(sdi_keyring_set_vendor(NULL, NULL, NULL, NULL) == SDI_ERR_NULL);

    GIVES(SDI_ERR_NULL,
          sdi_keyring_set_operator(NULL, f->cert, f->key, SDI_OPERATOR_PREFER, &err));
    GIVES(SDI_ERR_NULL, sdi_keyring_set_operator(ring, f->cert, NULL, SDI_OPERATOR_PREFER, &err));
    GIVES(SDI_ERR_NULL, sdi_keyring_set_operator(ring, NULL, NULL, SDI_OPERATOR_PREFER, &err));
    GIVES(SDI_ERR_NULL, sdi_keyring_set_operator(ring, f->cert, NULL, SDI_OPERATOR_REPLACE, &err));
    CHECK(sdi_keyring_set_operator(ring, NULL, NULL, SDI_OPERATOR_PREFER, NULL) == SDI_ERR_NULL);
    GIVES(SDI_OK, sdi_keyring_set_operator(ring, NULL, f->key, SDI_OPERATOR_PREFER, &err));

    GIVES(SDI_ERR_NULL, sdi_keyring_remove_operator(NULL, &err));
    CHECK(sdi_keyring_remove_operator(ring, NULL) == SDI_OK);
    GIVES(SDI_ERR_NULL, sdi_keyring_require_authenticated(NULL, 1, &err));
    CHECK(sdi_keyring_require_authenticated(ring, 1, NULL) == SDI_OK);
    GIVES(SDI_ERR_NULL, sdi_keyring_set_max_file(NULL, 1, &err));
    CHECK(sdi_keyring_set_max_file(ring, 1, NULL) == SDI_OK);
    GIVES(SDI_ERR_NULL, sdi_keyring_set_max_key_ops(NULL, 1, &err));
    CHECK(sdi_keyring_set_max_key_ops(ring, 1, NULL) == SDI_OK);
    sdi_keyring_free(ring);

    ring = NULL;
    GIVES(SDI_OK, sdi_keyring_new(&ring, &err));
    GIVES(SDI_OK, sdi_keyring_set_operator(ring, NULL, NULL, SDI_OPERATOR_REPLACE, &err));
    sdi_keyring_free(ring);
}

static void opening(const struct fixture *f)
{
    const uint8_t *file = sdi_bytes_data(f->file);
    size_t len = sdi_bytes_len(f->file);
    int32_t identity = 77, authenticated = 77;
    sdi_bytes *bytes = NOWHERE(sdi_bytes);
    sdi_opener *opener = NOWHERE(sdi_opener);

    GIVES_NO(bytes, SDI_ERR_NULL, sdi_open(NULL, file, len, &bytes, &err));
    bytes = NOWHERE(sdi_bytes);
    GIVES_NO(bytes, SDI_ERR_NULL, sdi_open(f->ring, NULL, len, &bytes, &err));
    GIVES_NO(bytes, SDI_ERR_MALFORMED, sdi_open(f->ring, NULL, 0, &bytes, &err));
    GIVES(SDI_ERR_NULL, sdi_open(f->ring, file, len, NULL, &err));
    CHECK(sdi_open(NULL, NULL, 1, NULL, NULL) == SDI_ERR_NULL);

    GIVES_NO(opener, SDI_ERR_NULL, sdi_opener_new(NULL, NULL, NULL, &opener, &err));
    GIVES(SDI_ERR_NULL, sdi_opener_new(f->ring, NULL, NULL, NULL, &err));
    CHECK(sdi_opener_new(f->ring, NULL, NULL, &opener, NULL) == SDI_OK);
    sdi_opener_free(NULL);

    GIVES(SDI_ERR_NULL, sdi_opener_set_max_file(NULL, 1, &err));
    CHECK(sdi_opener_set_max_file(opener, 1 << 20, NULL) == SDI_OK);
    GIVES(SDI_ERR_NULL, sdi_opener_require_authenticated(NULL, 1, &err));
    CHECK(sdi_opener_require_authenticated(opener, 1, NULL) == SDI_OK);
    GIVES(SDI_ERR_NULL, sdi_opener_hold(NULL, 1, &err));
    CHECK(sdi_opener_hold(opener, 1 << 20, NULL) == SDI_OK);
    GIVES(SDI_ERR_NULL, sdi_opener_update(NULL, file, len, &err));
    GIVES(SDI_ERR_NULL, sdi_opener_update(opener, NULL, 1, &err));
    GIVES(SDI_OK, sdi_opener_update(opener, NULL, 0, &err));
    CHECK(sdi_opener_update(opener, file, len, NULL) == SDI_OK);
    GIVES(SDI_ERR_NULL, sdi_opener_finish(NULL, &err));
    CHECK(sdi_opener_used(opener, &identity, &authenticated) == SDI_ERR_STATE);
    CHECK(sdi_opener_finish(opener, NULL) == SDI_OK);
    CHECK(sdi_opener_used(NULL, &identity, &authenticated) == SDI_ERR_NULL);
    CHECK(sdi_opener_used(opener, NULL, &authenticated) == SDI_ERR_NULL);
    CHECK(sdi_opener_used(opener, &identity, NULL) == SDI_ERR_NULL);
    CHECK(identity == 77 && authenticated == 77);
    CHECK(sdi_opener_used(opener, &identity, &authenticated) == SDI_OK);
    CHECK(identity == SDI_IDENTITY_VENDOR && authenticated == 1);
    sdi_opener_free(opener);

    bytes = NOWHERE(sdi_bytes);
    GIVES_NO(bytes, SDI_ERR_NULL, sdi_inspect(NULL, 1, &bytes, &err));
    GIVES(SDI_ERR_NULL, sdi_inspect(file, len, NULL, &err));
    CHECK(sdi_inspect(file, len, &bytes, NULL) == SDI_OK);
    sdi_bytes_free(bytes);
}

static void sealing(const struct fixture *f)
{
    const sdi_cert *to[2];
    struct collected sealed = {{0}, 0};
    sdi_bytes *bytes = NOWHERE(sdi_bytes);
    sdi_sealer *sealer = NOWHERE(sdi_sealer);
    const int32_t profile = SDI_PROFILE_AUTO, form = SDI_FORM_DER;

    to[0] = f->cert;
    to[1] = NULL;
    GIVES_NO(bytes, SDI_ERR_NULL, sdi_seal(NULL, 1, profile, form, f->plain, 9, &bytes, &err));
    bytes = NOWHERE(sdi_bytes);
    GIVES_NO(bytes, SDI_ERR_NULL, sdi_seal(to, 2, profile, form, f->plain, 9, &bytes, &err));
    bytes = NOWHERE(sdi_bytes);
    GIVES_NO(bytes, SDI_ERR_NULL, sdi_seal(to, 1, profile, form, NULL, 9, &bytes, &err));
    GIVES(SDI_ERR_NULL, sdi_seal(to, 1, profile, form, f->plain, 9, NULL, &err));
    CHECK(sdi_seal(to, 1, profile, form, NULL, 0, &bytes, NULL) == SDI_OK);
    sdi_bytes_free(bytes);

    GIVES_NO(sealer, SDI_ERR_NULL,
             sdi_sealer_new(NULL, 1, profile, form, collect, &sealed, &sealer, &err));
    sealer = NOWHERE(sdi_sealer);
    GIVES_NO(sealer, SDI_ERR_NULL,
             sdi_sealer_new(to, 2, profile, form, collect, &sealed, &sealer, &err));
    sealer = NOWHERE(sdi_sealer);
    GIVES_NO(sealer, SDI_ERR_NULL,
             sdi_sealer_new(to, 1, profile, form, NULL, &sealed, &sealer, &err));
    GIVES(SDI_ERR_NULL, sdi_sealer_new(to, 1, profile, form, collect, &sealed, NULL, &err));
    CHECK(sdi_sealer_new(to, 1, profile, form, collect, &sealed, &sealer, NULL) == SDI_OK);
    sdi_sealer_free(NULL);

    GIVES(SDI_ERR_NULL, sdi_sealer_set_length(NULL, 9, &err));
    CHECK(sdi_sealer_set_length(sealer, 9, NULL) == SDI_OK);
    GIVES(SDI_ERR_NULL, sdi_sealer_update(NULL, f->plain, 9, &err));
    GIVES(SDI_ERR_NULL, sdi_sealer_update(sealer, NULL, 9, &err));
    GIVES(SDI_OK, sdi_sealer_update(sealer, NULL, 0, &err));
    CHECK(sdi_sealer_update(sealer, f->plain, 9, NULL) == SDI_OK);
    GIVES(SDI_ERR_NULL, sdi_sealer_finish(NULL, &err));
    CHECK(sdi_sealer_finish(sealer, NULL) == SDI_OK);
    CHECK(sealed.len > 9);
    sdi_sealer_free(sealer);
}

static void installing(void)
{
    uint8_t state[SDI_INSTALL_STATE_LEN];
    sdi_install *install = NULL, *other = NULL;
    sdi_action act = 77;
    sdi_event event = 77;
    int32_t arg = 77;
    uint64_t until = 77;

    GIVES(SDI_ERR_NULL, sdi_install_new(0, NULL, &err));
    CHECK(sdi_install_new(0, &install, NULL) == SDI_OK);
    CHECK(sdi_install_new(0, &other, NULL) == SDI_OK);
    sdi_install_free(NULL);
    CHECK(sdi_install_set_encrypted_only(NULL, 1) == SDI_ERR_NULL);
    CHECK(sdi_install_set_parse_first(NULL, 1) == SDI_ERR_NULL);
    CHECK(sdi_install_set_abort_on_failure(NULL, 1) == SDI_ERR_NULL);
    CHECK(sdi_install_set_retry(NULL, 1, 1, 1) == SDI_ERR_NULL);
    CHECK(sdi_install_set_max_attempts(NULL, 1) == SDI_ERR_NULL);
    CHECK(sdi_install_set_jitter(NULL, 1, state, 1) == SDI_ERR_NULL);
    CHECK(sdi_install_set_jitter(install, 1, NULL, 1) == SDI_ERR_NULL);
    CHECK(sdi_install_set_start_spread(NULL, 1) == SDI_ERR_NULL);
    CHECK(sdi_install_outcome(install, &event, &arg) == SDI_ERR_STATE);
    CHECK(sdi_install_poll(NULL, 0, &act, &until) == SDI_ERR_NULL);
    CHECK(sdi_install_poll(install, 0, NULL, &until) == SDI_ERR_NULL);
    CHECK(act == 77 && until == 77);
    CHECK(sdi_install_poll(install, 0, &act, NULL) == SDI_OK && act == SDI_ACT_FETCH);
    CHECK(sdi_install_attempts(NULL) == 0 && sdi_install_attempts(install) == 1);
    CHECK(sdi_install_handle(NULL, 0, SDI_EV_FETCH_FAILED, 0) == SDI_ERR_NULL);
    CHECK(sdi_install_handle(install, 0, SDI_EV_FETCH_FAILED, 0) == SDI_OK);
    CHECK(sdi_install_poll(install, 0, &act, NULL) == SDI_OK && act == SDI_ACT_WAIT);
    CHECK(sdi_install_poke(NULL, 0) == SDI_ERR_NULL);
    CHECK(sdi_install_save(NULL, 0, state) == SDI_ERR_NULL);
    CHECK(sdi_install_save(install, 0, NULL) == SDI_ERR_NULL);
    CHECK(sdi_install_save(install, 0, state) == SDI_OK);
    CHECK(sdi_install_restore(NULL, 0, state, sizeof state) == SDI_ERR_NULL);
    CHECK(sdi_install_restore(other, 0, NULL, sizeof state) == SDI_ERR_NULL);
    CHECK(sdi_install_restore(other, 0, NULL, 0) == SDI_ERR_ARGUMENT);
    CHECK(sdi_install_restore(other, 0, state, sizeof state) == SDI_OK);
    CHECK(sdi_install_outcome(NULL, &event, &arg) == SDI_ERR_NULL);
    CHECK(sdi_install_outcome(install, NULL, &arg) == SDI_ERR_NULL);
    CHECK(sdi_install_outcome(install, &event, NULL) == SDI_ERR_NULL);
    CHECK(event == 77 && arg == 77);
    CHECK(sdi_install_outcome(install, &event, &arg) == SDI_OK && event == SDI_EV_FETCH_FAILED);
    sdi_install_free(other);
    sdi_install_free(install);
}

int main(void)
{
    struct fixture f;
    fixture_make(&f);
    results_version_and_bytes();
    keys(&f);
    certificates(&f);
    key_rings(&f);
    opening(&f);
    sealing(&f);
    installing();
    still_works(&f);
    fixture_free(&f);
    return 0;
}
