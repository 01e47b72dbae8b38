/* The smallest build opens with a P-256 key. Everything else is there, too, and says that it is not.
 *
 * Arguments: key, certificate, file and plaintext of a P-256 device; key and certificate of an RSA
 * device; a key on P-384. */
#include "common.h"

#define LEFT_OUT(call)                                       \
    do {                                                     \
        sdi_error *err = NULL;                               \
        IS(SDI_ERR_UNSUPPORTED, call);                       \
        CHECK(sdi_error_code(err) == SDI_ERR_UNSUPPORTED);   \
        CHECK(sdi_error_text(err)[0] != 0);                  \
        sdi_error_free(err);                                 \
    } while (0)

static int32_t no_random(void *user, uint8_t *out, size_t len)
{
    (void)user;
    memset(out, 1, len);
    return 0;
}

static int32_t take(void *user, const uint8_t *data, size_t len)
{
    (void)data;
    *(size_t *)user += len;
    return 0;
}

int main(int argc, char **argv)
{
    static const sdi_key_alg algs[] = {SDI_KEY_P256,    SDI_KEY_P384,    SDI_KEY_P521,    SDI_KEY_X25519,
                                       SDI_KEY_RSA2048, SDI_KEY_RSA3072, SDI_KEY_RSA4096, SDI_KEY_ML_KEM_768};
    size_t len[8], i, streamed = 0;
    uint8_t *file[8];
    sdi_key *key, *none = NULL;
    sdi_cert *cert, *rsa, *made = NULL;
    sdi_keyring *ring;
    sdi_opener *opener;
    sdi_sealer *sealer = NULL;
    sdi_bytes *plain, *bytes = NULL, *spki;
    sdi_install *install;
    const sdi_cert *to[1];
    sdi_action act = 0;

    CHECK(argc == 8);
    for (i = 1; i < 8; i++)
        file[i] = load(argv[i], &len[i]);
    CHECK(sdi_features() == 0);

    /* What every build does. */
    OK(sdi_key_parse(file[1], len[1], &key, NULL));
    OK(sdi_cert_parse(file[2], len[2], &cert, NULL));
    OK(sdi_keyring_new(&ring, NULL));
    OK(sdi_keyring_set_vendor(ring, cert, key, NULL));
    CHECK(sdi_detect(NULL, file[3], len[3], SDI_DETECT_AT_END) == SDI_KIND_ENVELOPED);
    OK(sdi_open(ring, file[3], len[3], &plain, NULL));
    CHECK(sdi_bytes_len(plain) == len[4] && memcmp(sdi_bytes_data(plain), file[4], len[4]) == 0);
    OK(sdi_opener_new(ring, take, &streamed, &opener, NULL));
    OK(sdi_opener_update(opener, file[3], len[3], NULL));
    OK(sdi_opener_finish(opener, NULL));
    CHECK(streamed == len[4]);
    OK(sdi_inspect(file[3], len[3], &bytes, NULL));
    sdi_bytes_free(bytes);
    OK(sdi_install_new(0, &install, NULL));
    OK(sdi_install_poll(install, 0, &act, NULL));
    CHECK(act == SDI_ACT_FETCH);
    OK(sdi_key_public_der(key, &spki, NULL));

    /* What is left out. */
    for (i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        LEFT_OUT(sdi_key_generate(algs[i], &none, &err));
        LEFT_OUT(sdi_key_generate_with(algs[i], no_random, NULL, &none, &err));
        CHECK(none == NULL);
    }
    LEFT_OUT(sdi_key_export_pem(key, &bytes, &err));
    LEFT_OUT(sdi_cert_self_sign(key, "SN1", 0, &made, &err));
    LEFT_OUT(sdi_cert_wrap(sdi_bytes_data(spki), sdi_bytes_len(spki), "SN1", 0, &made, &err));
    LEFT_OUT(sdi_csr(key, "SN1", &bytes, &err));
    to[0] = cert;
    LEFT_OUT(sdi_seal(to, 1, SDI_PROFILE_AUTO, SDI_FORM_PEM, file[4], len[4], &bytes, &err));
    LEFT_OUT(sdi_sealer_new(to, 1, SDI_PROFILE_AUTO, SDI_FORM_PEM, take, &streamed, &sealer, &err));
    CHECK(bytes == NULL && made == NULL && sealer == NULL);
    LEFT_OUT(sdi_key_parse(file[5], len[5], &none, &err));
    LEFT_OUT(sdi_key_parse(file[7], len[7], &none, &err));
    /* A certificate is a name and a key: it can be read and pinned. */
    OK(sdi_cert_parse(file[6], len[6], &rsa, NULL));

    sdi_cert_free(rsa);
    sdi_bytes_free(spki);
    sdi_install_free(install);
    sdi_opener_free(opener);
    sdi_bytes_free(plain);
    sdi_keyring_free(ring);
    sdi_cert_free(cert);
    sdi_key_free(key);
    for (i = 1; i < 8; i++)
        free(file[i]);
    return 0;
}
