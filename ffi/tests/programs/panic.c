/* A panic inside the library comes back as a number, and takes one handle with it. */
#include "common.h"

/* Not in the header: only the library of this test has it. */
sdi_result sdi_panic_test(sdi_opener *opener, sdi_error **err);

static int32_t sink(void *user, const uint8_t *data, size_t len)
{
    (void)data;
    *(size_t *)user += len;
    return 0;
}

int main(void)
{
    static const char plain[] = "hostname canary-in-plaintext\n";
    device d = device_new(SDI_KEY_P256);
    sdi_bytes *file = sealed(d, SDI_PROFILE_RFC8886, SDI_FORM_DER, plain, sizeof plain - 1);
    size_t one = 0, other = 0;
    int32_t identity, authenticated;
    sdi_opener *broken, *whole;
    sdi_bytes *opened;
    sdi_error *err;

    OK(sdi_opener_new(d.ring, sink, &one, &broken, NULL));
    OK(sdi_opener_new(d.ring, sink, &other, &whole, NULL));
    OK(sdi_opener_update(broken, sdi_bytes_data(file), sdi_bytes_len(file), NULL));
    OK(sdi_opener_update(whole, sdi_bytes_data(file), sdi_bytes_len(file), NULL));

    IS(SDI_ERR_PANIC, sdi_panic_test(broken, &err));
    CHECK(sdi_error_code(err) == SDI_ERR_PANIC);
    printf("%s\n", sdi_error_text(err));
    sdi_error_free(err);

    /* The handle of that call is shut, for const calls too, and can be freed. */
    IS(SDI_ERR_PANIC, sdi_opener_update(broken, NULL, 0, NULL));
    IS(SDI_ERR_PANIC, sdi_opener_finish(broken, &err));
    sdi_error_free(err);
    IS(SDI_ERR_PANIC, sdi_opener_hold(broken, 1, NULL));
    IS(SDI_ERR_PANIC, sdi_opener_used(broken, &identity, &authenticated));
    IS(SDI_ERR_PANIC, sdi_panic_test(broken, NULL));
    sdi_opener_free(broken);
    IS(SDI_ERR_NULL, sdi_panic_test(NULL, NULL));

    /* Everything else goes on. */
    OK(sdi_opener_finish(whole, NULL));
    CHECK(other == sizeof plain - 1);
    sdi_opener_free(whole);
    OK(sdi_open(d.ring, sdi_bytes_data(file), sdi_bytes_len(file), &opened, NULL));
    CHECK(sdi_bytes_len(opened) == sizeof plain - 1);
    sdi_bytes_free(opened);
    sdi_bytes_free(file);
    device_free(d);
    return 0;
}
