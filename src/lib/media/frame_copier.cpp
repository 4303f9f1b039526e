// SPDX-License-Identifier: MIT
#include "media/frame_copier.h"

#include "media/converter.h"

#include <utility>

namespace v4l2dma {

FrameCopier::FrameCopier() = default;
FrameCopier::FrameCopier(FrameCopier&&) noexcept = default;
FrameCopier& FrameCopier::operator=(FrameCopier&&) noexcept = default;
FrameCopier::~FrameCopier() = default;

Result<FrameCopier> FrameCopier::create(const FrameFormat& from, const FrameFormat& to,
                                        const ConvertOptions& options) {
    FrameCopier copier;
    if (same_pixels(from.fourcc, to.fourcc) && from.width == to.width && from.height == to.height) {
        Result<PlaneCopy> copy = PlaneCopy::create(from, to);
        if (!copy)
            return std::unexpected(std::move(copy.error()));
        copier.copy_ = *copy;
        return copier;
    }
    Result<Converter> converter = Converter::create(from, to, options);
    if (!converter)
        return std::unexpected(std::move(converter.error()));
    copier.converter_ = std::make_unique<Converter>(std::move(*converter));
    return copier;
}

Result<std::uint64_t> FrameCopier::run(ConstPlanes from, Planes to) {
    return converter_ ? converter_->run(from, to) : copy_.run(from, to);
}

} // namespace v4l2dma
