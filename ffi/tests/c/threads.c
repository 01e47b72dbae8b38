/* Const handles are used by several threads at once, and handles move from thread to thread. */
#include "module.h"
#include <pthread.h>

enum { THREADS = 4, ROUNDS = 10 };

struct shared {
    struct fixture *f;
    const sdi_keyring *module_ring;
    const sdi_bytes *module_file;
    const sdi_install *install;
    const sdi_error *error;
};

static void *use_all(void *user)
{
    const struct shared *s = (const struct shared *)user;
    const struct fixture *f = s->f;
    const sdi_cert *to = f->cert;
    int i;
    for (i = 0; i < ROUNDS; i++) {
        uint8_t sha[32], state[SDI_INSTALL_STATE_LEN];
        sdi_bytes *bytes = NULL;
        sdi_opener *opener = NULL;
        still_works(f);
        GIVES(SDI_OK, sdi_open(s->module_ring, sdi_bytes_data(s->module_file),
                               sdi_bytes_len(s->module_file), &bytes, &err));
        sdi_bytes_free(bytes);
        GIVES(SDI_OK, sdi_opener_new(f->ring, NULL, NULL, &opener, &err));
        GIVES(SDI_OK, sdi_opener_update(opener, sdi_bytes_data(f->cbc), sdi_bytes_len(f->cbc),
                                        &err));
        GIVES(SDI_OK, sdi_opener_finish(opener, &err));
        sdi_opener_free(opener);
        GIVES(SDI_OK, sdi_key_spki_sha256(f->key, sha, &err));
        GIVES(SDI_OK, sdi_cert_spki_sha256(f->cert, sha, &err));
        GIVES(SDI_OK, sdi_csr(f->key, "thread", &bytes, &err));
        sdi_bytes_free(bytes);
        GIVES(SDI_OK, sdi_seal(&to, 1, SDI_PROFILE_AUTO, SDI_FORM_PEM, f->plain, 100, &bytes,
                               &err));
        sdi_bytes_free(bytes);
        CHECK(sdi_install_save(s->install, 0, state) == SDI_OK);
        CHECK(sdi_install_attempts(s->install) == 1);
        CHECK(sdi_error_code(s->error) == SDI_ERR_NULL && is_one_line(sdi_error_text(s->error)));
    }
    return NULL;
}

/* What a sanitizer has to find: the library writes to one place for two threads. */
static void *race(void *user)
{
    int i;
    for (i = 0; i < 1000; i++) {
        sdi_wipe(user, 32);
    }
    return NULL;
}

/* Finishes an opener that another thread began, and frees it. */
static void *finish(void *user)
{
    sdi_opener *opener = (sdi_opener *)user;
    GIVES(SDI_OK, sdi_opener_finish(opener, &err));
    sdi_opener_free(opener);
    return NULL;
}

/* The module's count is not locked, and only its destroy is looked at. */
static int32_t agree(void *user, sdi_key_alg curve, const uint8_t *peer, size_t peer_len,
                     uint8_t *z, size_t z_cap, size_t *z_len)
{
    struct module copy = *(const struct module *)user;
    return module_agree(&copy, curve, peer, peer_len, z, z_cap, z_len);
}

int main(int argc, char **argv)
{
    struct fixture f;
    struct device d;
    struct shared s;
    uint8_t place[32];
    pthread_t threads[THREADS];
    sdi_key_ops ops = module_ops();
    sdi_bytes *spki = NULL, *file;
    sdi_install *install = NULL;
    sdi_error *error = NULL;
    sdi_opener *opener = NULL;
    sdi_action act = 0;
    int i;

    fixture_make(&f);
    device_make(&d);
    GIVES(SDI_OK, sdi_key_public_der(d.key, &spki, &err));
    EVP_PKEY_up_ref(d.module.key);
    device_free(&d);
    d.module.destroyed = 0;
    ops.agree = agree;
    GIVES(SDI_OK, sdi_key_from_ops(&ops, &d.module, sdi_bytes_data(spki), sdi_bytes_len(spki),
                                   &d.key, &err));
    GIVES(SDI_OK, sdi_cert_wrap(sdi_bytes_data(spki), sdi_bytes_len(spki), "module", 0, &d.cert,
                                &err));
    GIVES(SDI_OK, sdi_keyring_new(&d.ring, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(d.ring, d.cert, d.key, &err));
    file = device_file(&d);
    GIVES(SDI_OK, sdi_install_new(0, &install, &err));
    CHECK(sdi_install_poll(install, 0, &act, NULL) == SDI_OK);
    CHECK(sdi_install_new(0, NULL, &error) == SDI_ERR_NULL);

    s.f = &f;
    s.module_ring = d.ring;
    s.module_file = file;
    s.install = install;
    s.error = error;
    for (i = 0; i < THREADS; i++) {
        int races = argc > 1 && strcmp(argv[1], "race") == 0;
        void *user = races ? (void *)place : (void *)&s;
        CHECK(pthread_create(&threads[i], NULL, races ? race : use_all, user) == 0);
    }
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    GIVES(SDI_OK, sdi_opener_new(d.ring, NULL, NULL, &opener, &err));
    GIVES(SDI_OK, sdi_opener_update(opener, sdi_bytes_data(file), sdi_bytes_len(file), &err));
    CHECK(pthread_create(&threads[0], NULL, finish, opener) == 0);
    CHECK(pthread_join(threads[0], NULL) == 0);

    sdi_error_free(error);
    sdi_install_free(install);
    sdi_bytes_free(file);
    sdi_bytes_free(spki);
    device_free(&d);
    fixture_free(&f);
    return 0;
}
