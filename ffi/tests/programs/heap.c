/* The heap that opening takes, counted: this program's malloc is the one of the library, too.
 *
 * Arguments: key, certificate, file. It prints what is taken at most, in bytes beside what was there,
 * by sdi_open and by a stream in pieces of 1400 bytes from its making to its end. */
#include "common.h"
#include <errno.h>
#include <malloc.h>

/* glibc's own. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *place);

static size_t taken, most;

static void *count(void *place)
{
    taken += malloc_usable_size(place);
    if (taken > most)
        most = taken;
    return place;
}

void *malloc(size_t size)
{
    return count(__libc_malloc(size));
}

void *calloc(size_t number, size_t size)
{
    return count(__libc_calloc(number, size));
}

void free(void *place)
{
    taken -= malloc_usable_size(place);
    __libc_free(place);
}

/* As if old and new were there at once, which they may be. */
void *realloc(void *old, size_t size)
{
    size_t before = malloc_usable_size(old);
    void *place = count(__libc_realloc(old, size));
    if (place != NULL)
        taken -= before;
    return place;
}

int posix_memalign(void **place, size_t align, size_t size)
{
    *place = count(__libc_memalign(align, size));
    return *place == NULL ? ENOMEM : 0;
}

static int32_t sink(void *user, const uint8_t *data, size_t len)
{
    (void)data;
    *(size_t *)user += len;
    return 0;
}

int main(int argc, char **argv)
{
    size_t key_len, cert_len, file_len, done, now, before, plain_len = 0;
    uint8_t *key_pem, *cert_pem, *file;
    sdi_key *key;
    sdi_cert *cert;
    sdi_keyring *ring;
    sdi_opener *opener;
    sdi_bytes *plain;

    CHECK(argc == 4);
    CHECK(setvbuf(stdout, NULL, _IONBF, 0) == 0); /* it would take a buffer in between */
    key_pem = load(argv[1], &key_len);
    cert_pem = load(argv[2], &cert_len);
    file = load(argv[3], &file_len);
    OK(sdi_key_parse(key_pem, key_len, &key, NULL));
    OK(sdi_cert_parse(cert_pem, cert_len, &cert, NULL));
    OK(sdi_keyring_new(&ring, NULL));
    OK(sdi_keyring_set_vendor(ring, cert, key, NULL));

    most = before = taken;
    OK(sdi_open(ring, file, file_len, &plain, NULL));
    printf("%zu\n", most - before);
    CHECK(sdi_bytes_len(plain) == 64 << 10 && most - before > 64 << 10);
    sdi_bytes_free(plain);
    CHECK(taken == before);

    most = taken;
    OK(sdi_opener_new(ring, sink, &plain_len, &opener, NULL));
    for (done = 0; done < file_len; done += now) {
        now = file_len - done < 1400 ? file_len - done : 1400;
        OK(sdi_opener_update(opener, file + done, now, NULL));
    }
    OK(sdi_opener_finish(opener, NULL));
    sdi_opener_free(opener);
    printf("%zu\n", most - before);
    CHECK(plain_len == 64 << 10 && most > before && taken == before);

    sdi_keyring_free(ring);
    sdi_cert_free(cert);
    sdi_key_free(key);
    free(file);
    free(cert_pem);
    free(key_pem);
    return 0;
}
