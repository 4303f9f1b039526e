// SPDX-License-Identifier: MIT
#include "flow/snapshot.h"

#include "support/frames.h"
#include "support/temporary_folder.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <vector>

using namespace v4l2dma;
using testing::read_file;
using testing::TemporaryFolder;

namespace {

struct Grey {
    Grey() {
        format.fourcc = FourCC("GREY");
        format.width = 8;
        format.height = 4;
        format.planes[0] = {.bytesperline = 8, .sizeimage = 32};
    }
    [[nodiscard]] Frame frame(std::uint32_t bytesused = 32) const {
        return {.format = &format, .metadata = testing::one_plane(bytesused), .memory = &place};
    }
    FrameFormat format{};
    std::vector<std::byte> memory = std::vector<std::byte>(32);
    BufferMemory place{.planes = {PlaneMemory{.bytes = memory}}};
};

} // namespace

TEST_CASE("the frame that was asked for becomes a PNG file, once") {
    const TemporaryFolder folder;
    Grey grey;
    Snapshot snapshot(folder.file("shot.png"), 2);
    for (int i = 0; i < 2; ++i) {
        REQUIRE(snapshot.observe(grey.frame()));
        CHECK_FALSE(snapshot.taken());
        CHECK(folder.count() == 0);
    }
    REQUIRE(snapshot.observe(grey.frame()));
    CHECK(snapshot.taken());
    const std::string png = read_file(folder.file("shot.png"));
    CHECK(png.starts_with("\x89PNG\r\n"));
    std::ranges::fill(grey.memory, std::byte{255});
    REQUIRE(snapshot.observe(grey.frame()));
    CHECK(read_file(folder.file("shot.png")) == png);
    CHECK(folder.count() == 1);
}

TEST_CASE("a short frame is an error and leaves no file") {
    const TemporaryFolder folder;
    const Grey grey;
    Snapshot snapshot(folder.file("shot.png"), 0);
    const Status status = snapshot.observe(grey.frame(31));
    REQUIRE_FALSE(status);
    CHECK(status.error().message().contains("too short"));
    CHECK_FALSE(snapshot.taken());
    CHECK(folder.count() == 0);
}

TEST_CASE("a folder that is missing is an error that names the file") {
    const TemporaryFolder folder;
    const Grey grey;
    Snapshot snapshot(folder.file("missing/shot.png"), 0);
    const Status status = snapshot.observe(grey.frame());
    REQUIRE_FALSE(status);
    CHECK(status.error().kind == ErrorKind::system);
    CHECK(status.error().object == folder.file("missing/shot.png"));
}
