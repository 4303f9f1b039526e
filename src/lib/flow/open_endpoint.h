// SPDX-License-Identifier: MIT
#pragma once

#include "flow/endpoint.h"
#include "flow/output_format.h"
#include "flow/v4l2_source.h"

#include <memory>
#include <string_view>

namespace v4l2dma {

/// Opens what @p name stands for: a video device by path, number or label, one of the endpoints with a prefix
/// ("null:"), or, as a sink, a file by its extension (is_export_name()). Adding one is a line in the table of
/// open_endpoint.cpp.
[[nodiscard]] Result<std::unique_ptr<Source>> open_source(std::string_view name, const CaptureWishes& wishes,
                                                          System& system = real_system());

/// @p wants_dmabufs: for sinks that can take frames either way. @p wishes: for those that can convert them;
/// to others they are a usage error.
[[nodiscard]] Result<std::unique_ptr<Sink>> open_sink(std::string_view name, bool wants_dmabufs,
                                                      const OutputWishes& wishes = {},
                                                      System& system = real_system());

} // namespace v4l2dma
