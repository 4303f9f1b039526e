// SPDX-License-Identifier: MIT
#include "base/write_bytes.h"

#include "support/pipe.h"

#include <array>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace v4l2dma;
using namespace std::chrono_literals;
using testing::Pipe;

namespace {

std::vector<std::byte> pattern(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
    return bytes;
}

std::vector<std::byte> read_to_end(int fd) {
    std::vector<std::byte> all;
    std::array<std::byte, 1000> some{};
    for (ssize_t size = 0; (size = ::read(fd, some.data(), some.size())) > 0;)
        all.insert(all.end(), some.begin(), some.begin() + size);
    return all;
}

constexpr std::size_t more_than_a_pipe = 1'000'000;

} // namespace

TEST_CASE("all bytes arrive, in order, at a file and through a pipe of either kind") {
    const std::vector<std::byte> bytes = pattern(more_than_a_pipe);
    const UniqueFd file{::memfd_create("written", MFD_CLOEXEC)};
    REQUIRE(write_bytes(file.get(), bytes, "file"));
    REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
    CHECK(read_to_end(file.get()) == bytes);

    for (const int flags : {0, O_NONBLOCK}) {
        Pipe pipe;
        REQUIRE(::fcntl(pipe.writer.get(), F_SETFL, flags) == 0);
        std::vector<std::byte> arrived;
        std::thread reader([&] { arrived = read_to_end(pipe.reader.get()); });
        const Status written = write_bytes(pipe.writer.get(), bytes, "pipe");
        pipe.writer.reset();
        reader.join();
        REQUIRE(written);
        CHECK(arrived == bytes);
    }
}

TEST_CASE("a pipe that nobody drains ends the patience, not the process") {
    const Pipe pipe;
    const std::vector<std::byte> bytes = pattern(more_than_a_pipe);
    const Status late = write_bytes(pipe.writer.get(), bytes, "the pipe", {.limit = 0ms});
    REQUIRE_FALSE(late);
    CHECK(late.error().code == ETIMEDOUT);
    CHECK(late.error().kind == ErrorKind::system);
    CHECK(late.error().message() ==
          "write the pipe: Connection timed out. Nobody reads what is written there");
}

TEST_CASE("who is told to stop does not wait without end") {
    const Pipe pipe;
    const UniqueFd stop{::eventfd(1, EFD_CLOEXEC)};
    const std::vector<std::byte> bytes = pattern(more_than_a_pipe);
    const WritePatience patience{.limit = {}, .stop_fd = stop.get(), .hurried = 1ms};
    const Status stopped = write_bytes(pipe.writer.get(), bytes, "the pipe", patience);
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == ETIMEDOUT);
}

TEST_CASE("who gives up writes nothing more, even where there is room") {
    const Pipe pipe;
    const UniqueFd give_up{::eventfd(1, EFD_CLOEXEC)};
    const Status status =
        write_bytes(pipe.writer.get(), pattern(100), "the pipe", {.limit = {}, .give_up_fd = give_up.get()});
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ETIMEDOUT);
    CHECK(status.error().remedy == "Who reads it took too long");
}

TEST_CASE("what has room is written, told to stop or not") {
    const Pipe pipe;
    const UniqueFd stop{::eventfd(1, EFD_CLOEXEC)};
    CHECK(write_bytes(pipe.writer.get(), pattern(100), "pipe",
                      {.limit = 0ms, .stop_fd = stop.get(), .hurried = 0ms}));
}

TEST_CASE("a full disk has room for its error") {
    const UniqueFd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    const Status status = write_bytes(full.get(), pattern(1), "/dev/full");
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ENOSPC);
}
