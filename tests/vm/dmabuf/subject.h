// SPDX-License-Identifier: MIT
#pragma once

#include "dmabuf/allocator.h"

#include <cstdlib>
#include <doctest/doctest.h>

/// A variable of the environment that must be there.
inline std::string environment(const char* name) {
    const char* value = std::getenv(name);
    REQUIRE_MESSAGE(value != nullptr, name, " is not set");
    return value;
}

template <typename T> T must(v4l2dma::Result<T> result) {
    REQUIRE_MESSAGE(result, result.error().message());
    return std::move(*result);
}

inline void must(const v4l2dma::Status& status) {
    REQUIRE_MESSAGE(status, status.error().message());
}

inline std::unique_ptr<v4l2dma::DmabufAllocator> open_subject() {
    return must(v4l2dma::DmabufAllocator::open(environment("V4L2DMA_ALLOCATOR")));
}
