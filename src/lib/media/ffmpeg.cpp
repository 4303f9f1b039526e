// SPDX-License-Identifier: MIT
#include "media/ffmpeg.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <dlfcn.h>
#include <string>
#include <utility>

extern "C" {
#include <libavutil/avutil.h>
}

namespace v4l2dma {

namespace {

/// The functions of one library. The file's name has the number of the ABI that the headers describe.
class Library {
public:
    Library(std::string_view name, int abi)
        : file_(std::string(name) + ".so." + std::to_string(abi)),
          handle_(::dlopen(file_.c_str(), RTLD_NOW | RTLD_LOCAL)) {
        if (handle_ == nullptr)
            note_failure();
    }

    template <typename Function> void find(Function*& function, const char* name) {
        if (handle_ == nullptr)
            return;
        function = reinterpret_cast<Function*>(::dlsym(handle_, name));
        if (function == nullptr)
            note_failure();
    }

    [[nodiscard]] Status status() const {
        if (failure_.empty())
            return {};
        if (lacks_room())
            return make_error(ErrorKind::system, "load", file_, failure_,
                              "Allow more open files or memory (`ulimit -n -v` tells the limits)");
        return make_error(ErrorKind::unsupported, "load", file_, failure_,
                          "Pictures need FFmpeg: install the package that has this file");
    }

private:
    /// What the loader says of a library that is there.
    [[nodiscard]] bool lacks_room() const {
        constexpr std::array<std::string_view, 3> words{"Too many open files", "failed to map segment",
                                                        "annot allocate memory"};
        return std::ranges::any_of(
            words, [&](std::string_view text) { return failure_.find(text) != failure_.npos; });
    }

    void note_failure() {
        const char* text = ::dlerror();
        failure_ = text == nullptr ? "unusable" : text;
    }

    std::string file_;
    std::string failure_;
    void* handle_; // never closed: codecs leave destructors of threads behind
};

template <std::size_t count> Status check(const std::array<const Library*, count>& libraries) {
    for (const Library* library : libraries)
        if (Status status = library->status(); !status)
            return status;
    return {};
}

#define V4L2DMA_FIND(library, name) library.find(all.name, #name);

Result<FFmpeg> load() {
    FFmpeg all;
    Library avutil("libavutil", LIBAVUTIL_VERSION_MAJOR);
    Library avcodec("libavcodec", LIBAVCODEC_VERSION_MAJOR);
    Library swscale("libswscale", LIBSWSCALE_VERSION_MAJOR);
    V4L2DMA_FFMPEG(V4L2DMA_FIND)
    if (Status status = check(std::array<const Library*, 3>{&avutil, &avcodec, &swscale}); !status)
        return std::unexpected(std::move(status.error()));
    all.av_log_set_level(AV_LOG_QUIET); // our errors say it, in one sentence
    ::setenv("SVT_LOG", "1", 0);        // nor does SVT-AV1 say more than errors
    return all;
}

Result<FFmpegFormats> load_formats() {
    FFmpegFormats all;
    Library avformat("libavformat", LIBAVFORMAT_VERSION_MAJOR);
    V4L2DMA_FFMPEG_FORMATS(V4L2DMA_FIND)
    if (Status status = check(std::array<const Library*, 1>{&avformat}); !status)
        return std::unexpected(std::move(status.error()));
    return all;
}

Result<FFmpegFilters> load_filters() {
    FFmpegFilters all;
    Library avfilter("libavfilter", LIBAVFILTER_VERSION_MAJOR);
    V4L2DMA_FFMPEG_FILTERS(V4L2DMA_FIND)
    if (Status status = check(std::array<const Library*, 1>{&avfilter}); !status)
        return std::unexpected(std::move(status.error()));
    return all;
}

Result<FFmpegDevices> load_devices() {
    FFmpegDevices all;
    Library avdevice("libavdevice", LIBAVDEVICE_VERSION_MAJOR);
    V4L2DMA_FFMPEG_DEVICES(V4L2DMA_FIND)
    if (Status status = check(std::array<const Library*, 1>{&avdevice}); !status)
        return std::unexpected(std::move(status.error()));
    all.avdevice_register_all();
    return all;
}

#undef V4L2DMA_FIND

const Result<FFmpeg>& loaded() {
    static const Result<FFmpeg> result = load();
    return result;
}

const Result<FFmpegFormats>& loaded_formats() {
    static const Result<FFmpegFormats> result = load_formats();
    return result;
}

const Result<FFmpegFilters>& loaded_filters() {
    static const Result<FFmpegFilters> result = load_filters();
    return result;
}

const Result<FFmpegDevices>& loaded_devices() {
    static const Result<FFmpegDevices> result = load_devices();
    return result;
}

template <typename Functions> Status status_of(const Result<Functions>& result) {
    return result ? Status{} : std::unexpected(result.error());
}

} // namespace

Status load_ffmpeg() {
    return status_of(loaded());
}

Status load_ffmpeg_formats() {
    Status status = load_ffmpeg();
    return status ? status_of(loaded_formats()) : status;
}

Status load_ffmpeg_filters() {
    Status status = load_ffmpeg();
    return status ? status_of(loaded_filters()) : status;
}

Status load_ffmpeg_devices() {
    Status status = load_ffmpeg_formats();
    return status ? status_of(loaded_devices()) : status;
}

const FFmpeg& ffmpeg() {
    assert(loaded());
    return *loaded();
}

const FFmpegFormats& ffmpeg_formats() {
    assert(loaded_formats());
    return *loaded_formats();
}

const FFmpegFilters& ffmpeg_filters() {
    assert(loaded_filters());
    return *loaded_filters();
}

} // namespace v4l2dma
