/* The header may be included twice, and by two files of one program. */
#include <sdi.h>
#include <sdi.h>

const char *sdi_version_of_the_other_file(void);

#ifdef SECOND
const char *sdi_version_of_the_other_file(void)
{
    return sdi_version();
}
#else
int main(void)
{
    return sdi_version_of_the_other_file() == sdi_version() ? 0 : 1;
}
#endif
