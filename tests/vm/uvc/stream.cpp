// SPDX-License-Identifier: MIT
#include "stream.h"

#include "base/hash.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>

namespace {

constexpr std::size_t header_size = 2; // neither a presentation time nor a clock reference
constexpr unsigned end_of_header = UVC_STREAM_EOH;

} // namespace

void Stream::start(const Agreement& agreement) {
    painter_ = std::make_unique<Painter>(agreement.encoding, agreement.size());
    picture_.clear();
    at_ = 0;
}

void Stream::tick() {
    if (!running() || sending())
        return;
    picture_ = painter_->paint(++number_);
    at_ = 0;
    frame_id_ = !frame_id_;
    const bool damaged = options_.damage_every > 0 && number_ % options_.damage_every == 0;
    damage_ = damaged ? options_.damage : Damage::none;
    if (damage_ == Damage::cut)
        picture_.resize(picture_.size() / 2);
    log_picture();
    send();
}

void Stream::queue(Command transfer) {
    waiting_.push_back(std::move(transfer));
    send();
}

bool Stream::forget(std::uint32_t sequence) {
    return std::erase_if(waiting_, [&](const Command& one) { return one.sequence == sequence; }) > 0;
}

void Stream::send() {
    while (sending() && !waiting_.empty()) {
        Command transfer = std::move(waiting_.front());
        waiting_.pop_front();
        Bytes data;
        fill(transfer, data);
        cable_.complete(transfer, 0, data);
    }
}

void Stream::fill(Command& transfer, Bytes& data) {
    for (Packet& one : transfer.packets)
        if (sending())
            one = packet(one, data);
}

Packet Stream::packet(const Packet& room, Bytes& data) {
    Packet filled = room;
    const std::size_t count = std::min(picture_.size() - at_, room.length - header_size);
    const ByteView part = ByteView(picture_).subspan(at_, count);
    at_ += count;
    const std::size_t rest = picture_.size() - at_;
    if (damage_ == Damage::lost && rest > 0 && rest <= room.length - header_size) { // the last but one
        filled.status = -EXDEV;
        return filled;
    }
    data.push_back(header_size);
    data.push_back(static_cast<std::uint8_t>(end_of_header | (frame_id_ ? UVC_STREAM_FID : 0) |
                                             (at_ == picture_.size() ? UVC_STREAM_EOF : 0) |
                                             (damage_ == Damage::flagged ? UVC_STREAM_ERR : 0)));
    data.insert(data.end(), part.begin(), part.end());
    filled.actual_length = static_cast<std::uint32_t>(header_size + count);
    return filled;
}

// Before it is sent: whoever has seen the picture finds it in the log.
void Stream::log_picture() {
    constexpr std::array<const char*, 4> words{"ok", "cut", "flagged", "lost"};
    if (options_.log == nullptr)
        return;
    std::fprintf(options_.log, "%" PRIu32 " %zu %016" PRIx64 " %s\n", number_, picture_.size(),
                 v4l2dma::hash_bytes(std::as_bytes(std::span(picture_))),
                 words[static_cast<std::size_t>(damage_)]);
    std::fflush(options_.log);
}
