// SPDX-License-Identifier: MIT
#include "media/ffmpeg.h"

#include <cassert>
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
        return make_error(ErrorKind::unsupported, "load", file_, failure_,
                          "Pictures need FFmpeg: install the package that has this file");
    }

private:
    void note_failure() {
        const char* text = ::dlerror();
        failure_ = text == nullptr ? "unusable" : text;
    }

    std::string file_;
    std::string failure_;
    void* handle_; // never closed: codecs leave destructors of threads behind
};

Result<FFmpeg> load() {
    FFmpeg all;
    Library avutil("libavutil", LIBAVUTIL_VERSION_MAJOR);
    Library avcodec("libavcodec", LIBAVCODEC_VERSION_MAJOR);
    Library swscale("libswscale", LIBSWSCALE_VERSION_MAJOR);
#define V4L2DMA_FIND(library, name) library.find(all.name, #name);
    V4L2DMA_FFMPEG(V4L2DMA_FIND)
#undef V4L2DMA_FIND
    for (const Library* library : {&avutil, &avcodec, &swscale})
        if (Status status = library->status(); !status)
            return std::unexpected(std::move(status.error()));
    all.av_log_set_level(AV_LOG_QUIET); // our errors say it, in one sentence
    return all;
}

const Result<FFmpeg>& loaded() {
    static const Result<FFmpeg> result = load();
    return result;
}

} // namespace

Status load_ffmpeg() {
    if (!loaded())
        return std::unexpected(loaded().error());
    return {};
}

const FFmpeg& ffmpeg() {
    assert(loaded());
    return *loaded();
}

} // namespace v4l2dma
