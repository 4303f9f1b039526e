// SPDX-License-Identifier: MIT
#include "cli/file_options.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

TEST_CASE("bit rates") {
    CHECK(parse_bitrate("4M") == 4'000'000);
    CHECK(parse_bitrate("800k") == 800'000);
    CHECK(parse_bitrate("1.5M") == 1'500'000);
    CHECK(parse_bitrate("2500000") == 2'500'000);
    for (const char* const text : {"", "M", "4X", "4MM", "-1M", "nan", "inf", "1", "1e30", "4 M"})
        CHECK(!parse_bitrate(text));
}
