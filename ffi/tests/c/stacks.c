/* Every function of the header on a small stack: 64 KiB with P-256, 128 KiB with any other key but
 * P-521, which gets 256 KiB. Too small a stack is a signal. */
#include "check.h"
#include <pthread.h>
#include <unistd.h>

struct task {
    sdi_key_alg alg;
    size_t stack;
};

static int32_t ignore(void *user, const uint8_t *data, size_t len)
{
    (void)user, (void)data, (void)len;
    return 0;
}

static int32_t count_up(void *user, uint8_t *out, size_t len)
{
    size_t i;
    for (i = 0; i < len; i++) {
        out[i] = (*(uint8_t *)user)++;
    }
    return 0;
}

/* Modules that answer, wrongly. */
static int32_t agree(void *user, sdi_key_alg curve, const uint8_t *peer, size_t peer_len, uint8_t *z,
                     size_t z_cap, size_t *z_len)
{
    (void)user, (void)curve, (void)peer, (void)peer_len;
    memset(z, 1, z_cap);
    *z_len = z_cap;
    return 0;
}

static int32_t rsa_decrypt(void *user, sdi_rsa_scheme scheme, const uint8_t *ct, size_t ct_len,
                           uint8_t *out, size_t out_cap, size_t *out_len)
{
    (void)user, (void)scheme, (void)ct, (void)ct_len;
    memset(out, 0, out_cap);
    *out_len = out_cap;
    return 0;
}

static int32_t sign(void *user, sdi_sig_scheme scheme, const uint8_t *msg, size_t msg_len,
                    const uint8_t *digest, size_t digest_len, uint8_t *sig, size_t sig_cap,
                    size_t *sig_len)
{
    (void)user, (void)scheme, (void)msg, (void)msg_len, (void)digest, (void)digest_len;
    memset(sig, 1, sig_cap);
    *sig_len = sig_cap;
    return 0;
}

static void asks_a_module(const sdi_bytes *spki, const sdi_cert *cert, const sdi_bytes *file)
{
    sdi_key_ops ops;
    sdi_key *key = NULL;
    sdi_cert *made = NULL;
    sdi_keyring *ring = NULL;
    sdi_bytes *plain = NULL;
    sdi_error *err = NULL;
    memset(&ops, 0, sizeof ops);
    ops.size = sizeof ops;
    ops.rsa_schemes = SDI_RSA_RAW;
    ops.agree = agree;
    ops.rsa_decrypt = rsa_decrypt;
    ops.sign = sign;
    GIVES(SDI_OK, sdi_key_from_ops(&ops, NULL, sdi_bytes_data(spki), sdi_bytes_len(spki), &key,
                                   &err));
    if (sdi_cert_self_sign(key, "a", 0, &made, NULL) == SDI_OK) {
        sdi_cert_free(made);
    }
    GIVES(SDI_OK, sdi_keyring_new(&ring, &err));
    GIVES(SDI_OK, sdi_keyring_require_authenticated(ring, 0, &err));
    GIVES(SDI_OK, sdi_keyring_set_max_file(ring, 1 << 20, &err));
    GIVES(SDI_OK, sdi_keyring_set_max_key_ops(ring, 8, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(ring, cert, key, &err));
    GIVES(SDI_OK, sdi_keyring_remove_operator(ring, &err));
    CHECK(sdi_open(ring, sdi_bytes_data(file), sdi_bytes_len(file), &plain, &err) ==
          SDI_ERR_DECRYPT);
    CHECK(sdi_error_code(err) == SDI_ERR_DECRYPT && sdi_error_vendor_code(err) == 0);
    CHECK(is_one_line(sdi_error_text(err)));
    sdi_error_free(err);
    sdi_keyring_free(ring);
    sdi_key_free(key);
}

static void installs(void)
{
    static const uint8_t seed[10] = {1};
    uint8_t state[SDI_INSTALL_STATE_LEN];
    sdi_install *install = NULL, *again = NULL;
    sdi_action act = 0;
    sdi_event event = 0;
    int32_t arg = 0;
    GIVES(SDI_OK, sdi_install_new(0, &install, &err));
    CHECK(sdi_install_set_encrypted_only(install, 0) == SDI_OK);
    CHECK(sdi_install_set_parse_first(install, 0) == SDI_OK);
    CHECK(sdi_install_set_abort_on_failure(install, 0) == SDI_OK);
    CHECK(sdi_install_set_retry(install, 1000, 10000, 5000) == SDI_OK);
    CHECK(sdi_install_set_max_attempts(install, 0) == SDI_OK);
    CHECK(sdi_install_set_jitter(install, 100, seed, sizeof seed) == SDI_OK);
    CHECK(sdi_install_set_start_spread(install, 0) == SDI_OK);
    CHECK(sdi_install_poll(install, 0, &act, NULL) == SDI_OK && act == SDI_ACT_FETCH);
    CHECK(sdi_install_handle(install, 0, SDI_EV_FETCH_FAILED, 0) == SDI_OK);
    CHECK(sdi_install_outcome(install, &event, &arg) == SDI_OK && event == SDI_EV_FETCH_FAILED);
    CHECK(sdi_install_attempts(install) == 1);
    CHECK(sdi_install_save(install, 0, state) == SDI_OK);
    GIVES(SDI_OK, sdi_install_new(0, &again, &err));
    CHECK(sdi_install_restore(again, 0, state, sizeof state) == SDI_OK);
    CHECK(sdi_install_poke(again, 0) == SDI_OK);
    sdi_install_free(again);
    sdi_install_free(install);
}

static void says_names(void)
{
    CHECK(sdi_version()[0] != 0 && sdi_version_number() == SDI_VERSION_NUMBER);
    CHECK(sdi_abi_version() == SDI_ABI_VERSION && sdi_features() != 0);
    CHECK(strcmp(sdi_result_name(SDI_OK), "SDI_OK") == 0 && sdi_result_text(-1)[0] != 0);
    CHECK(sdi_kind_name(-1)[0] != 0 && sdi_action_name(-1)[0] != 0 && sdi_event_name(-1)[0] != 0);
}

static void *use(void *user)
{
    const struct task *task = (const struct task *)user;
    static const uint8_t plain[5000] = {1};
    static const int32_t profiles[] = {SDI_PROFILE_RFC8886, SDI_PROFILE_AUTHENTICATED};
    static const int32_t forms[] = {SDI_FORM_PEM, SDI_FORM_DER, SDI_FORM_SMIME, SDI_FORM_MAGIC_DER};
    uint8_t sha[32], counter = 1;
    sdi_key *key = NULL, *again = NULL;
    sdi_cert *cert = NULL, *parsed = NULL;
    sdi_keyring *ring = NULL;
    sdi_bytes *pem = NULL, *spki = NULL, *csr = NULL, *cert_pem = NULL, *der = NULL;
    int32_t identity = 0, authenticated = 0;
    const sdi_cert *to;
    int p, form;

    says_names();
    installs();
    if (task->alg < SDI_KEY_RSA2048) { /* slow with RSA, and the same code */
        GIVES(SDI_OK, sdi_key_generate_with(task->alg, count_up, &counter, &key, &err));
        sdi_key_free(key);
    }
    GIVES(SDI_OK, sdi_key_generate(task->alg, &key, &err));
    GIVES(SDI_OK, sdi_key_export_pem(key, &pem, &err));
    GIVES(SDI_OK, sdi_key_parse(sdi_bytes_data(pem), sdi_bytes_len(pem), &again, &err));
    GIVES(SDI_OK, sdi_key_public_der(again, &spki, &err));
    GIVES(SDI_OK, sdi_key_spki_sha256(again, sha, &err));
    GIVES(SDI_OK, sdi_cert_wrap(sdi_bytes_data(spki), sdi_bytes_len(spki), "a", 0, &cert, &err));
    if (task->alg != SDI_KEY_X25519) {
        sdi_cert_free(cert);
        cert = NULL;
        GIVES(SDI_OK, sdi_cert_self_sign(key, "a", 0, &cert, &err));
        GIVES(SDI_OK, sdi_csr(key, "a", &csr, &err));
    }
    GIVES(SDI_OK, sdi_cert_pem(cert, &cert_pem, &err));
    GIVES(SDI_OK, sdi_cert_parse(sdi_bytes_data(cert_pem), sdi_bytes_len(cert_pem), &parsed, &err));
    GIVES(SDI_OK, sdi_cert_der(parsed, &der, &err));
    GIVES(SDI_OK, sdi_cert_spki_sha256(parsed, sha, &err));
    sdi_wipe(sha, sizeof sha);
    GIVES(SDI_OK, sdi_keyring_new(&ring, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(ring, parsed, again, &err));
    GIVES(SDI_OK, sdi_keyring_set_operator(ring, parsed, again, SDI_OPERATOR_PREFER, &err));
    to = parsed;
    for (p = 0; p < 2; p++) {
        for (form = 0; form < 4; form++) {
            sdi_bytes *file = NULL, *opened = NULL, *json = NULL;
            sdi_opener *opener = NULL;
            sdi_sealer *sealer = NULL;
            GIVES(SDI_OK, sdi_seal(&to, 1, profiles[p], forms[form], plain, sizeof plain, &file,
                                   &err));
            CHECK(sdi_detect("a.enc", sdi_bytes_data(file), sdi_bytes_len(file),
                             SDI_DETECT_AT_END) == SDI_KIND_ENVELOPED);
            GIVES(SDI_OK, sdi_inspect(sdi_bytes_data(file), sdi_bytes_len(file), &json, &err));
            GIVES(SDI_OK, sdi_open(ring, sdi_bytes_data(file), sdi_bytes_len(file), &opened, &err));
            CHECK(sdi_bytes_len(opened) == sizeof plain);
            GIVES(SDI_OK, sdi_opener_new(ring, ignore, NULL, &opener, &err));
            GIVES(SDI_OK, sdi_opener_set_max_file(opener, 1 << 20, &err));
            GIVES(SDI_OK, sdi_opener_require_authenticated(opener, p, &err));
            if (form % 2 == 0) {
                GIVES(SDI_OK, sdi_opener_hold(opener, sizeof plain, &err));
            }
            GIVES(SDI_OK, sdi_opener_update(opener, sdi_bytes_data(file), sdi_bytes_len(file),
                                            &err));
            GIVES(SDI_OK, sdi_opener_finish(opener, &err));
            CHECK(sdi_opener_used(opener, &identity, &authenticated) == SDI_OK);
            CHECK(authenticated == p);
            asks_a_module(spki, parsed, file);
            GIVES(SDI_OK, sdi_sealer_new(&to, 1, profiles[p], forms[form], ignore, NULL, &sealer,
                                         &err));
            if (form % 2 == 0) {
                GIVES(SDI_OK, sdi_sealer_set_length(sealer, sizeof plain, &err));
            }
            GIVES(SDI_OK, sdi_sealer_update(sealer, plain, sizeof plain, &err));
            GIVES(SDI_OK, sdi_sealer_finish(sealer, &err));
            sdi_sealer_free(sealer);
            sdi_opener_free(opener);
            sdi_bytes_free(json);
            sdi_bytes_free(opened);
            sdi_bytes_free(file);
        }
    }
    sdi_bytes_free(der);
    sdi_bytes_free(cert_pem);
    sdi_bytes_free(csr);
    sdi_bytes_free(spki);
    sdi_bytes_free(pem);
    sdi_keyring_free(ring);
    sdi_cert_free(parsed);
    sdi_cert_free(cert);
    sdi_key_free(again);
    sdi_key_free(key);
    return NULL;
}

int main(int argc, char **argv)
{
    static const struct task tasks[] = {
        {SDI_KEY_P256, 64 << 10},   {SDI_KEY_P384, 128 << 10},    {SDI_KEY_X25519, 128 << 10},
        {SDI_KEY_P521, 256 << 10},  {SDI_KEY_RSA2048, 128 << 10},
    };
    size_t i;
    for (i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        struct task task = tasks[i];
        pthread_attr_t attr;
        pthread_t thread;
        if (argc == 3) { /* one key on a stack of so many KiB, to measure */
            task.alg = (sdi_key_alg)atoi(argv[1]);
            task.stack = (size_t)atoi(argv[2]) << 10;
            i = sizeof tasks / sizeof tasks[0];
        }
        CHECK(pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, task.stack) == 0);
        CHECK(pthread_create(&thread, &attr, use, &task) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK(pthread_attr_destroy(&attr) == 0);
    }
    return 0;
}
