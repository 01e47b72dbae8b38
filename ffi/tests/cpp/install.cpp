// Auto-install: every call of it, and two timelines.
#include "check.hpp"

namespace {

using sdi::action;
using sdi::answer;
using sdi::event;

constexpr std::uint64_t minute = 60 * 1000;

bool orders(sdi::install &machine, std::uint64_t now, action expected) {
    return must(machine.poll(now)).what == expected;
}

void goes_its_way() {
    auto machine = must(sdi::install::create(1000));
    CHECK(machine.outcome().code() == result_code::state && machine.attempts() == 0);
    CHECK(orders(machine, 1000, action::fetch) && orders(machine, 1000, action::fetch));
    // A wrong event changes nothing.
    CHECK(machine.handle(1000, event::installed).code() == result_code::state);
    CHECK(machine.handle(1000, static_cast<event>(99)).code() == result_code::argument);
    CHECK(machine.handle(1000, answer(event::fetched, 99)).code() == result_code::argument);
    must(machine.handle(1000, event::fetch_failed));
    const sdi::order wait = must(machine.poll(2000));
    CHECK(wait.what == action::wait && wait.until_ms == 1000 + 5 * minute);
    CHECK(must(machine.outcome()).what == event::fetch_failed && machine.attempts() == 1);
    must(machine.poke(3000));
    CHECK(orders(machine, 3000, action::fetch));
    must(machine.handle(3000, answer::fetched(sdi::kind::enveloped)));
    CHECK(orders(machine, 3000, action::decrypt));
    must(machine.handle(3000, answer::decrypt_failed(result_code::decrypt)));
    CHECK(must(machine.outcome()).what == event::decrypt_failed);
    CHECK(must(machine.outcome()).arg == SDI_ERR_DECRYPT);
    std::uint64_t now = must(machine.poll(4000)).until_ms;
    CHECK(orders(machine, now, action::fetch));
    must(machine.handle(now, answer::fetched(sdi::kind::enveloped)));
    for (auto [what, how] : {std::pair(action::decrypt, event::decrypted),
                             std::pair(action::check, event::checked),
                             std::pair(action::install, event::installed)}) {
        CHECK(orders(machine, now, what));
        must(machine.handle(now, how));
    }
    CHECK(orders(machine, now, action::done) && machine.attempts() == 3);
    CHECK(must(machine.outcome()).what == event::installed);
    CHECK(machine.poke(now).code() == result_code::state);
}

void settings() {
    auto machine = must(sdi::install::create(0));
    CHECK(machine.set_retry(0, 1, 1).code() == result_code::argument);
    must(machine.set_retry(10, 20, 30));
    must(machine.set_max_attempts(2));
    must(machine.set_abort_on_failure(false));
    CHECK(machine.set_jitter(501, std::string_view("SN1")).code() == result_code::argument);
    CHECK(orders(machine, 0, action::fetch));
    CHECK(machine.set_max_attempts(3).code() == result_code::state);
    must(machine.handle(0, event::fetch_failed));
    CHECK(must(machine.poll(1)).until_ms == 10 && orders(machine, 10, action::fetch));
    must(machine.handle(10, answer::fetched(sdi::kind::empty)));
    CHECK(orders(machine, 10, action::aborted));

    machine = must(sdi::install::create(0));
    must(machine.set_encrypted_only(true));
    CHECK(orders(machine, 0, action::fetch));
    must(machine.handle(0, answer::fetched(sdi::kind::plain)));
    CHECK(orders(machine, 0, action::aborted));

    machine = must(sdi::install::create(0));
    must(machine.set_parse_first(true));
    CHECK(orders(machine, 0, action::fetch));
    must(machine.handle(0, answer::fetched(sdi::kind::plain)));
    CHECK(orders(machine, 0, action::check_raw));
    must(machine.handle(0, event::checked));
    CHECK(orders(machine, 0, action::install_raw));

    machine = must(sdi::install::create(0));
    must(machine.set_abort_on_failure(true));
    CHECK(orders(machine, 0, action::fetch));
    must(machine.handle(0, event::fetch_failed));
    CHECK(orders(machine, 0, action::aborted));

    machine = must(sdi::install::create(0));
    must(machine.set_jitter(100, std::string_view("SN19842256")));
    must(machine.set_start_spread(minute));
    const sdi::order first = must(machine.poll(0));
    CHECK(first.what == action::wait && first.until_ms > 0 && first.until_ms <= minute);
    must(machine.handle(0, event::cancel));
    CHECK(orders(machine, 0, action::aborted));
}

void over_a_reboot() {
    auto machine = must(sdi::install::create(0));
    CHECK(orders(machine, 0, action::fetch));
    must(machine.handle(0, event::fetch_failed));
    const sdi::install::state saved = must(machine.save(minute));
    auto again = must(sdi::install::create(500));
    must(again.restore(500, saved));
    CHECK(again.restore(500, saved).code() == result_code::state);
    CHECK(must(again.poll(500)).until_ms == 500 + 4 * minute && again.attempts() == 1);
    sdi::install::state damaged = saved;
    damaged[20] ^= 1;
    machine = must(sdi::install::create(0));
    CHECK(machine.restore(0, damaged).code() == result_code::argument);
    must(machine.restore(0, saved));
    // A machine that was moved goes on.
    sdi::install moved = std::move(machine);
    CHECK(moved.attempts() == 1 && machine.attempts() == 0);
}

} // namespace

int main() {
    goes_its_way();
    settings();
    over_a_reboot();
    return 0;
}
