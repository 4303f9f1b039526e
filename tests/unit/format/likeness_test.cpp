// SPDX-License-Identifier: MIT
#include "format/likeness.h"

#include <doctest/doctest.h>
#include <string>

using namespace v4l2dma;

namespace {

std::string sorted(const char* wanted, std::initializer_list<const char*> names) {
    std::vector<FourCC> formats;
    for (const char* name : names)
        formats.push_back(*FourCC::parse(name));
    sort_by_likeness(*FourCC::parse(wanted), formats);
    std::string text;
    for (const FourCC fourcc : formats)
        text += (text.empty() ? "" : " ") + fourcc.text();
    return text;
}

} // namespace

TEST_CASE("the format that loses least stands for another one") {
    CHECK(sorted("YUYV", {"MJPG", "GREY", "BA81", "NV12", "RGB3", "UYVY"}) ==
          "UYVY RGB3 NV12 GREY BA81 MJPG");
    CHECK(sorted("NM12", {"YUYV", "NV21", "NV12"}) == "NV12 NV21 YUYV"); // the same pixels first
    CHECK(sorted("RGB3", {"YUYV", "BGR3", "RGBP", "XR24"}) == "BGR3 XR24 RGBP YUYV");
    CHECK(sorted("GREY", {"YUYV", "Y16", "NV12"}) == "NV12 YUYV Y16"); // nearest in size, nothing lost
    CHECK(sorted("Y10", {"GREY", "Y16", "Y12"}) == "Y16 Y12 GREY");
    CHECK(sorted("MJPG", {"GREY", "NV12", "YUYV"}) == "YUYV NV12 GREY");
    CHECK(sorted("ABCD", {"H264", "NV12", "YUYV"}) == "YUYV NV12 H264"); // nothing is known of it
    CHECK(sorted("NV12", {"ABCD", "GREY"}) == "GREY ABCD");
}

TEST_CASE("the order stays among equals") {
    CHECK(sorted("NV12", {"YU12", "YV12", "NV21"}) == "YU12 YV12 NV21");
    CHECK(sorted("NV12", {"NV21", "YV12", "YU12"}) == "NV21 YV12 YU12");
}

TEST_CASE("RGB is told from luma and chroma") {
    for (const char* name : {"RGB3", "XR24", "RGBP"})
        CHECK(is_rgb(*FourCC::parse(name)));
    for (const char* name : {"YUYV", "NV12", "GREY", "MJPG", "ABCD"})
        CHECK_FALSE(is_rgb(*FourCC::parse(name)));
}
