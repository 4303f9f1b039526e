// SPDX-License-Identifier: MIT
#include "base/atomic_file.h"

#include "support/temporary_folder.h"

#include <csignal>
#include <cstring>
#include <doctest/doctest.h>
#include <string_view>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace v4l2dma;
using testing::read_file;
using testing::TemporaryFolder;

namespace {

std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
}

} // namespace

TEST_CASE("a file is written, and replaced as a whole") {
    const TemporaryFolder folder;
    const std::string path = folder.file("shot");
    REQUIRE(write_file_atomically(path, bytes("a long first content")));
    REQUIRE(write_file_atomically(path, bytes("second")));
    CHECK(read_file(path) == "second");
    REQUIRE(write_file_atomically(path, {}));
    CHECK(read_file(path).empty());
    CHECK(folder.count() == 1);
}

TEST_CASE("a new file has the mode that the umask leaves") {
    const TemporaryFolder folder;
    const mode_t before = ::umask(027);
    const Status status = write_file_atomically(folder.file("shot"), bytes("x"));
    ::umask(before);
    REQUIRE(status);
    struct stat found {};
    REQUIRE(::stat(folder.file("shot").c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0640);
}

TEST_CASE("a link is replaced, not followed") {
    const TemporaryFolder folder;
    REQUIRE(write_file_atomically(folder.file("target"), bytes("kept")));
    REQUIRE(::symlink(folder.file("target").c_str(), folder.file("link").c_str()) == 0);
    REQUIRE(write_file_atomically(folder.file("link"), bytes("new")));
    CHECK(read_file(folder.file("target")) == "kept");
    CHECK(read_file(folder.file("link")) == "new");
}

TEST_CASE("what is no regular file is written to, not replaced") {
    const TemporaryFolder folder;
    const std::string link = folder.file("link");
    REQUIRE(::symlink("/dev/null", link.c_str()) == 0);
    REQUIRE(write_file_atomically(link, bytes("gone")));
    CHECK(std::filesystem::read_symlink(link) == "/dev/null");
    CHECK(std::filesystem::is_character_file(link));
    CHECK(folder.count() == 1);
}

TEST_CASE("a full disk is an error, and leaves the old content and no other file") {
    const Status status = write_file_atomically("/dev/full", bytes("x"));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ENOSPC);

    const TemporaryFolder folder;
    const std::string path = folder.file("shot");
    REQUIRE(write_file_atomically(path, bytes("kept")));
    const std::vector<std::byte> large(1 << 16);
    Status limited;
    {
        // The nearest thing to a full disk without one: the write is short, the next one fails (EFBIG).
        rlimit before{};
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
        const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
        const auto handler = std::signal(SIGXFSZ, SIG_IGN);
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
        limited = write_file_atomically(path, large);
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
        std::signal(SIGXFSZ, handler);
    }
    REQUIRE_FALSE(limited);
    CHECK(limited.error().code == EFBIG);
    CHECK(limited.error().operation == "write");
    CHECK(read_file(path) == "kept");
    CHECK(folder.count() == 1);
}

TEST_CASE("what a killed writer of the same process number has left is passed over") {
    const TemporaryFolder folder;
    const std::string left = folder.file("shot") + "." + std::to_string(::getpid()) + ".0.tmp";
    REQUIRE(write_file_atomically(left, bytes("half")));
    REQUIRE(write_file_atomically(folder.file("shot"), bytes("whole")));
    CHECK(read_file(folder.file("shot")) == "whole");
    CHECK(read_file(left) == "half");
}

TEST_CASE("a file that cannot be written is a failed run, not a missing device") {
    const TemporaryFolder folder;
    const std::string lost = folder.file("missing/shot");
    const Status status = write_file_atomically(lost, bytes("x"));
    REQUIRE_FALSE(status);
    CHECK(status.error().kind == ErrorKind::system);
    CHECK(status.error().code == ENOENT);
    CHECK(status.error().object == lost);
    CHECK(folder.count() == 0);
}

TEST_CASE("nothing is left behind where the name is taken by a folder") {
    const TemporaryFolder folder;
    const std::string taken = folder.file("taken");
    REQUIRE(std::filesystem::create_directory(taken));
    const Status status = write_file_atomically(taken, bytes("x"));
    REQUIRE_FALSE(status);
    CHECK(status.error().operation == "rename");
    CHECK(status.error().object == taken);
    CHECK(folder.count() == 1);
}

TEST_CASE("whether a file can be written is known without touching it") {
    const TemporaryFolder folder;
    CHECK(check_writable(folder.file("new")));
    CHECK(check_writable("a-name-without-a-folder"));
    CHECK(folder.count() == 0);
    REQUIRE(write_file_atomically(folder.file("old"), bytes("kept")));
    CHECK(check_writable(folder.file("old")));
    CHECK(read_file(folder.file("old")) == "kept");
    CHECK(check_writable("/dev/null"));

    CHECK(check_writable(folder.file("")).error().code == EISDIR);
    CHECK(check_writable(folder.file("missing/new")).error().code == ENOENT);
    CHECK(check_writable(folder.file("old/new")).error().code == ENOTDIR);
    const Status status = check_writable(folder.file("missing/new"));
    CHECK(status.error().kind == ErrorKind::system);
    CHECK(status.error().message().contains("missing/new: No such file"));
}
