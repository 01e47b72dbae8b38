// The loop of the examples, with a network and a clock that the test moves: a device on a site where
// nothing works at first.
#define AUTOINSTALL_LOOP_WITHOUT_MAIN
#include "../../../bindings/cpp/examples/autoinstall_loop.cpp"
#include "check.hpp"

namespace {

class site final : public host {
public:
    const fixture &right, &wrong;
    std::uint64_t now = 1000;
    int fetches = 0, naps = 0, checks = 0, installs = 0;
    int stop_at = 0; // the nap that does not end
    std::string state;

    site(const fixture &own, const fixture &other) : right(own), wrong(other) {}

    std::uint64_t now_ms() override { return now; }

    bool sleep_until(std::uint64_t ms) override {
        CHECK(ms > now && ms - now <= 66 * 60 * 1000);
        now = ++naps == stop_at ? now : ms;
        return naps != stop_at;
    }

    std::optional<file> fetch() override {
        switch (++fetches) {
        case 1:
            return std::nullopt; // no network yet
        case 2:
            return file{"SN19842256.enc", ""};
        case 3:
            return file{"SN19842256.enc", "<html>"}; // a login page of somebody's proxy
        case 4: {
            std::string half = copy(right.file());
            half.resize(half.size() / 2);
            return file{"SN19842256.enc", half};
        }
        case 5:
            return file{"SN19842256.enc", copy(wrong.file())};
        default:
            return file{"SN19842256.enc", copy(right.file())};
        }
    }

    bool check(sdi::bytes_view config) override {
        CHECK(config.text() == right.plain);
        return ++checks != 1; // the operator's first configuration has a mistake
    }

    bool install(sdi::bytes_view config) override {
        CHECK(config.text() == right.plain);
        installs++;
        return true;
    }

    std::optional<std::string> load_state() override {
        return state.empty() ? std::nullopt : std::optional(state);
    }

    bool save_state(sdi::bytes_view saved) override {
        state = copy(saved);
        return true;
    }
};

} // namespace

int main() {
    const fixture right, wrong;
    site s(right, wrong);
    s.stop_at = 3;
    CHECK(must(device(s, right.ring).run("SN19842256")) == sdi::action::aborted);
    CHECK(s.fetches == 3 && s.naps == 3 && s.installs == 0 && s.state.size() == 64);

    // The power comes back: one attempt at once, and then the schedule goes on.
    s.now = 7;
    s.stop_at = 0;
    CHECK(must(device(s, right.ring).run("SN19842256")) == sdi::action::done);
    CHECK(s.fetches == 7 && s.checks == 2 && s.installs == 1 && s.naps == 6);

    // A state that is none is no obstacle.
    s.state.assign(64, '\xee');
    CHECK(must(device(s, right.ring).run("SN19842256")) == sdi::action::done);
    CHECK(s.fetches == 8 && s.installs == 2 && s.naps == 6);
    return 0;
}
