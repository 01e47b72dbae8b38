/* Opens a file again and again with less and less memory, each time in a process of its own. With
 * too little it is SDI_ERR_MEMORY; nothing ends the process.
 *
 * Arguments: key, certificate, file, plaintext. */
#include "common.h"
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEP = 64 << 10, MOST = 48 << 20 };

static size_t key_len, cert_len, file_len, plain_len;
static uint8_t *key_pem, *cert_pem, *file, *plain;

static size_t address_space(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    CHECK(statm != NULL && fscanf(statm, "%lu", &pages) == 1);
    fclose(statm);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* The stack grows on demand, and where it cannot grow, nobody can answer. */
static void touch_stack(void)
{
    volatile uint8_t stack[1 << 20];
    size_t i;
    for (i = 0; i < sizeof stack; i += 4096)
        stack[i] = 1;
}

/* Leaves the process so much more memory. What the C library keeps for later is taken first. */
static void limit(size_t more)
{
    struct rlimit space;
    size_t size;
    CHECK(getrlimit(RLIMIT_AS, &space) == 0);
    space.rlim_cur = address_space();
    CHECK(setrlimit(RLIMIT_AS, &space) == 0);
    /* Small pieces of every size: the C library keeps those that were freed for the same size. */
    for (size = 64 << 10; size > 0; size -= size > 1040 ? size / 2 : 8) {
        void *volatile eaten;
        do {
            eaten = malloc(size);
        } while (eaten != NULL);
    }
    space.rlim_cur += more;
    CHECK(setrlimit(RLIMIT_AS, &space) == 0);
}

static size_t at;

static int32_t compare(void *user, const uint8_t *data, size_t len)
{
    (void)user;
    CHECK(len <= plain_len - at && memcmp(plain + at, data, len) == 0);
    at += len;
    return 0;
}

/* What a device does after its boot. The result is the first failure. */
static sdi_result open_it(int how)
{
    sdi_key *key = NULL;
    sdi_cert *cert = NULL;
    sdi_keyring *ring = NULL;
    sdi_opener *opener = NULL;
    sdi_bytes *opened = NULL;
    sdi_error *err = NULL;
    sdi_result r = sdi_key_parse(key_pem, key_len, &key, &err);

    if (r == SDI_OK)
        r = sdi_cert_parse(cert_pem, cert_len, &cert, &err);
    if (r == SDI_OK)
        r = sdi_keyring_new(&ring, &err);
    if (r == SDI_OK)
        r = sdi_keyring_set_vendor(ring, cert, key, &err);
    if (r == SDI_OK && how == 0) {
        r = sdi_open(ring, file, file_len, &opened, &err);
        if (r == SDI_OK)
            CHECK(sdi_bytes_len(opened) == plain_len && memcmp(sdi_bytes_data(opened), plain, plain_len) == 0);
    } else if (r == SDI_OK) {
        size_t piece = how == 1 ? 1400 : file_len, done;
        r = sdi_opener_new(ring, compare, NULL, &opener, &err);
        if (r == SDI_OK && how == 2)
            r = sdi_opener_hold(opener, plain_len, &err);
        for (done = 0; r == SDI_OK && done < file_len; done += piece) {
            size_t now = file_len - done < piece ? file_len - done : piece;
            r = sdi_opener_update(opener, file + done, now, &err);
        }
        if (r == SDI_OK)
            r = sdi_opener_finish(opener, &err);
        CHECK(r != SDI_OK || at == plain_len);
    }
    CHECK(err == NULL || sdi_error_code(err) == r);
    sdi_error_free(err);
    sdi_bytes_free(opened);
    sdi_opener_free(opener);
    sdi_keyring_free(ring);
    sdi_cert_free(cert);
    sdi_key_free(key);
    return r;
}

int main(int argc, char **argv)
{
    int how;
    CHECK(argc == 5);
    key_pem = load(argv[1], &key_len);
    cert_pem = load(argv[2], &cert_len);
    file = load(argv[3], &file_len);
    plain = load(argv[4], &plain_len);
    for (how = 0; how < 3; how++) {
        int refused = 0, opened = 0;
        size_t more, first = 0;
        for (more = 0; more <= MOST && opened < 8; more += STEP) {
            int status;
            pid_t child = fork();
            CHECK(child >= 0);
            if (child == 0) {
                touch_stack();
                limit(more);
                _exit(open_it(how));
            }
            CHECK(waitpid(child, &status, 0) == child);
            if (!WIFEXITED(status)) {
                printf("way %d, %zu KiB: signal %d\n", how, more >> 10, WTERMSIG(status));
                return 1;
            }
            if (WEXITSTATUS(status) == SDI_OK) {
                if (opened++ == 0)
                    first = more;
            } else {
                /* Once there is enough, more is enough. */
                CHECK(WEXITSTATUS(status) == SDI_ERR_MEMORY && opened == 0);
                refused++;
            }
        }
        CHECK(refused > 0 && opened > 0);
        printf("way %d: opens with %zu KiB more\n", how, first >> 10);
    }
    return 0;
}
