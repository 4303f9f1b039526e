// SPDX-License-Identifier: MIT
#include "base/crc32.h"

#include <doctest/doctest.h>
#include <string_view>

using namespace v4l2dma;

TEST_CASE("the CRC is the one that everybody has") {
    constexpr std::string_view check = "123456789"; // what catalogues of CRCs give the value of
    CHECK(crc32(std::as_bytes(std::span(check))) == 0xcbf43926);
    CHECK(crc32({}) == 0);
}
