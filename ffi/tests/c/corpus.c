/* Opens files as a list on standard input says, in every way, and prints for each line
 *
 *   NUMBER RESULT LENGTH FNV1A64 IDENTITY AUTHENTICATED KIND
 *
 * The lines in are: NUMBER <tab> KEY <tab> CERTIFICATE <tab> FILE. With a key that does not fit the
 * certificate the key alone is tried. */
#include "../../../examples/c/read_file.h"
#include "check.h"

struct digest {
    uint64_t value;
    size_t len;
};

static int32_t add(void *user, const uint8_t *data, size_t len)
{
    struct digest *d = (struct digest *)user;
    size_t i;
    for (i = 0; i < len; i++) {
        d->value = (d->value ^ data[i]) * 0x100000001b3u;
    }
    d->len += len;
    return 0;
}

static const struct digest start = {0xcbf29ce484222325u, 0};

/* The stream in pieces says the same as the call on the whole file. */
static void streamed(const sdi_keyring *ring, const struct file *file, size_t piece, int holds,
                     sdi_result expected, struct digest whole, int32_t used[2])
{
    struct digest d = start;
    sdi_opener *opener = NULL;
    sdi_error *detail = NULL;
    sdi_result r;
    size_t at;
    GIVES(SDI_OK, sdi_opener_new(ring, add, &d, &opener, &err));
    if (holds) {
        GIVES(SDI_OK, sdi_opener_hold(opener, file->len + 1, &err));
    }
    r = SDI_OK;
    for (at = 0; at < file->len && r == SDI_OK; at += piece) {
        r = sdi_opener_update(opener, file->data + at,
                              file->len - at < piece ? file->len - at : piece, &detail);
    }
    if (r == SDI_OK) {
        r = sdi_opener_finish(opener, &detail);
    }
    CHECK((r == SDI_OK) == (expected == SDI_OK));
    if (r == SDI_OK) {
        CHECK(d.value == whole.value && d.len == whole.len);
        CHECK(sdi_opener_used(opener, &used[0], &used[1]) == SDI_OK);
    } else {
        CHECK(sdi_error_code(detail) == r && is_one_line(sdi_error_text(detail)));
        CHECK(!holds || d.len == 0);
        CHECK(sdi_opener_used(opener, &used[0], &used[1]) == SDI_ERR_STATE);
    }
    sdi_error_free(detail);
    sdi_opener_free(opener);
}

static void open_one(const char *number, const char *const path[3])
{
    struct file key_file, cert_file, file;
    sdi_key *key = NULL;
    sdi_cert *cert = NULL;
    sdi_keyring *ring = NULL;
    sdi_bytes *plain = NULL, *json = NULL;
    sdi_error *detail = NULL;
    sdi_result r;
    struct digest d = start;
    int32_t used[2] = {0, 0};
    sdi_kind kind;

    CHECK(read_file(path[0], &key_file) == 0 && read_file(path[1], &cert_file) == 0);
    CHECK(read_file(path[2], &file) == 0);
    GIVES(SDI_OK, sdi_key_parse(key_file.data, key_file.len, &key, &err));
    GIVES(SDI_OK, sdi_cert_parse(cert_file.data, cert_file.len, &cert, &err));
    GIVES(SDI_OK, sdi_keyring_new(&ring, &err));
    r = sdi_keyring_set_vendor(ring, cert, key, NULL);
    if (r == SDI_ERR_KEY) {
        r = sdi_keyring_set_vendor(ring, NULL, key, NULL);
    }
    CHECK(r == SDI_OK);
    kind = sdi_detect(NULL, file.data, file.len, SDI_DETECT_AT_END);
    r = sdi_inspect(file.data, file.len, &json, &detail);
    CHECK((r == SDI_OK) == (json != NULL) && (r == SDI_OK) == (detail == NULL));
    sdi_error_free(detail);
    detail = NULL;
    r = sdi_open(ring, file.data, file.len, &plain, &detail);
    CHECK((r == SDI_OK) == (plain != NULL) && (r == SDI_OK) == (detail == NULL));
    if (r == SDI_OK) {
        CHECK(kind == SDI_KIND_ENVELOPED && json != NULL);
        add(&d, sdi_bytes_data(plain), sdi_bytes_len(plain));
    } else {
        CHECK(sdi_error_code(detail) == r && is_one_line(sdi_error_text(detail)));
    }
    streamed(ring, &file, 1400, 0, r, d, used);
    streamed(ring, &file, 61, 1, r, d, used);
    printf("%s %d %lu %016llx %d %d %d\n", number, (int)r, (unsigned long)d.len,
           (unsigned long long)d.value, (int)used[0], (int)used[1], (int)kind);
    sdi_error_free(detail);
    sdi_bytes_free(json);
    sdi_bytes_free(plain);
    sdi_keyring_free(ring);
    sdi_cert_free(cert);
    sdi_key_free(key);
    free(file.data);
    free(cert_file.data);
    free(key_file.data);
}

int main(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        const char *path[3];
        const char *number = strtok(line, "\t\n");
        int i;
        for (i = 0; i < 3; i++) {
            path[i] = strtok(NULL, "\t\n");
            CHECK(path[i] != NULL);
        }
        open_one(number, path);
    }
    return 0;
}
