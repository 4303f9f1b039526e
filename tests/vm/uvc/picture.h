// SPDX-License-Identifier: MIT
#pragma once

#include "descriptors.h"

/// Makes the camera's pictures: every one differs from all others, and its number can be read in it.
class Painter {
public:
    /// Ends the program if the encoder fails.
    Painter(Encoding encoding, Size size);

    /// YUYV: bars that move, the number in the first 8 pixels. MJPG: a valid JPEG whose comment says the
    /// number; its length differs from picture to picture.
    [[nodiscard]] Bytes paint(std::uint32_t number) const;

private:
    Encoding encoding_;
    Size size_;
    Bytes jpeg_; ///< without a comment
};
