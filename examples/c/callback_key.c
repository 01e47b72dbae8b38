/* A device key that never leaves its module: callback_key KEY FILE > CONFIGURATION
 *
 * OpenSSL plays the module, so that the example runs anywhere; a TPM (TPM2_ECDH_ZGen) or PKCS#11
 * (CKM_ECDH1_DERIVE with CKD_NULL) takes its place in agree() and nowhere else. */
#include "read_file.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sdi.h>

/* Raw ECDH, on the thread that opens the file. Each call has a context of its own and the key is
 * only read, so several threads do not disturb each other; a module with one session needs a lock. */
static int32_t agree(void *user, sdi_key_alg curve, const uint8_t *peer, size_t peer_len,
                     uint8_t *z, size_t z_cap, size_t *z_len)
{
    EVP_PKEY *own = user, *other = EVP_PKEY_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(own, NULL);
    int32_t answer = 0;

    if (curve != SDI_KEY_P256) {
        answer = -1; /* any number of yours: sdi_error_vendor_code gives it back */
    } else if (other == NULL || context == NULL || EVP_PKEY_copy_parameters(other, own) != 1 ||
               EVP_PKEY_derive_init(context) != 1) {
        answer = -2;
    } else if (EVP_PKEY_set1_encoded_public_key(other, peer, peer_len) != 1) {
        answer = SDI_OP_REFUSED; /* the module rejects this point: no defect, but a bad file */
    } else {
        *z_len = z_cap;
        if (EVP_PKEY_derive_set_peer(context, other) != 1 ||
            EVP_PKEY_derive(context, z, z_len) != 1) {
            answer = -3;
        }
    }
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    return answer;
}

/* Runs exactly once, when the last reference to the key goes. */
static void destroy(void *user)
{
    EVP_PKEY_free(user);
}

int main(int argc, char **argv)
{
    struct file file = {0};
    sdi_key_ops ops = {0};
    unsigned char *spki = NULL;
    EVP_PKEY *module_key = NULL;
    sdi_key *key = NULL;
    sdi_keyring *ring = NULL;
    sdi_bytes *plain = NULL;
    sdi_error *err = NULL;
    sdi_result r = SDI_ERR_ARGUMENT;
    FILE *in = argc == 3 ? fopen(argv[1], "r") : NULL;
    int spki_len = 0;

    if (in != NULL) {
        module_key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
        fclose(in);
    }
    if (module_key != NULL) {
        spki_len = i2d_PUBKEY(module_key, &spki);
    }
    ops.size = sizeof ops;
    ops.agree = agree;
    ops.destroy = destroy;
    if (spki_len <= 0 || read_file(argv[2], &file) != 0) {
        EVP_PKEY_free(module_key);
        fprintf(stderr, "usage: callback_key KEY FILE > CONFIGURATION\n");
    } else if ((r = sdi_key_from_ops(&ops, module_key, spki, (size_t)spki_len, &key, &err)) ==
                   SDI_OK && /* module_key belongs to destroy() from here on, also on failure */
               (r = sdi_keyring_new(&ring, &err)) == SDI_OK &&
               (r = sdi_keyring_set_vendor(ring, NULL, key, &err)) == SDI_OK &&
               (r = sdi_open(ring, file.data, file.len, &plain, &err)) == SDI_OK) {
        fwrite(sdi_bytes_data(plain), 1, sdi_bytes_len(plain), stdout);
    } else {
        fprintf(stderr, "callback_key: %s: %s (%lld)\n", sdi_result_name(r), sdi_error_text(err),
                (long long)sdi_error_vendor_code(err));
    }
    sdi_error_free(err);
    sdi_bytes_free(plain);
    sdi_keyring_free(ring);
    sdi_key_free(key);
    OPENSSL_free(spki);
    free(file.data);
    return r == SDI_OK && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
