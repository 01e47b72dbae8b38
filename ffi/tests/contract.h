/* What programs that were written before this library expect of sdi.h: every declaration here is in it, with the same type
 * and the same value. It may only grow, by what a release has added. */
#define SDI_ABI_VERSION 0

typedef int32_t sdi_result;
enum {
    SDI_OK = 0,
    SDI_ERR_NULL = 1, SDI_ERR_PANIC = 2, SDI_ERR_MEMORY = 3, SDI_ERR_ARGUMENT = 4, SDI_ERR_STATE = 5, SDI_ERR_SINK = 6,
    SDI_ERR_NOT_ENCRYPTED = 100, SDI_ERR_MALFORMED = 110, SDI_ERR_UNSUPPORTED = 120,
    SDI_ERR_NOT_FOR_THIS_DEVICE = 130, SDI_ERR_DECRYPT = 140, SDI_ERR_KEY = 150,
    SDI_ERR_LIMIT = 160, SDI_ERR_REJECTED = 170, SDI_ERR_RANDOM = 180, SDI_ERR_POLICY = 190
};
const char *sdi_result_name(sdi_result r);
const char *sdi_result_text(sdi_result r);

typedef struct sdi_error sdi_error;
sdi_result  sdi_error_code(const sdi_error *e);
const char *sdi_error_text(const sdi_error *e);
int64_t     sdi_error_vendor_code(const sdi_error *e);
void        sdi_error_free(sdi_error *e);

const char *sdi_version(void);
uint32_t    sdi_version_number(void);
uint32_t    sdi_abi_version(void);
enum { SDI_FEATURE_RSA = 1, SDI_FEATURE_P384 = 2, SDI_FEATURE_P521 = 4, SDI_FEATURE_X25519 = 8, SDI_FEATURE_LEGACY = 16,
       SDI_FEATURE_SEAL = 32, SDI_FEATURE_IDENTITY = 64, SDI_FEATURE_ML_KEM = 128, SDI_FEATURE_AWS_LC = 256 };
uint64_t    sdi_features(void);

typedef struct sdi_bytes sdi_bytes;
const uint8_t *sdi_bytes_data(const sdi_bytes *b);
size_t         sdi_bytes_len(const sdi_bytes *b);
void           sdi_bytes_free(sdi_bytes *b);
void           sdi_wipe(void *p, size_t len);

typedef int32_t sdi_kind;
enum { SDI_KIND_NEED_MORE = 0, SDI_KIND_EMPTY = 1, SDI_KIND_PLAIN = 2, SDI_KIND_ENVELOPED = 3,
       SDI_KIND_OTHER_CMS = 4, SDI_KIND_DAMAGED = 5 };
enum { SDI_DETECT_AT_END = 1, SDI_DETECT_EXPECT_ENCRYPTED = 2 };
sdi_kind sdi_detect(const char *file_name, const uint8_t *head, size_t head_len, uint32_t flags);
const char *sdi_kind_name(sdi_kind k);

typedef struct sdi_key sdi_key;
typedef int32_t sdi_key_alg;
enum { SDI_KEY_P256 = 1, SDI_KEY_P384 = 2, SDI_KEY_P521 = 3, SDI_KEY_X25519 = 4,
       SDI_KEY_RSA2048 = 10, SDI_KEY_RSA3072 = 11, SDI_KEY_RSA4096 = 12, SDI_KEY_ML_KEM_768 = 20 };
typedef int32_t sdi_rsa_scheme;
enum { SDI_RSA_RAW = 1, SDI_RSA_PKCS1_IMPLICIT = 2, SDI_RSA_OAEP_SHA1 = 4, SDI_RSA_OAEP_SHA256 = 8 };
typedef int32_t sdi_sig_scheme;
enum { SDI_SIG_ECDSA_P256_SHA256 = 1, SDI_SIG_ECDSA_P384_SHA384 = 2, SDI_SIG_ECDSA_P521_SHA512 = 3, SDI_SIG_RSA_PKCS1_SHA256 = 10 };

typedef int32_t (*sdi_random)(void *user, uint8_t *out, size_t len);

#define SDI_OP_REFUSED INT32_MIN
typedef struct sdi_key_ops {
    size_t size;
    uint32_t rsa_schemes;
    int32_t (*agree)(void *user, sdi_key_alg curve, const uint8_t *peer, size_t peer_len, uint8_t *z, size_t z_cap, size_t *z_len);
    int32_t (*rsa_decrypt)(void *user, sdi_rsa_scheme scheme, const uint8_t *ct, size_t ct_len,
                           uint8_t *out, size_t out_cap, size_t *out_len);
    int32_t (*sign)(void *user, sdi_sig_scheme scheme, const uint8_t *msg, size_t msg_len, const uint8_t *digest, size_t digest_len,
                    uint8_t *sig, size_t sig_cap, size_t *sig_len);
    void    (*destroy)(void *user);
    int32_t (*decapsulate)(void *user, sdi_key_alg alg, const uint8_t *ct, size_t ct_len, uint8_t *ss, size_t ss_cap, size_t *ss_len);
} sdi_key_ops;

SDI_MUST_CHECK sdi_result sdi_key_generate(sdi_key_alg alg, sdi_key **key_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_key_generate_with(sdi_key_alg alg, sdi_random random, void *user, sdi_key **key_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_key_parse(const uint8_t *pem_or_der, size_t len, sdi_key **key_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_key_from_ops(const sdi_key_ops *ops, void *user, const uint8_t *spki_der, size_t spki_len,
                                           sdi_key **key_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_key_export_pem(const sdi_key *key, sdi_bytes **pem_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_key_public_der(const sdi_key *key, sdi_bytes **spki_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_key_spki_sha256(const sdi_key *key, uint8_t sha256_out[32], sdi_error **err);
void sdi_key_free(sdi_key *key);

typedef struct sdi_cert sdi_cert;
SDI_MUST_CHECK sdi_result sdi_cert_parse(const uint8_t *pem_or_der, size_t len, sdi_cert **cert_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_cert_self_sign(const sdi_key *key, const char *device_id, uint64_t not_before_unix,
                                             sdi_cert **cert_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_cert_wrap(const uint8_t *spki_der, size_t spki_len, const char *device_id, uint64_t not_before_unix,
                                        sdi_cert **cert_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_csr(const sdi_key *key, const char *device_id, sdi_bytes **pem_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_cert_pem(const sdi_cert *cert, sdi_bytes **pem_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_cert_der(const sdi_cert *cert, sdi_bytes **der_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_cert_spki_sha256(const sdi_cert *cert, uint8_t sha256_out[32], sdi_error **err);
void sdi_cert_free(sdi_cert *cert);

typedef struct sdi_keyring sdi_keyring;
typedef int32_t sdi_operator_mode;
enum { SDI_OPERATOR_PREFER = 1, SDI_OPERATOR_REPLACE = 2 };
SDI_MUST_CHECK sdi_result sdi_keyring_new(sdi_keyring **ring_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_keyring_set_vendor(sdi_keyring *ring, const sdi_cert *cert, const sdi_key *key, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_keyring_set_operator(sdi_keyring *ring, const sdi_cert *cert, const sdi_key *key,
                                                   sdi_operator_mode mode, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_keyring_remove_operator(sdi_keyring *ring, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_keyring_require_authenticated(sdi_keyring *ring, int32_t on, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_keyring_set_max_file(sdi_keyring *ring, uint64_t bytes, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_keyring_set_max_key_ops(sdi_keyring *ring, uint32_t max, sdi_error **err);
void sdi_keyring_free(sdi_keyring *ring);

SDI_MUST_CHECK sdi_result sdi_open(const sdi_keyring *ring, const uint8_t *file, size_t file_len,
                                   sdi_bytes **plain_out, sdi_error **err);

typedef int32_t (*sdi_sink)(void *user, const uint8_t *data, size_t len);
typedef struct sdi_opener sdi_opener;
SDI_MUST_CHECK sdi_result sdi_opener_new(const sdi_keyring *ring, sdi_sink sink, void *user, sdi_opener **opener_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_opener_set_max_file(sdi_opener *opener, uint64_t bytes, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_opener_require_authenticated(sdi_opener *opener, int32_t on, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_opener_hold(sdi_opener *opener, size_t max, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_opener_update(sdi_opener *opener, const uint8_t *in, size_t in_len, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_opener_finish(sdi_opener *opener, sdi_error **err);
enum { SDI_IDENTITY_VENDOR = 1, SDI_IDENTITY_OPERATOR = 2 };
SDI_MUST_CHECK sdi_result sdi_opener_used(const sdi_opener *opener, int32_t *identity_out, int32_t *authenticated_out);
void sdi_opener_free(sdi_opener *opener);

SDI_MUST_CHECK sdi_result sdi_inspect(const uint8_t *file, size_t file_len, sdi_bytes **json_out, sdi_error **err);

typedef int32_t sdi_profile;
enum { SDI_PROFILE_AUTO = 0, SDI_PROFILE_RFC8886 = 1, SDI_PROFILE_AUTHENTICATED = 2, SDI_PROFILE_POST_QUANTUM = 3 };
typedef int32_t sdi_form;
enum { SDI_FORM_PEM = 0, SDI_FORM_DER = 1, SDI_FORM_SMIME = 2, SDI_FORM_MAGIC_DER = 3 };
SDI_MUST_CHECK sdi_result sdi_seal(const sdi_cert *const *to, size_t to_len, sdi_profile profile, sdi_form form,
                                   const uint8_t *plain, size_t plain_len, sdi_bytes **file_out, sdi_error **err);
typedef struct sdi_sealer sdi_sealer;
SDI_MUST_CHECK sdi_result sdi_sealer_new(const sdi_cert *const *to, size_t to_len, sdi_profile profile, sdi_form form,
                                         sdi_sink sink, void *user, sdi_sealer **sealer_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_sealer_set_length(sdi_sealer *sealer, uint64_t plain_len, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_sealer_update(sdi_sealer *sealer, const uint8_t *in, size_t in_len, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_sealer_finish(sdi_sealer *sealer, sdi_error **err);
void sdi_sealer_free(sdi_sealer *sealer);

typedef struct sdi_install sdi_install;
typedef int32_t sdi_action;
enum { SDI_ACT_WAIT = 1, SDI_ACT_FETCH = 2, SDI_ACT_DECRYPT = 3, SDI_ACT_CHECK = 4, SDI_ACT_INSTALL = 5,
       SDI_ACT_DONE = 6, SDI_ACT_ABORTED = 7, SDI_ACT_CHECK_RAW = 8, SDI_ACT_INSTALL_RAW = 9 };
typedef int32_t sdi_event;
enum { SDI_EV_FETCHED = 1 , SDI_EV_FETCH_FAILED = 2, SDI_EV_DECRYPTED = 3, SDI_EV_DECRYPT_FAILED = 4 ,
       SDI_EV_CHECKED = 5, SDI_EV_CHECK_FAILED = 6, SDI_EV_INSTALLED = 7, SDI_EV_INSTALL_FAILED = 8, SDI_EV_CANCEL = 9 };
const char *sdi_action_name(sdi_action a);
const char *sdi_event_name(sdi_event e);
#define SDI_INSTALL_STATE_LEN 64
SDI_MUST_CHECK sdi_result sdi_install_new(uint64_t now_ms, sdi_install **install_out, sdi_error **err);
SDI_MUST_CHECK sdi_result sdi_install_set_encrypted_only(sdi_install *in, int32_t on);
SDI_MUST_CHECK sdi_result sdi_install_set_parse_first(sdi_install *in, int32_t on);
SDI_MUST_CHECK sdi_result sdi_install_set_abort_on_failure(sdi_install *in, int32_t on);
SDI_MUST_CHECK sdi_result sdi_install_set_retry(sdi_install *in, uint64_t fast_ms, uint64_t fast_for_ms, uint64_t slow_ms);
SDI_MUST_CHECK sdi_result sdi_install_set_max_attempts(sdi_install *in, uint32_t max);
SDI_MUST_CHECK sdi_result sdi_install_set_jitter(sdi_install *in, uint32_t permille, const uint8_t *seed, size_t seed_len);
SDI_MUST_CHECK sdi_result sdi_install_set_start_spread(sdi_install *in, uint64_t max_ms);
SDI_MUST_CHECK sdi_result sdi_install_poll(sdi_install *in, uint64_t now_ms, sdi_action *act_out, uint64_t *until_ms_out);
SDI_MUST_CHECK sdi_result sdi_install_handle(sdi_install *in, uint64_t now_ms, sdi_event ev, int32_t arg);
SDI_MUST_CHECK sdi_result sdi_install_poke(sdi_install *in, uint64_t now_ms);

SDI_MUST_CHECK sdi_result sdi_install_save(const sdi_install *in, uint64_t now_ms, uint8_t state_out[SDI_INSTALL_STATE_LEN]);
SDI_MUST_CHECK sdi_result sdi_install_restore(sdi_install *in, uint64_t now_ms, const uint8_t *state, size_t state_len);
SDI_MUST_CHECK sdi_result sdi_install_outcome(const sdi_install *in, sdi_event *event_out, int32_t *arg_out);
uint32_t sdi_install_attempts(const sdi_install *in);
void sdi_install_free(sdi_install *in);
