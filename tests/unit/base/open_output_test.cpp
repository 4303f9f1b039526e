// SPDX-License-Identifier: MIT
#include "base/open_output.h"

#include "support/temporary_folder.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

using namespace v4l2dma;
using testing::TemporaryFolder;

TEST_CASE("a file is created when that is asked for") {
    const TemporaryFolder folder;
    const Result<UniqueFd> missing = open_output(folder.file("log"), 0);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == ENOENT);
    CHECK(missing.error().kind == ErrorKind::system);
    CHECK(open_output(folder.file("log"), O_CREAT));
    CHECK(folder.count() == 1);
}

TEST_CASE("a pipe that nobody reads is an error that says so, and one that is read is opened") {
    const TemporaryFolder folder;
    const std::string path = folder.file("pipe");
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const Result<UniqueFd> alone = open_output(path, 0);
    REQUIRE_FALSE(alone);
    CHECK(alone.error().kind == ErrorKind::system);
    CHECK(alone.error().message() ==
          "open " + path + ": No such device or address. Start what reads this pipe first");
    const UniqueFd reader{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    REQUIRE(reader);
    CHECK(open_output(path, 0));
}
