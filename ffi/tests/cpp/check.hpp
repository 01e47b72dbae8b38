// What the C++ tests share. It compiles without exceptions.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <sdi.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#define CHECK(what)                                                                        \
    do {                                                                                   \
        if (!(what)) {                                                                     \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);        \
            std::exit(1);                                                                  \
        }                                                                                  \
    } while (0)

using sdi::result_code;

// What has to succeed.
template <class T> T must(sdi::result<T> result) {
    if (!result) {
        std::fprintf(stderr, "%s: %s\n", sdi::name(result.code()), result.error().text());
        std::exit(1);
    }
    return std::move(result).value();
}

inline void must(sdi::result<void> result) {
    if (!result) {
        std::fprintf(stderr, "%s: %s\n", sdi::name(result.code()), result.error().text());
        std::exit(1);
    }
}

inline std::string copy(sdi::bytes_view bytes) { return std::string(bytes.text()); }

// A device with a key, and a configuration.
struct fixture {
    sdi::key key;
    sdi::cert cert;
    sdi::keyring ring;
    std::string plain;

    explicit fixture(sdi::key own = must(sdi::key::generate(sdi::key_alg::p256)))
        : key(std::move(own)), cert(must(sdi::cert::self_sign(key, "SN19842256", 0))),
          ring(must(sdi::keyring::create())) {
        must(ring.set_vendor(cert, key));
        for (unsigned i = 0; i < 10000; i++) {
            plain += static_cast<char>('a' + (i * 31 + i / 256) % 26);
        }
    }

    sdi::bytes file(sdi::form as = sdi::form::pem) const {
        return must(sdi::seal(cert, sdi::profile::authenticated, as, plain));
    }

    // The whole way: what a test that upset something ends with.
    bool works() const { return copy(must(sdi::open(ring, file()))) == plain; }
};

// Counts itself: how many of them are alive.
class counted {
public:
    explicit counted(int &alive) : alive_(&alive) { ++*alive_; }
    counted(const counted &other) : alive_(other.alive_) { ++*alive_; }
    counted &operator=(const counted &) = delete;
    ~counted() { --*alive_; }

private:
    int *alive_;
};

#endif
