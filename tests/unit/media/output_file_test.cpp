// SPDX-License-Identifier: MIT
#include "media/output_file.h"

#include "media/output_files.h"
#include "support/pipe.h"
#include "support/temporary_folder.h"

#include <doctest/doctest.h>
#include <fstream>
#include <sys/stat.h>

using namespace v4l2dma;
using namespace v4l2dma::testing;

namespace {

std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
}

} // namespace

TEST_CASE("a file is written, and not over another one") {
    const TemporaryFolder folder;
    const std::string name = folder.file("a");
    {
        Result<OutputFile> file = OutputFile::open(name, {});
        REQUIRE(file);
        CHECK(file->seekable());
        CHECK(file->write(bytes("hello world")));
        CHECK(file->seek(0));
        CHECK(file->write(bytes("J")));
        CHECK(file->position() == 1);
        CHECK(file->size() == 11);
        CHECK(file->close());
    }
    CHECK(read_file(name) == "Jello world");
    const Result<OutputFile> again = OutputFile::open(name, {});
    REQUIRE(!again);
    CHECK(again.error().kind == ErrorKind::usage);
    CHECK(again.error().remedy.contains("--force"));
    CHECK(OutputFile::check(name, false).error().kind == ErrorKind::usage);
    CHECK(OutputFile::check(name, true));
    CHECK(OutputFile::open(name, {.force = true}));
    CHECK(read_file(name).empty());
}

TEST_CASE("a file that was created for nothing goes again, and no other") {
    const TemporaryFolder folder;
    OutputFile::open(folder.file("new"), {})->discard();
    CHECK(folder.count() == 0);
    std::ofstream(folder.file("old")) << "x";
    OutputFile::open(folder.file("old"), {.force = true})->discard();
    CHECK(folder.count() == 1);
}

TEST_CASE("the first error is kept") {
    Result<OutputFile> file = OutputFile::open("/dev/full", {});
    REQUIRE(file);
    CHECK(!file->seekable());
    const Status status = file->write(bytes("x"));
    REQUIRE(!status);
    CHECK(status.error().code == ENOSPC);
    REQUIRE(file->failure());
    CHECK(file->failure()->object == "/dev/full");
}

TEST_CASE("a pipe that nobody empties is given up when it is time to hurry") {
    const TemporaryFolder folder;
    const std::string name = folder.file("pipe");
    REQUIRE(::mkfifo(name.c_str(), 0600) == 0);
    CHECK(OutputFile::open(name, {}).error().code == ENXIO);
    const UniqueFd reader(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    Urgency urgency = std::move(*Urgency::create());
    urgency.hurry();
    Result<OutputFile> file = OutputFile::open(name, {.urgency = &urgency});
    REQUIRE(file);
    const std::string much(1 << 20, 'x');
    Status status = file->write(bytes(much));
    REQUIRE(!status);
    CHECK(status.error().code == ETIMEDOUT);
    urgency.give_up();
    CHECK(file->write(bytes(much)).error().code == ETIMEDOUT);
    urgency.reset();
    CHECK(!urgency.hurried());
    CHECK(!urgency.given_up());
}

TEST_CASE("numbered files that exist are found at the start, and later ones are no usage error") {
    const TemporaryFolder folder;
    const Result<ExportTarget> target = resolve_export_target(folder.file("a%02d.png"), {});
    REQUIRE(target);
    CHECK(expected_files(*target, {.frames = 3}) == 3);
    CHECK(expected_files(*target, {}) == 1000);
    const Result<ExportTarget> parts = resolve_export_target(folder.file("p%d.mkv"), {.segment = 2});
    REQUIRE(parts);
    CHECK(expected_files(*parts, {.segment = 2, .duration = 5}) == 3);
    CHECK(expected_files(*parts, {}) == 1);
    std::ofstream(folder.file("a02.png")) << "x";
    CHECK(OutputFiles::create(*target, {}, 3).error().kind == ErrorKind::usage);
    CHECK(OutputFiles::create(*target, {.force = true}, 3));
    Result<OutputFiles> files = OutputFiles::create(*target, {}, 2);
    REQUIRE(files);
    CHECK(files->next());
    files->skip();
    CHECK(files->check_next().error().kind == ErrorKind::system);
    CHECK(files->next().error().kind == ErrorKind::system);
}

TEST_CASE("files come when they are wanted, one by one") {
    const TemporaryFolder folder;
    const Result<ExportTarget> target = resolve_export_target(folder.file("a%d.raw"), {});
    REQUIRE(target);
    Result<OutputFiles> files = OutputFiles::create(*target, {});
    REQUIRE(files);
    CHECK(folder.count() == 0);
    CHECK(files->next()->name().ends_with("a0.raw"));
    CHECK(files->check_more());
    CHECK(files->next()->name().ends_with("a1.raw"));
    CHECK(folder.count() == 2);

    const Result<ExportTarget> single = resolve_export_target(folder.file("b.raw"), {});
    Result<OutputFiles> one = OutputFiles::create(*single, {});
    REQUIRE(one);
    CHECK(one->next());
    CHECK_FALSE(one->check_more());
    CHECK(!one->next());
    CHECK(OutputFiles::create(*single, {}).error().kind == ErrorKind::usage);
}
