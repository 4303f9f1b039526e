// SPDX-License-Identifier: MIT
#include "flow/stamp_verifier.h"

#include "support/frames.h"
#include "support/test_frame.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using namespace v4l2dma::test;
using namespace std::chrono_literals;

namespace {

/// Shows pictures to a verifier.
class Viewer {
public:
    explicit Viewer(std::string_view fourcc = "NM12")
        : picture(fourcc, {.width = 160, .height = 120, .line_padding = 4}) {}

    void draw(const FrameStamp& stamp) {
        Result<Canvas> canvas = Canvas::create(picture.format(), picture.planes());
        REQUIRE(canvas);
        draw_stamp(*canvas, stamp);
    }
    /// Draws and shows; the time follows the number unless it is given.
    void show(std::uint64_t number, std::optional<std::chrono::microseconds> time = {}) {
        draw({.frame_number = number,
              .timestamp = time.value_or(std::chrono::microseconds(1000 * number + 5000))});
        show_picture();
    }
    void show_picture(bool no_signal = false) {
        BufferMemory memory{.plane_count = picture.format().plane_count};
        Frame frame{.format = &picture.format(), .memory = &memory};
        frame.metadata.plane_count = memory.plane_count;
        frame.metadata.no_signal = no_signal;
        for (std::uint32_t i = 0; i < memory.plane_count; ++i) {
            memory.planes[i].bytes = picture.planes()[i];
            frame.metadata.planes[i].bytesused = picture.format().planes[i].sizeimage;
        }
        CHECK(verifier.observe(frame));
    }
    /// The first row of the stamp's pixels in this cell's row.
    [[nodiscard]] std::uint32_t row_of(std::uint32_t cell_row) const {
        const StampGrid grid = *stamp_grid(picture.format().width, picture.format().height);
        return grid.y + cell_row * grid.cell;
    }

    TestFrame picture;
    StampVerifier verifier;
};

} // namespace

TEST_CASE("frames that follow each other have no faults, also with gaps") {
    for (const std::string_view fourcc : {"YUYV", "NM12", "RGB3", "GREY"}) {
        Viewer viewer(fourcc);
        for (const std::uint64_t number : {0U, 1U, 2U, 30U, 31U})
            viewer.show(number);
        CHECK(viewer.verifier.faults() == 0);
        CHECK(viewer.verifier.verified() == 5);
        CHECK(viewer.verifier.verdict("/dev/video0"));
    }
}

TEST_CASE("a frame that is shown twice, or after a later one, is a fault") {
    Viewer viewer;
    viewer.show(4);
    viewer.show(4);
    CHECK(viewer.verifier.faults() == 1);
    viewer.show(3);
    CHECK(viewer.verifier.faults() == 2);
    viewer.show(4);
    CHECK(viewer.verifier.faults() == 2);
    CHECK(viewer.verifier.verified() == 2);
    const Status verdict = viewer.verifier.verdict("/dev/video0");
    REQUIRE_FALSE(verdict);
    CHECK(verdict.error().message().contains("/dev/video0"));
    CHECK(verdict.error().message().contains("2 frames with a stamp that is damaged or was there before"));
}

TEST_CASE(
    "a number that was there before with another time is a fault, a generator that begins anew is none") {
    Viewer viewer;
    viewer.show(4, 10s);
    viewer.show(4, 11s);
    CHECK(viewer.verifier.faults() == 1);
    viewer.show(0, 12s);
    viewer.show(1, 13s);
    CHECK(viewer.verifier.faults() == 1);
}

TEST_CASE("a frame that is torn within its stamp is a fault") {
    Viewer viewer;
    viewer.show(1);
    viewer.draw({.frame_number = 2, .timestamp = 20ms});
    Viewer other;
    other.draw({.frame_number = 3, .timestamp = 33ms});
    for (std::uint32_t y = viewer.row_of(4); y < viewer.picture.format().height; ++y)
        std::ranges::copy(other.picture.row(0, y), viewer.picture.row(0, y).begin());
    viewer.show_picture();
    CHECK(viewer.verifier.faults() == 1);
    viewer.show(3);
    CHECK(viewer.verifier.faults() == 1);
    CHECK(viewer.verifier.verified() == 2);
}

TEST_CASE("a frame with one altered cell is a fault, also where a picture would lose its stamp") {
    Viewer viewer;
    viewer.show(1);
    viewer.draw({.frame_number = 2, .timestamp = 20ms});
    const StampGrid grid = *stamp_grid(160, 120);
    for (std::uint32_t y = viewer.row_of(2); y < viewer.row_of(3); ++y)
        std::ranges::fill(viewer.picture.row(0, y).subspan(grid.x, grid.cell), std::byte{235});
    viewer.show_picture();
    CHECK(viewer.verifier.faults() == 1);
    for (std::vector<std::byte> black(160); const std::uint32_t row : {0U, 1U})
        for (std::uint32_t y = viewer.row_of(row); y < viewer.row_of(row + 1); ++y)
            std::ranges::copy(black, viewer.picture.row(0, y).begin());
    viewer.show_picture();
    CHECK(viewer.verifier.faults() == 2);
}

TEST_CASE("a stream without a stamp in its first frame is let pass") {
    Viewer viewer;
    viewer.show_picture();
    viewer.show(3);
    viewer.show(3);
    CHECK(viewer.verifier.faults() == 0);
    CHECK(viewer.verifier.verified() == 0);
}

TEST_CASE("another format is another stream, the faults stay") {
    Viewer viewer("YUYV");
    viewer.show(9);
    viewer.show(9);
    viewer.picture = TestFrame("GREY", {.width = 160, .height = 120});
    viewer.show(0, 1us);
    viewer.show(1, 2us);
    CHECK(viewer.verifier.faults() == 1);
    CHECK(viewer.verifier.verified() == 3);
}

TEST_CASE("a loop's own pictures have no stamp and need none") {
    Viewer viewer;
    viewer.show_picture(true);
    viewer.show(1);
    viewer.picture = TestFrame("NM12", {.width = 160, .height = 120, .line_padding = 4});
    viewer.show_picture(true);
    CHECK(viewer.verifier.faults() == 0);
    viewer.show_picture(false);
    CHECK(viewer.verifier.faults() == 1);
    CHECK(viewer.verifier.verified() == 1);
}

TEST_CASE("compressed frames are not looked at, others must be reachable") {
    StampVerifier verifier;
    FrameFormat format{.fourcc = FourCC("MJPG"), .width = 160, .height = 120};
    format.planes[0].sizeimage = 100;
    BufferMemory memory{}; // without any bytes: to look would be an error
    Frame frame{.format = &format, .metadata = testing::one_plane(100), .memory = &memory};
    CHECK(verifier.observe(frame));
    FrameFormat grey{.fourcc = FourCC("GREY"), .width = 160, .height = 120};
    grey.planes[0] = {.bytesperline = 160, .sizeimage = 19200};
    frame.format = &grey;
    CHECK_FALSE(verifier.observe(frame));
}
