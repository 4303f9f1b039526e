// SPDX-License-Identifier: MIT
#include "base/folder_watch.h"

#include "support/temporary_folder.h"

#include <doctest/doctest.h>
#include <fstream>
#include <poll.h>

using namespace v4l2dma;

namespace {

bool has_news(const FolderWatch& watch) {
    pollfd entry{.fd = watch.fd(), .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, 0) == 1;
}

} // namespace

TEST_CASE("a folder tells what came, until that was taken note of") {
    const testing::TemporaryFolder folder;
    const Result<FolderWatch> watch = FolderWatch::create(folder.file("."));
    REQUIRE(watch);
    CHECK_FALSE(has_news(*watch));
    std::ofstream(folder.file("video0"));
    CHECK(has_news(*watch));
    watch->drain();
    CHECK_FALSE(has_news(*watch));
}

TEST_CASE("a folder that is not there is named") {
    const Result<FolderWatch> watch = FolderWatch::create("/nonexistent/folder");
    REQUIRE_FALSE(watch);
    CHECK(watch.error().object == "/nonexistent/folder");
    CHECK(watch.error().code == ENOENT);
}
