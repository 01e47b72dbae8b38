/* A device whose key is in a module. The module is the program openssl: it does the bare private
 * operations that TPMs and HSMs do, in a process of its own. The file is opened whole and as a stream,
 * a certificate is made and a request, and the module is told to forget the key, once.
 *
 * Arguments: what the module can do (agree, raw, oaep-sha256), its key, the certificate, the file,
 * the plaintext. */
#include "common.h"

static const char *key_path;
static int asked, destroyed, plain_at_fault;
static uint8_t *plain;
static size_t plain_len, plain_at;

static void save(const char *path, const uint8_t *head, size_t head_len, const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL);
    CHECK(fwrite(head, 1, head_len, f) == head_len && fwrite(bytes, 1, len, f) == len);
    CHECK(fclose(f) == 0);
}

/* Runs openssl on the file "in"; what it writes to "out" is the answer. */
static int32_t openssl(const char *command, uint8_t *out, size_t cap, size_t *len)
{
    char line[1024];
    uint8_t *answer;
    asked++;
    CHECK(snprintf(line, sizeof line, "openssl pkeyutl %s -inkey %s -out out 2>/dev/null", command, key_path) <
          (int)sizeof line);
    if (system(line) != 0)
        return SDI_OP_REFUSED;
    answer = load("out", len);
    if (*len <= cap)
        memcpy(out, answer, *len);
    sdi_wipe(answer, *len);
    free(answer);
    return 0;
}

/* SubjectPublicKeyInfo up to the point. */
static const uint8_t p256[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };
static const uint8_t p384[] = { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00 };
static const uint8_t p521[] = { 0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00 };
static const uint8_t x25519[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00 };

static int32_t agree(void *user, sdi_key_alg curve, const uint8_t *peer, size_t peer_len, uint8_t *z, size_t z_cap,
                     size_t *z_len)
{
    (void)user;
    switch (curve) {
    case SDI_KEY_P256: save("in", p256, sizeof p256, peer, peer_len); break;
    case SDI_KEY_P384: save("in", p384, sizeof p384, peer, peer_len); break;
    case SDI_KEY_P521: save("in", p521, sizeof p521, peer, peer_len); break;
    case SDI_KEY_X25519: save("in", x25519, sizeof x25519, peer, peer_len); break;
    default: return -1;
    }
    return openssl("-derive -peerkey in -peerform DER", z, z_cap, z_len);
}

static int32_t rsa_decrypt(void *user, sdi_rsa_scheme scheme, const uint8_t *ct, size_t ct_len, uint8_t *out,
                           size_t out_cap, size_t *out_len)
{
    (void)user;
    CHECK(out_cap == ct_len);
    save("in", NULL, 0, ct, ct_len);
    switch (scheme) {
    case SDI_RSA_RAW:
        return openssl("-decrypt -in in -pkeyopt rsa_padding_mode:none", out, out_cap, out_len);
    case SDI_RSA_OAEP_SHA256:
        return openssl("-decrypt -in in -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256", out, out_cap,
                       out_len);
    default:
        return -1;
    }
}

/* From an INTEGER of an Ecdsa-Sig-Value to a number as wide as the field. */
static const uint8_t *number(const uint8_t *der, uint8_t *to, size_t width)
{
    size_t len = der[1];
    const uint8_t *from = der + 2, *end = from + len;
    CHECK(der[0] == 2);
    while (len > width) {
        CHECK(*from == 0);
        from++;
        len--;
    }
    memset(to, 0, width - len);
    memcpy(to + width - len, from, len);
    return end;
}

static int32_t sign(void *user, sdi_sig_scheme scheme, const uint8_t *msg, size_t msg_len, const uint8_t *digest,
                    size_t digest_len, uint8_t *sig, size_t sig_cap, size_t *sig_len)
{
    uint8_t der[160];
    const uint8_t *at = der;
    size_t der_len;
    (void)user;
    (void)msg;
    (void)msg_len;
    save("in", NULL, 0, digest, digest_len);
    if (scheme == SDI_SIG_RSA_PKCS1_SHA256)
        return openssl("-sign -in in -pkeyopt digest:sha256", sig, sig_cap, sig_len);
    if (openssl("-sign -in in", der, sizeof der, &der_len) != 0)
        return -1;
    at += der[1] == 0x81 ? 3 : 2;
    at = number(at, sig, sig_cap / 2);
    number(at, sig + sig_cap / 2, sig_cap / 2);
    *sig_len = sig_cap;
    return 0;
}

static void destroy(void *user)
{
    CHECK(user == &destroyed);
    destroyed++;
}

static int32_t compare(void *user, const uint8_t *data, size_t len)
{
    (void)user;
    plain_at_fault |= len > plain_len - plain_at || memcmp(plain + plain_at, data, len) != 0;
    plain_at += len;
    return 0;
}

int main(int argc, char **argv)
{
    size_t cert_len, file_len;
    uint8_t *cert_bytes, *file;
    sdi_key_ops ops;
    sdi_cert *cert, *own;
    sdi_bytes *spki, *opened, *pem;
    sdi_key *software, *key;
    sdi_keyring *ring;
    sdi_opener *opener;
    uint8_t pins[2][32];
    size_t key_len;
    uint8_t *key_bytes;

    CHECK(argc == 6);
    key_path = argv[2];
    cert_bytes = load(argv[3], &cert_len);
    file = load(argv[4], &file_len);
    plain = load(argv[5], &plain_len);

    memset(&ops, 0, sizeof ops);
    ops.size = sizeof ops;
    ops.destroy = destroy;
    ops.sign = sign;
    if (strcmp(argv[1], "agree") == 0) {
        ops.agree = agree;
    } else {
        ops.rsa_decrypt = rsa_decrypt;
        ops.rsa_schemes = strcmp(argv[1], "raw") == 0 ? SDI_RSA_RAW : SDI_RSA_OAEP_SHA256;
    }

    /* A real device reads the public key out of its module. */
    key_bytes = load(key_path, &key_len);
    OK(sdi_key_parse(key_bytes, key_len, &software, NULL));
    OK(sdi_key_public_der(software, &spki, NULL));
    sdi_key_free(software);
    OK(sdi_key_from_ops(&ops, &destroyed, sdi_bytes_data(spki), sdi_bytes_len(spki), &key, NULL));
    OK(sdi_cert_parse(cert_bytes, cert_len, &cert, NULL));
    OK(sdi_keyring_new(&ring, NULL));
    OK(sdi_keyring_set_vendor(ring, cert, key, NULL));

    OK(sdi_open(ring, file, file_len, &opened, NULL));
    CHECK(sdi_bytes_len(opened) == plain_len && memcmp(sdi_bytes_data(opened), plain, plain_len) == 0);
    sdi_bytes_free(opened);
    CHECK(asked == 1);
    OK(sdi_opener_new(ring, compare, NULL, &opener, NULL));
    sdi_keyring_free(ring);
    OK(sdi_opener_update(opener, file, file_len, NULL));
    OK(sdi_opener_finish(opener, NULL));
    CHECK(plain_at == plain_len && !plain_at_fault && asked == 2);
    sdi_opener_free(opener);

    /* X25519 does not sign; the others certify themselves. */
    if (sdi_cert_self_sign(key, "SN1", 0, &own, NULL) == SDI_OK) {
        OK(sdi_cert_pem(own, &pem, NULL));
        save("own.crt", NULL, 0, sdi_bytes_data(pem), sdi_bytes_len(pem));
        sdi_bytes_free(pem);
        OK(sdi_csr(key, "SN1", &pem, NULL));
        save("own.csr", NULL, 0, sdi_bytes_data(pem), sdi_bytes_len(pem));
        sdi_bytes_free(pem);
        CHECK(asked == 4);
    } else {
        OK(sdi_cert_wrap(sdi_bytes_data(spki), sdi_bytes_len(spki), "SN1", 0, &own, NULL));
    }
    OK(sdi_key_spki_sha256(key, pins[0], NULL));
    OK(sdi_cert_spki_sha256(own, pins[1], NULL));
    CHECK(memcmp(pins[0], pins[1], 32) == 0);

    CHECK(destroyed == 0);
    sdi_key_free(key);
    CHECK(destroyed == 1);
    sdi_cert_free(cert);
    sdi_cert_free(own);
    sdi_bytes_free(spki);
    sdi_wipe(key_bytes, key_len);
    free(key_bytes);
    free(cert_bytes);
    free(file);
    free(plain);
    return 0;
}
