/* The whole of auto-install (RFC 8886, figure 3): autoinstall_loop KEY CERTIFICATE DEVICE-ID FILE
 *
 * FILE stands for what your DHCP and TFTP or HTTP client fetches: put your own fetch into struct host.
 * The configuration is installed as DEVICE-ID.conf and the schedule kept in DEVICE-ID.state, in the
 * current directory. */
#include "read_file.h"
#include <inttypes.h>
#include <sdi.h>
#include <string.h>
#include <time.h>

/* What your firmware brings. Each returns 0 for success. */
struct host {
    void *user;
    uint64_t (*now_ms)(void *user); /* a clock that does not jump */
    int (*sleep_until)(void *user, uint64_t ms); /* anything else than 0 cancels auto-install */
    int (*fetch)(void *user, const char **name_out, struct file *file_out);
    int (*check)(void *user, const uint8_t *config, size_t len);
    int (*install)(void *user, const uint8_t *config, size_t len);
    int (*load_state)(void *user, uint8_t state[SDI_INSTALL_STATE_LEN]);
    int (*save_state)(void *user, const uint8_t state[SDI_INSTALL_STATE_LEN]);
};

/* The file of the attempt that is running, and what is in it. */
struct attempt {
    struct file file;
    sdi_bytes *plain;
};

static void forget(struct attempt *attempt)
{
    sdi_bytes_free(attempt->plain);
    sdi_wipe(attempt->file.data, attempt->file.len);
    free(attempt->file.data);
    memset(attempt, 0, sizeof *attempt);
}

/* Does what the machine orders, and says how it went. */
static sdi_event obey(const struct host *host, const sdi_keyring *ring, sdi_action order,
                      struct attempt *attempt, int32_t *arg)
{
    const char *name = NULL;
    sdi_error *err = NULL;
    int is_raw = order == SDI_ACT_CHECK_RAW || order == SDI_ACT_INSTALL_RAW;
    const uint8_t *config = is_raw ? attempt->file.data : sdi_bytes_data(attempt->plain);
    size_t len = is_raw ? attempt->file.len : sdi_bytes_len(attempt->plain);

    *arg = 0;
    switch (order) {
    case SDI_ACT_FETCH:
        forget(attempt);
        if (host->fetch(host->user, &name, &attempt->file) != 0) {
            return SDI_EV_FETCH_FAILED;
        }
        *arg = sdi_detect(name, attempt->file.data, attempt->file.len, SDI_DETECT_AT_END);
        fprintf(stderr, "fetched %zu bytes: %s\n", attempt->file.len, sdi_kind_name(*arg));
        return SDI_EV_FETCHED;
    case SDI_ACT_DECRYPT:
        *arg = sdi_open(ring, attempt->file.data, attempt->file.len, &attempt->plain, &err);
        if (*arg != SDI_OK) {
            fprintf(stderr, "%s: %s\n", sdi_result_name(*arg), sdi_error_text(err));
            sdi_error_free(err);
            return SDI_EV_DECRYPT_FAILED;
        }
        return SDI_EV_DECRYPTED;
    case SDI_ACT_CHECK:
    case SDI_ACT_CHECK_RAW:
        return host->check(host->user, config, len) == 0 ? SDI_EV_CHECKED : SDI_EV_CHECK_FAILED;
    case SDI_ACT_INSTALL:
    case SDI_ACT_INSTALL_RAW:
        return host->install(host->user, config, len) == 0 ? SDI_EV_INSTALLED
                                                           : SDI_EV_INSTALL_FAILED;
    default:
        return SDI_EV_CANCEL; /* an order of a newer library */
    }
}

static sdi_result start(const struct host *host, const char *device_id, sdi_install **install)
{
    uint8_t state[SDI_INSTALL_STATE_LEN];
    uint64_t now = host->now_ms(host->user);
    sdi_result r = sdi_install_new(now, install, NULL);

    /* Every device waits a little differently, or a whole site comes back in the same second. */
    if (r == SDI_OK) {
        r = sdi_install_set_jitter(*install, 100, (const uint8_t *)device_id, strlen(device_id));
    }
    /* After a reboot the schedule goes on where it was, but first there is one attempt now. */
    if (r == SDI_OK && host->load_state(host->user, state) == 0) {
        r = sdi_install_restore(*install, now, state, sizeof state);
        if (r == SDI_OK) {
            r = sdi_install_poke(*install, now);
        }
        if (r == SDI_ERR_ARGUMENT || r == SDI_ERR_STATE) {
            r = SDI_OK; /* no saved state: start anew. Or it has ended: the loop sees it */
        }
    }
    return r;
}

/* Returns SDI_OK when a configuration is installed, SDI_ERR_REJECTED when auto-install was given up,
 * and anything else for a defect. */
static sdi_result autoinstall(const struct host *host, const sdi_keyring *ring,
                              const char *device_id)
{
    struct attempt attempt = {0};
    sdi_install *install = NULL;
    sdi_action order = SDI_ACT_WAIT;
    sdi_result r = start(host, device_id, &install);

    while (r == SDI_OK) {
        uint8_t state[SDI_INSTALL_STATE_LEN];
        uint64_t until = 0;
        sdi_event event;
        int32_t arg = 0;

        r = sdi_install_poll(install, host->now_ms(host->user), &order, &until);
        if (r != SDI_OK || order == SDI_ACT_DONE || order == SDI_ACT_ABORTED) {
            break;
        }
        if (order == SDI_ACT_WAIT || order == SDI_ACT_FETCH) {
            /* As it begins, too: an attempt that makes the device reboot has to count. */
            r = sdi_install_save(install, host->now_ms(host->user), state);
            if (r == SDI_OK && host->save_state(host->user, state) != 0) {
                fprintf(stderr, "the schedule was not saved\n");
            }
            if (r != SDI_OK) {
                break;
            }
        }
        if (order == SDI_ACT_WAIT) {
            forget(&attempt);
            if (host->sleep_until(host->user, until) == 0) {
                continue;
            }
            event = SDI_EV_CANCEL;
        } else {
            event = obey(host, ring, order, &attempt, &arg);
        }
        fprintf(stderr, "attempt %" PRIu32 ": %s: %s\n", sdi_install_attempts(install),
                sdi_action_name(order), sdi_event_name(event));
        r = sdi_install_handle(install, host->now_ms(host->user), event, arg);
    }
    forget(&attempt);
    sdi_install_free(install);
    return r == SDI_OK && order != SDI_ACT_DONE ? SDI_ERR_REJECTED : r;
}

#ifndef AUTOINSTALL_LOOP_WITHOUT_MAIN

/* A host for a try: the clock of the system, and files in place of a network. */
struct demo {
    const char *id, *file;
};

static uint64_t now_ms(void *user)
{
    struct timespec now = {0, 0};
    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int sleep_until(void *user, uint64_t ms)
{
    struct timespec until;
    until.tv_sec = (time_t)(ms / 1000);
    until.tv_nsec = (long)(ms % 1000) * 1000000;
    (void)user;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    return 0;
}

static int fetch(void *user, const char **name, struct file *file)
{
    const struct demo *demo = user;
    *name = demo->file;
    return read_file(demo->file, file);
}

/* A real device asks its parser. Decryption alone proves little: CBC has no authenticity. */
static int check(void *user, const uint8_t *config, size_t len)
{
    (void)user;
    return len > 0 && config[len - 1] == '\n' && memchr(config, 0, len) == NULL ? 0 : -1;
}

static int write_file(const struct demo *demo, const char *ending, const uint8_t *data, size_t len)
{
    char path[128], staged[140];
    FILE *out;
    int is_written;

    if (snprintf(path, sizeof path, "%s.%s", demo->id, ending) >= (int)sizeof path) {
        return -1;
    }
    snprintf(staged, sizeof staged, "%s.part", path);
    out = fopen(staged, "wb"); /* see stream_to_disk.c for the care that a real device takes */
    if (out == NULL) {
        return -1;
    }
    is_written = fwrite(data, 1, len, out) == len;
    is_written = fclose(out) == 0 && is_written;
    return is_written && rename(staged, path) == 0 ? 0 : -1;
}

static int install(void *user, const uint8_t *config, size_t len)
{
    return write_file(user, "conf", config, len);
}

static int save_state(void *user, const uint8_t state[SDI_INSTALL_STATE_LEN])
{
    return write_file(user, "state", state, SDI_INSTALL_STATE_LEN);
}

static int load_state(void *user, uint8_t state[SDI_INSTALL_STATE_LEN])
{
    const struct demo *demo = user;
    char path[128];
    struct file file = {0};
    int is_whole;

    if (snprintf(path, sizeof path, "%s.state", demo->id) >= (int)sizeof path ||
        read_file(path, &file) != 0) {
        return -1;
    }
    is_whole = file.len == SDI_INSTALL_STATE_LEN;
    if (is_whole) {
        memcpy(state, file.data, SDI_INSTALL_STATE_LEN);
    }
    free(file.data);
    return is_whole ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct demo demo = {0};
    struct host host = {&demo, now_ms, sleep_until, fetch, check, install, load_state, save_state};
    struct file key_file = {0}, cert_file = {0};
    sdi_key *key = NULL;
    sdi_cert *cert = NULL;
    sdi_keyring *ring = NULL;
    sdi_error *err = NULL;
    sdi_result r = SDI_ERR_ARGUMENT;

    if (argc != 5 || read_file(argv[1], &key_file) != 0 || read_file(argv[2], &cert_file) != 0) {
        fprintf(stderr, "usage: autoinstall_loop KEY CERTIFICATE DEVICE-ID FILE\n");
    } else if ((r = sdi_key_parse(key_file.data, key_file.len, &key, &err)) == SDI_OK &&
               (r = sdi_cert_parse(cert_file.data, cert_file.len, &cert, &err)) == SDI_OK &&
               (r = sdi_keyring_new(&ring, &err)) == SDI_OK &&
               (r = sdi_keyring_set_vendor(ring, cert, key, &err)) == SDI_OK) {
        demo.id = argv[3];
        demo.file = argv[4];
        r = autoinstall(&host, ring, argv[3]);
    }
    if (r != SDI_OK) {
        fprintf(stderr, "autoinstall_loop: %s %s\n", sdi_result_name(r), sdi_error_text(err));
    }
    sdi_error_free(err);
    sdi_keyring_free(ring);
    sdi_cert_free(cert);
    sdi_key_free(key);
    sdi_wipe(key_file.data, key_file.len);
    free(key_file.data);
    free(cert_file.data);
    return r == SDI_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
