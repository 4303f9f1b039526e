// SPDX-License-Identifier: MIT
#include "cli/output.h"

#include "support/pipe.h"

#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace v4l2dma;

namespace {

std::string contents(int fd) {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::pread(fd, buffer.data(), buffer.size(), 0);
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

} // namespace

TEST_CASE("JSON keeps its order, is one line for streams, and survives invalid UTF-8") {
    const UniqueFd file{::memfd_create("output", MFD_CLOEXEC)};
    nlohmann::ordered_json json;
    json["z"] = 1;
    json["a"] = "\xff";
    REQUIRE(write_json_line(json, {}, file.get()));
    CHECK(contents(file.get()) == "{\"z\":1,\"a\":\"\xef\xbf\xbd\"}\n");
}

TEST_CASE("output that does not arrive is an error of the system") {
    const UniqueFd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    REQUIRE(full);
    const Status written = write_stdout("data\n", {}, full.get());
    REQUIRE_FALSE(written);
    CHECK(written.error().kind == ErrorKind::system);
    CHECK(written.error().code == ENOSPC);
    CHECK(written.error().message() == "write standard output: No space left on device");
}

TEST_CASE("a reader that went away is an error, not a signal") {
    auto* const before = std::signal(SIGPIPE, SIG_IGN);
    testing::Pipe pipe;
    pipe.reader.reset();
    const Status written = write_stdout("data\n", {}, pipe.writer.get());
    REQUIRE_FALSE(written);
    CHECK(written.error().code == EPIPE);
    std::signal(SIGPIPE, before);
}

TEST_CASE("names that others chose cannot control the terminal") {
    CHECK(printable("cam\x1b[31m\n") == "cam?[31m?");
    CHECK(printable("K\xc3\xbc"
                    "che") == "K\xc3\xbc"
                              "che");
}
