// SPDX-License-Identifier: MIT
#include "media/staging.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

TEST_CASE("staged planes have room and keep their places") {
    const Layout layout = *layout_of(*tight_format(FourCC("YU12"), 34, 19));
    Staging staging;
    const std::array<Rows<std::byte>, 3> planes = staging.planes(layout);
    for (std::uint32_t i = 0; i < 3; ++i) {
        CHECK(reinterpret_cast<std::uintptr_t>(planes[i].begin) % 64 == 0);
        CHECK(planes[i].stride % 64 == 0);
        CHECK(planes[i].stride >= layout.planes[i].row_bytes + 64);
        if (i > 0) // a row more than the plane before it has
            CHECK(planes[i].begin - planes[i - 1].begin >
                  static_cast<std::ptrdiff_t>(planes[i - 1].stride * layout.planes[i - 1].rows));
    }
    CHECK(staging.planes(layout)[2].begin == planes[2].begin);
}

TEST_CASE("whole vectors are rows, strides and addresses of 32 bytes") {
    alignas(64) static std::array<std::byte, 1024> memory{};
    Layout layout = *layout_of(*tight_format(FourCC("GREY"), 64, 4));
    const auto fits = [&](std::size_t offset, std::size_t stride) {
        return in_vector_steps(std::array<Rows<std::byte>, 3>{{{memory.data() + offset, stride}}}, layout);
    };
    CHECK(fits(0, 64));
    CHECK(fits(32, 96));
    CHECK_FALSE(fits(16, 64));
    CHECK_FALSE(fits(0, 72));
    layout.planes[0].row_bytes = 63;
    CHECK_FALSE(fits(0, 64));
}
