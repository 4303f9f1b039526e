// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <cstdlib>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <string>
#include <unistd.h>

namespace v4l2dma {

namespace {

spdlog::color_mode resolve(ColorMode color) {
    switch (color) {
    case ColorMode::always:
        return spdlog::color_mode::always;
    case ColorMode::never:
        return spdlog::color_mode::never;
    case ColorMode::automatic:
        break;
    }
    const char* no_color = std::getenv("NO_COLOR"); // https://no-color.org: any non-empty value
    return no_color != nullptr && *no_color != '\0' ? spdlog::color_mode::never
                                                    : spdlog::color_mode::automatic;
}

} // namespace

void init_log(ColorMode color, bool verbose) {
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(resolve(color));
    auto logger = std::make_shared<spdlog::logger>("v4l2dma", std::move(sink));
    logger->set_level(verbose ? spdlog::level::debug : spdlog::level::info);
    const std::string begin(::isatty(STDERR_FILENO) == 1 ? erase_line : "");
    logger->set_pattern(begin + "v4l2dma: %^%l%$: %v");
    spdlog::set_default_logger(std::move(logger));
}

} // namespace v4l2dma
