// SPDX-License-Identifier: MIT
#include "media/decode_target.h"

#include <new>

namespace v4l2dma {

namespace {

/// Whom a picture's memory goes back to.
struct Loan {
    DecodeTarget& target;
    std::uint32_t index;
};

void end_loan(void* opaque, std::uint8_t*) {
    const std::unique_ptr<Loan> loan(static_cast<Loan*>(opaque));
    loan->target.release(loan->index);
}

} // namespace

bool lend(DecodeTarget& target, const DecodeTarget::Place& place, AVFrame& frame) noexcept {
    auto* const loan = new (std::nothrow) Loan{target, place.index};
    if (loan == nullptr) {
        target.release(place.index);
        return false;
    }
    auto* const begin = reinterpret_cast<std::uint8_t*>(place.rows[0].begin);
    frame.buf[0] = ffmpeg().av_buffer_create(begin, place.room[0], end_loan, loan, 0);
    if (frame.buf[0] == nullptr) {
        end_loan(loan, nullptr);
        return false;
    }
    for (std::size_t i = 0; i < place.rows.size(); ++i) {
        frame.data[i] = reinterpret_cast<std::uint8_t*>(place.rows[i].begin);
        frame.linesize[i] = static_cast<int>(place.rows[i].stride);
    }
    frame.extended_data = frame.data;
    return true;
}

} // namespace v4l2dma
