/* What the programs of the tests share. A check that fails ends the program. */
#ifndef COMMON_H
#define COMMON_H

#include "sdi.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                        \
    do {                                                                   \
        if (!(what)) {                                                     \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);     \
            exit(1);                                                       \
        }                                                                  \
    } while (0)

#define IS(expected, call)                                                                        \
    do {                                                                                          \
        sdi_result result_ = (call);                                                              \
        if (result_ != (expected)) {                                                              \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, sdi_result_name(result_)); \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

#define OK(call) IS(SDI_OK, call)

/* A device: key, certificate, and a ring with both. */
typedef struct device {
    sdi_key *key;
    sdi_cert *cert;
    sdi_keyring *ring;
} device;

static inline device device_new(sdi_key_alg alg)
{
    device d;
    sdi_bytes *spki;
    OK(sdi_key_generate(alg, &d.key, NULL));
    OK(sdi_key_public_der(d.key, &spki, NULL));
    OK(sdi_cert_wrap(sdi_bytes_data(spki), sdi_bytes_len(spki), "SN1", 0, &d.cert, NULL));
    sdi_bytes_free(spki);
    OK(sdi_keyring_new(&d.ring, NULL));
    OK(sdi_keyring_set_vendor(d.ring, d.cert, d.key, NULL));
    return d;
}

static inline void device_free(device d)
{
    sdi_key_free(d.key);
    sdi_cert_free(d.cert);
    sdi_keyring_free(d.ring);
}

static inline sdi_bytes *sealed(device d, sdi_profile profile, sdi_form form, const void *plain, size_t len)
{
    const sdi_cert *to[1];
    sdi_bytes *file;
    to[0] = d.cert;
    OK(sdi_seal(to, 1, profile, form, plain, len, &file, NULL));
    return file;
}

static inline uint8_t *load(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes;
    CHECK(file != NULL);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    *len = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(*len + 1);
    CHECK(bytes != NULL && fread(bytes, 1, *len, file) == *len);
    bytes[*len] = 0;
    fclose(file);
    return bytes;
}

#endif
