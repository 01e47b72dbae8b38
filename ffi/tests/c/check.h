/* What the C tests share. It compiles as C99 and as C++11. */
#ifndef CHECK_H
#define CHECK_H

#include <sdi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                                   \
    do {                                                                              \
        if (!(what)) {                                                                \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);        \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

/* The call, whose last argument is &err, gives this result, and the detail says the same. */
#define GIVES(expected, call)                                                         \
    do {                                                                              \
        sdi_error *err = NOWHERE(sdi_error);                                          \
        sdi_result is = (call);                                                       \
        if (is != (expected)) {                                                       \
            fprintf(stderr, "%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call,         \
                    sdi_result_name(is), is == SDI_OK ? "" : sdi_error_text(err));    \
            exit(1);                                                                  \
        }                                                                             \
        if (is == SDI_OK) {                                                           \
            CHECK(err == NULL);                                                       \
        } else {                                                                      \
            CHECK(sdi_error_code(err) == is);                                         \
            CHECK(is_one_line(sdi_error_text(err)));                                  \
        }                                                                             \
        sdi_error_free(err);                                                          \
    } while (0)

/* As GIVES, for a call that fails and that has to set *out to NULL. */
#define GIVES_NO(out, expected, call)                                                 \
    do {                                                                              \
        GIVES(expected, call);                                                        \
        CHECK((out) == NULL);                                                         \
    } while (0)

/* A pointer that no call may give back or follow. */
#define NOWHERE(type) ((type *)(void *)&nowhere)
static char nowhere;

static inline int is_one_line(const char *text)
{
    size_t len = strlen(text), i;
    for (i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return 0;
        }
    }
    return len > 0 && len <= 512;
}

/* A device with a key, and a file for it. */
struct fixture {
    sdi_key *key;
    sdi_cert *cert;
    sdi_keyring *ring;
    uint8_t plain[10000];
    sdi_bytes *file; /* PEM, AES-256-GCM */
    sdi_bytes *cbc;  /* DER, AES-256-CBC */
};

static inline void fixture_of(struct fixture *f, sdi_key *key)
{
    const sdi_cert *to;
    size_t i;
    for (i = 0; i < sizeof f->plain; i++) {
        f->plain[i] = (uint8_t)(i * 31 + i / 256);
    }
    f->key = key;
    GIVES(SDI_OK, sdi_cert_self_sign(f->key, "SN19842256", 0, &f->cert, &err));
    GIVES(SDI_OK, sdi_keyring_new(&f->ring, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(f->ring, f->cert, f->key, &err));
    to = f->cert;
    GIVES(SDI_OK, sdi_seal(&to, 1, SDI_PROFILE_AUTHENTICATED, SDI_FORM_PEM, f->plain,
                           sizeof f->plain, &f->file, &err));
    GIVES(SDI_OK, sdi_seal(&to, 1, SDI_PROFILE_RFC8886, SDI_FORM_DER, f->plain, sizeof f->plain,
                           &f->cbc, &err));
}

static inline void fixture_make(struct fixture *f)
{
    sdi_key *key = NULL;
    GIVES(SDI_OK, sdi_key_generate(SDI_KEY_P256, &key, &err));
    fixture_of(f, key);
}

static inline void fixture_free(struct fixture *f)
{
    sdi_bytes_free(f->cbc);
    sdi_bytes_free(f->file);
    sdi_keyring_free(f->ring);
    sdi_cert_free(f->cert);
    sdi_key_free(f->key);
}

/* Whether these are the fixture's plaintext. */
static inline int is_plain(const struct fixture *f, const uint8_t *data, size_t len)
{
    return len == sizeof f->plain && memcmp(data, f->plain, len) == 0;
}

/* The whole way: the fixture's file opens. What a test that upset something ends with. */
static inline void still_works(const struct fixture *f)
{
    sdi_bytes *plain = NULL;
    GIVES(SDI_OK, sdi_open(f->ring, sdi_bytes_data(f->file), sdi_bytes_len(f->file), &plain, &err));
    CHECK(is_plain(f, sdi_bytes_data(plain), sdi_bytes_len(plain)));
    sdi_bytes_free(plain);
}

/* A sink that collects; len is 0 at first. */
struct collected {
    uint8_t data[20000];
    size_t len;
};


static inline int32_t collect(void *user, const uint8_t *data, size_t len)
{
    struct collected *to = (struct collected *)user;
    if (len == 0 || data == NULL || len > sizeof to->data - to->len) {
        return -1;
    }
    memcpy(to->data + to->len, data, len);
    to->len += len;
    return 0;
}

static inline int32_t counting_random(void *user, uint8_t *out, size_t len)
{
    uint8_t *next = (uint8_t *)user;
    size_t i;
    for (i = 0; i < len; i++) {
        out[i] = (uint8_t)(*next = (uint8_t)(*next * 5 + 77));
    }
    return 0;
}

#endif
