/* Short memory: every call answers SDI_ERR_MEMORY or works, with any amount of memory from nothing
 * to 2 MiB in steps of 64 KiB. A signal ends the test. */
#include "check.h"
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEP = 64 << 10, STEPS = 33 };

static struct fixture f;
static sdi_bytes *pem, *der, *spki;

/* 1 for success, 0 for SDI_ERR_MEMORY. */
static int worked(sdi_result r, sdi_error *err)
{
    if (r != SDI_OK && r != SDI_ERR_MEMORY) {
        fprintf(stderr, "%s: %s\n", sdi_result_name(r), sdi_error_text(err));
        exit(1);
    }
    CHECK(err == NULL || sdi_error_code(err) == r);
    sdi_error_free(err);
    return r == SDI_OK;
}

static int opens(void)
{
    sdi_bytes *plain = NULL;
    sdi_error *err = NULL;
    int done = worked(sdi_open(f.ring, sdi_bytes_data(f.file), sdi_bytes_len(f.file), &plain, &err),
                      err);
    CHECK(!done || is_plain(&f, sdi_bytes_data(plain), sdi_bytes_len(plain)));
    CHECK(done || plain == NULL);
    sdi_bytes_free(plain);
    return done;
}

static int streams(int holds)
{
    static struct collected got;
    sdi_opener *opener = NULL;
    sdi_error *err = NULL;
    const uint8_t *file = sdi_bytes_data(f.cbc);
    size_t len = sdi_bytes_len(f.cbc), at;
    int done;
    got.len = 0;
    done = worked(sdi_opener_new(f.ring, collect, &got, &opener, &err), err);
    err = NULL;
    if (done && holds) {
        done = worked(sdi_opener_hold(opener, 20000, &err), err);
    }
    for (at = 0; at < len && done; at += 1000) {
        err = NULL;
        done = worked(sdi_opener_update(opener, file + at, len - at < 1000 ? len - at : 1000, &err),
                      err);
    }
    if (done) {
        err = NULL;
        done = worked(sdi_opener_finish(opener, &err), err);
    }
    CHECK(!done || is_plain(&f, got.data, got.len));
    sdi_opener_free(opener);
    return done;
}

static int streams_through(void)
{
    return streams(0);
}

static int streams_held(void)
{
    return streams(1);
}

static int makes_a_ring(void)
{
    sdi_keyring *ring = NULL;
    sdi_error *err = NULL;
    int done = worked(sdi_keyring_new(&ring, &err), err);
    if (done) {
        err = NULL;
        done = worked(sdi_keyring_set_vendor(ring, f.cert, f.key, &err), err);
    }
    if (done) {
        err = NULL;
        done = worked(sdi_keyring_set_operator(ring, NULL, f.key, SDI_OPERATOR_PREFER, &err), err);
    }
    sdi_keyring_free(ring);
    return done;
}

static int parses(void)
{
    sdi_key *key = NULL;
    sdi_cert *cert = NULL;
    sdi_error *err = NULL;
    int done = worked(sdi_key_parse(sdi_bytes_data(pem), sdi_bytes_len(pem), &key, &err), err);
    if (done) {
        err = NULL;
        done = worked(sdi_cert_parse(sdi_bytes_data(der), sdi_bytes_len(der), &cert, &err), err);
    }
    sdi_key_free(key);
    sdi_cert_free(cert);
    return done;
}

static int makes_an_identity(void)
{
    sdi_key *key = NULL;
    sdi_cert *cert = NULL, *wrapped = NULL;
    sdi_bytes *csr = NULL, *text = NULL;
    sdi_error *err = NULL;
    int done = worked(sdi_key_generate(SDI_KEY_P256, &key, &err), err);
    err = NULL;
    done = done && worked(sdi_cert_self_sign(key, "a", 0, &cert, &err), err);
    err = NULL;
    done = done && worked(sdi_csr(key, "a", &csr, &err), err);
    err = NULL;
    done = done && worked(sdi_cert_pem(cert, &text, &err), err);
    err = NULL;
    done = done && worked(sdi_cert_wrap(sdi_bytes_data(spki), sdi_bytes_len(spki), "a", 0, &wrapped,
                                        &err), err);
    sdi_bytes_free(text);
    sdi_bytes_free(csr);
    sdi_cert_free(wrapped);
    sdi_cert_free(cert);
    sdi_key_free(key);
    return done;
}

static int seals(void)
{
    const sdi_cert *to = f.cert;
    sdi_bytes *file = NULL;
    sdi_error *err = NULL;
    int done = worked(sdi_seal(&to, 1, SDI_PROFILE_AUTO, SDI_FORM_PEM, f.plain, sizeof f.plain,
                               &file, &err), err);
    sdi_bytes_free(file);
    return done;
}

static int32_t ignore(void *user, const uint8_t *data, size_t len)
{
    (void)user, (void)data, (void)len;
    return 0;
}

static int seals_a_stream(void)
{
    const sdi_cert *to = f.cert;
    sdi_sealer *sealer = NULL;
    sdi_error *err = NULL;
    int done = worked(sdi_sealer_new(&to, 1, SDI_PROFILE_AUTO, SDI_FORM_PEM, ignore, NULL, &sealer,
                                     &err), err);
    err = NULL;
    done = done && worked(sdi_sealer_update(sealer, f.plain, sizeof f.plain, &err), err);
    err = NULL;
    done = done && worked(sdi_sealer_finish(sealer, &err), err);
    sdi_sealer_free(sealer);
    return done;
}

static int inspects(void)
{
    sdi_bytes *json = NULL;
    sdi_error *err = NULL;
    int done = worked(sdi_inspect(sdi_bytes_data(f.file), sdi_bytes_len(f.file), &json, &err), err);
    sdi_bytes_free(json);
    return done;
}

static int installs(void)
{
    sdi_install *install = NULL;
    sdi_error *err = NULL;
    int done = worked(sdi_install_new(0, &install, &err), err);
    if (done) {
        sdi_action act = 0;
        CHECK(sdi_install_set_jitter(install, 100, f.plain, 10) == SDI_OK);
        CHECK(sdi_install_poll(install, 0, &act, NULL) == SDI_OK && act == SDI_ACT_FETCH);
    }
    sdi_install_free(install);
    return done;
}

/* Leaves the process so much memory, and no more. */
static void leave(size_t bytes)
{
    struct rlimit limit;
    unsigned long pages = 0;
    size_t size;
    FILE *statm = fopen("/proc/self/statm", "r");
    CHECK(statm != NULL && fscanf(statm, "%lu", &pages) == 1);
    fclose(statm);
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    /* Small pieces of every size: the C library keeps those that were freed for the same size. */
    for (size = 64 << 10; size > 0; size -= size > 1040 ? size / 2 : 8) {
        void *volatile eaten;
        do {
            eaten = malloc(size);
        } while (eaten != NULL);
    }
    limit.rlim_cur += bytes;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static int failures;

static void sweep(const char *name, int (*work)(void))
{
    int step, works = 0, fails = 0;
    for (step = 0; step < STEPS; step++) {
        int status = 0;
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            leave((size_t)step * STEP);
            _exit(work() ? 10 : 11);
        }
        CHECK(waitpid(child, &status, 0) == child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 10) {
            works++;
        } else if (WIFEXITED(status) && WEXITSTATUS(status) == 11) {
            fails++;
        } else {
            fprintf(stderr, "%s with %d KiB: %s %d\n", name, step * 64,
                    WIFSIGNALED(status) ? "signal" : "exit",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            failures++;
        }
    }
    printf("%s: %d of %d worked\n", name, works, STEPS);
    if (works == 0 || fails == 0) {
        fprintf(stderr, "%s: the steps show nothing\n", name);
        failures++;
    }
}

int main(void)
{
    fixture_make(&f);
    GIVES(SDI_OK, sdi_key_export_pem(f.key, &pem, &err));
    GIVES(SDI_OK, sdi_cert_der(f.cert, &der, &err));
    GIVES(SDI_OK, sdi_key_public_der(f.key, &spki, &err));
    fflush(stdout);
    sweep("open", opens);
    sweep("opener", streams_through);
    sweep("opener that holds", streams_held);
    sweep("key ring", makes_a_ring);
    sweep("parse", parses);
    sweep("identity", makes_an_identity);
    sweep("seal", seals);
    sweep("sealer", seals_a_stream);
    sweep("inspect", inspects);
    sweep("install", installs);
    sdi_bytes_free(spki);
    sdi_bytes_free(der);
    sdi_bytes_free(pem);
    fixture_free(&f);
    return failures == 0 ? 0 : 1;
}
