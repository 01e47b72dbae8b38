/* The loop of examples/c, with a network and a clock that the test moves: a device on a site where
 * nothing works at first. */
#define AUTOINSTALL_LOOP_WITHOUT_MAIN
#include "../../../examples/c/autoinstall_loop.c"
#include "check.h"

struct site {
    uint64_t now;
    int fetches, naps, checks, installs, saves;
    int stop_at; /* the nap that does not end */
    struct fixture right, wrong;
    uint8_t state[SDI_INSTALL_STATE_LEN];
    int has_state;
};

static uint64_t now_ms(void *user)
{
    return ((struct site *)user)->now;
}

static int sleep_until(void *user, uint64_t ms)
{
    struct site *s = user;
    CHECK(ms > s->now && ms - s->now <= 66 * 60 * 1000);
    if (++s->naps == s->stop_at) {
        return -1;
    }
    s->now = ms;
    return 0;
}

static int give(struct file *file, const uint8_t *data, size_t len)
{
    file->data = malloc(len + 1);
    CHECK(file->data != NULL);
    memcpy(file->data, data, len);
    file->len = len;
    return 0;
}

static int fetch(void *user, const char **name, struct file *file)
{
    struct site *s = user;
    CHECK(file->data == NULL && file->len == 0);
    *name = "SN19842256.enc";
    switch (++s->fetches) {
    case 1: /* no network yet */
        return -1;
    case 2: /* an empty file */
        return give(file, (const uint8_t *)"", 0);
    case 3: /* a login page of somebody's proxy */
        return give(file, (const uint8_t *)"<html>", 6);
    case 4: /* half a file */
        return give(file, sdi_bytes_data(s->right.file), sdi_bytes_len(s->right.file) / 2);
    case 5: /* another device's */
        return give(file, sdi_bytes_data(s->wrong.file), sdi_bytes_len(s->wrong.file));
    default:
        return give(file, sdi_bytes_data(s->right.file), sdi_bytes_len(s->right.file));
    }
}

static int check(void *user, const uint8_t *config, size_t len)
{
    struct site *s = user;
    CHECK(is_plain(&s->right, config, len));
    return ++s->checks == 1 ? -1 : 0; /* the operator's first configuration has a mistake */
}

static int install(void *user, const uint8_t *config, size_t len)
{
    struct site *s = user;
    CHECK(is_plain(&s->right, config, len));
    s->installs++;
    return 0;
}

static int load_state(void *user, uint8_t state[SDI_INSTALL_STATE_LEN])
{
    struct site *s = user;
    memcpy(state, s->state, sizeof s->state);
    return s->has_state ? 0 : -1;
}

static int save_state(void *user, const uint8_t state[SDI_INSTALL_STATE_LEN])
{
    struct site *s = user;
    memcpy(s->state, state, sizeof s->state);
    s->has_state = 1;
    s->saves++;
    return 0;
}

int main(void)
{
    static struct site s;
    struct host host = {&s, now_ms, sleep_until, fetch, check, install, load_state, save_state};

    fixture_make(&s.right);
    fixture_make(&s.wrong);
    s.now = 1000;
    s.stop_at = 3;
    CHECK(autoinstall(&host, s.right.ring, "SN19842256") == SDI_ERR_REJECTED);
    CHECK(s.fetches == 3 && s.naps == 3 && s.saves == 6 && s.installs == 0);

    /* The power comes back: one attempt at once, and then the schedule goes on. */
    s.now = 7;
    s.stop_at = 0;
    CHECK(autoinstall(&host, s.right.ring, "SN19842256") == SDI_OK);
    CHECK(s.fetches == 7 && s.checks == 2 && s.installs == 1);
    CHECK(s.naps == 6 && s.now < (uint64_t)20 * 60 * 1000);

    /* A state that is none is no obstacle. */
    memset(s.state, 0xee, sizeof s.state);
    s.now = 0;
    s.naps = s.checks = 0;
    s.fetches = 5;
    CHECK(autoinstall(&host, s.right.ring, "SN19842256") == SDI_OK);
    CHECK(s.installs == 2 && s.naps == 1);
    fixture_free(&s.wrong);
    fixture_free(&s.right);
    return 0;
}
