// SPDX-License-Identifier: MIT
#include "base/event_loop.h"

#include "support/fake_system.h"

#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <sys/eventfd.h>

using namespace v4l2dma;
using namespace std::chrono_literals;
using testing::FakeSystem;

namespace {

UniqueFd make_event(unsigned count = 0) {
    return UniqueFd(::eventfd(count, EFD_NONBLOCK | EFD_CLOEXEC));
}

std::uint32_t key_of(const epoll_event& event) {
    return event.data.u32; // epoll_event is packed: no reference to it
}

} // namespace

TEST_CASE("what is ready is reported with its key, until it is removed") {
    const UniqueFd quiet = make_event();
    const UniqueFd loud = make_event(1);
    Result<EventLoop> loop = EventLoop::create();
    REQUIRE(loop);
    REQUIRE(loop->add(quiet.get(), EPOLLIN, 3));
    REQUIRE(loop->add(loud.get(), EPOLLIN, 4));
    std::array<epoll_event, 4> events{};
    REQUIRE(loop->wait(events, 0us) == 1);
    CHECK(key_of(events[0]) == 4);
    CHECK((events[0].events & EPOLLIN) != 0);
    CHECK(loop->wait(events, 0us) == 1); // level: it still holds

    REQUIRE(loop->modify(loud.get(), 0, 4));
    CHECK(loop->wait(events, 0us) == 0);
    REQUIRE(loop->modify(loud.get(), EPOLLIN, 5));
    CHECK(loop->wait(events, std::nullopt) == 1);
    CHECK(key_of(events[0]) == 5);
    loop->remove(loud.get());
    loop->remove(loud.get()); // gone is gone
    CHECK(loop->wait(events, 0us) == 0);
}

TEST_CASE("an edge is reported once") {
    const UniqueFd event = make_event(1);
    Result<EventLoop> loop = EventLoop::create();
    REQUIRE(loop);
    REQUIRE(loop->add(event.get(), EPOLLIN, 1, EventLoop::Trigger::edge));
    std::array<epoll_event, 1> events{};
    CHECK(loop->wait(events, 0us) == 1);
    CHECK(loop->wait(events, 0us) == 0);
    REQUIRE(::eventfd_write(event.get(), 1) == 0);
    CHECK(loop->wait(events, 0us) == 1);
}

TEST_CASE("no more events than there is room for") {
    const UniqueFd first = make_event(1);
    const UniqueFd second = make_event(1);
    Result<EventLoop> loop = EventLoop::create();
    REQUIRE(loop);
    REQUIRE(loop->add(first.get(), EPOLLIN, 1));
    REQUIRE(loop->add(second.get(), EPOLLIN, 2));
    std::array<epoll_event, 1> events{};
    CHECK(loop->wait(events, 0us) == 1);
}

TEST_CASE("timeouts are rounded up and never negative") {
    FakeSystem system;
    Result<EventLoop> loop = EventLoop::create(system);
    REQUIRE(loop);
    std::array<epoll_event, 1> events{};
    struct {
        std::chrono::microseconds asked;
        int given;
    } const cases[] = {{0us, 0},    {1us, 1}, {1000us, 1},
                       {1001us, 2}, {-5s, 0}, {std::chrono::microseconds::max(), INT_MAX}};
    for (const auto& [asked, given] : cases) {
        CHECK(loop->wait(events, asked) == 0);
        CHECK(system.last_timeout_ms == given);
    }
}

TEST_CASE("the loop's own calls can fail") {
    const UniqueFd event = make_event();
    FakeSystem system;
    Result<EventLoop> loop = EventLoop::create(system);
    REQUIRE(loop);
    for (const int code : {ENOMEM, EBADF, EEXIST, ENOSPC}) {
        system.fail("epoll_ctl", code);
        const Status status = loop->add(event.get(), EPOLLIN, 1);
        REQUIRE_FALSE(status);
        CHECK(status.error().operation == "epoll_ctl");
        CHECK(status.error().code == code);
        CHECK(status.error().kind == ErrorKind::system);
    }
    std::array<epoll_event, 1> events{};
    system.fail("epoll_wait", EBADF);
    const Result<std::size_t> waited = loop->wait(events, 0us);
    REQUIRE_FALSE(waited);
    CHECK(waited.error().operation == "epoll_wait");
    system.fail("epoll_wait", EINTR);
    CHECK(loop->wait(events, 0us) == 0); // as a timeout
}

TEST_CASE("signals come as an fd, and are counted") {
    sigset_t before;
    REQUIRE(::pthread_sigmask(SIG_SETMASK, nullptr, &before) == 0);
    {
        Result<StopSignals> created = StopSignals::create();
        REQUIRE(created);
        const StopSignals signals = std::move(*created);
        CHECK(signals.take() == 0);
        REQUIRE(::raise(SIGINT) == 0);
        REQUIRE(::raise(SIGTERM) == 0);
        Result<EventLoop> loop = EventLoop::create();
        REQUIRE(loop);
        REQUIRE(loop->add(signals.fd(), EPOLLIN, 7));
        std::array<epoll_event, 1> events{};
        CHECK(loop->wait(events, 0us) == 1);
        CHECK(signals.take() == 2);
        CHECK(loop->wait(events, 0us) == 0);
    }
    sigset_t after;
    REQUIRE(::pthread_sigmask(SIG_SETMASK, nullptr, &after) == 0);
    for (const int signal : {SIGINT, SIGTERM})
        CHECK(::sigismember(&before, signal) == ::sigismember(&after, signal));
}

TEST_CASE("signals that came too late to be taken kill nobody afterwards") {
    {
        const Result<StopSignals> signals = StopSignals::create();
        REQUIRE(signals);
        REQUIRE(::raise(SIGTERM) == 0);
        REQUIRE(::raise(SIGINT) == 0);
    }
    sigset_t pending;
    REQUIRE(::sigpending(&pending) == 0);
    for (const int signal : {SIGINT, SIGTERM})
        CHECK(::sigismember(&pending, signal) == 0);
}
