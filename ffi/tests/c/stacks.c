/* Every call on a small stack: 64 KiB with P-256, 128 KiB with any other key but P-521, which gets
 * 256 KiB. Too small a stack is a signal. */
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

static void *use(void *user)
{
    const struct task *task = (const struct task *)user;
    static const uint8_t plain[5000] = {1};
    static const int32_t profiles[] = {SDI_PROFILE_RFC8886, SDI_PROFILE_AUTHENTICATED};
    static const int32_t forms[] = {SDI_FORM_PEM, SDI_FORM_DER, SDI_FORM_SMIME, SDI_FORM_MAGIC_DER};
    uint8_t sha[32], state[SDI_INSTALL_STATE_LEN];
    sdi_key *key = NULL, *again = NULL;
    sdi_cert *cert = NULL, *parsed = NULL;
    sdi_keyring *ring = NULL;
    sdi_bytes *pem = NULL, *spki = NULL, *csr = NULL, *cert_pem = NULL;
    sdi_install *install = NULL;
    sdi_action act = 0;
    const sdi_cert *to;
    int p, form;

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
    GIVES(SDI_OK, sdi_cert_spki_sha256(parsed, sha, &err));
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
            GIVES(SDI_OK, sdi_opener_hold(opener, sizeof plain, &err));
            GIVES(SDI_OK, sdi_opener_update(opener, sdi_bytes_data(file), sdi_bytes_len(file),
                                            &err));
            GIVES(SDI_OK, sdi_opener_finish(opener, &err));
            GIVES(SDI_OK, sdi_sealer_new(&to, 1, profiles[p], forms[form], ignore, NULL, &sealer,
                                         &err));
            GIVES(SDI_OK, sdi_sealer_update(sealer, plain, sizeof plain, &err));
            GIVES(SDI_OK, sdi_sealer_finish(sealer, &err));
            sdi_sealer_free(sealer);
            sdi_opener_free(opener);
            sdi_bytes_free(json);
            sdi_bytes_free(opened);
            sdi_bytes_free(file);
        }
    }
    GIVES(SDI_OK, sdi_install_new(0, &install, &err));
    CHECK(sdi_install_set_jitter(install, 100, plain, 10) == SDI_OK);
    CHECK(sdi_install_poll(install, 0, &act, NULL) == SDI_OK);
    CHECK(sdi_install_handle(install, 0, SDI_EV_FETCH_FAILED, 0) == SDI_OK);
    CHECK(sdi_install_save(install, 0, state) == SDI_OK);
    sdi_install_free(install);
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
