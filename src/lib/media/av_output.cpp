// SPDX-License-Identifier: MIT
#include "media/av_output.h"

#include "media/interrupt.h"
#include "media/network.h"

#include <thread>

namespace v4l2dma {

namespace {

constexpr int buffer_size = 1 << 16; // bytes
constexpr std::chrono::seconds hurried{5};

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
    std::unique_ptr<AvOutput> output(new AvOutput(file.name(), {}));
    const bool seekable = file.seekable();
    output->file_.emplace(std::move(file));
    if (Status status = output->allocate(seekable); !status)
        return std::unexpected(std::move(status.error()));
    return output;
}

Result<std::unique_ptr<AvOutput>> AvOutput::to_nowhere() {
    std::unique_ptr<AvOutput> output(new AvOutput("", {}));
    if (Status status = output->allocate(false); !status)
        return std::unexpected(std::move(status.error()));
    return output;
}

Result<std::unique_ptr<AvOutput>> AvOutput::of_url(const std::string& url, const AVOutputFormat& muxer,
                                                   const Patience& patience) {
    std::unique_ptr<AvOutput> output(new AvOutput(url, patience));
    if ((muxer.flags & AVFMT_NOFILE) != 0)
        return output;
    AvOptions options;
    if (scheme_of(url) == "udp")
        options.set("pkt_size", "1316"); // whole packets of a transport stream; what the URL says goes before
    const AVIOInterruptCB interrupt = output->interrupt();
    output->begin_connecting();
    const int result = ffmpeg_formats().avio_open2(&output->context_, url.c_str(), AVIO_FLAG_WRITE,
                                                   &interrupt, options.get());
    if (result == AVERROR_PROTOCOL_NOT_FOUND)
        return unknown_protocol(url, Direction::write);
    if (result < 0)
        return output->error("open", result);
    output->end_connecting();
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
    output.interrupted_ = output.interrupted_ || output.must_end();
    return output.interrupted_ ? 1 : 0;
}

bool AvOutput::must_end() noexcept {
    const Urgency* const urgency = patience_.urgency;
    if (connecting_ && (stop_is_pending() || (urgency != nullptr && urgency->hurried())))
        return true;
    if (urgency != nullptr && urgency->given_up())
        return true;
    const auto now = std::chrono::steady_clock::now();
    if (!connecting_ && !deadline_ && urgency != nullptr && urgency->hurried())
        deadline_ = now + hurried;
    return deadline_ && now >= *deadline_;
}

void AvOutput::begin_connecting() noexcept {
    connecting_ = true;
    if (patience_.to_connect)
        deadline_ = std::chrono::steady_clock::now() + *patience_.to_connect;
}

void AvOutput::end_connecting() noexcept {
    connecting_ = false;
    deadline_.reset();
}

std::uint64_t AvOutput::size() const noexcept {
    if (file_)
        return file_->size();
    return context_ == nullptr ? final_size_ : static_cast<std::uint64_t>(context_->bytes_written);
}

std::unexpected<Error> AvOutput::error(std::string_view operation, int code) const {
    if (file_ && file_->failure())
        return std::unexpected(*file_->failure());
    if (interrupted_ && connecting_ && deadline_ && std::chrono::steady_clock::now() >= *deadline_)
        return make_error(ErrorKind::system, "wait for", name_, "nobody was there in time");
    if (interrupted_ && connecting_)
        return system_error(operation, name_, ECANCELED);
    if (interrupted_)
        return make_error(ErrorKind::peer, operation, name_, "the other end reads no more");
    return is_network(name_) ? peer_error(operation, name_, code) : av_error(operation, name_, code);
}

bool AvOutput::is_hindered() const noexcept {
    if (file_)
        return file_->failure().has_value();
    return interrupted_ || (context_ != nullptr ? context_->error < 0 : is_network(name_));
}

void AvOutput::forget_error() noexcept {
    if (context_ != nullptr)
        context_->error = 0;
}

// What SRT has not handed over when the connection ends is lost, and it hands over with a delay. More than it
// usually has nobody waits for here.
void AvOutput::let_arrive() const noexcept {
    constexpr std::chrono::milliseconds usual_delay{120};
    if (scheme_of(name_) == "srt" && !interrupted_ && context_->error >= 0)
        std::this_thread::sleep_for(2 * usual_delay);
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
        let_arrive();
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
