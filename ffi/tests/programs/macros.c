/* Prints the header's macros, and what the library says of itself. */
#include "sdi.h"
#include <stdio.h>

int main(void)
{
    printf("%d %d %d\n", SDI_VERSION_MAJOR, SDI_VERSION_MINOR, SDI_VERSION_PATCH);
    printf("%u %u\n", (unsigned)SDI_VERSION_NUMBER, (unsigned)sdi_version_number());
    printf("%s\n", sdi_version());
    printf("%d %u\n", SDI_ABI_VERSION, (unsigned)sdi_abi_version());
    printf("%d %d\n", SDI_INSTALL_STATE_LEN, SDI_OP_REFUSED);
    return 0;
}
