// Owners, views and results, and every call that is neither a stream nor a callback nor auto-install.
// `values no-value` has to end with an abort.
#include "check.hpp"

#include <array>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace {

template <class T> constexpr bool moves_only() {
    return std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
           !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
}
static_assert(moves_only<sdi::error>() && moves_only<sdi::bytes>() && moves_only<sdi::key>() &&
              moves_only<sdi::cert>() && moves_only<sdi::keyring>() && moves_only<sdi::opener>() &&
              moves_only<sdi::sealer>() && moves_only<sdi::install>());
// A function that fails cannot say so without a reason, which would be a success without a value.
static_assert(!std::is_default_constructible_v<sdi::error> &&
              !std::is_default_constructible_v<sdi::result<sdi::bytes>> &&
              std::is_default_constructible_v<sdi::result<void>>);

// A bool is no result of a callback, and bytes that are const are nothing to write to.
static_assert(std::is_convertible_v<int, sdi::callback_result> &&
              !std::is_convertible_v<bool, sdi::callback_result>);
static_assert(std::is_convertible_v<std::string &, sdi::bytes_span> &&
              !std::is_convertible_v<const std::string &, sdi::bytes_span> &&
              std::is_convertible_v<const std::string &, sdi::bytes_view> &&
              std::is_convertible_v<sdi::bytes_span, sdi::bytes_view> &&
              !std::is_convertible_v<sdi::bytes_view, sdi::bytes_span> &&
              !std::is_convertible_v<std::vector<int>, sdi::bytes_view> &&
              std::is_convertible_v<std::vector<std::byte>, sdi::bytes_view>);
// `sink = !sink` and the like: an owner is a bool only where one asks.
static_assert(!std::is_convertible_v<sdi::key, bool> &&
              !std::is_convertible_v<sdi::result<void>, bool>);

template <class T> bool is_null(const sdi::result<T> &result) {
    return !result && result.code() == result_code::null && *result.error().text() != '\0';
}

void views() {
    const std::uint8_t array[] = {1, 2, 3, 4, 5};
    const sdi::bytes_view view(array);
    CHECK(view.size() == 5 && view.part(1, 2).size() == 2 && *view.part(1, 2).data() == 2);
    CHECK(view.part(4, 100).size() == 1 && view.part(5, 1).empty() && view.part(9, 9).empty());
    CHECK(view.part(1, SIZE_MAX).size() == 4 && view.end() - view.begin() == 5);
    CHECK(sdi::bytes_view().empty() && sdi::bytes_view().data() == nullptr);
    std::string secret = "secret";
    CHECK(sdi::bytes_view(secret).text() == "secret");
    sdi::wipe(secret);
    CHECK(secret == std::string(6, '\0'));
}

void numbers() {
    CHECK(sdi::number(sdi::kind::damaged) == SDI_KIND_DAMAGED);
    CHECK(std::strcmp(sdi::name(result_code::decrypt), "SDI_ERR_DECRYPT") == 0);
    CHECK(std::strcmp(sdi::name(sdi::kind::plain), "SDI_KIND_PLAIN") == 0);
    CHECK(std::strcmp(sdi::name(sdi::action::fetch), "SDI_ACT_FETCH") == 0);
    CHECK(std::strcmp(sdi::name(sdi::event::cancel), "SDI_EV_CANCEL") == 0);
    CHECK(std::strcmp(sdi::name(static_cast<sdi::action>(99)), "SDI_ACT_?") == 0);
    CHECK(std::strlen(sdi::text(result_code::ok)) > 0);
    CHECK(sdi::version_number() == SDI_VERSION_NUMBER && sdi::abi_version() == SDI_ABI_VERSION);
    CHECK(std::strlen(sdi::version()) >= 5);
    CHECK(sdi::has(sdi::feature::seal) && !sdi::has(sdi::feature::ml_kem));
}

void detection(const fixture &f) {
    const sdi::bytes file = f.file();
    using flag = sdi::detect_flag;
    CHECK(sdi::detect(nullptr, file, flag::at_end) == sdi::kind::enveloped);
    CHECK(sdi::detect("x", file.view().part(0, 4)) == sdi::kind::need_more);
    CHECK(sdi::detect("x", f.plain, flag::at_end) == sdi::kind::plain);
    CHECK(sdi::detect("x.enc", f.plain, flag::at_end) == sdi::kind::damaged);
    CHECK(sdi::detect("x", f.plain, flag::at_end | flag::expect_encrypted) == sdi::kind::damaged);
    CHECK(sdi::detect(nullptr, {}, flag::at_end) == sdi::kind::empty);
}

// Calls on what is empty are answered, by every type.
void empty(const fixture &f) {
    sdi::key key;
    sdi::cert cert;
    sdi::keyring ring;
    sdi::opener opener;
    sdi::sealer sealer;
    sdi::install install;
    sdi::bytes bytes;
    CHECK(!key && !cert && !ring && !opener && !sealer && !install && !bytes);
    CHECK(bytes.data() == nullptr && bytes.size() == 0 && bytes.view().empty());
    CHECK(is_null(key.export_pem()) && is_null(key.public_der()) && is_null(key.spki_sha256()));
    CHECK(is_null(cert.pem()) && is_null(cert.der()) && is_null(cert.spki_sha256()));
    CHECK(is_null(sdi::cert::self_sign(key, "SN1", 0)) && is_null(sdi::csr(key, "SN1")));
    CHECK(is_null(sdi::cert::self_sign(f.key, nullptr, 0)));
    CHECK(is_null(ring.set_vendor(f.key)) && is_null(ring.set_vendor(f.cert, f.key)));
    CHECK(is_null(ring.set_operator(f.key, sdi::operator_mode::prefer)));
    CHECK(is_null(ring.set_operator_missing()) && is_null(ring.remove_operator()));
    CHECK(is_null(ring.require_authenticated(true)) && is_null(ring.set_max_file(1)));
    CHECK(is_null(ring.set_max_key_ops(1)) && is_null(sdi::open(ring, f.file())));
    CHECK(is_null(sdi::opener::create(ring)));
    CHECK(is_null(sdi::opener::create(ring, [](sdi::bytes_view) { return 0; })));
    CHECK(is_null(opener.set_max_file(1)) && is_null(opener.require_authenticated(true)));
    CHECK(is_null(opener.hold(1)) && is_null(opener.update(f.plain)) && is_null(opener.finish()));
    CHECK(is_null(opener.used()) && opener.get() == nullptr);
    CHECK(is_null(sdi::seal(cert, sdi::profile::auto_, sdi::form::pem, f.plain)));
    CHECK(is_null(sealer.set_length(1)) && is_null(sealer.update(f.plain)) &&
          is_null(sealer.finish()) && sealer.get() == nullptr);
    CHECK(is_null(install.set_encrypted_only(true)) && is_null(install.set_parse_first(true)));
    CHECK(is_null(install.set_abort_on_failure(true)) && is_null(install.set_retry(1, 1, 1)));
    CHECK(is_null(install.set_max_attempts(1)) && is_null(install.set_jitter(1, f.plain)));
    CHECK(is_null(install.set_start_spread(1)) && is_null(install.poll(0)) &&
          is_null(install.handle(0, sdi::event::cancel)) && is_null(install.poke(0)));
    CHECK(is_null(install.save(0)) && is_null(install.outcome()) && install.attempts() == 0);
    CHECK(install.restore(0, f.plain).code() == result_code::null);
}

// What was moved from is empty, and what was moved to is whole. Moving to itself does no harm.
void moves() {
    fixture f;
    sdi::key key = std::move(f.key);
    CHECK(key && !f.key && is_null(f.key.export_pem()));
    sdi::key &same = key;
    key = std::move(same);
    CHECK(key && key.export_pem());
    f.key = std::move(key);
    CHECK(f.key && !key && f.works());

    sdi::bytes file = f.file(), other = f.file();
    other = std::move(file);
    CHECK(file.size() == 0 && other.size() > 0 && sdi::open(f.ring, other));

    std::string out;
    sdi::opener opener = must(sdi::opener::create(f.ring, [&](sdi::bytes_view bytes) {
        out += bytes.text();
        return 0;
    }));
    must(opener.update(other.view().part(0, 500)));
    sdi::opener moved = std::move(opener);
    CHECK(moved && !opener && is_null(opener.update(other)) && is_null(opener.finish()));
    must(moved.update(other.view().part(500, other.size())));
    must(moved.finish());
    CHECK(out == f.plain && must(moved.used()).owner == sdi::identity::vendor);
    CHECK(must(moved.used()).is_authenticated);

    // A handle goes to C, and comes back.
    sdi_key *from_c = f.key.release();
    CHECK(from_c != nullptr && !f.key);
    f.key = sdi::key(from_c);
    CHECK(f.key.get() == from_c && f.works());
}

// An empty certificate or key is an error, and never one that is left out.
void nothing_is_left_out_by_accident() {
    fixture f;
    sdi::cert cert;
    sdi::key key;
    CHECK(is_null(f.ring.set_vendor(key)) && is_null(f.ring.set_vendor(cert, f.key)));
    CHECK(is_null(f.ring.set_vendor(f.cert, key)));
    for (auto mode : {sdi::operator_mode::prefer, sdi::operator_mode::replace}) {
        CHECK(is_null(f.ring.set_operator(key, mode)));
        CHECK(is_null(f.ring.set_operator(cert, key, mode)));
        CHECK(is_null(f.ring.set_operator(f.cert, key, mode)));
        CHECK(is_null(f.ring.set_operator(cert, f.key, mode)));
    }
    CHECK(f.works());
}

void identities(const fixture &f) {
    const sdi::bytes pem = must(f.key.export_pem());
    const sdi::key again = must(sdi::key::parse(pem));
    CHECK(must(again.public_der()).view().text() == must(f.key.public_der()).view().text());
    CHECK(must(again.spki_sha256()) == must(f.key.spki_sha256()));
    CHECK(must(f.cert.spki_sha256()) == must(f.key.spki_sha256()));
    CHECK(must(sdi::cert::parse(must(f.cert.pem()))).spki_sha256().value() ==
          must(f.cert.spki_sha256()));
    CHECK(must(f.cert.der()).size() > 100);
    CHECK(must(sdi::csr(f.key, "SN1")).view().text().find("CERTIFICATE REQUEST") != std::string::npos);
    CHECK(sdi::csr(f.key, "../SN1").code() == result_code::argument);
    const sdi::cert wrapped = must(sdi::cert::wrap(must(f.key.public_der()), "SN1", 0));
    CHECK(must(wrapped.spki_sha256()) == must(f.key.spki_sha256()));
    CHECK(sdi::key::parse(f.plain).code() == result_code::key);
    CHECK(!sdi::cert::parse(std::string_view()));
}

void rings() {
    fixture vendor, own;
    sdi::keyring &ring = vendor.ring;
    CHECK(ring.set_vendor(own.cert, vendor.key).code() == result_code::key);
    must(ring.set_vendor(vendor.key));
    CHECK(vendor.works());
    must(ring.set_vendor(vendor.cert, vendor.key));
    must(ring.set_operator(own.key, sdi::operator_mode::prefer));
    must(ring.set_operator(own.cert, own.key, sdi::operator_mode::prefer));
    CHECK(vendor.works() && sdi::open(ring, own.file()));
    must(ring.remove_operator());
    CHECK(sdi::open(ring, own.file()).code() == result_code::not_for_this_device);
    must(ring.set_max_file(10));
    CHECK(sdi::open(ring, vendor.file()).code() == result_code::limit);
    must(ring.set_max_file(1 << 20));
    must(ring.set_max_key_ops(64));
    must(ring.require_authenticated(true));
    CHECK(vendor.works());
    const auto cbc = must(sdi::seal(vendor.cert, sdi::profile::rfc8886, sdi::form::der, own.plain));
    CHECK(sdi::open(ring, cbc).code() == result_code::policy);
    must(ring.require_authenticated(false));
    CHECK(sdi::open(ring, cbc));
    must(ring.set_operator(own.key, sdi::operator_mode::replace));
    CHECK(ring.remove_operator().code() == result_code::state);
    CHECK(!sdi::open(ring, vendor.file()) && sdi::open(ring, own.file()));
    must(ring.set_operator_missing());
    CHECK(!sdi::open(ring, vendor.file()) && !sdi::open(ring, own.file()));
}

// One file for several devices, from a vector, an array and C's own pair.
void several() {
    std::vector<fixture> devices(3);
    std::vector<sdi::cert> certs;
    for (fixture &device : devices) {
        certs.push_back(std::move(device.cert));
    }
    const sdi::certs_view views[] = {certs, {certs.data(), certs.size()}};
    for (const sdi::certs_view to : views) {
        const auto file = must(sdi::seal(to, sdi::profile::auto_, sdi::form::smime, devices[0].plain));
        for (const fixture &device : devices) {
            CHECK(copy(must(sdi::open(device.ring, file))) == devices[0].plain);
        }
        CHECK(must(sdi::inspect(file)).view().text().find("\"encoding\":\"smime\"") !=
              std::string_view::npos);
    }
    const auto nobody = sdi::seal({certs.data(), 0}, sdi::profile::auto_, sdi::form::pem, {});
    CHECK(nobody.code() == result_code::argument);
    certs[1] = sdi::cert();
    CHECK(is_null(sdi::seal(certs, sdi::profile::auto_, sdi::form::pem, devices[0].plain)));
    CHECK(sdi::inspect(devices[0].plain).code() == result_code::not_encrypted);
}

// An error outlives its result, says the same after a move, and can be one of C.
void errors(const fixture &f) {
    auto failed = sdi::open(f.ring, f.plain);
    CHECK(!failed && failed.error().vendor_code() == 0);
    const std::string text = failed.error().text();
    sdi::error taken = std::move(failed).error();
    CHECK(taken.code() == result_code::not_encrypted && taken.text() == text);
    CHECK(failed.code() == result_code::not_encrypted && *failed.error().text() != '\0');
    const sdi::result<void> fine;
    CHECK(fine.error().code() == result_code::ok && fine.error().vendor_code() == 0);
    sdi_error *from_c = nullptr;
    sdi_bytes *plain = nullptr;
    const sdi_result r = sdi_open(f.ring.get(), nullptr, 0, &plain, &from_c);
    const sdi::error of_c(r, from_c);
    CHECK(r != SDI_OK && sdi::number(of_c.code()) == r && *of_c.text() != '\0');
    // With memory short there may be no detail.
    CHECK(std::strcmp(sdi::error(SDI_ERR_MEMORY).text(), sdi::text(result_code::memory)) == 0);
    const sdi::result<sdi::bytes> right = sdi::open(f.ring, f.file());
    CHECK(right && right.code() == result_code::ok && right->size() == f.plain.size());
    CHECK((*right).size() == right.value().size());
}

} // namespace

int main(int argc, char **) {
    const fixture f;
    if (argc > 1) {
        const auto failed = sdi::open(f.ring, f.plain);
        return static_cast<int>(failed->size());
    }
    views();
    numbers();
    detection(f);
    empty(f);
    moves();
    nothing_is_left_out_by_accident();
    identities(f);
    rings();
    several();
    errors(f);
    CHECK(f.works());
    return 0;
}
