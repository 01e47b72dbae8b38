/* 256 MiB from a sealer to an opener, in packets of 1,400 bytes, both in this process. It prints the
 * most memory that the process ever had, in KiB. */
#include "common.h"

enum { PACKET = 1400 };

typedef struct wire {
    sdi_opener *opener;
    uint8_t packet[PACKET];
    size_t filled;
    uint64_t sent;
} wire;

static int32_t to_opener(void *user, const uint8_t *data, size_t len)
{
    wire *w = user;
    while (len > 0) {
        size_t now = PACKET - w->filled;
        if (now > len)
            now = len;
        memcpy(w->packet + w->filled, data, now);
        w->filled += now;
        data += now;
        len -= now;
        if (w->filled == PACKET) {
            OK(sdi_opener_update(w->opener, w->packet, PACKET, NULL));
            w->sent += PACKET;
            w->filled = 0;
        }
    }
    return 0;
}

static int32_t count(void *user, const uint8_t *data, size_t len)
{
    CHECK(len > 0 && data[0] == 'x' && data[len - 1] == 'x');
    *(uint64_t *)user += len;
    return 0;
}

int main(void)
{
    const uint64_t length = 256u << 20;
    static uint8_t piece[1 << 16];
    device d = device_new(SDI_KEY_P256);
    const sdi_cert *to[1];
    static wire w;
    uint64_t plain = 0, given;
    int32_t identity, authenticated;
    sdi_sealer *sealer;
    char line[256];
    FILE *status;

    to[0] = d.cert;
    memset(piece, 'x', sizeof piece);
    OK(sdi_opener_new(d.ring, count, &plain, &w.opener, NULL));
    OK(sdi_sealer_new(to, 1, SDI_PROFILE_AUTHENTICATED, SDI_FORM_DER, to_opener, &w, &sealer, NULL));
    for (given = 0; given < length; given += sizeof piece)
        OK(sdi_sealer_update(sealer, piece, sizeof piece, NULL));
    OK(sdi_sealer_finish(sealer, NULL));
    OK(sdi_opener_update(w.opener, w.packet, w.filled, NULL));
    OK(sdi_opener_finish(w.opener, NULL));
    OK(sdi_opener_used(w.opener, &identity, &authenticated));
    CHECK(plain == length && w.sent + w.filled > length);
    CHECK(identity == SDI_IDENTITY_VENDOR && authenticated == 1);
    sdi_opener_free(w.opener);
    sdi_sealer_free(sealer);
    device_free(d);

    status = fopen("/proc/self/status", "r");
    CHECK(status != NULL);
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            printf("%lu\n", strtoul(line + 6, NULL, 10));
    fclose(status);
    return 0;
}
