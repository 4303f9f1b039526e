// SPDX-License-Identifier: MIT
#include "cli/output_names.h"

#include "support/temporary_folder.h"

#include <doctest/doctest.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace v4l2dma;
using testing::TemporaryFolder;

namespace {

/// The sentence, empty if there is nothing to say.
std::string said(std::vector<std::string> outputs, const OutputUse& use = {}) {
    const Status status = check_output_names(outputs, use);
    return status ? "" : status.error().message();
}

} // namespace

TEST_CASE("an output is no other output, by whatever name") {
    const TemporaryFolder folder;
    const std::string a = folder.file("a.mkv");
    CHECK(said({a, folder.file("b.mkv")}).empty());
    const std::string another_way = folder.file("./a.mkv");
    for (const bool exists : {false, true}) {
        CAPTURE(exists);
        if (exists)
            std::ofstream(a) << "film";
        CHECK(said({a, a}).ends_with("it is an output twice"));
        CHECK(said({a, another_way}).ends_with("it is an output twice"));
        CHECK(said({"file://" + a, a}).ends_with("it is an output twice"));
    }
    REQUIRE(::link(a.c_str(), folder.file("link.mkv").c_str()) == 0);
    CHECK(said({a, folder.file("link.mkv")}).ends_with("it is an output twice"));
    const std::string pipe = folder.file("pipe");
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(said({pipe, pipe}).ends_with("it is an output twice"));
    CHECK(said({folder.file("c%03d.mkv"), folder.file("c001.mkv")}).ends_with("it is an output twice"));
    CHECK(said({folder.file("c001.mkv"), folder.file("c%03d.mkv")}).ends_with("it is an output twice"));
    CHECK(said({folder.file("c%03d.mkv"), folder.file("d001.mkv")}).empty());
    CHECK(said({folder.file("c%03d.mkv"), folder.file("c1.mkv")}).empty());
    CHECK(said({folder.file("c%03d.mkv"), folder.file("c%d.mkv")}).ends_with("it is an output twice"));
    CHECK(said({folder.file("c%d.mkv"), folder.file("c1%d.mkv")}).ends_with("it is an output twice"));
    CHECK(said({"/nowhere/a.mkv", "/elsewhere/a.mkv"}).empty());
    CHECK(said({"udp://127.0.0.1:1", "udp://127.0.0.1:2"}).empty());
    CHECK(said({"/dev/null", "/dev/null"}).empty());
}

TEST_CASE("standard output has one thing on it") {
    CHECK(said({"-"}).empty());
    CHECK(said({"-", "-"}).ends_with("two outputs both write to standard output"));
    CHECK(said({"-"}, {.json = true}).ends_with("--json and this both write to standard output"));
    CHECK(said({"a.mkv"}, {.json = true}).empty());
}

TEST_CASE("a film is not written over while it is read") {
    const TemporaryFolder folder;
    const std::string film = folder.file("film007.mkv");
    std::ofstream(film) << "film";
    for (const std::string& output : {film, "file://" + film, folder.file("./film007.mkv")}) {
        CAPTURE(output);
        CHECK(said({output}, {.input = film}).ends_with("both the input and the output"));
        CHECK(said({output}, {.input = "file://" + film}).ends_with("both the input and the output"));
    }
    const std::string numbered = folder.file("./film%03d.mkv");
    CHECK(said({numbered}, {.input = film, .force = true}).ends_with("both the input and the output"));
    CHECK(said({numbered}, {.input = film}).empty()); // it exists, and is not written over
    CHECK(said({numbered}, {.input = folder.file("film%03d.mkv"), .force = true})
              .ends_with("both the input and the output"));
    CHECK(said({folder.file("x%03d.mkv")}, {.input = film, .force = true}).empty());
    CHECK(said({"/dev/null"}, {.input = "/dev/null"}).empty());
}
