/* A panic inside a library that aborts ends the process, with SIGABRT and without a word: what a
 * watchdog sees who lets a child open the file. `sdi_panic_test` is in no library that is shipped. */
#include "common.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

sdi_result sdi_panic_test(sdi_opener *opener, sdi_error **err);

/* How a child ends that opens the file, and that runs into a defect if there is one. */
static int status_of_child(device d, sdi_bytes *file, int defect)
{
    int status = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        sdi_opener *opener;
        CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
        OK(sdi_opener_new(d.ring, NULL, NULL, &opener, NULL));
        OK(sdi_opener_update(opener, sdi_bytes_data(file), sdi_bytes_len(file), NULL));
        if (defect)
            IS(SDI_ERR_PANIC, sdi_panic_test(opener, NULL));
        OK(sdi_opener_finish(opener, NULL));
        sdi_opener_free(opener);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

int main(void)
{
    static const char plain[] = "hostname canary-in-plaintext\n";
    device d = device_new(SDI_KEY_P256);
    sdi_bytes *file = sealed(d, SDI_PROFILE_RFC8886, SDI_FORM_DER, plain, sizeof plain - 1);
    int status = status_of_child(d, file, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    status = status_of_child(d, file, 1);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    sdi_bytes_free(file);
    device_free(d);
    return 0;
}
