// Callbacks: what they throw stays inside, and what they hold is destroyed once, on every path.
#include "module.hpp"

#include <memory>
#include <new>
#include <optional>
#include <stdexcept>

// Memory is short for whoever asks for it without an exception, as sdi.hpp does.
static bool memory_is_short = false;
void *operator new(std::size_t size, const std::nothrow_t &) noexcept {
    return memory_is_short ? nullptr : ::operator new(size);
}
void *operator new[](std::size_t size, const std::nothrow_t &) noexcept {
    return memory_is_short ? nullptr : ::operator new[](size);
}

namespace {

// A sink that collects, and that refuses or throws at one of its calls. A return of 0 throws.
struct sink {
    std::string &got;
    counted alive;
    int calls = 0, fails_at = 0;
    std::int32_t refusal = 0;

    std::int32_t operator()(sdi::bytes_view bytes) {
        if (++calls == fails_at) {
            if (refusal == 0) {
                throw std::runtime_error("a sink that throws");
            }
            return refusal;
        }
        got += bytes.text();
        return 0;
    }
};

template <class T> bool has_failed(const sdi::result<T> &result, result_code code, std::int64_t by) {
    return result.code() == code && result.error().vendor_code() == by;
}

sdi::result<void> feed(sdi::opener &opener, sdi::bytes_view file, std::size_t piece) {
    for (std::size_t at = 0; at < file.size(); at += piece) {
        auto fed = opener.update(file.part(at, piece));
        if (!fed) {
            return fed;
        }
    }
    return opener.finish();
}

void sinks_of_openers(const fixture &f) {
    const sdi::bytes file = f.file();
    int alive = 0, failures = 0;
    // Until no call is left to fail at.
    for (int fails_at = 1;; fails_at++) {
        std::string got;
        for (std::int32_t refusal : {0, 42}) {
            got.clear();
            auto opener = must(sdi::opener::create(
                f.ring, sink{got, counted(alive), 0, fails_at, refusal}));
            CHECK(alive == 1);
            const auto fed = feed(opener, file, 4000);
            if (fed) {
                break;
            }
            failures++;
            CHECK(has_failed(fed, result_code::sink, refusal ? refusal : sdi::callback_threw));
            CHECK(opener.update(file).code() == result_code::state);
            CHECK(opener.finish().code() == result_code::state && !opener.used());
        }
        CHECK(alive == 0);
        if (got == f.plain) {
            break;
        }
    }
    CHECK(failures >= 4 && failures % 2 == 0);
}

// Half-way, before the first byte, and never made.
void abandoned_openers(const fixture &f) {
    const sdi::bytes file = f.file();
    std::string got;
    int alive = 0;
    {
        auto opener = must(sdi::opener::create(f.ring, sink{got, counted(alive)}));
        must(opener.update(file.view().part(0, file.size() / 2)));
        CHECK(alive == 1 && !got.empty());
    }
    CHECK(alive == 0);
    must(sdi::opener::create(f.ring, sink{got, counted(alive)}));
    CHECK(alive == 0);
    const sdi::keyring none;
    CHECK(sdi::opener::create(none, sink{got, counted(alive)}).code() == result_code::null);
    CHECK(alive == 0);
    // One takes the place of another.
    auto first = must(sdi::opener::create(f.ring, sink{got, counted(alive)}));
    must(first.update(file.view().part(0, 2000)));
    first = must(sdi::opener::create(f.ring, sink{got, counted(alive)}));
    CHECK(alive == 1);
    got.clear();
    must(feed(first, file, 100));
    CHECK(got == f.plain);
}

void settings_of_openers(const fixture &f) {
    const sdi::bytes file = f.file();
    std::string got;
    int alive = 0;
    // A reference, to a sink that only moves.
    auto kept = [&got, own = std::make_unique<int>(0)](sdi::bytes_view bytes) {
        got += bytes.text();
        ++*own;
        return 0;
    };
    auto opener = must(sdi::opener::create(f.ring, std::ref(kept)));
    must(opener.hold(f.plain.size()));
    must(opener.set_max_file(file.size()));
    must(opener.require_authenticated(true));
    must(opener.update(file));
    CHECK(got.empty() && opener.hold(1).code() == result_code::state);
    must(opener.finish());
    CHECK(got == f.plain);
    got.clear();
    opener = must(sdi::opener::create(f.ring, std::move(kept)));
    must(opener.hold(f.plain.size() - 1));
    CHECK(feed(opener, file, 1000).code() == result_code::limit && got.empty());
    opener = must(sdi::opener::create(f.ring, sink{got, counted(alive)}));
    must(opener.set_max_file(file.size() - 1));
    CHECK(feed(opener, file, 1000).code() == result_code::limit);
    opener = must(sdi::opener::create(f.ring));
    must(feed(opener, file, 1000));
    CHECK(must(opener.used()).is_authenticated);
    CHECK(alive == 0);
}

// A sink destroys its own stream: the call that runs it goes on to its end, with its sink alive.
void streams_destroyed_by_their_sinks(const fixture &f) {
    const sdi::bytes file = f.file();
    int alive = 0;
    std::string got;
    std::optional<sdi::opener> opener;
    const auto destroys = [&, own = counted(alive)](sdi::bytes_view bytes) {
        CHECK(!opener || opener->update(bytes).code() == result_code::state);
        opener.reset();
        CHECK(alive >= 1);
        got += bytes.text();
        return 0;
    };
    opener = must(sdi::opener::create(f.ring, destroys));
    must(opener->update(file));
    CHECK(alive == 1 && !opener && f.plain.compare(0, got.size(), got) == 0 && !got.empty());

    // It is replaced meanwhile, by one whose sink is another.
    opener = must(sdi::opener::create(f.ring, [&, own = counted(alive)](sdi::bytes_view) {
        *opener = sdi::opener();
        CHECK(alive == 2);
        throw std::bad_alloc();
        return 0;
    }));
    CHECK(has_failed(opener->update(file), result_code::sink, sdi::callback_threw));
    CHECK(alive == 1 && !*opener);

    std::optional<sdi::sealer> sealer;
    int calls = 0;
    sealer = must(sdi::sealer::create(f.cert, sdi::profile::auto_, sdi::form::pem,
                                      [&, own = counted(alive)](sdi::bytes_view) {
                                          calls++;
                                          sealer.reset();
                                          CHECK(alive == 2);
                                          return 0;
                                      }));
    must(sealer->update(f.plain));
    CHECK(alive == 1 && calls > 0 && !sealer);
}

// Seals to a sink that refuses at each of its calls in turn, until there is none left.
void sinks_of_sealers(const fixture &f) {
    int alive = 0, failures = 0;
    for (int fails_at = 1;; fails_at++) {
        std::string got;
        bool whole = false;
        for (std::int32_t refusal : {0, -7}) {
            got.clear();
            auto sealer = must(sdi::sealer::create(
                f.cert, sdi::profile::authenticated, sdi::form::der,
                sink{got, counted(alive), 0, fails_at, refusal}));
            must(sealer.set_length(f.plain.size()));
            auto sealed = sealer.update(f.plain);
            if (sealed) {
                sealed = sealer.finish();
            }
            whole = bool(sealed);
            if (whole) {
                break;
            }
            failures++;
            CHECK(has_failed(sealed, result_code::sink, refusal ? refusal : sdi::callback_threw));
            CHECK(sealer.finish().code() == result_code::state);
            CHECK(!sdi::open(f.ring, got));
        }
        CHECK(alive == 0);
        if (whole) {
            CHECK(copy(must(sdi::open(f.ring, got))) == f.plain);
            break;
        }
    }
    CHECK(failures >= 4 && failures % 2 == 0);
    std::string got;
    const sdi::cert none;
    CHECK(!sdi::sealer::create(none, sdi::profile::auto_, sdi::form::pem, sink{got, counted(alive)}));
    CHECK(alive == 0 && got.empty());
}

void randomness() {
    unsigned next = 1;
    const auto good = [&next](sdi::bytes_span out) {
        for (std::uint8_t &byte : out) {
            next = next * 1103515245 + 12345;
            byte = static_cast<std::uint8_t>(next >> 16);
        }
        return 0;
    };
    CHECK(fixture(must(sdi::key::generate_with(sdi::key_alg::p256, good))).works());
    const auto refuses = [](sdi::bytes_span) { return 5; };
    const auto throws = [](sdi::bytes_span) -> int { throw 1; };
    CHECK(has_failed(sdi::key::generate_with(sdi::key_alg::p256, refuses), result_code::random, 5));
    CHECK(has_failed(sdi::key::generate_with(sdi::key_alg::p256, throws), result_code::random,
                     sdi::callback_threw));
}

// What a module can do: sign, agree, decrypt.
void modules_work() {
    int alive = 0;
    std::weak_ptr<module> look;
    {
        const fixture f(key_of(EVP_EC_gen("P-256"), alive, look));
        CHECK(look.lock()->calls == 1 && f.works() && look.lock()->calls == 2);
        CHECK(must(sdi::csr(f.key, "SN1")).size() > 100 && look.lock()->calls == 3);
        CHECK(f.key.export_pem().code() == result_code::unsupported);
    }
    CHECK(alive == 0);
    const sdi::key rsa = key_of(EVP_RSA_gen(2048), alive, look);
    const auto cert = must(sdi::cert::wrap(must(rsa.public_der()), "SN1", 0));
    auto ring = must(sdi::keyring::create());
    must(ring.set_vendor(cert, rsa));
    for (auto how : {sdi::profile::rfc8886, sdi::profile::authenticated}) {
        const auto file = must(sdi::seal(cert, how, sdi::form::pem, std::string_view("hello")));
        CHECK(copy(must(sdi::open(ring, file))) == "hello");
    }
    CHECK(look.lock()->calls == 2);
}

void modules_fail() {
    int alive = 0;
    std::weak_ptr<module> look;
    const fixture f(key_of(EVP_EC_gen("P-256"), alive, look));
    const sdi::bytes file = f.file();
    const auto m = look.lock();
    m->instead = []() -> std::int32_t { throw std::runtime_error("a module that throws"); };
    CHECK(has_failed(sdi::open(f.ring, file), result_code::key, sdi::callback_threw));
    CHECK(has_failed(sdi::csr(f.key, "SN1"), result_code::key, sdi::callback_threw));
    m->instead = [] { return 77; };
    CHECK(has_failed(sdi::open(f.ring, file), result_code::key, 77));
    m->instead = [] { return sdi::op_refused; };
    CHECK(sdi::open(f.ring, file).code() == result_code::decrypt);
    m->instead = nullptr;
    CHECK(f.works());

    // It can do nothing, or says that it has written more than there was room for.
    const auto with = [&](sdi::key_ops ops) {
        auto ring = must(sdi::keyring::create());
        must(ring.set_vendor(f.cert, must(sdi::key::from_ops(std::move(ops), m->spki()))));
        return sdi::open(ring, file).code();
    };
    CHECK(with({}) == result_code::key);
    sdi::key_ops ops;
    ops.agree = [](sdi::key_alg, sdi::bytes_view, sdi::bytes_span z, std::size_t &z_len) {
        z_len = z.size() + 1;
        return 0;
    };
    CHECK(with(ops) == result_code::key);
    CHECK(with(ops_of(m)) == result_code::ok);
}

// The library's own copy of the ops goes with the last of the handles that need the key.
void modules_go_once() {
    int alive = 0;
    std::weak_ptr<module> look;
    {
        const auto m = std::make_shared<module>(EVP_EC_gen("P-256"), alive);
        look = m;
        CHECK(!sdi::key::from_ops(ops_of(m), {}) && m.use_count() == 1);
        CHECK(!sdi::key::from_ops(ops_of(m), std::string_view("no key")) && m.use_count() == 1);
        must(sdi::key::from_ops(ops_of(m), m->spki()));
        CHECK(m.use_count() == 1 && alive == 1);
    }
    CHECK(alive == 0);

    std::optional<fixture> f(std::in_place, key_of(EVP_EC_gen("P-256"), alive, look));
    const sdi::bytes file = f->file();
    std::string got;
    auto opener = must(sdi::opener::create(f->ring, [&got](sdi::bytes_view bytes) {
        got += bytes.text();
        return 0;
    }));
    const std::string plain = f->plain;
    f.reset();
    CHECK(alive == 1);
    must(feed(opener, file, 700));
    CHECK(got == plain);
    opener = sdi::opener();
    CHECK(alive == 0);

    // Half-way, and after an exception.
    f.emplace(key_of(EVP_EC_gen("P-256"), alive, look));
    const sdi::bytes second = f->file();
    opener = must(sdi::opener::create(f->ring));
    must(opener.update(second.view().part(0, second.size() / 2)));
    f->key = sdi::key();
    f->ring = sdi::keyring();
    CHECK(alive == 1);
    opener = sdi::opener();
    CHECK(alive == 0);
    f.emplace(key_of(EVP_EC_gen("P-256"), alive, look));
    look.lock()->instead = []() -> std::int32_t { throw 1; };
    CHECK(!sdi::open(f->ring, f->file()) && alive == 1);
    f.reset();
    CHECK(alive == 0);

    // The module lets its ring and its key go while it is at work.
    f.emplace(key_of(EVP_EC_gen("P-256"), alive, look));
    look.lock()->instead = [&] {
        f->ring = sdi::keyring();
        f->key = sdi::key();
        CHECK(alive == 1);
        return 0;
    };
    CHECK(copy(must(sdi::open(f->ring, f->file()))) == plain);
    CHECK(alive == 0);
}

void short_memory(const fixture &f) {
    int alive = 0;
    std::string got;
    const auto m = std::make_shared<module>(EVP_EC_gen("P-256"), alive);
    const auto spki = m->spki();
    sdi::key_ops ops = ops_of(m);
    CHECK(m.use_count() == 8);
    const auto profile = sdi::profile::auto_;
    const auto form = sdi::form::pem;
    memory_is_short = true;
    CHECK(sdi::key::from_ops(std::move(ops), spki).code() == result_code::memory);
    CHECK(sdi::opener::create(f.ring, sink{got, counted(alive)}).code() == result_code::memory);
    CHECK(sdi::seal(f.cert, profile, form, f.plain).code() == result_code::memory);
    const auto sealer = sdi::sealer::create(f.cert, profile, form, sink{got, counted(alive)});
    CHECK(sealer.code() == result_code::memory && *sealer.error().text() != '\0');
    memory_is_short = false;
    ops = {};
    CHECK(m.use_count() == 1 && alive == 1);
}

} // namespace

int main() {
    const fixture f;
    sinks_of_openers(f);
    abandoned_openers(f);
    settings_of_openers(f);
    streams_destroyed_by_their_sinks(f);
    sinks_of_sealers(f);
    randomness();
    modules_work();
    modules_fail();
    modules_go_once();
    short_memory(f);
    CHECK(f.works());
    return 0;
}
