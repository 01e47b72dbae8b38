/* The whole way of a configuration, by a program that has only what was installed. */
#include <sdi.h>
#include <stdio.h>

int main(void)
{
    const char config[] = "hostname r1\n";
    const sdi_cert *to[1];
    sdi_cert *cert = NULL;
    sdi_key *key = NULL;
    sdi_keyring *ring = NULL;
    sdi_bytes *file = NULL, *plain = NULL;
    sdi_error *err = NULL;
    sdi_result r = sdi_version_number() == SDI_VERSION_NUMBER ? SDI_OK : SDI_ERR_STATE;

    if (r == SDI_OK)
        r = sdi_key_generate(SDI_KEY_P256, &key, &err);
    if (r == SDI_OK)
        r = sdi_cert_self_sign(key, "SN19842256", 0, &cert, &err);
    to[0] = cert;
    if (r == SDI_OK)
        r = sdi_seal(to, 1, SDI_PROFILE_AUTO, SDI_FORM_PEM, (const uint8_t *)config, sizeof config - 1, &file, &err);
    if (r == SDI_OK)
        r = sdi_keyring_new(&ring, &err);
    if (r == SDI_OK)
        r = sdi_keyring_set_vendor(ring, cert, key, &err);
    if (r == SDI_OK)
        r = sdi_open(ring, sdi_bytes_data(file), sdi_bytes_len(file), &plain, &err);
    if (r == SDI_OK)
        printf("%s: %.*s", sdi_version(), (int)sdi_bytes_len(plain), (const char *)sdi_bytes_data(plain));
    else
        fprintf(stderr, "%s: %s\n", sdi_result_name(r), sdi_error_text(err));
    sdi_error_free(err);
    sdi_bytes_free(plain);
    sdi_bytes_free(file);
    sdi_keyring_free(ring);
    sdi_cert_free(cert);
    sdi_key_free(key);
    return r == SDI_OK ? 0 : 1;
}
