/* Who owns what: handles are freed in every order, and what keeps a reference goes on working. */
#include "module.h"

/* An opener outlives the ring, the key and the certificate that it was made of. */
static void openers_keep_what_they_need(void)
{
    struct device d;
    sdi_opener *opener = NULL, *unused = NULL;
    sdi_bytes *file;
    device_make(&d);
    file = device_file(&d);
    GIVES(SDI_OK, sdi_opener_new(d.ring, NULL, NULL, &opener, &err));
    GIVES(SDI_OK, sdi_opener_new(d.ring, NULL, NULL, &unused, &err));
    sdi_keyring_free(d.ring);
    sdi_cert_free(d.cert);
    sdi_key_free(d.key);
    CHECK(d.module.destroyed == 0);
    GIVES(SDI_OK, sdi_opener_update(opener, sdi_bytes_data(file), sdi_bytes_len(file), &err));
    GIVES(SDI_OK, sdi_opener_finish(opener, &err));
    sdi_opener_free(opener);
    CHECK(d.module.destroyed == 0);
    sdi_opener_free(unused);
    CHECK(d.module.destroyed == 1);
    sdi_bytes_free(file);
}

/* The last one to go runs destroy, whoever that is. */
static void every_order_of_frees(void)
{
    int order;
    for (order = 0; order < 6; order++) {
        static const char sequences[6][4] = {"krc", "kcr", "rkc", "rck", "ckr", "crk"};
        struct device d;
        int i;
        device_make(&d);
        for (i = 0; i < 3; i++) {
            CHECK(sequences[order][i] == 'c' || d.module.destroyed == 0);
            switch (sequences[order][i]) {
            case 'k':
                sdi_key_free(d.key);
                break;
            case 'r':
                sdi_keyring_free(d.ring);
                break;
            default:
                sdi_cert_free(d.cert);
            }
        }
        CHECK(d.module.destroyed == 1);
    }
}

static void keys_that_leave_a_ring(void)
{
    struct device vendor, operator_;
    device_make(&vendor);
    device_make(&operator_);
    sdi_keyring_free(operator_.ring);
    operator_.ring = NULL;
    GIVES(SDI_OK, sdi_keyring_set_operator(vendor.ring, operator_.cert, operator_.key,
                                           SDI_OPERATOR_PREFER, &err));
    sdi_key_free(operator_.key);
    operator_.key = NULL;
    CHECK(operator_.module.destroyed == 0);
    GIVES(SDI_OK, sdi_keyring_remove_operator(vendor.ring, &err));
    CHECK(operator_.module.destroyed == 1);
    device_free(&operator_);
    sdi_key_free(vendor.key);
    vendor.key = NULL;
    CHECK(vendor.module.destroyed == 0);
    GIVES(SDI_OK, sdi_keyring_set_operator(vendor.ring, NULL, NULL, SDI_OPERATOR_REPLACE, &err));
    CHECK(vendor.module.destroyed == 1);
    device_free(&vendor);
}

/* Input that is copied may change right after the call. */
static void input_is_copied(const struct fixture *f)
{
    sdi_bytes *pem = NULL, *der = NULL, *spki = NULL, *again = NULL;
    uint8_t copy[4096], mine[32], theirs[32];
    sdi_key *key = NULL;
    sdi_cert *cert = NULL;
    sdi_key_ops ops = module_ops();
    size_t len;
    GIVES(SDI_OK, sdi_key_export_pem(f->key, &pem, &err));
    GIVES(SDI_OK, sdi_cert_der(f->cert, &der, &err));
    GIVES(SDI_OK, sdi_key_public_der(f->key, &spki, &err));
    GIVES(SDI_OK, sdi_key_spki_sha256(f->key, mine, &err));

    len = sdi_bytes_len(pem);
    memcpy(copy, sdi_bytes_data(pem), len);
    GIVES(SDI_OK, sdi_key_parse(copy, len, &key, &err));
    sdi_wipe(copy, len);
    CHECK(copy[0] == 0 && copy[len - 1] == 0);
    GIVES(SDI_OK, sdi_key_spki_sha256(key, theirs, &err));
    CHECK(memcmp(mine, theirs, sizeof mine) == 0);
    sdi_key_free(key);

    len = sdi_bytes_len(der);
    memcpy(copy, sdi_bytes_data(der), len);
    GIVES(SDI_OK, sdi_cert_parse(copy, len, &cert, &err));
    memset(copy, 0xee, len);
    GIVES(SDI_OK, sdi_cert_der(cert, &again, &err));
    CHECK(sdi_bytes_len(again) == len && memcmp(sdi_bytes_data(again), sdi_bytes_data(der), len) == 0);
    sdi_bytes_free(again);
    sdi_cert_free(cert);

    len = sdi_bytes_len(spki);
    memcpy(copy, sdi_bytes_data(spki), len);
    ops.destroy = NULL;
    GIVES(SDI_OK, sdi_key_from_ops(&ops, NULL, copy, len, &key, &err));
    memset(copy, 0xee, len);
    memset(&ops, 0xee, sizeof ops);
    GIVES(SDI_OK, sdi_key_spki_sha256(key, theirs, &err));
    CHECK(memcmp(mine, theirs, sizeof mine) == 0);
    again = NOWHERE(sdi_bytes);
    GIVES_NO(again, SDI_ERR_UNSUPPORTED, sdi_key_export_pem(key, &again, &err));
    sdi_key_free(key);
    sdi_bytes_free(spki);
    sdi_bytes_free(der);
    sdi_bytes_free(pem);
}

/* No bytes are bytes, too. */
static void empty_plaintext(const struct fixture *f)
{
    const sdi_cert *to = f->cert;
    sdi_bytes *file = NULL, *plain = NULL;
    GIVES(SDI_OK,
          sdi_seal(&to, 1, SDI_PROFILE_AUTO, SDI_FORM_SMIME, NULL, 0, &file, &err));
    GIVES(SDI_OK, sdi_open(f->ring, sdi_bytes_data(file), sdi_bytes_len(file), &plain, &err));
    CHECK(sdi_bytes_data(plain) != NULL && sdi_bytes_len(plain) == 0);
    sdi_bytes_free(plain);
    sdi_bytes_free(file);
}

/* What an error says stays, whatever is called meanwhile. */
static void errors_are_kept(const struct fixture *f)
{
    char copy[600];
    sdi_error *first = NULL, *second = NULL;
    sdi_bytes *plain = NULL;
    CHECK(sdi_open(f->ring, NULL, 1, &plain, &first) == SDI_ERR_NULL);
    strcpy(copy, sdi_error_text(first));
    CHECK(sdi_open(f->ring, f->plain, 100, &plain, &second) != SDI_OK);
    CHECK(strcmp(copy, sdi_error_text(first)) == 0 && sdi_error_code(first) == SDI_ERR_NULL);
    sdi_error_free(first);
    CHECK(sdi_error_code(second) != SDI_OK);
    sdi_error_free(second);
    still_works(f);
}

int main(void)
{
    struct fixture f;
    fixture_make(&f);
    openers_keep_what_they_need();
    every_order_of_frees();
    keys_that_leave_a_ring();
    input_is_copied(&f);
    empty_plaintext(&f);
    errors_are_kept(&f);
    still_works(&f);
    fixture_free(&f);
    return 0;
}
