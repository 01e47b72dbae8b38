/* Calls from inside callbacks: the handle that the outer call works on is shut, a free of it waits,
 * and the outer call ends as if nothing had been. Other handles work as ever. */
#include "module.h"

/* What a sink tries while its opener runs. */
struct inside {
    sdi_opener *opener;
    const struct fixture *f;
    int calls, frees, refusal;
    struct collected got;
};

static int32_t opener_sink(void *user, const uint8_t *data, size_t len)
{
    struct inside *in = (struct inside *)user;
    int32_t a = 77, b = 77;
    in->calls++;
    GIVES(SDI_ERR_STATE, sdi_opener_update(in->opener, data, len, &err));
    GIVES(SDI_ERR_STATE, sdi_opener_finish(in->opener, &err));
    GIVES(SDI_ERR_STATE, sdi_opener_hold(in->opener, 1, &err));
    GIVES(SDI_ERR_STATE, sdi_opener_set_max_file(in->opener, 1, &err));
    GIVES(SDI_ERR_STATE, sdi_opener_require_authenticated(in->opener, 1, &err));
    CHECK(sdi_opener_used(in->opener, &a, &b) == SDI_ERR_STATE && a == 77 && b == 77);
    still_works(in->f);
    if (in->frees) {
        sdi_opener_free(in->opener);
        GIVES(SDI_ERR_STATE, sdi_opener_update(in->opener, data, len, &err));
    }
    CHECK(collect(&in->got, data, len) == 0);
    return in->refusal;
}

/* A plain run, then with a free at the first call of the sink: the call goes on to its end. */
static void in_the_sink_of_an_opener(const struct fixture *f)
{
    static struct inside in;
    const uint8_t *file = sdi_bytes_data(f->cbc);
    size_t len = sdi_bytes_len(f->cbc);
    memset(&in, 0, sizeof in);
    in.f = f;
    GIVES(SDI_OK, sdi_opener_new(f->ring, opener_sink, &in, &in.opener, &err));
    GIVES(SDI_OK, sdi_opener_update(in.opener, file, len, &err));
    GIVES(SDI_OK, sdi_opener_finish(in.opener, &err));
    CHECK(in.calls > 0 && is_plain(f, in.got.data, in.got.len));
    sdi_opener_free(in.opener);

    memset(&in, 0, sizeof in);
    in.f = f;
    in.frees = 1;
    GIVES(SDI_OK, sdi_opener_new(f->ring, opener_sink, &in, &in.opener, &err));
    GIVES(SDI_OK, sdi_opener_update(in.opener, file, len, &err));
    CHECK(in.calls > 0 && in.got.len > 0); /* in.opener is gone now */

    memset(&in, 0, sizeof in);
    in.f = f;
    in.frees = 1;
    in.refusal = 9;
    GIVES(SDI_OK, sdi_opener_new(f->ring, opener_sink, &in, &in.opener, &err));
    GIVES(SDI_ERR_SINK, sdi_opener_update(in.opener, file, len, &err));
    CHECK(in.calls == 1);
}

struct inside_sealer {
    sdi_sealer *sealer;
    int calls, frees;
    struct collected got;
};

static int32_t sealer_sink(void *user, const uint8_t *data, size_t len)
{
    struct inside_sealer *in = (struct inside_sealer *)user;
    in->calls++;
    GIVES(SDI_ERR_STATE, sdi_sealer_update(in->sealer, data, len, &err));
    GIVES(SDI_ERR_STATE, sdi_sealer_set_length(in->sealer, 1, &err));
    GIVES(SDI_ERR_STATE, sdi_sealer_finish(in->sealer, &err));
    if (in->frees) {
        sdi_sealer_free(in->sealer);
    }
    return collect(&in->got, data, len);
}

static void in_the_sink_of_a_sealer(const struct fixture *f)
{
    static struct inside_sealer in;
    const sdi_cert *to = f->cert;
    sdi_bytes *plain = NULL;
    memset(&in, 0, sizeof in);
    GIVES(SDI_OK, sdi_sealer_new(&to, 1, SDI_PROFILE_AUTO, SDI_FORM_DER, sealer_sink, &in,
                                 &in.sealer, &err));
    GIVES(SDI_OK, sdi_sealer_update(in.sealer, f->plain, sizeof f->plain, &err));
    GIVES(SDI_OK, sdi_sealer_finish(in.sealer, &err));
    sdi_sealer_free(in.sealer);
    GIVES(SDI_OK, sdi_open(f->ring, in.got.data, in.got.len, &plain, &err));
    CHECK(in.calls > 0 && is_plain(f, sdi_bytes_data(plain), sdi_bytes_len(plain)));
    sdi_bytes_free(plain);

    memset(&in, 0, sizeof in);
    in.frees = 1;
    GIVES(SDI_OK, sdi_sealer_new(&to, 1, SDI_PROFILE_AUTO, SDI_FORM_DER, sealer_sink, &in,
                                 &in.sealer, &err));
    GIVES(SDI_OK, sdi_sealer_update(in.sealer, f->plain, sizeof f->plain, &err));
    CHECK(in.calls > 0);
}

/* What a module tries while a file is opened with its key. */
struct busy {
    struct device *d;
    const sdi_bytes *file;
    sdi_opener *opener;
    const struct fixture *f;
    int frees, seen;
};

static void in_agree(void *user)
{
    struct busy *b = (struct busy *)user;
    struct device *d = b->d;
    const uint8_t *file = sdi_bytes_data(b->file);
    size_t len = sdi_bytes_len(b->file);
    sdi_bytes *plain = NOWHERE(sdi_bytes);
    sdi_opener *other = NOWHERE(sdi_opener);
    b->seen++;
    if (b->opener != NULL) {
        GIVES(SDI_ERR_STATE, sdi_opener_update(b->opener, file, len, &err));
        GIVES(SDI_ERR_STATE, sdi_opener_finish(b->opener, &err));
        if (b->frees) {
            sdi_opener_free(b->opener);
        }
    } else {
        GIVES_NO(plain, SDI_ERR_STATE, sdi_open(d->ring, file, len, &plain, &err));
        GIVES_NO(other, SDI_ERR_STATE, sdi_opener_new(d->ring, NULL, NULL, &other, &err));
        GIVES(SDI_ERR_STATE, sdi_keyring_set_vendor(d->ring, d->cert, d->key, &err));
        GIVES(SDI_ERR_STATE, sdi_keyring_set_operator(d->ring, NULL, NULL, SDI_OPERATOR_REPLACE,
                                                      &err));
        GIVES(SDI_ERR_STATE, sdi_keyring_remove_operator(d->ring, &err));
        GIVES(SDI_ERR_STATE, sdi_keyring_require_authenticated(d->ring, 1, &err));
        GIVES(SDI_ERR_STATE, sdi_keyring_set_max_file(d->ring, 1, &err));
        GIVES(SDI_ERR_STATE, sdi_keyring_set_max_key_ops(d->ring, 1, &err));
        if (b->frees) {
            sdi_keyring_free(d->ring);
            sdi_key_free(d->key);
            sdi_cert_free(d->cert);
            d->ring = NULL;
            d->key = NULL;
            d->cert = NULL;
            CHECK(d->module.destroyed == 0); /* the outer call still needs it */
        }
    }
    still_works(b->f);
}

static void from_inside_agree(const struct fixture *f, int frees)
{
    struct device d;
    struct busy busy;
    sdi_bytes *file, *plain = NULL;

    device_make(&d);
    file = device_file(&d);
    memset(&busy, 0, sizeof busy);
    busy.d = &d;
    busy.file = file;
    busy.f = f;
    busy.frees = frees;
    d.module.meanwhile = in_agree;
    d.module.user = &busy;
    GIVES(SDI_OK, sdi_opener_new(d.ring, NULL, NULL, &busy.opener, &err));
    GIVES(SDI_OK, sdi_opener_update(busy.opener, sdi_bytes_data(file), sdi_bytes_len(file), &err));
    CHECK(busy.seen == 1);
    if (!frees) {
        GIVES(SDI_OK, sdi_opener_finish(busy.opener, &err));
        sdi_opener_free(busy.opener);
    }
    busy.opener = NULL;
    GIVES(SDI_OK, sdi_open(d.ring, sdi_bytes_data(file), sdi_bytes_len(file), &plain, &err));
    CHECK(busy.seen == 2 && sdi_bytes_len(plain) == 10000);
    CHECK(d.module.destroyed == frees);
    sdi_bytes_free(plain);
    sdi_bytes_free(file);
    device_free(&d);
}

/* The last reference goes with the opener, and destroy then looks around. */
static sdi_opener *dying;

static void looks_around(void *user)
{
    struct module *m = (struct module *)user;
    GIVES(SDI_ERR_STATE, sdi_opener_finish(dying, &err));
    sdi_opener_free(dying);
    module_destroy(m);
}

static void from_inside_destroy(void)
{
    struct device d;
    sdi_key_ops ops = module_ops();
    sdi_bytes *spki = NULL;
    device_make(&d);
    EVP_PKEY_up_ref(d.module.key);
    GIVES(SDI_OK, sdi_key_public_der(d.key, &spki, &err));
    device_free(&d);
    d.module.destroyed = 0;
    ops.destroy = looks_around;
    GIVES(SDI_OK, sdi_key_from_ops(&ops, &d.module, sdi_bytes_data(spki), sdi_bytes_len(spki),
                                   &d.key, &err));
    GIVES(SDI_OK, sdi_keyring_new(&d.ring, &err));
    GIVES(SDI_OK, sdi_keyring_set_vendor(d.ring, NULL, d.key, &err));
    GIVES(SDI_OK, sdi_opener_new(d.ring, NULL, NULL, &dying, &err));
    sdi_key_free(d.key);
    sdi_keyring_free(d.ring);
    CHECK(d.module.destroyed == 0);
    sdi_opener_free(dying);
    CHECK(d.module.destroyed == 1);
    sdi_bytes_free(spki);
}

/* Rings whose modules open with the next ring: nine deep is one too many, and an error like any. */
enum { RINGS = 9 };
static struct device chain[RINGS];
static sdi_bytes *chain_file[RINGS];
static sdi_result answers[RINGS];

static void open_next(void *user)
{
    int next = (int)(size_t)user;
    sdi_bytes *plain = NULL;
    answers[next] = sdi_open(chain[next].ring, sdi_bytes_data(chain_file[next]),
                             sdi_bytes_len(chain_file[next]), &plain, NULL);
    sdi_bytes_free(plain);
}

static void nine_deep(void)
{
    int i;
    for (i = 0; i < RINGS; i++) {
        device_make(&chain[i]);
        chain_file[i] = device_file(&chain[i]);
        if (i + 1 < RINGS) {
            chain[i].module.meanwhile = open_next;
            chain[i].module.user = (void *)(size_t)(i + 1);
        }
    }
    open_next((void *)0);
    for (i = 0; i < RINGS; i++) {
        CHECK(answers[i] == (i < 8 ? SDI_OK : SDI_ERR_STATE));
        sdi_bytes_free(chain_file[i]);
        device_free(&chain[i]);
    }
}

int main(void)
{
    struct fixture f;
    fixture_make(&f);
    in_the_sink_of_an_opener(&f);
    in_the_sink_of_a_sealer(&f);
    from_inside_agree(&f, 0);
    from_inside_agree(&f, 1);
    from_inside_destroy();
    nine_deep();
    still_works(&f);
    fixture_free(&f);
    return 0;
}
