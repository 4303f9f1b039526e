// SPDX-License-Identifier: MIT
#include "format/bitmap_text.h"

#include "support/test_frame.h"

#include <string>

using namespace v4l2dma;
using namespace v4l2dma::test;

namespace {

/// The frame as it looks: a line for each row, '#' for white and '.' for black.
std::string draw(std::string_view text, std::int64_t dot, std::uint32_t width, std::uint32_t height,
                 std::int64_t x = 0, std::int64_t y = 0) {
    TestFrame frame("GREY", {.width = width, .height = height});
    Result<Canvas> canvas = Canvas::create(frame.format(), frame.planes());
    REQUIRE(canvas);
    canvas->fill({.width = width, .height = height}, colors::black);
    BitmapText{.text = text, .dot = dot}.draw(*canvas, x, y, colors::white);
    std::string picture;
    for (std::uint32_t row = 0; row < height; ++row) {
        for (const std::byte byte : frame.row(0, row))
            picture += byte > std::byte{128} ? '#' : '.';
        picture += '\n';
    }
    return picture;
}

} // namespace

TEST_CASE("letters are drawn dot by dot") {
    CHECK(draw("F7", 1, 11, 7) == "#####.#####\n"
                                  "#.........#\n"
                                  "#........#.\n"
                                  "####....#..\n"
                                  "#.......#..\n"
                                  "#......#...\n"
                                  "#......#...\n");
    CHECK(draw("f7", 1, 11, 7) == draw("F7", 1, 11, 7));
}

TEST_CASE("dots have the size that is asked for") {
    CHECK(draw("-", 2, 10, 14).find("..........\n##########\n##########\n..........") == 5 * 11);
    const BitmapText text{.text = "12", .dot = 3};
    CHECK(text.width() == 33);
    CHECK(text.height() == 21);
    CHECK(BitmapText{.text = "", .dot = 3}.width() == 0);
}

TEST_CASE("what is outside of the frame is left out, unknown characters are blanks") {
    CHECK(draw("-", 1, 3, 3, -2, -2) == "...\n###\n...\n");
    CHECK(draw("\xff?", 1, 11, 7).find('#') == std::string::npos);
}

TEST_CASE("no two characters look alike") {
    constexpr std::string_view all = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ.:-/ ";
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = i + 1; j < all.size(); ++j)
            CHECK(draw(all.substr(i, 1), 1, 5, 7) != draw(all.substr(j, 1), 1, 5, 7));
}
