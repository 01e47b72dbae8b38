/* sdi.hpp - Secure Device Install (RFC 8886) for C++17: sdi.h with owners, views and results.
 *
 * This is one file, longer than others here, so that whoever vendors it copies one file. It adds no
 * behaviour: what sdi.h says of sdi_X_verb holds for X::verb, and is not said again. Read it there,
 * the part "What it does not protect" first. What is different:
 *
 * - Results. A call that can fail returns result<T>: a T, or an error with code, text and vendor code.
 *   Nothing throws, and all of it works with -fno-exceptions and -fno-rtti.
 * - Ownership. Each handle is an object that frees it, moves and does not copy. One that was moved
 *   from, or made without a value, is empty: calls on it are result_code::null, and do no harm.
 * - Constness is that of sdi.h: several threads may at once call const members of one object.
 * - Bytes are a bytes_view of anything with data() and size(); it is borrowed for the call. Text is a
 *   const char *, as in C: it ends with a NUL.
 * - Callbacks are callable objects. They live as long as what was made with them, and no exception of
 *   theirs reaches C: it becomes the vendor code callback_threw. Where a part of the program includes
 *   this file with -fno-exceptions, it may end the program instead. */
#ifndef SDI_HPP
#define SDI_HPP

#include <sdi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sdi {

/* ---- numbers: a later library may give one that has no name here ---- */

enum class result_code : sdi_result {
    ok = SDI_OK, null = SDI_ERR_NULL, panic = SDI_ERR_PANIC, memory = SDI_ERR_MEMORY,
    argument = SDI_ERR_ARGUMENT, state = SDI_ERR_STATE, sink = SDI_ERR_SINK,
    not_encrypted = SDI_ERR_NOT_ENCRYPTED, malformed = SDI_ERR_MALFORMED,
    unsupported = SDI_ERR_UNSUPPORTED, not_for_this_device = SDI_ERR_NOT_FOR_THIS_DEVICE,
    decrypt = SDI_ERR_DECRYPT, key = SDI_ERR_KEY, limit = SDI_ERR_LIMIT,
    rejected = SDI_ERR_REJECTED, random = SDI_ERR_RANDOM, policy = SDI_ERR_POLICY,
};

enum class feature : std::uint64_t {
    rsa = SDI_FEATURE_RSA, p384 = SDI_FEATURE_P384, p521 = SDI_FEATURE_P521,
    x25519 = SDI_FEATURE_X25519, legacy = SDI_FEATURE_LEGACY, seal = SDI_FEATURE_SEAL,
    identity = SDI_FEATURE_IDENTITY, ml_kem = SDI_FEATURE_ML_KEM, aws_lc = SDI_FEATURE_AWS_LC,
};

enum class kind : sdi_kind {
    need_more = SDI_KIND_NEED_MORE, empty = SDI_KIND_EMPTY, plain = SDI_KIND_PLAIN,
    enveloped = SDI_KIND_ENVELOPED, other_cms = SDI_KIND_OTHER_CMS, damaged = SDI_KIND_DAMAGED,
};

/// Joined by |.
enum class detect_flag : std::uint32_t {
    none = 0, at_end = SDI_DETECT_AT_END, expect_encrypted = SDI_DETECT_EXPECT_ENCRYPTED,
};

enum class key_alg : sdi_key_alg {
    p256 = SDI_KEY_P256, p384 = SDI_KEY_P384, p521 = SDI_KEY_P521, x25519 = SDI_KEY_X25519,
    rsa2048 = SDI_KEY_RSA2048, rsa3072 = SDI_KEY_RSA3072, rsa4096 = SDI_KEY_RSA4096,
    ml_kem_768 = SDI_KEY_ML_KEM_768,
};

/// Joined by | in key_ops.
enum class rsa_scheme : sdi_rsa_scheme {
    none = 0, raw = SDI_RSA_RAW, pkcs1_implicit = SDI_RSA_PKCS1_IMPLICIT,
    oaep_sha1 = SDI_RSA_OAEP_SHA1, oaep_sha256 = SDI_RSA_OAEP_SHA256,
};

enum class sig_scheme : sdi_sig_scheme {
    ecdsa_p256_sha256 = SDI_SIG_ECDSA_P256_SHA256, ecdsa_p384_sha384 = SDI_SIG_ECDSA_P384_SHA384,
    ecdsa_p521_sha512 = SDI_SIG_ECDSA_P521_SHA512, rsa_pkcs1_sha256 = SDI_SIG_RSA_PKCS1_SHA256,
};

enum class operator_mode : sdi_operator_mode {
    prefer = SDI_OPERATOR_PREFER, replace = SDI_OPERATOR_REPLACE,
};

enum class identity : std::int32_t {
    vendor = SDI_IDENTITY_VENDOR, operator_ = SDI_IDENTITY_OPERATOR,
};

enum class profile : sdi_profile {
    auto_ = SDI_PROFILE_AUTO, rfc8886 = SDI_PROFILE_RFC8886,
    authenticated = SDI_PROFILE_AUTHENTICATED, post_quantum = SDI_PROFILE_POST_QUANTUM,
};

enum class form : sdi_form {
    pem = SDI_FORM_PEM, der = SDI_FORM_DER, smime = SDI_FORM_SMIME, magic_der = SDI_FORM_MAGIC_DER,
};

enum class action : sdi_action {
    wait = SDI_ACT_WAIT, fetch = SDI_ACT_FETCH, decrypt = SDI_ACT_DECRYPT, check = SDI_ACT_CHECK,
    install = SDI_ACT_INSTALL, done = SDI_ACT_DONE, aborted = SDI_ACT_ABORTED,
    check_raw = SDI_ACT_CHECK_RAW, install_raw = SDI_ACT_INSTALL_RAW,
};

enum class event : sdi_event {
    fetched = SDI_EV_FETCHED, fetch_failed = SDI_EV_FETCH_FAILED, decrypted = SDI_EV_DECRYPTED,
    decrypt_failed = SDI_EV_DECRYPT_FAILED, checked = SDI_EV_CHECKED,
    check_failed = SDI_EV_CHECK_FAILED, installed = SDI_EV_INSTALLED,
    install_failed = SDI_EV_INSTALL_FAILED, cancel = SDI_EV_CANCEL,
};

/// The number that sdi.h has.
template <class Enum> constexpr std::underlying_type_t<Enum> number(Enum value) noexcept {
    return static_cast<std::underlying_type_t<Enum>>(value);
}

constexpr detect_flag operator|(detect_flag a, detect_flag b) noexcept {
    return static_cast<detect_flag>(number(a) | number(b));
}

constexpr rsa_scheme operator|(rsa_scheme a, rsa_scheme b) noexcept {
    return static_cast<rsa_scheme>(number(a) | number(b));
}

inline const char *name(result_code value) noexcept { return sdi_result_name(number(value)); }
inline const char *name(kind value) noexcept { return sdi_kind_name(number(value)); }
inline const char *name(action value) noexcept { return sdi_action_name(number(value)); }
inline const char *name(event value) noexcept { return sdi_event_name(number(value)); }
inline const char *text(result_code value) noexcept { return sdi_result_text(number(value)); }

/* ---- version ---- */

inline const char *version() noexcept { return sdi_version(); }
inline std::uint32_t version_number() noexcept { return sdi_version_number(); }
inline std::uint32_t abi_version() noexcept { return sdi_abi_version(); }
inline std::uint64_t features() noexcept { return sdi_features(); }

/// Whether this build has it.
inline bool has(feature wanted) noexcept { return (features() & number(wanted)) != 0; }

/* ---- bytes of others ---- */

/// A pointer and a length: bytes that belong to somebody else.
template <class Byte> class basic_bytes {
public:
    constexpr basic_bytes() noexcept = default;
    constexpr basic_bytes(Byte *data, std::size_t size) noexcept : data_(data), size_(size) {}

    template <std::size_t N>
    constexpr basic_bytes(Byte (&array)[N]) noexcept : data_(array), size_(N) {}

    /// Of a vector, array, string, string_view, span or sdi::bytes: anything with data() and size(),
    /// whose elements are char, unsigned char or std::byte.
    template <class Owner, class = std::enable_if_t<sizeof(*std::declval<Owner &>().data()) == 1>,
              class Element = std::remove_pointer_t<decltype(std::declval<Owner &>().data())>,
              class = std::enable_if_t<
                  (std::is_const_v<Byte> || !std::is_const_v<Element>) &&
                  (std::is_same_v<std::remove_const_t<Element>, char> ||
                   std::is_same_v<std::remove_const_t<Element>, unsigned char> ||
                   std::is_same_v<std::remove_const_t<Element>, std::byte>)>>
    basic_bytes(Owner &&owner) noexcept
        : data_(reinterpret_cast<Byte *>(owner.data())), size_(owner.size()) {}

    constexpr Byte *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr Byte *begin() const noexcept { return data_; }
    constexpr Byte *end() const noexcept { return data_ + size_; }

    /// At most len of them, from there on; fewer, or none, where they end.
    constexpr basic_bytes part(std::size_t from, std::size_t len) const noexcept {
        from = from < size_ ? from : size_;
        return {data_ + from, len < size_ - from ? len : size_ - from};
    }

    /// The same as characters.
    std::string_view text() const noexcept {
        return {reinterpret_cast<const char *>(data_), size_};
    }

private:
    Byte *data_ = nullptr;
    std::size_t size_ = 0;
};

using bytes_view = basic_bytes<const std::uint8_t>;
using bytes_span = basic_bytes<std::uint8_t>;
using sha256 = std::array<std::uint8_t, 32>;

inline void wipe(bytes_span bytes) noexcept { sdi_wipe(bytes.data(), bytes.size()); }

/* ---- owners, errors and results ---- */

namespace detail {

/// Frees its handle.
template <class Handle, void (*Free)(Handle *)> class owner {
public:
    using c_handle = Handle;

    owner() noexcept = default;
    /// Takes over a handle from C. NULL makes it empty.
    explicit owner(Handle *from_c) noexcept : handle_(from_c) {}

    explicit operator bool() const noexcept { return handle_ != nullptr; }
    Handle *get() noexcept { return handle_.get(); }
    const Handle *get() const noexcept { return handle_.get(); }
    /// Gives the handle to C, and is empty.
    Handle *release() noexcept { return handle_.release(); }

private:
    struct deleter {
        void operator()(Handle *freed) const noexcept { Free(freed); }
    };
    std::unique_ptr<Handle, deleter> handle_;
};

} // namespace detail

template <class T> class result;

/// Why a call failed.
class error : detail::owner<sdi_error, sdi_error_free> {
public:
    /// Takes over what a call of C said: its result, and the detail or NULL.
    explicit error(sdi_result r, sdi_error *from_c = nullptr) noexcept : owner(from_c), code_(r) {}

    result_code code() const noexcept {
        return static_cast<result_code>(*this ? sdi_error_code(get()) : code_);
    }
    /// Borrowed from this object.
    const char *text() const noexcept {
        return *this ? sdi_error_text(get()) : sdi_result_text(code_);
    }
    std::int64_t vendor_code() const noexcept { return sdi_error_vendor_code(get()); }

private:
    // An error that is none is a result without an error, and nothing to make one of.
    friend class result<void>;
    error() noexcept = default;

    sdi_result code_ = SDI_OK;
};

/// Success, or an error.
template <> class [[nodiscard]] result<void> {
public:
    result() noexcept = default;
    result(sdi::error failure) noexcept : error_(std::move(failure)) {}

    explicit operator bool() const noexcept { return code() == result_code::ok; }
    result_code code() const noexcept { return error_.code(); }
    const sdi::error &error() const & noexcept { return error_; }
    sdi::error error() && noexcept { return std::move(error_); }

private:
    sdi::error error_;
};

/// A value, or the error that there is instead.
template <class T> class [[nodiscard]] result : public result<void> {
public:
    result(T value) noexcept : value_(std::move(value)) {}
    result(sdi::error failure) noexcept : result<void>(std::move(failure)) {}

    /// Ends the program where there is an error: look first. (An empty value in its place could end
    /// up installed.)
    T &value() & noexcept { return must_be_there(), value_; }
    const T &value() const & noexcept { return must_be_there(), value_; }
    T value() && noexcept { return must_be_there(), std::move(value_); }
    T &operator*() & noexcept { return value(); }
    const T &operator*() const & noexcept { return value(); }
    T operator*() && noexcept { return std::move(*this).value(); }
    T *operator->() noexcept { return &value(); }
    const T *operator->() const noexcept { return &value(); }

private:
    void must_be_there() const noexcept {
        if (!*this) {
            std::abort();
        }
    }

    T value_{};
};

namespace detail {

/// What a call of C said, and what it gave if that was SDI_OK.
inline result<void> said(sdi_result r, sdi_error *from_c = nullptr) noexcept {
    return error(r, from_c);
}
template <class T> result<T> gave(T out, sdi_result r, sdi_error *from_c = nullptr) noexcept {
    return r == SDI_OK ? result<T>(std::move(out)) : result<T>(error(r, from_c));
}

/// Calls a function of C that has no output.
template <class Function, class... Arguments>
result<void> does(Function function, Arguments... arguments) noexcept {
    sdi_error *err = nullptr;
    const sdi_result r = function(arguments..., &err);
    return said(r, err);
}

/// Calls a function of C that makes a handle.
template <class Owner, class Function, class... Arguments>
result<Owner> makes(Function function, Arguments... arguments) noexcept {
    typename Owner::c_handle *out = nullptr;
    sdi_error *err = nullptr;
    const sdi_result r = function(arguments..., &out, &err);
    return gave(Owner(out), r, err);
}

/// Calls a function of C that writes 32 bytes.
template <class Function, class Handle>
result<sha256> digests(Function function, const Handle *handle) noexcept {
    sha256 out{};
    sdi_error *err = nullptr;
    const sdi_result r = function(handle, out.data(), &err);
    return gave(out, r, err);
}

} // namespace detail

/* ---- bytes ---- */

/// Bytes that the library gave; wiped when they go. A view of them ends with them.
class bytes : public detail::owner<sdi_bytes, sdi_bytes_free> {
public:
    using owner::owner;

    const std::uint8_t *data() const noexcept { return sdi_bytes_data(get()); }
    std::size_t size() const noexcept { return sdi_bytes_len(get()); }
    bytes_view view() const noexcept { return *this; }
};

/* ---- is this file encrypted? ---- */

/// file_name may be NULL.
[[nodiscard]] inline kind detect(const char *file_name, bytes_view head,
                                 detect_flag flags = detect_flag::none) noexcept {
    return static_cast<kind>(sdi_detect(file_name, head.data(), head.size(), number(flags)));
}

/* ---- callbacks ---- */

/// What a callback returns that threw.
inline constexpr std::int32_t callback_threw = INT32_MIN + 1;
/// What a member of key_ops returns when the module itself rejects the ciphertext or point.
inline constexpr std::int32_t op_refused = SDI_OP_REFUSED;

/// What a callback returns: a number, 0 for success. A bool is none: `true` would be a failure.
class callback_result {
public:
    template <class Number,
              class = std::enable_if_t<std::is_integral_v<Number> && std::is_signed_v<Number> &&
                                       sizeof(Number) == sizeof(std::int32_t)>>
    constexpr callback_result(Number number) noexcept : value_(number) {}
    constexpr std::int32_t value() const noexcept { return value_; }

private:
    std::int32_t value_;
};

namespace detail {

/// The border to C: no exception crosses it.
template <class Call> std::int32_t guarded(Call call) noexcept {
#ifdef __cpp_exceptions
    try {
        return callback_result(call()).value();
    } catch (...) {
        return callback_threw;
    }
#else
    return callback_result(call()).value();
#endif
}

template <class Sink>
std::int32_t call_sink(void *user, const std::uint8_t *data, std::size_t len) noexcept {
    return guarded([&] { return (*static_cast<Sink *>(user))(bytes_view(data, len)); });
}

template <class Random>
std::int32_t call_random(void *user, std::uint8_t *out, std::size_t len) noexcept {
    return guarded([&] { return (*static_cast<Random *>(user))(bytes_span(out, len)); });
}

/// A sink on the heap, where C finds it.
struct boxed {
    virtual ~boxed() = default;
    std::size_t sharers = 1;
};
template <class Sink> struct sink_box : boxed {
    explicit sink_box(Sink &&from) : sink(std::move(from)) {}
    Sink sink;
};

/// One share of it; the last one that goes deletes it. All are on one thread.
struct unshare {
    void operator()(boxed *box) const noexcept {
        if (--box->sharers == 0) {
            delete box;
        }
    }
};
using sink_share = std::unique_ptr<boxed, unshare>;

/// An opener or a sealer, with its sink.
template <class Handle, void (*Free)(Handle *)> class stream {
public:
    explicit operator bool() const noexcept { return bool(owner_); }
    Handle *get() noexcept { return owner_.get(); }
    const Handle *get() const noexcept { return owner_.get(); }

protected:
    /// Calls a function of C that makes the stream.
    template <class Stream, class Sink, class Function, class... Arguments>
    static result<Stream> make(Sink &&sink, Function function, Arguments... arguments) {
        static_assert(std::is_invocable_r_v<callback_result, Sink &, bytes_view>,
                      "a sink is called with a bytes_view and returns an int, 0 for success");
        auto *box = new (std::nothrow) sink_box<Sink>(std::move(sink));
        if (box == nullptr) {
            return error(SDI_ERR_MEMORY);
        }
        return whole<Stream>(sink_share(box), function, arguments..., call_sink<Sink>, &box->sink);
    }

    template <class Stream, class Function, class... Arguments>
    static result<Stream> whole(sink_share share, Function function,
                                Arguments... arguments) noexcept {
        auto made = makes<owner<Handle, Free>>(function, arguments...);
        if (!made) {
            return std::move(made).error();
        }
        Stream all;
        all.share_ = std::move(share);
        all.owner_ = std::move(*made);
        return all;
    }

    /// Calls a function of C during which the sink runs. The sink may destroy the stream: C puts that
    /// off until the call returns, and so does this. Nothing of *this is used afterwards.
    template <class Function, class... Arguments>
    result<void> runs(Function function, Arguments... arguments) noexcept {
        const sink_share meanwhile(share_.get());
        if (meanwhile != nullptr) {
            meanwhile->sharers++;
        }
        return does(function, arguments...);
    }

private:
    sink_share share_; // goes after the handle that calls it
    owner<Handle, Free> owner_;
};

} // namespace detail

/* ---- device keys ---- */

/// A private key in a TPM or HSM: sdi_key_ops. Leave empty what the key cannot do. What the functions
/// hold is destroyed exactly once, where sdi.h says destroy. They may run at once on several threads.
struct key_ops {
    rsa_scheme rsa_schemes = rsa_scheme::none;
    std::function<callback_result(key_alg curve, bytes_view peer, bytes_span z, std::size_t &z_len)>
        agree;
    std::function<callback_result(rsa_scheme scheme, bytes_view ct, bytes_span out,
                                  std::size_t &out_len)>
        rsa_decrypt;
    std::function<callback_result(sig_scheme scheme, bytes_view msg, bytes_view digest,
                                  bytes_span sig, std::size_t &sig_len)>
        sign;
    std::function<callback_result(key_alg alg, bytes_view ct, bytes_span ss, std::size_t &ss_len)>
        decapsulate;
};

class key : public detail::owner<sdi_key, sdi_key_free> {
public:
    using owner::owner;

    static result<key> generate(key_alg alg) noexcept {
        return detail::makes<key>(sdi_key_generate, number(alg));
    }
    /// random is called with a bytes_span to fill, and returns 0 for success.
    template <class Random> static result<key> generate_with(key_alg alg, Random random) noexcept {
        static_assert(std::is_invocable_r_v<callback_result, Random &, bytes_span>,
                      "random is called with a bytes_span and returns an int, 0 for success");
        return detail::makes<key>(sdi_key_generate_with, number(alg), detail::call_random<Random>,
                                  &random);
    }
    static result<key> parse(bytes_view pem_or_der) noexcept {
        return detail::makes<key>(sdi_key_parse, pem_or_der.data(), pem_or_der.size());
    }
    static result<key> from_ops(key_ops ops, bytes_view spki_der) noexcept;

    result<bytes> export_pem() const noexcept {
        return detail::makes<bytes>(sdi_key_export_pem, get());
    }
    result<bytes> public_der() const noexcept {
        return detail::makes<bytes>(sdi_key_public_der, get());
    }
    result<sha256> spki_sha256() const noexcept {
        return detail::digests(sdi_key_spki_sha256, get());
    }
};

namespace detail {

/// Members of sdi_key_ops that take bytes and give bytes.
template <auto Member, class Number>
std::int32_t call_op(void *user, std::int32_t what, const std::uint8_t *in, std::size_t in_len,
                     std::uint8_t *out, std::size_t out_cap, std::size_t *out_len) noexcept {
    return guarded([&] {
        return (static_cast<const key_ops *>(user)->*Member)(
            static_cast<Number>(what), bytes_view(in, in_len), bytes_span(out, out_cap), *out_len);
    });
}

inline std::int32_t call_sign(void *user, sdi_sig_scheme scheme, const std::uint8_t *msg,
                              std::size_t msg_len, const std::uint8_t *digest,
                              std::size_t digest_len, std::uint8_t *sig, std::size_t sig_cap,
                              std::size_t *sig_len) noexcept {
    return guarded([&] {
        return static_cast<const key_ops *>(user)->sign(
            static_cast<sig_scheme>(scheme), bytes_view(msg, msg_len),
            bytes_view(digest, digest_len), bytes_span(sig, sig_cap), *sig_len);
    });
}

inline void destroy_ops(void *user) noexcept { delete static_cast<key_ops *>(user); }

} // namespace detail

inline result<key> key::from_ops(key_ops ops, bytes_view spki_der) noexcept {
    sdi_key_ops c{};
    c.size = sizeof c;
    c.rsa_schemes = static_cast<std::uint32_t>(number(ops.rsa_schemes));
    c.agree = ops.agree ? detail::call_op<&key_ops::agree, key_alg> : nullptr;
    c.rsa_decrypt = ops.rsa_decrypt ? detail::call_op<&key_ops::rsa_decrypt, rsa_scheme> : nullptr;
    c.sign = ops.sign ? detail::call_sign : nullptr;
    c.destroy = detail::destroy_ops;
    c.decapsulate = ops.decapsulate ? detail::call_op<&key_ops::decapsulate, key_alg> : nullptr;
    auto *user = new (std::nothrow) key_ops(std::move(ops));
    if (user == nullptr) {
        return error(SDI_ERR_MEMORY);
    }
    // From here on it is destroy's, also when the call fails.
    return detail::makes<key>(sdi_key_from_ops, &c, user, spki_der.data(), spki_der.size());
}

/* ---- certificates ---- */

class cert : public detail::owner<sdi_cert, sdi_cert_free> {
public:
    using owner::owner;

    static result<cert> parse(bytes_view pem_or_der) noexcept {
        return detail::makes<cert>(sdi_cert_parse, pem_or_der.data(), pem_or_der.size());
    }
    static result<cert> self_sign(const key &signer, const char *device_id,
                                  std::uint64_t not_before_unix) noexcept {
        return detail::makes<cert>(sdi_cert_self_sign, signer.get(), device_id, not_before_unix);
    }
    static result<cert> wrap(bytes_view spki_der, const char *device_id,
                             std::uint64_t not_before_unix) noexcept {
        return detail::makes<cert>(sdi_cert_wrap, spki_der.data(), spki_der.size(), device_id,
                                   not_before_unix);
    }

    result<bytes> pem() const noexcept { return detail::makes<bytes>(sdi_cert_pem, get()); }
    result<bytes> der() const noexcept { return detail::makes<bytes>(sdi_cert_der, get()); }
    result<sha256> spki_sha256() const noexcept {
        return detail::digests(sdi_cert_spki_sha256, get());
    }
};

inline result<bytes> csr(const key &signer, const char *device_id) noexcept {
    return detail::makes<bytes>(sdi_csr, signer.get(), device_id);
}

/* ---- key ring ---- */

/// An empty key or certificate is result_code::null here: it is never taken for one that is left out.
class keyring : public detail::owner<sdi_keyring, sdi_keyring_free> {
public:
    using owner::owner;

    static result<keyring> create() noexcept { return detail::makes<keyring>(sdi_keyring_new); }

    /// A key whose certificate the device never saw.
    result<void> set_vendor(const key &own) noexcept {
        return detail::does(sdi_keyring_set_vendor, get(), nullptr, own.get());
    }
    result<void> set_vendor(const cert &of_key, const key &own) noexcept {
        if (!of_key) {
            return error(SDI_ERR_NULL);
        }
        return detail::does(sdi_keyring_set_vendor, get(), of_key.get(), own.get());
    }

    result<void> set_operator(const key &own, operator_mode mode) noexcept {
        if (!own) {
            return error(SDI_ERR_NULL);
        }
        return detail::does(sdi_keyring_set_operator, get(), nullptr, own.get(), number(mode));
    }
    result<void> set_operator(const cert &of_key, const key &own, operator_mode mode) noexcept {
        if (!of_key || !own) {
            return error(SDI_ERR_NULL);
        }
        return detail::does(sdi_keyring_set_operator, get(), of_key.get(), own.get(), number(mode));
    }
    /// The vendor's key was replaced and the operator's is missing: nothing opens.
    result<void> set_operator_missing() noexcept {
        return detail::does(sdi_keyring_set_operator, get(), nullptr, nullptr,
                            SDI_OPERATOR_REPLACE);
    }
    result<void> remove_operator() noexcept {
        return detail::does(sdi_keyring_remove_operator, get());
    }

    result<void> require_authenticated(bool on) noexcept {
        return detail::does(sdi_keyring_require_authenticated, get(), on);
    }
    result<void> set_max_file(std::uint64_t max) noexcept {
        return detail::does(sdi_keyring_set_max_file, get(), max);
    }
    result<void> set_max_key_ops(std::uint32_t max) noexcept {
        return detail::does(sdi_keyring_set_max_key_ops, get(), max);
    }
};

/* ---- open ---- */

inline result<bytes> open(const keyring &ring, bytes_view file) noexcept {
    return detail::makes<bytes>(sdi_open, ring.get(), file.data(), file.size());
}

/// The answer is JSON.
inline result<bytes> inspect(bytes_view file) noexcept {
    return detail::makes<bytes>(sdi_inspect, file.data(), file.size());
}

/// Whose key opened a file, and how it was encrypted.
struct summary {
    identity owner = identity::vendor;
    bool is_authenticated = false;
};

class opener : public detail::stream<sdi_opener, sdi_opener_free> {
public:
    /// Verifies only.
    static result<opener> create(const keyring &ring) noexcept {
        return whole<opener>(nullptr, sdi_opener_new, ring.get(), nullptr, nullptr);
    }
    /// sink is called with a bytes_view and returns 0 for success. It lives as long as the opener;
    /// opener::create(ring, std::ref(sink)) takes a reference.
    template <class Sink> static result<opener> create(const keyring &ring, Sink sink) {
        return make<opener>(std::move(sink), sdi_opener_new, ring.get());
    }

    result<void> set_max_file(std::uint64_t max) noexcept {
        return detail::does(sdi_opener_set_max_file, get(), max);
    }
    result<void> require_authenticated(bool on) noexcept {
        return detail::does(sdi_opener_require_authenticated, get(), on);
    }
    result<void> hold(std::size_t max) noexcept {
        return detail::does(sdi_opener_hold, get(), max);
    }
    result<void> update(bytes_view in) noexcept {
        return runs(sdi_opener_update, get(), in.data(), in.size());
    }
    result<void> finish() noexcept { return runs(sdi_opener_finish, get()); }
    result<summary> used() const noexcept {
        std::int32_t owner = 0, is_authenticated = 0;
        const sdi_result r = sdi_opener_used(get(), &owner, &is_authenticated);
        return detail::gave(summary{static_cast<identity>(owner), is_authenticated != 0}, r);
    }
};

/* ---- seal ---- */

/// Certificates of others: one, or several that lie in a row.
class certs_view {
public:
    certs_view(const cert &one) noexcept : data_(&one), size_(1) {}
    certs_view(const cert *data, std::size_t size) noexcept : data_(data), size_(size) {}
    /// Of a vector, an array or a span.
    template <class Owner, class = std::enable_if_t<std::is_convertible_v<
                               decltype(std::declval<const Owner &>().data()), const cert *>>>
    certs_view(const Owner &owner) noexcept : data_(owner.data()), size_(owner.size()) {}

    const cert *begin() const noexcept { return data_; }
    const cert *end() const noexcept { return data_ + size_; }
    std::size_t size() const noexcept { return size_; }

private:
    const cert *data_;
    std::size_t size_;
};

namespace detail {

/// As C takes them; nullptr without memory.
inline std::unique_ptr<const sdi_cert *[]> handles(certs_view certs) noexcept {
    std::unique_ptr<const sdi_cert *[]> list(new (std::nothrow) const sdi_cert *[certs.size()]);
    std::size_t filled = 0;
    for (const cert &each : certs) {
        if (list != nullptr) {
            list[filled++] = each.get();
        }
    }
    return list;
}

} // namespace detail

inline result<bytes> seal(certs_view to, profile how, form as, bytes_view plain) noexcept {
    const auto list = detail::handles(to);
    if (list == nullptr) {
        return error(SDI_ERR_MEMORY);
    }
    return detail::makes<bytes>(sdi_seal, list.get(), to.size(), number(how), number(as),
                                plain.data(), plain.size());
}

class sealer : public detail::stream<sdi_sealer, sdi_sealer_free> {
public:
    /// sink is as that of an opener.
    template <class Sink>
    static result<sealer> create(certs_view to, profile how, form as, Sink sink) {
        const auto list = detail::handles(to);
        if (list == nullptr) {
            return error(SDI_ERR_MEMORY);
        }
        return make<sealer>(std::move(sink), sdi_sealer_new, list.get(), to.size(), number(how),
                            number(as));
    }

    result<void> set_length(std::uint64_t plain_len) noexcept {
        return detail::does(sdi_sealer_set_length, get(), plain_len);
    }
    result<void> update(bytes_view in) noexcept {
        return runs(sdi_sealer_update, get(), in.data(), in.size());
    }
    result<void> finish() noexcept { return runs(sdi_sealer_finish, get()); }
};

/* ---- auto-install ---- */

/// What to do next.
struct order {
    action what = action::wait;
    /// With action::wait: until then.
    std::uint64_t until_ms = 0;
};

/// How it went. The events that have an argument have a function.
struct answer {
    event what = event::cancel;
    std::int32_t arg = 0;

    answer() noexcept = default;
    answer(event happened, std::int32_t argument = 0) noexcept : what(happened), arg(argument) {}
    static answer fetched(kind found) noexcept { return {event::fetched, number(found)}; }
    static answer decrypt_failed(result_code why) noexcept {
        return {event::decrypt_failed, number(why)};
    }
};

class install : public detail::owner<sdi_install, sdi_install_free> {
public:
    using owner::owner;
    using state = std::array<std::uint8_t, SDI_INSTALL_STATE_LEN>;

    static result<install> create(std::uint64_t now_ms) noexcept {
        return detail::makes<install>(sdi_install_new, now_ms);
    }

    result<void> set_encrypted_only(bool on) noexcept {
        return detail::said(sdi_install_set_encrypted_only(get(), on));
    }
    result<void> set_parse_first(bool on) noexcept {
        return detail::said(sdi_install_set_parse_first(get(), on));
    }
    result<void> set_abort_on_failure(bool on) noexcept {
        return detail::said(sdi_install_set_abort_on_failure(get(), on));
    }
    result<void> set_retry(std::uint64_t fast_ms, std::uint64_t fast_for_ms,
                           std::uint64_t slow_ms) noexcept {
        return detail::said(sdi_install_set_retry(get(), fast_ms, fast_for_ms, slow_ms));
    }
    result<void> set_max_attempts(std::uint32_t max) noexcept {
        return detail::said(sdi_install_set_max_attempts(get(), max));
    }
    result<void> set_jitter(std::uint32_t permille, bytes_view seed) noexcept {
        return detail::said(sdi_install_set_jitter(get(), permille, seed.data(), seed.size()));
    }
    result<void> set_start_spread(std::uint64_t max_ms) noexcept {
        return detail::said(sdi_install_set_start_spread(get(), max_ms));
    }

    result<order> poll(std::uint64_t now_ms) noexcept {
        order next;
        sdi_action what = 0;
        const sdi_result r = sdi_install_poll(get(), now_ms, &what, &next.until_ms);
        next.what = static_cast<action>(what);
        return detail::gave(next, r);
    }
    result<void> handle(std::uint64_t now_ms, answer how) noexcept {
        return detail::said(sdi_install_handle(get(), now_ms, number(how.what), how.arg));
    }
    result<void> poke(std::uint64_t now_ms) noexcept {
        return detail::said(sdi_install_poke(get(), now_ms));
    }

    result<state> save(std::uint64_t now_ms) const noexcept {
        state saved{};
        const sdi_result r = sdi_install_save(get(), now_ms, saved.data());
        return detail::gave(saved, r);
    }
    result<void> restore(std::uint64_t now_ms, bytes_view saved) noexcept {
        return detail::said(sdi_install_restore(get(), now_ms, saved.data(), saved.size()));
    }
    result<answer> outcome() const noexcept {
        answer last;
        sdi_event what = 0;
        const sdi_result r = sdi_install_outcome(get(), &what, &last.arg);
        last.what = static_cast<event>(what);
        return detail::gave(last, r);
    }
    std::uint32_t attempts() const noexcept { return sdi_install_attempts(get()); }
};

} // namespace sdi

#endif
