/* Opens an encrypted configuration: open_file KEY CERTIFICATE FILE > CONFIGURATION */
#include "read_file.h"
#include <sdi.h>

int main(int argc, char **argv)
{
    struct file key_file = {0}, cert_file = {0}, file = {0};
    sdi_key *key = NULL;
    sdi_cert *cert = NULL;
    sdi_keyring *ring = NULL;
    sdi_bytes *plain = NULL;
    sdi_error *err = NULL;
    sdi_result r = SDI_ERR_ARGUMENT;

    if (argc != 4 || read_file(argv[1], &key_file) != 0 || read_file(argv[2], &cert_file) != 0 ||
        read_file(argv[3], &file) != 0) {
        fprintf(stderr, "usage: open_file KEY CERTIFICATE FILE > CONFIGURATION\n");
    } else if ((r = sdi_key_parse(key_file.data, key_file.len, &key, &err)) == SDI_OK &&
               (r = sdi_cert_parse(cert_file.data, cert_file.len, &cert, &err)) == SDI_OK &&
               (r = sdi_keyring_new(&ring, &err)) == SDI_OK &&
               (r = sdi_keyring_set_vendor(ring, cert, key, &err)) == SDI_OK &&
               (r = sdi_open(ring, file.data, file.len, &plain, &err)) == SDI_OK) {
        fwrite(sdi_bytes_data(plain), 1, sdi_bytes_len(plain), stdout);
    } else {
        fprintf(stderr, "open_file: %s: %s\n", sdi_result_name(r), sdi_error_text(err));
    }
    sdi_error_free(err);
    sdi_bytes_free(plain);
    sdi_keyring_free(ring);
    sdi_cert_free(cert);
    sdi_key_free(key);
    sdi_wipe(key_file.data, key_file.len);
    free(key_file.data);
    free(cert_file.data);
    free(file.data);
    return r == SDI_OK && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
