/* Does one thing with secrets, wipes what it had of them itself, and waits to be looked at:
 * core_image JOB, in a folder with key, certificate, file, random and planted. */
#include "common.h"
#include <fcntl.h>
#include <unistd.h>

typedef struct bytes {
    uint8_t *at;
    size_t len;
} bytes;

/* Not with stdio, whose buffers keep what they had. */
static bytes read_all(const char *name)
{
    bytes b;
    int file = open(name, O_RDONLY);
    off_t len = lseek(file, 0, SEEK_END);
    CHECK(file >= 0 && len >= 0);
    b.len = (size_t)len;
    b.at = malloc(b.len + 1);
    CHECK(b.at && lseek(file, 0, SEEK_SET) == 0 && read(file, b.at, b.len) == len);
    close(file);
    return b;
}

static void wiped(bytes b)
{
    sdi_wipe(b.at, b.len);
    free(b.at);
}

static int32_t drawn(void *user, uint8_t *out, size_t len)
{
    int file = *(int *)user;
    return read(file, out, len) == (ssize_t)len ? 0 : -1;
}

static int32_t nowhere(void *user, const uint8_t *data, size_t len)
{
    (void)data;
    *(size_t *)user += len;
    return 0;
}

static void make(void)
{
    int file = open("random", O_RDONLY);
    sdi_key *key;
    sdi_cert *cert;
    sdi_bytes *pem, *csr;
    OK(sdi_key_generate_with(SDI_KEY_P256, drawn, &file, &key, NULL));
    OK(sdi_cert_self_sign(key, "SN1", 0, &cert, NULL));
    OK(sdi_csr(key, "SN1", &csr, NULL));
    OK(sdi_key_export_pem(key, &pem, NULL));
    sdi_bytes_free(pem);
    sdi_bytes_free(csr);
    sdi_cert_free(cert);
    sdi_key_free(key);
    close(file);
}

static sdi_keyring *ring_from_files(void)
{
    bytes text = read_all("key"), certificate = read_all("certificate");
    sdi_key *key, *none;
    sdi_cert *cert;
    sdi_keyring *ring;
    sdi_error *err;
    OK(sdi_key_parse(text.at, text.len, &key, NULL));
    IS(SDI_ERR_KEY, sdi_key_parse(text.at, text.len / 2, &none, &err));
    sdi_error_free(err);
    wiped(text);
    OK(sdi_cert_parse(certificate.at, certificate.len, &cert, NULL));
    wiped(certificate);
    OK(sdi_keyring_new(&ring, NULL));
    OK(sdi_keyring_set_vendor(ring, cert, key, NULL));
    sdi_key_free(key);
    sdi_cert_free(cert);
    return ring;
}

static void open_whole(void)
{
    sdi_keyring *ring = ring_from_files();
    bytes file = read_all("file");
    sdi_bytes *plain;
    sdi_error *err;
    OK(sdi_open(ring, file.at, file.len, &plain, NULL));
    sdi_bytes_free(plain);
    file.at[file.len - 1] ^= 1;
    IS(SDI_ERR_DECRYPT, sdi_open(ring, file.at, file.len, &plain, &err));
    sdi_error_free(err);
    wiped(file);
    sdi_keyring_free(ring);
}

static void stream(int finishes)
{
    sdi_keyring *ring = ring_from_files();
    bytes file = read_all("file");
    size_t given = 0;
    sdi_opener *opener;
    OK(sdi_opener_new(ring, nowhere, &given, &opener, NULL));
    sdi_keyring_free(ring);
    OK(sdi_opener_hold(opener, 1 << 20, NULL));
    OK(sdi_opener_update(opener, file.at, file.len - 100, NULL));
    OK(sdi_opener_update(opener, file.at + file.len - 100, 50, NULL));
    if (finishes) {
        OK(sdi_opener_update(opener, file.at + file.len - 50, 50, NULL));
        OK(sdi_opener_finish(opener, NULL));
        CHECK(given > 0);
    }
    sdi_opener_free(opener);
    wiped(file);
}

static void seal(void)
{
    bytes certificate = read_all("certificate"), plain = read_all("plaintext");
    const sdi_cert *to[1];
    sdi_cert *cert;
    sdi_bytes *file;
    OK(sdi_cert_parse(certificate.at, certificate.len, &cert, NULL));
    to[0] = cert;
    OK(sdi_seal(to, 1, SDI_PROFILE_RFC8886, SDI_FORM_PEM, plain.at, plain.len, &file, NULL));
    sdi_bytes_free(file);
    OK(sdi_seal(to, 1, SDI_PROFILE_AUTHENTICATED, SDI_FORM_DER, plain.at, plain.len, &file, NULL));
    sdi_bytes_free(file);
    sdi_cert_free(cert);
    wiped(certificate);
    wiped(plain);
}

int main(int argc, char **argv)
{
    bytes planted = read_all("planted");
    uint8_t *forgotten;
    char end;
    size_t i;

    CHECK(argc == 2);
    if (!strcmp(argv[1], "make"))
        make();
    else if (!strcmp(argv[1], "open"))
        open_whole();
    else if (!strcmp(argv[1], "seal"))
        seal();
    else if (!strcmp(argv[1], "stream"))
        stream(1);
    else if (!strcmp(argv[1], "give up"))
        stream(0);
    else
        CHECK(!"a job that it knows");

    /* The control: what is freed without care. */
    forgotten = malloc(planted.len);
    CHECK(forgotten);
    for (i = 0; i < planted.len; i++)
        ((volatile uint8_t *)forgotten)[i] = (uint8_t)~planted.at[i];
    free(forgotten);
    CHECK(write(1, "ready\n", 6) == 6);
    CHECK(read(0, &end, 1) == 0);
    free(planted.at);
    return 0;
}
