/* OpenSSL's CMS_decrypt as a service: cases come over a pipe, verdicts go back.
 *
 * Arguments: pairs of files, key and certificate. A case on stdin: which pair, the length, the file
 * in DER or BER; numbers have four bytes, the highest first. A verdict on stdout: which way it opened,
 * how many bytes of the file were read, the length of the text, the text: the plaintext, or OpenSSL's
 * reasons. In the place of a pair may stand a kind of armor: then the text is what is in the armor.
 *
 * CMS_DEBUG_DECRYPT turns off OpenSSL's answer to a bad RSA padding, a random content key, which would
 * make a verdict a matter of luck.
 */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNREADABLE = 0, REFUSED = 1, BY_CERTIFICATE = 2, BY_KEY_ALONE = 3, BARE = 4 };
enum { PEM = 1000000, SMIME = 1000001 };

struct device {
    EVP_PKEY *key;
    X509 *certificate;
};

static void fail(const char *what)
{
    fprintf(stderr, "oracle: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static struct device read_device(const char *key_file, const char *certificate_file)
{
    struct device device = {NULL, NULL};
    BIO *key = BIO_new_file(key_file, "r");
    BIO *certificate = BIO_new_file(certificate_file, "r");
    if (key == NULL || certificate == NULL) {
        fail("a file of a device cannot be opened");
    }
    device.key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    device.certificate = PEM_read_bio_X509(certificate, NULL, NULL, NULL);
    if (device.key == NULL || device.certificate == NULL) {
        fail("a device cannot be read");
    }
    BIO_free(key);
    BIO_free(certificate);
    return device;
}

/* 0 at the end of the input. */
static int read_number(uint32_t *number)
{
    unsigned char bytes[4];
    if (fread(bytes, 1, 4, stdin) != 4) {
        return 0;
    }
    *number = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return 1;
}

static void write_number(uint32_t number)
{
    unsigned char bytes[4] = {number >> 24, number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff};
    fwrite(bytes, 1, 4, stdout);
}

static void answer(uint32_t verdict, uint32_t used, const void *text, size_t len)
{
    write_number(verdict);
    write_number(used);
    write_number((uint32_t)len);
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

/* The plaintext, or NULL. Each time from the file anew: a failed decryption leaves traces. */
static BIO *decrypt(const unsigned char *file, long len, EVP_PKEY *key, X509 *certificate)
{
    const unsigned char *at = file;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, len);
    BIO *plaintext = BIO_new(BIO_s_mem());
    int flags = CMS_BINARY | CMS_DEBUG_DECRYPT;
    int opened = cms != NULL && CMS_decrypt(cms, key, certificate, NULL, plaintext, flags) == 1;
    CMS_ContentInfo_free(cms);
    if (!opened) {
        BIO_free(plaintext);
        return NULL;
    }
    return plaintext;
}

/* The reasons, the first one first. */
static size_t reasons(char *text, size_t room)
{
    size_t len = 0;
    unsigned long code;
    while ((code = ERR_get_error()) != 0) {
        const char *reason = ERR_reason_error_string(code);
        const char *library = ERR_lib_error_string(code);
        if (len < room) {
            int more = snprintf(text + len, room - len, "%s%s: %s", len > 0 ? "; " : "",
                                library != NULL ? library : "?", reason != NULL ? reason : "?");
            len += more > 0 ? (size_t)more : 0;
        }
    }
    return len < room ? len : room - 1;
}

static void judge(const struct device *device, const unsigned char *file, long len)
{
    char text[4096];
    const unsigned char *at = file;
    BIO *plaintext;
    CMS_ContentInfo *cms;
    uint32_t used, verdict = BY_CERTIFICATE;

    ERR_clear_error();
    cms = d2i_CMS_ContentInfo(NULL, &at, len);
    used = (uint32_t)(at - file);
    if (cms == NULL) {
        answer(UNREADABLE, 0, text, reasons(text, sizeof text));
        return;
    }
    CMS_ContentInfo_free(cms);
    plaintext = decrypt(file, len, device->key, device->certificate);
    if (plaintext == NULL) {
        size_t text_len = reasons(text, sizeof text);
        verdict = BY_KEY_ALONE;
        plaintext = decrypt(file, len, device->key, NULL);
        if (plaintext == NULL) {
            answer(REFUSED, used, text, text_len);
            return;
        }
    }
    char *data;
    long data_len = BIO_get_mem_data(plaintext, &data);
    answer(verdict, used, data, data_len > 0 ? (size_t)data_len : 0);
    BIO_free(plaintext);
}

/* Out of PEM as PEM_read_bio_CMS takes it, out of S/MIME as SMIME_read_CMS does, encoded anew. */
static void bare(uint32_t armor, const unsigned char *file, long len)
{
    unsigned char *content = NULL;
    long content_len = -1;
    char text[4096];
    BIO *bio = BIO_new_mem_buf(file, (int)len);
    ERR_clear_error();
    if (armor == PEM) {
        if (PEM_bytes_read_bio(&content, &content_len, NULL, PEM_STRING_CMS, bio, NULL, NULL) != 1) {
            content_len = -1;
        }
    } else {
        CMS_ContentInfo *cms = SMIME_read_CMS(bio, NULL);
        if (cms != NULL) {
            content_len = i2d_CMS_ContentInfo(cms, &content);
        }
        CMS_ContentInfo_free(cms);
    }
    BIO_free(bio);
    if (content_len < 0) {
        answer(UNREADABLE, 0, text, reasons(text, sizeof text));
        return;
    }
    answer(BARE, 0, content, (size_t)content_len);
    OPENSSL_free(content);
}

int main(int argc, char **argv)
{
    uint32_t count = (uint32_t)(argc - 1) / 2, which, len;
    struct device *devices = calloc(count + 1, sizeof *devices);
    if (devices == NULL) {
        fail("no memory");
    }
    for (uint32_t i = 0; i < count; i++) {
        devices[i] = read_device(argv[1 + 2 * i], argv[2 + 2 * i]);
    }
    while (read_number(&which) && read_number(&len)) {
        unsigned char *file = malloc(len + 1);
        if (file == NULL || fread(file, 1, len, stdin) != len) {
            fail("a case is incomplete");
        }
        if (which == PEM || which == SMIME) {
            bare(which, file, (long)len);
        } else if (which < count) {
            judge(&devices[which], file, (long)len);
        } else {
            fail("no such device");
        }
        free(file);
    }
    for (uint32_t i = 0; i < count; i++) {
        EVP_PKEY_free(devices[i].key);
        X509_free(devices[i].certificate);
    }
    free(devices);
    return 0;
}
