/* 256 MiB through a sealer into an opener, in pieces of 1400 bytes, in less than 8 MiB of memory. */
#include "check.h"
#include <sys/resource.h>

enum { PIECE = 1400 };
static const uint64_t total = (uint64_t)256 << 20;

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at ^ (at >> 8) ^ (at >> 16));
}

static uint64_t opened;

static int32_t compare(void *user, const uint8_t *data, size_t len)
{
    size_t i;
    (void)user;
    for (i = 0; i < len; i++) {
        if (data[i] != byte_at(opened + i)) {
            return 1;
        }
    }
    opened += len;
    return 0;
}

/* The sink of the sealer: a network that gives 1400 bytes at a time. */
static int32_t carry(void *user, const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t piece = len < PIECE ? len : PIECE;
        if (sdi_opener_update((sdi_opener *)user, data, piece, NULL) != SDI_OK) {
            return 1;
        }
        data += piece;
        len -= piece;
    }
    return 0;
}

int main(void)
{
    struct fixture f;
    struct rusage usage;
    const sdi_cert *to;
    sdi_sealer *sealer = NULL;
    sdi_opener *opener = NULL;
    uint8_t piece[PIECE];
    uint64_t at = 0;

    fixture_make(&f);
    to = f.cert;
    GIVES(SDI_OK, sdi_opener_new(f.ring, compare, NULL, &opener, &err));
    GIVES(SDI_OK, sdi_sealer_new(&to, 1, SDI_PROFILE_AUTHENTICATED, SDI_FORM_DER, carry, opener,
                                 &sealer, &err));
    while (at < total) {
        size_t len = total - at < PIECE ? (size_t)(total - at) : PIECE, i;
        for (i = 0; i < len; i++) {
            piece[i] = byte_at(at + i);
        }
        GIVES(SDI_OK, sdi_sealer_update(sealer, piece, len, &err));
        at += len;
    }
    GIVES(SDI_OK, sdi_sealer_finish(sealer, &err));
    GIVES(SDI_OK, sdi_opener_finish(opener, &err));
    CHECK(opened == total);
    sdi_opener_free(opener);
    sdi_sealer_free(sealer);
    fixture_free(&f);
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    printf("%ld KiB\n", usage.ru_maxrss);
    CHECK(usage.ru_maxrss < 8 << 10);
    return 0;
}
