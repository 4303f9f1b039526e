// SPDX-License-Identifier: MIT
#include "media/av_output.h"

#include "base/suggest.h"

#include <csignal>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

namespace v4l2dma {

namespace {

constexpr int buffer_size = 1 << 16; // bytes
constexpr std::chrono::seconds hurried{5};

/// StopSignals blocks its signals: they stay pending until it takes them.
bool stop_is_pending() {
    sigset_t signals;
    return ::sigpending(&signals) == 0 &&
           (::sigismember(&signals, SIGINT) == 1 || ::sigismember(&signals, SIGTERM) == 1);
}

std::vector<std::string_view> protocols() {
    std::vector<std::string_view> names;
    void* position = nullptr;
    while (const char* name = ffmpeg_formats().avio_enum_protocols(&position, 1))
        names.emplace_back(name);
    return names;
}

std::unexpected<Error> unknown_protocol(const std::string& url) {
    const std::vector<std::string_view> known = protocols();
    const std::vector<std::string_view> near = near_matches(url.substr(0, url.find("://")), known, 3);
    return make_error(ErrorKind::usage, "open", url, "FFmpeg has no such protocol to write to",
                      near.empty() ? "" : fmt::format("There are: {}, ..", fmt::join(near, ", ")));
}

} // namespace

Status AvOutput::allocate(bool seekable) {
    auto* const buffer = static_cast<unsigned char*>(ffmpeg().av_malloc(buffer_size));
    if (buffer == nullptr)
        return system_error("write", name_, ENOMEM);
    context_ = ffmpeg_formats().avio_alloc_context(buffer, buffer_size, 1, this, nullptr, write,
                                                   seekable ? seek : nullptr);
    ours_ = context_ != nullptr;
    if (ours_)
        return {};
    ffmpeg().av_free(buffer);
    return system_error("write", name_, ENOMEM);
}

Result<std::unique_ptr<AvOutput>> AvOutput::of_file(OutputFile file) {
    std::unique_ptr<AvOutput> output(new AvOutput(file.name(), nullptr));
    const bool seekable = file.seekable();
    output->file_.emplace(std::move(file));
    if (Status status = output->allocate(seekable); !status)
        return std::unexpected(std::move(status.error()));
    return output;
}

Result<std::unique_ptr<AvOutput>> AvOutput::to_nowhere() {
    std::unique_ptr<AvOutput> output(new AvOutput("", nullptr));
    if (Status status = output->allocate(false); !status)
        return std::unexpected(std::move(status.error()));
    return output;
}

Result<std::unique_ptr<AvOutput>> AvOutput::of_url(const std::string& url, const AVOutputFormat& muxer,
                                                   const Urgency* urgency) {
    std::unique_ptr<AvOutput> output(new AvOutput(url, urgency));
    if ((muxer.flags & AVFMT_NOFILE) != 0) {
        output->connected_ = true; // by the muxer, while frames come already
        return output;
    }
    const AVIOInterruptCB interrupt = output->interrupt();
    const int result =
        ffmpeg_formats().avio_open2(&output->context_, url.c_str(), AVIO_FLAG_WRITE, &interrupt, nullptr);
    if (result == AVERROR_PROTOCOL_NOT_FOUND)
        return unknown_protocol(url);
    if (result < 0)
        return av_error("open", url, result);
    output->connected_ = true;
    return output;
}

AvOutput::~AvOutput() {
    free_context();
}

void AvOutput::free_context() noexcept {
    if (context_ != nullptr && ours_) {
        ffmpeg().av_free(context_->buffer); // FFmpeg may have made it another one
        ffmpeg_formats().avio_context_free(&context_);
    } else if (context_ != nullptr) {
        ffmpeg_formats().avio_closep(&context_);
    }
    context_ = nullptr;
}

int AvOutput::write(void* self, std::uint8_t* bytes, int size) {
    auto& file = static_cast<AvOutput*>(self)->file_;
    if (!file)
        return size;
    const Status status = file->write(std::as_bytes(std::span(bytes, static_cast<std::size_t>(size))));
    if (!status)
        return AVERROR(status.error().code == 0 ? EIO : status.error().code);
    return size;
}

std::int64_t AvOutput::seek(void* self, std::int64_t offset, int whence) {
    auto& file = *static_cast<AvOutput*>(self)->file_;
    if (whence == AVSEEK_SIZE)
        return static_cast<std::int64_t>(file.size());
    if ((whence & ~AVSEEK_FORCE) == SEEK_CUR)
        offset += static_cast<std::int64_t>(file.position());
    else if ((whence & ~AVSEEK_FORCE) == SEEK_END)
        offset += static_cast<std::int64_t>(file.size());
    if (offset < 0)
        return AVERROR(EINVAL);
    const Status status = file.seek(static_cast<std::uint64_t>(offset));
    return status ? offset : AVERROR(status.error().code);
}

int AvOutput::interrupted(void* self) {
    auto& output = *static_cast<AvOutput*>(self);
    if (!output.connected_ && stop_is_pending())
        return 1;
    if (output.urgency_ != nullptr && output.urgency_->given_up())
        return 1;
    const auto now = std::chrono::steady_clock::now();
    if (!output.deadline_ && output.urgency_ != nullptr && output.urgency_->hurried())
        output.deadline_ = now + hurried;
    return output.deadline_ && now >= *output.deadline_ ? 1 : 0;
}

std::uint64_t AvOutput::size() const noexcept {
    if (file_)
        return file_->size();
    return context_ == nullptr ? final_size_ : static_cast<std::uint64_t>(context_->bytes_written);
}

std::unexpected<Error> AvOutput::error(std::string_view operation, int code) const {
    if (file_ && file_->failure())
        return std::unexpected(*file_->failure());
    return av_error(operation, name_, code);
}

void AvOutput::forget_error() noexcept {
    if (context_ != nullptr)
        context_->error = 0;
}

void AvOutput::discard() noexcept {
    free_context();
    if (file_)
        file_->discard();
}

Status AvOutput::close() {
    int code = 0;
    if (context_ != nullptr) {
        ffmpeg_formats().avio_flush(context_);
        code = context_->error;
        final_size_ = size();
    }
    free_context();
    if (file_) {
        if (Status status = file_->close(); !status)
            return status;
        if (file_->failure())
            return std::unexpected(*file_->failure());
    }
    return code < 0 ? Status(error("write", code)) : Status{};
}

} // namespace v4l2dma
