// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace v4l2dma::testing {

/// "QUERY_EXT_CTRL" for VIDIOC_QUERY_EXT_CTRL and the others that are about neither formats nor buffers;
/// "ioctl 42" for what has no name here.
[[nodiscard]] std::string name_of_other(unsigned long request);

} // namespace v4l2dma::testing
