/* A panic of the library ends in the call that it came from: that handle is shut, everything else
 * works. `sdi_panic_test` is in no library that is shipped. */
#include "check.h"

#ifdef __cplusplus
extern "C"
#endif
sdi_result sdi_panic_test(sdi_opener *opener, sdi_error **err);

int main(void)
{
    struct fixture f;
    sdi_opener *opener = NULL;
    int32_t a = 77, b = 77;
    int i;

    fixture_make(&f);
    for (i = 0; i < 3; i++) {
        GIVES(SDI_OK, sdi_opener_new(f.ring, NULL, NULL, &opener, &err));
        GIVES(SDI_ERR_PANIC, sdi_panic_test(opener, &err));
        GIVES(SDI_ERR_PANIC, sdi_opener_update(opener, f.plain, 1, &err));
        GIVES(SDI_ERR_PANIC, sdi_opener_finish(opener, &err));
        GIVES(SDI_ERR_PANIC, sdi_opener_hold(opener, 1, &err));
        CHECK(sdi_opener_used(opener, &a, &b) == SDI_ERR_PANIC && a == 77 && b == 77);
        sdi_opener_free(opener);
        still_works(&f);
    }
    GIVES(SDI_ERR_NULL, sdi_panic_test(NULL, &err));
    fixture_free(&f);
    return 0;
}
