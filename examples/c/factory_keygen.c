/* What a factory does for each device: factory_keygen DEVICE-ID
 *
 * Makes DEVICE-ID.key, which stays in the device, and DEVICE-ID.crt, which operators get, in the
 * current directory, and prints the fingerprint that operators pin. */
#include <errno.h>
#include <fcntl.h>
#include <sdi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes a new file, all of it or none; never over one that is there. */
static int write_new(const char *id, const char *ending, mode_t mode, const sdi_bytes *bytes)
{
    char path[128];
    const uint8_t *data = sdi_bytes_data(bytes);
    size_t left = sdi_bytes_len(bytes);
    int fd, saved;

    if (snprintf(path, sizeof path, "%s.%s", id, ending) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        return -1;
    }
    while (left > 0) {
        ssize_t written = write(fd, data, left);
        if (written < 0 && errno != EINTR) {
            break;
        }
        if (written > 0) {
            data += written;
            left -= (size_t)written;
        }
    }
    if (left == 0 && fsync(fd) == 0 && close(fd) == 0) {
        return 0;
    }
    saved = errno;
    unlink(path);
    errno = saved;
    return -1;
}

int main(int argc, char **argv)
{
    sdi_key *key = NULL;
    sdi_cert *cert = NULL;
    sdi_bytes *key_pem = NULL, *cert_pem = NULL;
    sdi_error *err = NULL;
    uint8_t fingerprint[32];
    sdi_result r = SDI_ERR_ARGUMENT;
    int is_written = 0;

    /* The certificate comes first: it checks the identifier, which then is safe in a file's name. */
    if (argc != 2) {
        fprintf(stderr, "usage: factory_keygen DEVICE-ID\n");
    } else if ((r = sdi_key_generate(SDI_KEY_P256, &key, &err)) != SDI_OK ||
               (r = sdi_cert_self_sign(key, argv[1], 0, &cert, &err)) != SDI_OK ||
               (r = sdi_key_export_pem(key, &key_pem, &err)) != SDI_OK ||
               (r = sdi_cert_pem(cert, &cert_pem, &err)) != SDI_OK ||
               (r = sdi_cert_spki_sha256(cert, fingerprint, &err)) != SDI_OK) {
        fprintf(stderr, "factory_keygen: %s: %s\n", sdi_result_name(r), sdi_error_text(err));
    } else if (write_new(argv[1], "key", 0600, key_pem) != 0 ||
               write_new(argv[1], "crt", 0644, cert_pem) != 0) {
        fprintf(stderr, "factory_keygen: %s: %s\n", argv[1], strerror(errno));
    } else {
        is_written = 1;
        printf("%s ", argv[1]);
        for (size_t i = 0; i < sizeof fingerprint; i++) {
            printf("%02x", fingerprint[i]);
        }
        printf("\n");
    }
    sdi_error_free(err);
    sdi_bytes_free(cert_pem);
    sdi_bytes_free(key_pem); /* wipes it */
    sdi_cert_free(cert);
    sdi_key_free(key);
    return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}
