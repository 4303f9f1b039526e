// SPDX-License-Identifier: MIT
#pragma once

#include "cli/command_line.h"
#include "cli/run_reporter.h"
#include "flow/output_format.h"
#include "flow/pump.h"
#include "flow/v4l2_source.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace v4l2dma {

/// The options of every command that moves frames: --buffers, --frames, --timeout, --stats-interval,
/// --frame-log, --verify.
struct RunOptions {
    std::uint32_t buffers = PathWishes{}.buffers;
    std::optional<std::uint64_t> frames;
    std::optional<double> timeout; ///< seconds without a frame
    double stats_interval = 1.0;   ///< seconds
    std::string frame_log;
    bool verify = false; ///< reads the stamps of generated frames

    void add_to(CommandLine& line);
    [[nodiscard]] std::chrono::milliseconds interval() const;
    [[nodiscard]] std::optional<std::chrono::microseconds> patience() const; ///< --timeout
    [[nodiscard]] PumpOptions pump_options(std::chrono::microseconds report_interval) const;
    /// Whether the frame log can be written; asked before a device is touched.
    [[nodiscard]] Status check_files() const;
};

/// Takes a number from @p least to @p most; "nan" is none.
[[nodiscard]] CLI::Validator real_range(double least, double most);

/// `--NAME PIXELS`, one side of a frame.
void add_pixels(CommandLine& line, const std::string& name, std::optional<std::uint32_t>& pixels,
                const std::string& help);

/// --width, --height, --format, --fps, --set of a capture device.
struct CaptureOptions {
    CaptureWishes wishes;

    void add_to(CommandLine& line);
};

/// --loop, --seek, --no-pace, --input-container, --hwaccel, --decoder, --as-stored of a film.
void add_playback(CommandLine& line, PlaybackWishes& wishes);

/// --output-format, --output-width, --output-height of an output device.
struct OutputOptions {
    OutputWishes wishes;

    void add_to(CommandLine& line);
};

/// `--NAME mmap|dmabuf|userptr|rw|auto` of one side.
struct MemoryOption {
    std::string text = "auto";

    /// @p rw: also a name of rw, "read" or "write".
    void add_to(CommandLine& line, const std::string& name, const std::string& side, const std::string& rw);
    [[nodiscard]] std::optional<IoMethod> method() const;
};

/// --strategy: the name of one path.
void add_strategy(CommandLine& line, std::string& strategy);

} // namespace v4l2dma
