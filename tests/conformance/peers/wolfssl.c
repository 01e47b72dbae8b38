#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/pkcs7.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    byte *at;
    word32 len;
};

static struct bytes read_file(const char *folder, const char *name)
{
    char path[4096];
    struct bytes file = {NULL, 0};
    snprintf(path, sizeof path, "%s%s", folder, name);
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        exit(2);
    }
    fseek(stream, 0, SEEK_END);
    file.len = (word32)ftell(stream);
    rewind(stream);
    file.at = malloc(file.len + 1);
    if (fread(file.at, 1, file.len, stream) != file.len) {
        exit(2);
    }
    fclose(stream);
    return file;
}

/* id-ct-authEnvelopedData, whose reader is another function: the caller has to tell. */
static const byte AUTH_ENVELOPED[] = {
    0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17,
};

static int is_authenticated(struct bytes message)
{
    for (word32 at = 0; at < 16 && at + sizeof AUTH_ENVELOPED <= message.len; at++) {
        if (!memcmp(message.at + at, AUTH_ENVELOPED, sizeof AUTH_ENVELOPED)) {
            return 1;
        }
    }
    return 0;
}

static int decrypt(struct bytes message, const char *identity, const char *out)
{
    struct bytes key = read_file(identity, "/key.der");
    struct bytes certificate = read_file(identity, "/cert.der");
    /* It wants the key that is inside PKCS#8. */
    word32 start = 0;
    int inner = wc_GetPkcs8TraditionalOffset(key.at, &start, key.len);
    WC_RNG random;
    wc_InitRng(&random);
    PKCS7 *envelope = wc_PKCS7_New(NULL, INVALID_DEVID);
    int result = wc_PKCS7_InitWithCert(envelope, certificate.at, certificate.len);
    if (result == 0) {
        envelope->rng = &random;
        envelope->privateKey = key.at + (inner > 0 ? start : 0);
        envelope->privateKeySz = inner > 0 ? (word32)inner : key.len;
        word32 room = message.len + 64;
        byte *plaintext = malloc(room);
        result = is_authenticated(message)
            ? wc_PKCS7_DecodeAuthEnvelopedData(envelope, message.at, message.len, plaintext, room)
            : wc_PKCS7_DecodeEnvelopedData(envelope, message.at, message.len, plaintext, room);
        if (result >= 0) {
            FILE *stream = fopen(out, "wb");
            fwrite(plaintext, 1, (size_t)result, stream);
            fclose(stream);
        }
        free(plaintext);
    }
    wc_PKCS7_Free(envelope);
    wc_FreeRng(&random);
    free(key.at);
    free(certificate.at);
    return result;
}

int main(void)
{
    char line[12288];
    while (fgets(line, sizeof line, stdin)) {
        const char *path = strtok(line, "\t\n");
        const char *identity = strtok(NULL, "\t\n");
        const char *out = strtok(NULL, "\t\n");
        struct bytes message = read_file(path, "");
        int result = decrypt(message, identity, out);
        free(message.at);
        if (result >= 0) {
            puts("OK");
        } else {
            printf("refused: %d %s\n", result, wc_GetErrorString(result));
        }
        fflush(stdout);
    }
    return 0;
}
