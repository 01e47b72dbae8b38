/* Decrypts a file of any length in constant memory, and puts the configuration in its place only
 * when all of it is verified: stream_to_disk KEY CERTIFICATE FILE TARGET */
#include "read_file.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sdi.h>
#include <string.h>
#include <unistd.h>

/* The sink: what it gets is provisional, so it goes to the staged file. */
static int32_t stage(void *user, const uint8_t *data, size_t len)
{
    int fd = *(const int *)user;
    while (len > 0) {
        ssize_t written = write(fd, data, len);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            data += written;
            len -= (size_t)written;
        }
    }
    return 0;
}

static sdi_result make_ring(const char *key_path, const char *cert_path, sdi_keyring **ring,
                            sdi_error **err)
{
    struct file key_file = {0}, cert_file = {0};
    sdi_key *key = NULL;
    sdi_cert *cert = NULL;
    sdi_result r = SDI_ERR_ARGUMENT;

    if (read_file(key_path, &key_file) == 0 && read_file(cert_path, &cert_file) == 0 &&
        (r = sdi_key_parse(key_file.data, key_file.len, &key, err)) == SDI_OK &&
        (r = sdi_cert_parse(cert_file.data, cert_file.len, &cert, err)) == SDI_OK &&
        (r = sdi_keyring_new(ring, err)) == SDI_OK) {
        r = sdi_keyring_set_vendor(*ring, cert, key, err);
    }
    sdi_cert_free(cert);
    sdi_key_free(key);
    sdi_wipe(key_file.data, key_file.len);
    free(key_file.data);
    free(cert_file.data);
    return r;
}

static sdi_result decrypt(const sdi_keyring *ring, FILE *in, int fd, sdi_error **err)
{
    uint8_t piece[1400];
    sdi_opener *opener = NULL;
    sdi_result r = sdi_opener_new(ring, stage, &fd, &opener, err);

    while (r == SDI_OK && !feof(in) && !ferror(in)) {
        size_t len = fread(piece, 1, sizeof piece, in);
        r = sdi_opener_update(opener, piece, len, err);
    }
    if (r == SDI_OK && ferror(in)) {
        r = SDI_ERR_MALFORMED; /* half a file is as good as a damaged one */
    }
    if (r == SDI_OK) {
        r = sdi_opener_finish(opener, err);
    }
    sdi_opener_free(opener);
    return r;
}

/* The new name has to survive a power cut, too. */
static int sync_directory_of(const char *path)
{
    char copy[4096];
    int fd, done;

    if (strlen(path) >= sizeof copy) {
        return -1;
    }
    fd = open(dirname(strcpy(copy, path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    done = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0) {
        close(fd);
    }
    return done;
}

int main(int argc, char **argv)
{
    char staged[4096];
    sdi_keyring *ring = NULL;
    sdi_error *err = NULL;
    sdi_result r;
    FILE *in;
    int fd, is_installed = 0;

    if (argc != 5 || snprintf(staged, sizeof staged, "%s.part", argv[4]) >= (int)sizeof staged) {
        fprintf(stderr, "usage: stream_to_disk KEY CERTIFICATE FILE TARGET\n");
        return EXIT_FAILURE;
    }
    unlink(staged); /* of a run that a power cut ended */
    in = fopen(argv[3], "rb");
    fd = open(staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (in == NULL || fd < 0) {
        perror(in == NULL ? argv[3] : staged);
        r = SDI_ERR_SINK;
    } else if ((r = make_ring(argv[1], argv[2], &ring, &err)) == SDI_OK) {
        r = decrypt(ring, in, fd, &err);
    }
    if (r != SDI_OK) {
        fprintf(stderr, "stream_to_disk: %s: %s (%lld)\n", sdi_result_name(r), sdi_error_text(err),
                (long long)sdi_error_vendor_code(err));
    } else if (fsync(fd) != 0 || rename(staged, argv[4]) != 0 || sync_directory_of(argv[4]) != 0) {
        perror(argv[4]);
    } else {
        is_installed = 1;
    }
    if (fd >= 0) {
        close(fd);
        unlink(staged); /* there is nothing to remove after the rename */
    }
    if (in != NULL) {
        fclose(in);
    }
    sdi_error_free(err);
    sdi_keyring_free(ring);
    return is_installed ? EXIT_SUCCESS : EXIT_FAILURE;
}
