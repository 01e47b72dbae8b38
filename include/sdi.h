/* sdi.h - Secure Device Install (RFC 8886) for C.
 *
 * Tells an encrypted configuration from a plain one, opens and seals it, makes device keys and
 * certificates, and says when to fetch, decrypt, check, install and try again. It does no I/O, reads
 * no clock and starts no thread.
 *
 * What it does not protect:
 *
 * - It gives confidentiality only: by default a device accepts any configuration that is encrypted to
 *   its key, whoever made it, and plaintext.
 * - It gives no assurance about the source of a configuration, and no protection against theft and
 *   reuse of devices.
 * - Whoever has the device in hand, or breaks into it, may extract the key: use a TPM.
 * - Whoever controls the configuration server and has the public key can send a configuration of
 *   their choice.
 * - A malicious vendor who keeps a copy of the key cannot be detected: an operator's own key replaces
 *   the vendor's.
 * - An old configuration that was valid once is accepted again: nothing stops a replay.
 *
 * What is not here: signed, compressed and password-encrypted CMS, certificate chains and revocation,
 * DHCP, TFTP and HTTP, post-quantum keys. Every build exports every function; what a build leaves out
 * answers SDI_ERR_UNSUPPORTED (sdi_features tells).
 *
 * Conventions:
 *
 * - Results. A call that can fail returns sdi_result; 0 is SDI_OK. If its last argument is err, that
 *   may be NULL. *err and every *x_out that is a handle are set to NULL first; *err is filled on failure only, an
 *   output on success only. With memory short *err may stay NULL on failure. Free
 *   an error before you pass its place to the next call.
 * - Ownership. What a function gives you is yours: free it exactly once, with the sdi_X_free of its
 *   type, never with free(). Freeing NULL does nothing. A handle that you pass is borrowed for the
 *   call; key rings, openers and sealers keep what they need of it, so free yours right after. Text
 *   that a function returns is static, or borrowed from the object that you asked.
 * - Arguments. Every pointer is NULL or valid. Text is UTF-8 and ends with a NUL. Bytes are a pointer
 *   and a length; (NULL, 0) is an empty input. They must not change during the call. Switches are
 *   int32_t: 0 is off, anything else is on. A number that no constant stands for is SDI_ERR_ARGUMENT.
 * - Threads. Several threads may at once make calls that take a handle as const. Other calls need a
 *   handle for themselves. A handle may move from thread to thread.
 * - Callbacks run on the thread of the call that needs them, during it. They must not throw, and not
 *   leave by longjmp. What user points to has to be there until the handle is freed and the last call
 *   on it has returned. Inside one, every call on the handle that the outer call is working on answers
 *   SDI_ERR_STATE and does the outer call no harm; freeing that handle is put off until the outer call
 *   returns. Calls nest in callbacks at most eight deep.
 * - Defects. A panic inside the library is caught: SDI_ERR_PANIC. A library that was built to abort,
 *   as profile firmware is, ends the process instead: SIGABRT.
 * - Memory. Being short of it is SDI_ERR_MEMORY. A call that needs memory first asks for 40 KiB on
 *   top of what its data need, and refuses if they are not there. Calls need 64 KiB of stack with a
 *   P-256 key, and 128 KiB with any other but P-521, which needs 256 KiB.
 * - Growth. Numbers and names never change their meaning. SDI_ABI_VERSION, which is N in libsdi.so.N,
 *   rises only when something is removed or changed.
 *
 * This file is made from ffi/sdi.h.in and the Rust sources beside it; do not edit it. */
#ifndef SDI_H
#define SDI_H

#include <stddef.h>
#include <stdint.h>

#define SDI_VERSION_MAJOR 0
#define SDI_VERSION_MINOR 1
#define SDI_VERSION_PATCH 0
#define SDI_VERSION_NUMBER ((SDI_VERSION_MAJOR << 16) | (SDI_VERSION_MINOR << 8) | SDI_VERSION_PATCH)

// The ABI of this header: N in libsdi.so.N. It rises only when something is removed or changed.
#define SDI_ABI_VERSION 0

#if defined(__GNUC__) || defined(__clang__)
# define SDI_MUST_CHECK __attribute__((warn_unused_result))
#else
# define SDI_MUST_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- results ---- */

// The values of sdi_result.
typedef enum {
  // All went well.
  SDI_OK = 0,
  // An argument is NULL that must not be.
  SDI_ERR_NULL = 1,
  // A defect of this library was caught. The non-const handle of that call answers this to
  // everything but its free; everything else goes on working. A library of profile firmware ends
  // the process instead.
  SDI_ERR_PANIC = 2,
  // Memory is short. *err may stay NULL.
  SDI_ERR_MEMORY = 3,
  // An argument has a value that cannot be meant.
  SDI_ERR_ARGUMENT = 4,
  // The call does not fit what was called before, or comes from inside a callback of another call
  // on the same handle.
  SDI_ERR_STATE = 5,
  // Your sink refused bytes; sdi_error_vendor_code says what it returned.
  SDI_ERR_SINK = 6,
  // The file is not encrypted at all.
  SDI_ERR_NOT_ENCRYPTED = 100,
  // The file's public structure is damaged. Fetch it again.
  SDI_ERR_MALFORMED = 110,
  // The file or the call needs something that this build does not have.
  SDI_ERR_UNSUPPORTED = 120,
  // The file was encrypted for others. The text names them, and this device.
  SDI_ERR_NOT_FOR_THIS_DEVICE = 130,
  // A wrong key, or a file that was changed. Deliberately nothing more.
  SDI_ERR_DECRYPT = 140,
  // A key cannot be read, does not belong to its certificate, or its module failed;
  // sdi_error_vendor_code says what a module returned.
  SDI_ERR_KEY = 150,
  // The file exceeds a limit. Nothing was cut off.
  SDI_ERR_LIMIT = 160,
  // A check of the decrypted configuration failed. No function of this header returns it.
  SDI_ERR_REJECTED = 170,
  // The source of randomness failed; sdi_error_vendor_code says what it returned.
  SDI_ERR_RANDOM = 180,
  // The file is whole, and the key ring's settings refuse it.
  SDI_ERR_POLICY = 190,
} sdi_result_code;

// The detail of one failure. No key and no plaintext is in it, so it may go to a log.
typedef struct sdi_error sdi_error;

// What a call that can fail returns: a constant of sdi_result_code. Numbers never change their
// meaning. 1 to 99 is a problem of the call, 100 and above is one of the file or the key.
typedef int32_t sdi_result;

// The name of a result, for example "SDI_ERR_DECRYPT", or "SDI_ERR_?" for an unknown number. It is
// static text. May run at once with anything.
const char *sdi_result_name(sdi_result r);

// A result in words, for example "the file is not encrypted". It is static text. May run at once
// with anything.
const char *sdi_result_text(sdi_result r);

// The result that came with it; SDI_OK for NULL.
sdi_result sdi_error_code(const sdi_error *e);

// What happened, to what, and what to do: one line of printable ASCII, at most 512 bytes. The text
// is borrowed until you free e; it is "" for NULL.
const char *sdi_error_text(const sdi_error *e);

// What a callback for a key, for randomness or for bytes returned; 0 for every other failure, and
// for NULL.
int64_t sdi_error_vendor_code(const sdi_error *e);

// Frees it. NULL is fine.
void sdi_error_free(sdi_error *e);

/* ---- version ---- */

// Parts that a build can have. P-256, AES-CBC, AES-GCM and AES key wrap are in every build.
typedef enum {
  // RSA keys.
  SDI_FEATURE_RSA = 1,
  // Keys on P-384.
  SDI_FEATURE_P384 = 2,
  // Keys on P-521.
  SDI_FEATURE_P521 = 4,
  // X25519 keys.
  SDI_FEATURE_X25519 = 8,
  // Opening of triple DES.
  SDI_FEATURE_LEGACY = 16,
  // Sealing.
  SDI_FEATURE_SEAL = 32,
  // Making keys, certificates and certificate requests.
  SDI_FEATURE_IDENTITY = 64,
  // ML-KEM keys. No build has them yet.
  SDI_FEATURE_ML_KEM = 128,
  // The fast back end for servers. No build has it yet.
  SDI_FEATURE_AWS_LC = 256,
} sdi_feature;

// The version of the library that runs, as text: "MAJOR.MINOR.PATCH". It is static.
const char *sdi_version(void);

// The version of the library that runs. Compare it with SDI_VERSION_NUMBER, the version that your
// program was compiled for.
uint32_t sdi_version_number(void);

// The ABI of the library that runs, equal to SDI_ABI_VERSION and to N in libsdi.so.N.
uint32_t sdi_abi_version(void);

// What this build has: values of sdi_feature, joined by OR. What it lacks answers
// SDI_ERR_UNSUPPORTED. Sealing and key generation without a callback for randomness also need the
// operating system's source, which a build can leave out.
uint64_t sdi_features(void);

/* ---- bytes ---- */

// Bytes that a function gives you. They are wiped when you free them.
typedef struct sdi_bytes sdi_bytes;

// The bytes: never NULL for a live b, also when there are none; NULL for NULL. Borrowed until you
// free b. May run at once with other calls that take b.
const uint8_t *sdi_bytes_data(const sdi_bytes *b);

// How many bytes there are; 0 for NULL. May run at once with other calls that take b.
size_t sdi_bytes_len(const sdi_bytes *b);

// Wipes and frees them. NULL is fine.
void sdi_bytes_free(sdi_bytes *b);

// Overwrites a buffer of your own with zeros, also where a compiler would leave memset out because
// nobody reads the buffer any more. NULL, a length of 0 and a length that no buffer has do nothing.
void sdi_wipe(void *p, size_t len);

/* ---- is this file encrypted? ---- */

// The values of sdi_kind.
typedef enum {
  // The bytes so far do not tell: give more. Never the answer to 4096 bytes or to a whole file.
  SDI_KIND_NEED_MORE = 0,
  // Nothing, or nothing but white space: a failed fetch.
  SDI_KIND_EMPTY = 1,
  // Not encrypted: today's plain configuration.
  SDI_KIND_PLAIN = 2,
  // An encrypted configuration: open it.
  SDI_KIND_ENVELOPED = 3,
  // CMS of another kind, for example signed data. Never install it as plain.
  SDI_KIND_OTHER_CMS = 4,
  // Meant to be encrypted, and damaged. Never install it as plain.
  SDI_KIND_DAMAGED = 5,
} sdi_kind_code;

// Flags for sdi_detect.
typedef enum {
  // head is the whole file.
  SDI_DETECT_AT_END = 1,
  // A DHCP option or an operator said that the file is encrypted.
  SDI_DETECT_EXPECT_ENCRYPTED = 2,
} sdi_detect_flag;

// What a file is: a constant of sdi_kind_code.
typedef int32_t sdi_kind;

// Tells what a file is by its first bytes, and by its name where the bytes show nothing. It takes no
// key and no memory, and cannot fail.
//
// head is the whole file (then set SDI_DETECT_AT_END) or its start; at most the first 4096 bytes are
// looked at, and with those or at the end the answer is never SDI_KIND_NEED_MORE. file_name may be
// NULL and any bytes; a name that ends in ".enc" means the same as SDI_DETECT_EXPECT_ENCRYPTED: what
// is no envelope is then SDI_KIND_DAMAGED, never SDI_KIND_PLAIN. So give the name that the server was
// asked for, without a query, and not that of a temporary file. SDI_KIND_PLAIN for fewer bytes than
// these, and not at the end, is not final: an envelope may stand behind text. Other bits of flags are
// ignored. A head of NULL counts as empty. Both are borrowed for the call. May run at once with
// anything.
SDI_MUST_CHECK
sdi_kind sdi_detect(const char *file_name,
                    const uint8_t *head,
                    size_t head_len,
                    uint32_t flags);

// The name of a kind, for example "SDI_KIND_PLAIN", or "SDI_KIND_?" for an unknown number. It is
// static text. May run at once with anything.
const char *sdi_kind_name(sdi_kind k);

/* ---- device keys ---- */

// The values of sdi_key_alg.
typedef enum {
  // NIST P-256, the recommended kind. Every build has it.
  SDI_KEY_P256 = 1,
  // NIST P-384.
  SDI_KEY_P384 = 2,
  // NIST P-521.
  SDI_KEY_P521 = 3,
  // X25519. It cannot sign its own certificate: see sdi_cert_wrap.
  SDI_KEY_X25519 = 4,
  // RSA, 2048 bits.
  SDI_KEY_RSA2048 = 10,
  // RSA, 3072 bits.
  SDI_KEY_RSA3072 = 11,
  // RSA, 4096 bits.
  SDI_KEY_RSA4096 = 12,
  // ML-KEM-768. No build has it yet.
  SDI_KEY_ML_KEM_768 = 20,
} sdi_key_alg_code;

// A device's private key: in memory, or in a module behind callbacks.
typedef struct sdi_key sdi_key;

// A kind of key: a constant of sdi_key_alg_code.
typedef int32_t sdi_key_alg;

// Fills out with len random bytes. 0 is success; anything else makes the call that needs the bytes
// fail with SDI_ERR_RANDOM and this vendor code. It runs on the thread of that call, during it.
typedef int32_t (*sdi_random)(void *user, uint8_t *out, size_t len);

// Makes a key with the operating system's randomness, which may wait until the system has collected
// enough: early in a first boot sdi_key_generate_with is for you. You own *key_out: free it with
// sdi_key_free. May run at once with anything.
SDI_MUST_CHECK sdi_result sdi_key_generate(sdi_key_alg alg, sdi_key **key_out, sdi_error **err);

// Makes a key with randomness from your callback. random and user are used during this call only.
// You own *key_out: free it with sdi_key_free.
SDI_MUST_CHECK
sdi_result sdi_key_generate_with(sdi_key_alg alg,
                                 sdi_random random,
                                 void *user,
                                 sdi_key **key_out,
                                 sdi_error **err);

// Reads a private key: PKCS#8, SEC 1 or PKCS#1, as PEM or DER. The bytes are copied; wipe yours with
// sdi_wipe. An encrypted key is SDI_ERR_KEY. You own *key_out: free it with sdi_key_free. May run at
// once with anything.
SDI_MUST_CHECK
sdi_result sdi_key_parse(const uint8_t *pem_or_der,
                         size_t len,
                         sdi_key **key_out,
                         sdi_error **err);

// The private key as PKCS#8 in PEM, so that a factory can store it. Only for keys in memory: a key
// from sdi_key_from_ops is SDI_ERR_UNSUPPORTED. You own *pem_out: free it with sdi_bytes_free, which
// wipes it. May run at once with other calls that take key.
SDI_MUST_CHECK
sdi_result sdi_key_export_pem(const sdi_key *key,
                              sdi_bytes **pem_out,
                              sdi_error **err);

// The public key as SubjectPublicKeyInfo in DER. You own *spki_out: free it with sdi_bytes_free. May
// run at once with other calls that take key.
SDI_MUST_CHECK
sdi_result sdi_key_public_der(const sdi_key *key,
                              sdi_bytes **spki_out,
                              sdi_error **err);

// Writes the SHA-256 of the SubjectPublicKeyInfo, 32 bytes, to sha256_out: what operators pin. May
// run at once with other calls that take key.
SDI_MUST_CHECK
sdi_result sdi_key_spki_sha256(const sdi_key *key,
                               uint8_t *sha256_out,
                               sdi_error **err);

// Frees the key. Key rings and openers that use it keep their own reference. NULL is fine.
void sdi_key_free(sdi_key *key);

/* ---- device keys in a TPM or HSM ---- */

// What a callback of sdi_key_ops returns when the module itself rejects this ciphertext or point.
#define SDI_OP_REFUSED INT32_MIN

// The values of sdi_rsa_scheme.
typedef enum sdi_rsa_scheme_code {
  // The bare private operation: the block as long as the modulus, padding and all. Best: it
  // opens PKCS#1 v1.5 and every OAEP.
  SDI_RSA_RAW = 1,
  // PKCS#1 v1.5 in a module with implicit rejection: bad padding gives a made-up message, not a
  // failure. A module that reports bad padding is an oracle: do not offer it here.
  SDI_RSA_PKCS1_IMPLICIT = 2,
  // OAEP with SHA-1 for hash and mask, empty label.
  SDI_RSA_OAEP_SHA1 = 4,
  // OAEP with SHA-256 for hash and mask, empty label.
  SDI_RSA_OAEP_SHA256 = 8,
} sdi_rsa_scheme_code;

// The values of sdi_sig_scheme.
typedef enum sdi_sig_scheme_code {
  // ECDSA on P-256 with SHA-256: 32 bytes of r, then 32 of s.
  SDI_SIG_ECDSA_P256_SHA256 = 1,
  // ECDSA on P-384 with SHA-384: 48 bytes each.
  SDI_SIG_ECDSA_P384_SHA384 = 2,
  // ECDSA on P-521 with SHA-512: 66 bytes each.
  SDI_SIG_ECDSA_P521_SHA512 = 3,
  // RSA PKCS#1 v1.5 with SHA-256: as many bytes as the modulus has.
  SDI_SIG_RSA_PKCS1_SHA256 = 10,
} sdi_sig_scheme_code;

// What an RSA key is asked for: a constant of sdi_rsa_scheme_code.
typedef int32_t sdi_rsa_scheme;

// How a key signs: a constant of sdi_sig_scheme_code.
typedef int32_t sdi_sig_scheme;

// A private key in a TPM or HSM. The library does the key derivation, the key wrap and the padding;
// the module does one bare operation.
//
// The struct is copied: fill it with zeros, set size to sizeof(sdi_key_ops), then the members that
// the key can do. size tells the version: what an older, shorter struct lacks counts as NULL, the
// end of a newer one is ignored. A size that cuts a member is SDI_ERR_ARGUMENT, and members from the
// cut on are not looked at: destroy runs if it comes before.
//
// A callback returns 0 for success; SDI_OP_REFUSED when the module itself rejects this ciphertext or
// point, which is handled like a wrong key (SDI_ERR_DECRYPT); anything else is SDI_ERR_KEY with that
// vendor code. It writes at most x_cap bytes to x and their number to *x_len, which is 0 at the call;
// none, or a greater number, is SDI_ERR_KEY. What it is given is borrowed until it returns.
//
// Callbacks run on the thread of the call that needs them, and never after it. Those of one key may
// run at once on several threads: lock inside.
typedef struct sdi_key_ops {
  // sizeof(sdi_key_ops).
  size_t size;
  // The values of sdi_rsa_scheme that rsa_decrypt can do, joined by OR. A file that needs another
  // one is SDI_ERR_UNSUPPORTED.
  uint32_t rsa_schemes;
  // Raw ECDH. peer is an uncompressed point (04, x, y) that was checked to be on the curve, or 32
  // bytes for X25519. z is the shared x-coordinate without any derivation; a shorter one is padded
  // with zeros on the left. It is called by sdi_open, and by the sdi_opener_update that completes
  // the file's header: before there is plaintext, once for each point of a sender that may have
  // meant this key, and at most as often as sdi_keyring_set_max_key_ops says. Without it a file
  // that needs it is SDI_ERR_KEY.
  int32_t (*agree)(void *user,
                   sdi_key_alg curve,
                   const uint8_t *peer,
                   size_t peer_len,
                   uint8_t *z,
                   size_t z_cap,
                   size_t *z_len);
  // RSA decryption in one of rsa_schemes. For SDI_RSA_RAW out is the whole decrypted block; a
  // shorter one is padded with zeros on the left.
  int32_t (*rsa_decrypt)(void *user,
                         sdi_rsa_scheme scheme,
                         const uint8_t *ct,
                         size_t ct_len,
                         uint8_t *out,
                         size_t out_cap,
                         size_t *out_len);
  // Signs msg; digest is its hash, for modules that sign digests.
  int32_t (*sign)(void *user,
                  sdi_sig_scheme scheme,
                  const uint8_t *msg,
                  size_t msg_len,
                  const uint8_t *digest,
                  size_t digest_len,
                  uint8_t *sig,
                  size_t sig_cap,
                  size_t *sig_len);
  // Runs exactly once, also when sdi_key_from_ops fails: on the thread that drops the last
  // reference, which may be that of an opener's free. No other callback runs afterwards.
  void (*destroy)(void *user);
  // ML-KEM decapsulation. No build calls it yet.
  int32_t (*decapsulate)(void *user,
                         sdi_key_alg alg,
                         const uint8_t *ct,
                         size_t ct_len,
                         uint8_t *ss,
                         size_t ss_cap,
                         size_t *ss_len);
} sdi_key_ops;

// Makes a key of callbacks and a public key, SubjectPublicKeyInfo as DER or PEM. ops and spki_der are
// copied. user is yours; it is passed to every callback until destroy(user) has run, which happens
// exactly once, also when this call fails (unless ops is NULL, or ops->size is too small to have
// destroy in it). You own *key_out: free it with
// sdi_key_free.
SDI_MUST_CHECK
sdi_result sdi_key_from_ops(const struct sdi_key_ops *ops,
                            void *user,
                            const uint8_t *spki_der,
                            size_t spki_len,
                            sdi_key **key_out,
                            sdi_error **err);

/* ---- certificates ---- */

// A certificate: only a wrapper around a public key (RFC 8886, 3.1). Validity, CA flag, key usage
// and signature are ignored.
typedef struct sdi_cert sdi_cert;

// Reads a certificate, PEM (the first one of a bundle) or DER. The bytes are copied. You own
// *cert_out: free it with sdi_cert_free. May run at once with anything.
SDI_MUST_CHECK
sdi_result sdi_cert_parse(const uint8_t *pem_or_der,
                          size_t len,
                          sdi_cert **cert_out,
                          sdi_error **err);

// Makes a certificate for a key, signed by the key itself, valid from not_before_unix (seconds since
// 1970; 0 for a device without a clock) without end. device_id is 1 to 64 of A-Z a-z 0-9 . _ : -,
// starts with a letter or digit, and has no two dots in a row, for it becomes a part of file names;
// anything else is SDI_ERR_ARGUMENT. A key that cannot sign is SDI_ERR_KEY: use sdi_cert_wrap. You own
// *cert_out: free it with sdi_cert_free. May run at once with other calls that take key.
SDI_MUST_CHECK
sdi_result sdi_cert_self_sign(const sdi_key *key,
                              const char *device_id,
                              uint64_t not_before_unix,
                              sdi_cert **cert_out,
                              sdi_error **err);

// Makes a certificate around a bare public key, DER or PEM, for keys that cannot sign (X25519, and
// modules that only decrypt) and for a directory that was sent the key alone. A key that is thrown
// away signs it: the signature has no value (RFC 8886, 3.1). You own *cert_out: free it with
// sdi_cert_free. May run at once with anything.
SDI_MUST_CHECK
sdi_result sdi_cert_wrap(const uint8_t *spki_der,
                         size_t spki_len,
                         const char *device_id,
                         uint64_t not_before_unix,
                         sdi_cert **cert_out,
                         sdi_error **err);

// Makes a certificate request (PKCS#10) in PEM for a key that can sign; see sdi_cert_self_sign for
// device_id. You own *pem_out: free it with sdi_bytes_free. May run at once with other calls that
// take key.
SDI_MUST_CHECK
sdi_result sdi_csr(const sdi_key *key,
                   const char *device_id,
                   sdi_bytes **pem_out,
                   sdi_error **err);

// The certificate in PEM. You own *pem_out: free it with sdi_bytes_free. May run at once with other
// calls that take cert.
SDI_MUST_CHECK sdi_result sdi_cert_pem(const sdi_cert *cert, sdi_bytes **pem_out, sdi_error **err);

// The certificate in DER, as it was read. You own *der_out: free it with sdi_bytes_free. May run at
// once with other calls that take cert.
SDI_MUST_CHECK sdi_result sdi_cert_der(const sdi_cert *cert, sdi_bytes **der_out, sdi_error **err);

// Writes the SHA-256 of the certificate's SubjectPublicKeyInfo, 32 bytes, to sha256_out: what
// operators pin. May run at once with other calls that take cert.
SDI_MUST_CHECK
sdi_result sdi_cert_spki_sha256(const sdi_cert *cert,
                                uint8_t *sha256_out,
                                sdi_error **err);

// Frees the certificate. Key rings and sealers that use it keep their own. NULL is fine.
void sdi_cert_free(sdi_cert *cert);

/* ---- key ring: which keys open, and what they may open ---- */

// The values of sdi_operator_mode.
typedef enum {
  // Both open files, the operator's first.
  SDI_OPERATOR_PREFER = 1,
  // The operator's alone: files to the vendor's key stop working, for good.
  SDI_OPERATOR_REPLACE = 2,
} sdi_operator_mode_code;

// The device's keys: the vendor's from the factory, and perhaps the operator's. Its settings bind
// sdi_open and every opener that is made afterwards.
typedef struct sdi_keyring sdi_keyring;

// How the operator's key stands to the vendor's (RFC 8886, 5.2): a constant of
// sdi_operator_mode_code.
typedef int32_t sdi_operator_mode;

// Makes a key ring without keys. You own *ring_out: free it with sdi_keyring_free.
SDI_MUST_CHECK sdi_result sdi_keyring_new(sdi_keyring **ring_out, sdi_error **err);

// Sets the key from the factory. cert may be NULL: a key whose certificate the device never saw. No
// name tells then whom a file is for, and another device's file reads as SDI_ERR_DECRYPT. A
// certificate of another key is SDI_ERR_KEY. After SDI_OPERATOR_REPLACE this is SDI_ERR_STATE. key
// and cert are borrowed for the call; the ring keeps its own references.
SDI_MUST_CHECK
sdi_result sdi_keyring_set_vendor(sdi_keyring *ring,
                                  const sdi_cert *cert,
                                  const sdi_key *key,
                                  sdi_error **err);

// Sets the operator's key; see sdi_keyring_set_vendor for cert and key.
//
// With SDI_OPERATOR_REPLACE the vendor's identity leaves the ring for good: sdi_keyring_set_vendor
// and sdi_keyring_remove_operator are SDI_ERR_STATE from then on. Destroying the vendor's key is
// your work, and so is remembering the mode over a reboot. cert and key may then both be NULL: the
// device was replaced and its key is missing, so nothing opens.
SDI_MUST_CHECK
sdi_result sdi_keyring_set_operator(sdi_keyring *ring,
                                    const sdi_cert *cert,
                                    const sdi_key *key,
                                    sdi_operator_mode mode,
                                    sdi_error **err);

// Removes the operator's key, as a factory reset does after SDI_OPERATOR_PREFER. Without one it is
// SDI_OK and changes nothing. After SDI_OPERATOR_REPLACE it is SDI_ERR_STATE: it is the only key.
SDI_MUST_CHECK sdi_result sdi_keyring_remove_operator(sdi_keyring *ring, sdi_error **err);

// Refuses files that are not authenticated encryption (CBC), before any key is used:
// SDI_ERR_POLICY. 0 is off, the default; anything else is on.
SDI_MUST_CHECK
sdi_result sdi_keyring_require_authenticated(sdi_keyring *ring,
                                             int32_t on,
                                             sdi_error **err);

// Sets how long a file may be: SDI_ERR_LIMIT. The default is 64 MiB for sdi_open and no limit for
// openers. 0 refuses every file; UINT64_MAX is no limit.
SDI_MUST_CHECK
sdi_result sdi_keyring_set_max_file(sdi_keyring *ring,
                                    uint64_t bytes,
                                    sdi_error **err);

// Sets how many private key operations one file may cost: SDI_ERR_LIMIT. The default is 64; with 0
// nothing opens.
SDI_MUST_CHECK
sdi_result sdi_keyring_set_max_key_ops(sdi_keyring *ring,
                                       uint32_t max,
                                       sdi_error **err);

// Frees the ring. Openers that were made of it keep what they need. NULL is fine.
void sdi_keyring_free(sdi_keyring *ring);

/* ---- open ---- */

// Whose key opened a file.
typedef enum {
  // The key from the factory.
  SDI_IDENTITY_VENDOR = 1,
  // The operator's own key.
  SDI_IDENTITY_OPERATOR = 2,
} sdi_identity;

// Decrypts a file that comes in pieces, in constant memory.
//
// What the sink gets is provisional until sdi_opener_finish returns SDI_OK: stage it, and rename it
// then, or use sdi_opener_hold. After an error of sdi_opener_update or sdi_opener_finish the opener
// answers SDI_ERR_STATE to everything but sdi_opener_free. A call that is refused for its arguments
// or its time has changed nothing.
typedef struct sdi_opener sdi_opener;

// Takes bytes as they are made, never none; they are borrowed until it returns. 0 is success;
// anything else stops the call with SDI_ERR_SINK and this vendor code. It runs on the thread of that
// call, during it.
typedef int32_t (*sdi_sink)(void *user, const uint8_t *data, size_t len);

// Decrypts one whole file. The plaintext is given only after tag or padding is verified. With CBC
// that proves little: check that the configuration is sane before you install it (RFC 8886, figure
// 3). A key ring without keys is SDI_ERR_STATE, an empty file SDI_ERR_MALFORMED. You own *plain_out:
// free it with sdi_bytes_free, which wipes it. May run at once with other calls that take ring.
SDI_MUST_CHECK
sdi_result sdi_open(const sdi_keyring *ring,
                    const uint8_t *file,
                    size_t file_len,
                    sdi_bytes **plain_out,
                    sdi_error **err);

// Makes an opener with the keys and settings that ring has now. sink may be NULL: the file is
// verified only. user is passed to sink. You own *opener_out: free it with sdi_opener_free. It keeps
// what it needs of ring. May run at once with other calls that take ring.
SDI_MUST_CHECK
sdi_result sdi_opener_new(const sdi_keyring *ring,
                          sdi_sink sink,
                          void *user,
                          sdi_opener **opener_out,
                          sdi_error **err);

// Sets how long the file may be: SDI_ERR_LIMIT. It only tightens what the key ring says. After the
// first update it is SDI_ERR_STATE.
SDI_MUST_CHECK
sdi_result sdi_opener_set_max_file(sdi_opener *opener,
                                   uint64_t bytes,
                                   sdi_error **err);

// Refuses a file that is not authenticated encryption (CBC): SDI_ERR_POLICY. It only tightens what
// the key ring says, so 0 leaves that as it is. After the first update it is SDI_ERR_STATE.
SDI_MUST_CHECK
sdi_result sdi_opener_require_authenticated(sdi_opener *opener,
                                            int32_t on,
                                            sdi_error **err);

// Keeps the plaintext, up to max bytes (SDI_ERR_LIMIT beyond), and gives it to the sink within a
// successful sdi_opener_finish only. After the first update it is SDI_ERR_STATE.
SDI_MUST_CHECK sdi_result sdi_opener_hold(sdi_opener *opener, size_t max, sdi_error **err);

// Takes the next piece of the file, of any length. in is borrowed for the call and must not change
// during it. The sink and the callbacks of keys may run.
SDI_MUST_CHECK
sdi_result sdi_opener_update(sdi_opener *opener,
                             const uint8_t *in,
                             size_t in_len,
                             sdi_error **err);

// Ends the file. Only when this is SDI_OK was the plaintext what somebody encrypted. The sink and the
// callbacks of keys may run.
SDI_MUST_CHECK
sdi_result sdi_opener_finish(sdi_opener *opener,
                             sdi_error **err);

// Says what was used, after a successful sdi_opener_finish: a constant of sdi_identity, and 1 for
// authenticated encryption or 0 for CBC, which whoever carries the file can change. Before that it is
// SDI_ERR_STATE. May run at once with other calls that take a const opener.
SDI_MUST_CHECK
sdi_result sdi_opener_used(const sdi_opener *opener,
                           int32_t *identity_out,
                           int32_t *authenticated_out);

// Frees the opener, finished or not. NULL is fine. It may drop the last reference to a key and run
// its destroy.
void sdi_opener_free(sdi_opener *opener);

// Says whom a file is for and how it is encrypted, without any key. The answer is one JSON object in
// ASCII, without a NUL at its end:
//
// {"encoding":"pem","label":"CMS","authenticated":true,"content":"aes-256-gcm","content_bytes":80,
// "recipients":[{"name":"CN=SN19842256 serial 5f3a","algorithm":"ecdh x963-sha-256 aes-256-wrap"}],
// "warnings":[]}
//
// encoding is der, ber, pem (then there is a label), smime, base64 or magic-der. Members may be
// added. A file of more than 64 MiB is SDI_ERR_LIMIT. You own *json_out: free it with sdi_bytes_free.
// May run at once with anything.
SDI_MUST_CHECK
sdi_result sdi_inspect(const uint8_t *file,
                       size_t file_len,
                       sdi_bytes **json_out,
                       sdi_error **err);

/* ---- seal ---- */

// The values of sdi_profile.
typedef enum {
  // The best that every certificate's SMIMECapabilities list, and AES-256-CBC where they list
  // nothing.
  SDI_PROFILE_AUTO = 0,
  // What the appendix of RFC 8886 shows: AES-256-CBC, RSA with PKCS#1 v1.5, PEM label PKCS7.
  SDI_PROFILE_RFC8886 = 1,
  // Always AES-256-GCM: a file that was changed on the way is noticed.
  SDI_PROFILE_AUTHENTICATED = 2,
  // Not there yet: SDI_ERR_UNSUPPORTED.
  SDI_PROFILE_POST_QUANTUM = 3,
} sdi_profile_code;

// The values of sdi_form.
typedef enum {
  // Text between BEGIN and END lines.
  SDI_FORM_PEM = 0,
  // Binary: DER, or BER for a stream of unknown length.
  SDI_FORM_DER = 1,
  // Mail headers, then base64.
  SDI_FORM_SMIME = 2,
  // The eight bytes 89 53 44 49 0D 0A 1A 0A, then binary: a text-mode transfer shows.
  SDI_FORM_MAGIC_DER = 3,
} sdi_form_code;

// Encrypts a configuration that comes in pieces, in constant memory. The file is complete only when
// sdi_sealer_finish returns SDI_OK. After an error of sdi_sealer_update or sdi_sealer_finish the
// sealer answers SDI_ERR_STATE to everything but sdi_sealer_free.
typedef struct sdi_sealer sdi_sealer;

// How to encrypt: a constant of sdi_profile_code.
typedef int32_t sdi_profile;

// How to write the file down: a constant of sdi_form_code.
typedef int32_t sdi_form;

// Encrypts one whole configuration to to_len certificates, 1 to 10,000: none is SDI_ERR_ARGUMENT, more
// are SDI_ERR_LIMIT, and so is a certificate whose issuer and serial number take more than 1,024 bytes,
// which no device would read. It is always binary: bytes in are bytes out. Nothing is checked but the key:
// whether it is the right one is for you to know, by sdi_cert_spki_sha256. You own *file_out: free
// it with sdi_bytes_free. May run at once with other calls that take the certificates.
SDI_MUST_CHECK
sdi_result sdi_seal(const sdi_cert *const *to,
                    size_t to_len,
                    sdi_profile profile,
                    sdi_form form,
                    const uint8_t *plain,
                    size_t plain_len,
                    sdi_bytes **file_out,
                    sdi_error **err);

// Makes a sealer; see sdi_seal for to, profile and form. sink gets the file as it is made; user is
// passed to it. You own *sealer_out: free it with sdi_sealer_free. It keeps what it needs of the
// certificates.
SDI_MUST_CHECK
sdi_result sdi_sealer_new(const sdi_cert *const *to,
                          size_t to_len,
                          sdi_profile profile,
                          sdi_form form,
                          sdi_sink sink,
                          void *user,
                          sdi_sealer **sealer_out,
                          sdi_error **err);

// Tells the plaintext's length beforehand: then the envelope is DER, otherwise BER. Fewer or more
// bytes are SDI_ERR_STATE, and the file is lost. After the first update it is SDI_ERR_STATE.
SDI_MUST_CHECK
sdi_result sdi_sealer_set_length(sdi_sealer *sealer,
                                 uint64_t plain_len,
                                 sdi_error **err);

// Takes the next piece of plaintext, of any length. in is borrowed for the call and must not change
// during it. The sink may run.
SDI_MUST_CHECK
sdi_result sdi_sealer_update(sdi_sealer *sealer,
                             const uint8_t *in,
                             size_t in_len,
                             sdi_error **err);

// Ends the file. The sink may run.
SDI_MUST_CHECK sdi_result sdi_sealer_finish(sdi_sealer *sealer, sdi_error **err);

// Frees the sealer, finished or not. NULL is fine.
void sdi_sealer_free(sdi_sealer *sealer);

/* ---- auto-install: facts in, orders out ---- */

// The values of sdi_action.
typedef enum {
  // Nothing before that time; then poll again.
  SDI_ACT_WAIT = 1,
  // Get the file, from the beginning: DHCP, then the configuration server. Answer with
  // SDI_EV_FETCHED or SDI_EV_FETCH_FAILED.
  SDI_ACT_FETCH = 2,
  // Decrypt the file. Answer with SDI_EV_DECRYPTED or SDI_EV_DECRYPT_FAILED.
  SDI_ACT_DECRYPT = 3,
  // See whether the plaintext is a sane configuration. Answer with SDI_EV_CHECKED or
  // SDI_EV_CHECK_FAILED.
  SDI_ACT_CHECK = 4,
  // Install the plaintext. Answer with SDI_EV_INSTALLED or SDI_EV_INSTALL_FAILED.
  SDI_ACT_INSTALL = 5,
  // A configuration is installed: nothing any more.
  SDI_ACT_DONE = 6,
  // It was cancelled, or the settings do not allow to go on: nothing any more.
  SDI_ACT_ABORTED = 7,
  // As SDI_ACT_CHECK, for the file as it was fetched.
  SDI_ACT_CHECK_RAW = 8,
  // As SDI_ACT_INSTALL, for the file as it was fetched.
  SDI_ACT_INSTALL_RAW = 9,
} sdi_action_code;

// The values of sdi_event.
typedef enum {
  // The whole file is here; arg is the sdi_kind that sdi_detect gave.
  SDI_EV_FETCHED = 1,
  // No address, no server, no file, or not all of it.
  SDI_EV_FETCH_FAILED = 2,
  // The plaintext is here and verified.
  SDI_EV_DECRYPTED = 3,
  // The file did not open; arg is the sdi_result, or any number of yours: it is kept for
  // sdi_install_outcome, and not judged.
  SDI_EV_DECRYPT_FAILED = 4,
  // The configuration is sane.
  SDI_EV_CHECKED = 5,
  // It is not.
  SDI_EV_CHECK_FAILED = 6,
  // The configuration is installed and in use.
  SDI_EV_INSTALLED = 7,
  // It could not be installed.
  SDI_EV_INSTALL_FAILED = 8,
  // Stop: auto-install is not wanted any more. Taken at any time before the end.
  SDI_EV_CANCEL = 9,
} sdi_event_code;

// An order: a constant of sdi_action_code.
typedef int32_t sdi_action;

// What happened: a constant of sdi_event_code.
typedef int32_t sdi_event;

// The name of an order, for example "SDI_ACT_FETCH", or "SDI_ACT_?" for an unknown number. It is
// static text. May run at once with anything.
const char *sdi_action_name(sdi_action a);

// The name of an event, for example "SDI_EV_FETCHED", or "SDI_EV_?" for an unknown number. It is
// static text. May run at once with anything.
const char *sdi_event_name(sdi_event e);

// Bytes that sdi_install_save writes.
#define SDI_INSTALL_STATE_LEN 64

// The machine that runs auto-install (RFC 8886, 4.3): it says what to do next and when, you do it
// and say how it went. It has no clock, no network, no file and no key.
//
// Times are milliseconds from any fixed moment, by a clock that does not jump; one that goes back
// counts as no time passed. Defaults: attempts start at 0, 5, .., 60 minutes and then hourly, from
// start to start, without end; a plain file is installed as it is; there is no jitter until a seed is
// set, so set one. Setters after the first poll, a poke or a restore are SDI_ERR_STATE. A call with a
// wrong event or argument is SDI_ERR_STATE or SDI_ERR_ARGUMENT and changes nothing.
typedef struct sdi_install sdi_install;

// Makes a machine for a device without a configuration: its first boot, a later one, or the one
// after a factory reset. You own *install_out: free it with sdi_install_free.
SDI_MUST_CHECK
sdi_result sdi_install_new(uint64_t now_ms,
                           sdi_install **install_out,
                           sdi_error **err);

// Takes encrypted files only: a plain one ends in SDI_ACT_ABORTED. 0 is off, the default.
SDI_MUST_CHECK sdi_result sdi_install_set_encrypted_only(sdi_install *install, int32_t on);

// The older order of RFC 8886, 2.1: a file that does not look encrypted is checked as it is, and
// decrypted only if that check fails. 0 is off, the default. sdi_install_set_encrypted_only wins.
SDI_MUST_CHECK sdi_result sdi_install_set_parse_first(sdi_install *install, int32_t on);

// Ends in SDI_ACT_ABORTED at the first attempt that fails. 0 is off, the default.
SDI_MUST_CHECK sdi_result sdi_install_set_abort_on_failure(sdi_install *install, int32_t on);

// Sets the time from one attempt's start to the next one's: fast_ms while the earlier one starts
// less than fast_for_ms after the first, then slow_ms. An interval of 0 is SDI_ERR_ARGUMENT.
SDI_MUST_CHECK
sdi_result sdi_install_set_retry(sdi_install *install,
                                 uint64_t fast_ms,
                                 uint64_t fast_for_ms,
                                 uint64_t slow_ms);

// Ends in SDI_ACT_ABORTED when this many attempts have failed. 0 is no limit, the default.
SDI_MUST_CHECK sdi_result sdi_install_set_max_attempts(sdi_install *install, uint32_t max);

// Makes every wait longer or shorter by up to permille thousandths, at most 500, so that devices
// that are switched on together do not come back together; 100 is a good value. seed is what makes
// this device different from others: its serial number, or random bytes that it keeps. It is
// borrowed for the call.
SDI_MUST_CHECK
sdi_result sdi_install_set_jitter(sdi_install *install,
                                  uint32_t permille,
                                  const uint8_t *seed,
                                  size_t seed_len);

// Delays the first attempt by a time from 0 to max_ms that follows from the seed of
// sdi_install_set_jitter; without a seed there is no delay. For sites where a power cut ends for all
// devices at once.
SDI_MUST_CHECK
sdi_result sdi_install_set_start_spread(sdi_install *install,
                                        uint64_t max_ms);

// Says what to do next. It gives the same order until sdi_install_handle answers it, and SDI_ACT_WAIT
// until its time has come. until_ms_out may be NULL; it is written for SDI_ACT_WAIT only.
SDI_MUST_CHECK
sdi_result sdi_install_poll(sdi_install *install,
                            uint64_t now_ms,
                            sdi_action *act_out,
                            uint64_t *until_ms_out);

// Takes the answer to the order that sdi_install_poll gave. arg belongs to SDI_EV_FETCHED and
// SDI_EV_DECRYPT_FAILED, and is ignored otherwise.
SDI_MUST_CHECK
sdi_result sdi_install_handle(sdi_install *install,
                              uint64_t now_ms,
                              sdi_event ev,
                              int32_t arg);

// Asks for one extra attempt now: a technician does not want to wait, or the device has just booted.
// The schedule stays as it is. During an attempt and after the end, also one that was restored, it
// is SDI_ERR_STATE.
SDI_MUST_CHECK
sdi_result sdi_install_poke(sdi_install *install,
                            uint64_t now_ms);

// Writes SDI_INSTALL_STATE_LEN bytes to state_out, to be kept over a reboot: the schedule and the
// last event, never the settings. An attempt in progress is saved as failed.
SDI_MUST_CHECK
sdi_result sdi_install_save(const sdi_install *install,
                            uint64_t now_ms,
                            uint8_t *state_out);

// Goes on exactly where sdi_install_save was called, as if no time had passed; sdi_install_poke asks
// for an attempt after the reboot. Call every setter before it, and it before the first poll. Waits
// longer than the settings allow are cut. Bytes that are no saved state are SDI_ERR_ARGUMENT: start
// anew. The check value in them finds accidents, not attackers. state is borrowed for the call.
SDI_MUST_CHECK
sdi_result sdi_install_restore(sdi_install *install,
                               uint64_t now_ms,
                               const uint8_t *state,
                               size_t state_len);

// Says which event led to SDI_ACT_DONE or SDI_ACT_ABORTED or, before that, to the last failure, with
// its arg. Before there was any it is SDI_ERR_STATE.
SDI_MUST_CHECK
sdi_result sdi_install_outcome(const sdi_install *install,
                               sdi_event *event_out,
                               int32_t *arg_out);

// How many attempts have started; 0 for NULL. It stops at UINT32_MAX.
uint32_t sdi_install_attempts(const sdi_install *install);

// Frees the machine. NULL is fine.
void sdi_install_free(sdi_install *install);

#ifdef __cplusplus
}
#endif

#endif
