// The whole of auto-install (RFC 8886, figure 3): autoinstall_loop KEY CERTIFICATE DEVICE-ID FILE
//
// FILE stands for what your DHCP and TFTP or HTTP client fetches: put your own fetch into a host. The
// configuration is installed as DEVICE-ID.conf and the schedule kept in DEVICE-ID.state, in the current
// directory.
#include "read_file.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

// What your firmware brings.
class host {
public:
    struct file {
        std::string name, bytes;
    };

    virtual ~host() = default;
    virtual std::uint64_t now_ms() = 0;               // a clock that does not jump
    virtual bool sleep_until(std::uint64_t ms) = 0;   // false cancels auto-install
    virtual std::optional<file> fetch() = 0;          // from the beginning: DHCP, then the server
    virtual bool check(sdi::bytes_view config) = 0;
    virtual bool install(sdi::bytes_view config) = 0;
    virtual std::optional<std::string> load_state() = 0;
    virtual bool save_state(sdi::bytes_view state) = 0;
};

// One device, and the file of the attempt that is running.
class device {
public:
    device(host &with, const sdi::keyring &ring) : host_(with), ring_(ring) {}
    ~device() { forget(); }
    device(const device &) = delete;
    device &operator=(const device &) = delete;

    // Until a configuration is installed, or auto-install was given up.
    sdi::result<sdi::action> run(std::string_view device_id) {
        auto machine = start(device_id);
        if (!machine) {
            return std::move(machine).error();
        }
        for (;;) {
            auto next = machine->poll(host_.now_ms());
            if (!next) {
                return std::move(next).error();
            }
            if (next->what == sdi::action::done || next->what == sdi::action::aborted) {
                return next->what;
            }
            sdi::answer how = sdi::event::cancel;
            if (next->what != sdi::action::wait) {
                how = obey(next->what);
            } else if (wait(*machine, next->until_ms)) {
                continue;
            }
            std::fprintf(stderr, "attempt %u: %s: %s\n", static_cast<unsigned>(machine->attempts()),
                         sdi::name(next->what), sdi::name(how.what));
            if (auto taken = machine->handle(host_.now_ms(), how); !taken) {
                return std::move(taken).error();
            }
        }
    }

private:
    sdi::result<sdi::install> start(std::string_view device_id) {
        const std::uint64_t now = host_.now_ms();
        auto machine = sdi::install::create(now);
        if (!machine) {
            return machine;
        }
        // Every device waits a little differently, or a whole site comes back in the same second.
        if (auto set = machine->set_jitter(100, device_id); !set) {
            return std::move(set).error();
        }
        // After a reboot the schedule goes on where it was, but first there is one attempt now. A state
        // that is none starts anew; one that has ended refuses the poke, and the loop sees it.
        const auto state = host_.load_state();
        if (state && machine->restore(now, *state)) {
            (void)machine->poke(now);
        }
        return machine;
    }

    // Does what the machine orders, and says how it went.
    sdi::answer obey(sdi::action order) {
        using sdi::action;
        using sdi::event;
        const bool is_raw = order == action::check_raw || order == action::install_raw;
        const sdi::bytes_view config = is_raw ? sdi::bytes_view(file_.bytes) : plain_.view();

        switch (order) {
        case action::fetch:
            return fetch();
        case action::decrypt:
            return decrypt();
        case action::check:
        case action::check_raw:
            return host_.check(config) ? event::checked : event::check_failed;
        case action::install:
        case action::install_raw:
            return host_.install(config) ? event::installed : event::install_failed;
        default:
            return event::cancel; // an order of a newer library
        }
    }

    bool wait(const sdi::install &machine, std::uint64_t until_ms) {
        forget();
        const auto state = machine.save(host_.now_ms());
        if (!state || !host_.save_state(*state)) {
            std::fprintf(stderr, "the schedule was not saved\n");
        }
        return host_.sleep_until(until_ms);
    }

    sdi::answer fetch() {
        forget();
        auto fetched = host_.fetch();
        if (!fetched) {
            return sdi::event::fetch_failed;
        }
        file_ = std::move(*fetched);
        const sdi::kind kind =
            sdi::detect(file_.name.c_str(), file_.bytes, sdi::detect_flag::at_end);
        std::fprintf(stderr, "fetched %zu bytes: %s\n", file_.bytes.size(), sdi::name(kind));
        return sdi::answer::fetched(kind);
    }

    sdi::answer decrypt() {
        auto opened = sdi::open(ring_, file_.bytes);
        if (!opened) {
            std::fprintf(stderr, "%s: %s\n", sdi::name(opened.code()), opened.error().text());
            return sdi::answer::decrypt_failed(opened.code());
        }
        plain_ = *std::move(opened);
        return sdi::event::decrypted;
    }

    // A fetched file may be a plain configuration.
    void forget() {
        plain_ = sdi::bytes();
        sdi::wipe(file_.bytes);
        file_ = {};
    }

    host &host_;
    const sdi::keyring &ring_;
    host::file file_;
    sdi::bytes plain_;
};

#ifndef AUTOINSTALL_LOOP_WITHOUT_MAIN

namespace {

// A host for a try: the clock of the system, and files in place of a network.
class demo final : public host {
public:
    demo(const char *device_id, const char *path) : id_(device_id), path_(path) {}

    std::uint64_t now_ms() override {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now);
        return static_cast<std::uint64_t>(ms.count());
    }

    bool sleep_until(std::uint64_t ms) override {
        const std::uint64_t now = now_ms();
        std::this_thread::sleep_for(std::chrono::milliseconds(std::max(ms, now) - now));
        return true;
    }

    std::optional<file> fetch() override {
        auto bytes = read_file(path_.c_str());
        return bytes ? std::optional(file{path_, std::move(*bytes)}) : std::nullopt;
    }

    // A real device asks its parser. Decryption alone proves little: CBC has no authenticity.
    bool check(sdi::bytes_view config) override {
        const std::string_view text = config.text();
        return !text.empty() && text.back() == '\n' && text.find('\0') == std::string_view::npos;
    }

    bool install(sdi::bytes_view config) override { return write_file(".conf", config); }
    std::optional<std::string> load_state() override { return read_file((id_ + ".state").c_str()); }
    bool save_state(sdi::bytes_view state) override { return write_file(".state", state); }

private:
    // See examples/c/stream_to_disk.c for the care that a real device takes.
    bool write_file(const char *ending, sdi::bytes_view bytes) {
        const std::string path = id_ + ending, staged = path + ".part";
        std::FILE *out = std::fopen(staged.c_str(), "wb");
        if (out == nullptr) {
            return false;
        }
        bool is_written = std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size();
        is_written = std::fclose(out) == 0 && is_written;
        return is_written && std::rename(staged.c_str(), path.c_str()) == 0;
    }

    std::string id_, path_;
};

int failed(const sdi::error &why) {
    std::fprintf(stderr, "autoinstall_loop: %s: %s\n", sdi::name(why.code()), why.text());
    return EXIT_FAILURE;
}

} // namespace

int main(int argc, char **argv) {
    auto key_file = argc == 5 ? read_file(argv[1]) : std::nullopt;
    const auto cert_file = argc == 5 ? read_file(argv[2]) : std::nullopt;
    if (!key_file || !cert_file) {
        std::fprintf(stderr, "usage: autoinstall_loop KEY CERTIFICATE DEVICE-ID FILE\n");
        return EXIT_FAILURE;
    }
    const auto key = sdi::key::parse(*key_file);
    sdi::wipe(*key_file);
    if (!key) {
        return failed(key.error());
    }
    const auto cert = sdi::cert::parse(*cert_file);
    if (!cert) {
        return failed(cert.error());
    }
    auto ring = sdi::keyring::create();
    if (!ring) {
        return failed(ring.error());
    }
    if (const auto set = ring->set_vendor(*cert, *key); !set) {
        return failed(set.error());
    }
    demo here(argv[3], argv[4]);
    const auto end = device(here, *ring).run(argv[3]);
    if (!end) {
        return failed(end.error());
    }
    return *end == sdi::action::done ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
