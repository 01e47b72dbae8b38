/* Defects on purpose, to see that a sanitizer finds them: planted leak, use-after-free, short-buffer or
 * over-read. Without a defect it ends well. */
#include "check.h"

int main(int argc, char **argv)
{
    const char *defect = argc > 1 ? argv[1] : "none";
    struct fixture f;
    size_t len;
    uint8_t *buffer;
    sdi_bytes *plain = NULL;

    fixture_make(&f);
    len = sdi_bytes_len(f.file);
    if (strcmp(defect, "short-buffer") == 0) { /* the library writes 32 bytes */
        buffer = (uint8_t *)malloc(31);
        CHECK(buffer != NULL && sdi_key_spki_sha256(f.key, buffer, NULL) == SDI_OK);
    } else {
        buffer = (uint8_t *)malloc(len);
        CHECK(buffer != NULL);
        memcpy(buffer, sdi_bytes_data(f.file), len);
        len += strcmp(defect, "over-read") == 0; /* the library reads one byte too many */
        (void)!sdi_open(f.ring, buffer, len, &plain, NULL);
    }
    free(buffer);
    if (strcmp(defect, "use-after-free") == 0) {
        sdi_bytes *kept = plain;
        sdi_bytes_free(plain);
        plain = NULL;
        (void)sdi_bytes_len(kept);
    }
    if (strcmp(defect, "leak") != 0) {
        sdi_bytes_free(plain);
    }
    plain = NULL;
    fixture_free(&f);
    return 0;
}
