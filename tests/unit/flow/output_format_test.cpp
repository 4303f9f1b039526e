// SPDX-License-Identifier: MIT
//
// Frames into an output that wants them in another format, size or layout: what is chosen, and what arrives.
#include "flow/output_format.h"

#include "flow/v4l2_sink.h"
#include "support/fake_system.h"
#include "support/frames.h"
#include "support/jpeg.h"
#include "support/picture.h"

#include <doctest/doctest.h>
#include <linux/videodev2.h>

using namespace v4l2dma;
using testing::FakeDevice;
using testing::FakeSystem;
using testing::padded_format;
using testing::Picture;

namespace {

constexpr MemoryRole every_role[] = {MemoryRole::exports, MemoryRole::lends,   MemoryRole::imports,
                                     MemoryRole::borrows, MemoryRole::touches, MemoryRole::copies};

/// An output with these formats, the first of which it is set to.
struct Output {
    explicit Output(std::initializer_list<FourCC> formats = {FourCC("YUYV")},
                    const OutputWishes& wishes = {}) {
        const std::vector<FourCC> all(formats);
        fake.format.fourcc = all.front();
        fake.other_formats.assign(all.begin() + 1, all.end());
        fake.grant_offers();
        Result<Device> device = Device::open("/dev/video1", system);
        REQUIRE(device);
        auto opened = V4l2Sink::open(std::move(*device), wishes);
        REQUIRE(opened);
        sink = std::move(*opened);
    }

    FakeSystem system;
    FakeDevice& fake = system.add("/dev/video1", BufferType::output);
    std::unique_ptr<V4l2Sink> sink;
};

/// A frame in memory of its own, behind @p offset bytes of something else.
struct Sent {
    explicit Sent(const FrameFormat& format_, std::uint32_t offset = 0) : format(format_), picture(format_) {
        picture.fill_with_noise();
        memory.plane_count = frame.metadata.plane_count = format.plane_count;
        for (std::uint32_t i = 0; i < format.plane_count; ++i) {
            const std::span<const std::byte> pixels = picture.planes()[i];
            const std::span<std::byte> bytes = allocate(i, offset + format.planes[i].sizeimage);
            std::fill_n(bytes.begin(), offset, std::byte{0xee});
            std::ranges::copy(pixels, bytes.begin() + offset);
            memory.planes[i].bytes = bytes;
            frame.metadata.planes[i] = {.bytesused = static_cast<std::uint32_t>(bytes.size()),
                                        .data_offset = offset};
        }
    }

    FrameFormat format;
    Picture picture;
    BufferMemory memory;
    Frame frame{.format = &format, .memory = &memory};

private:
    /// As a driver's: a conversion needs no copy to where rows may be overrun.
    std::span<std::byte> allocate(std::uint32_t plane, std::size_t size) {
        constexpr std::size_t alignment = 64;
        std::size_t room = size + alignment;
        bytes_[plane].resize(room);
        void* begin = bytes_[plane].data();
        return {static_cast<std::byte*>(std::align(alignment, size, begin, room)), size};
    }

    std::array<std::vector<std::byte>, FrameFormat::max_planes> bytes_;
};

std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Sends a frame down the path of a copy; what came of it.
PutResult send(Output& output, const Sent& sent) {
    REQUIRE(output.sink->set_format(sent.format));
    REQUIRE(output.sink->provide(MemoryRole::copies, 2));
    const Result<PutResult> put = output.sink->put(sent.frame);
    REQUIRE(put);
    return *put;
}

OutputWishes wish(const char* format) {
    return {.format = format};
}

} // namespace

TEST_CASE("the same layout passes as it is, in every role") {
    Output output;
    const FrameFormat format = *tight_format(FourCC("YUYV"), 64, 16);
    CHECK(output.sink->takes(format));
    REQUIRE(output.sink->set_format(format));
    CHECK(output.sink->conversion() == nullptr);
    for (const MemoryRole role : every_role)
        CHECK(output.sink->why_not(role).empty());
    CHECK(output.sink->copies(MemoryRole::imports) == 0);
    CHECK(output.sink->copies(MemoryRole::touches) == 1);
    CHECK(output.sink->copies(MemoryRole::copies) == 1);
}

TEST_CASE("where formats differ only the roles that copy are left, and say how often") {
    Output output({FourCC("NV12")});
    const FrameFormat format = *tight_format(FourCC("YUYV"), 64, 16);
    CHECK_FALSE(output.sink->takes(format));
    REQUIRE(output.sink->set_format(format));
    REQUIRE(output.sink->conversion() != nullptr);
    CHECK(output.sink->conversion()->to.text() == "NV12 64x16");
    CHECK(output.sink->conversion()->why == "/dev/video1 does not take YUYV 64x16 with 128 bytes per line");
    CHECK(output.sink->conversion()->remedy == "/dev/video1 offers NV12");
    for (const MemoryRole role : every_role) {
        const bool copies = role == MemoryRole::copies || role == MemoryRole::touches;
        CHECK(output.sink->why_not(role) == (copies ? "" : "the formats differ: frames become NV12 64x16"));
    }
    CHECK(output.sink->copies(MemoryRole::copies) == 1);
    CHECK(output.sink->copies(MemoryRole::touches) == 2);
    // The next source may fit.
    REQUIRE(output.sink->set_format(*tight_format(FourCC("NV12"), 64, 16)));
    CHECK(output.sink->conversion() == nullptr);
    CHECK(output.sink->why_not(MemoryRole::imports).empty());
    CHECK(output.sink->copies(MemoryRole::touches) == 1);
}

TEST_CASE("padded lines and a frame that begins behind its memory's begin become tight, bit for bit") {
    for (const std::uint32_t offset : {0U, 48U})
        for (const char* name : {"YUYV", "NV12", "RGB3", "Y10P"}) {
            CAPTURE(name);
            const FourCC fourcc = *FourCC::parse(name);
            Output output({fourcc});
            const Sent sent(padded_format(fourcc, 36, 18, 20), offset);
            CHECK_FALSE(output.sink->takes(sent.format));
            const std::vector<std::byte> pixels = sent.picture.pixels();
            const PutResult put = send(output, sent);
            CHECK(put.taken);
            CHECK_FALSE(put.kept);
            CHECK(put.copied_bytes == pixels.size());
            CHECK(output.fake.content(0, pixels.size()) == text_of(pixels));
            CHECK(output.fake.last_queued().bytesused == output.fake.format.sizeimage());
        }
}

TEST_CASE("planes that lie apart are put together") {
    Output output({FourCC("YUYV"), FourCC("NV12")});
    const Sent sent(padded_format(FourCC("NM12"), 32, 16, 8), 16);
    const std::vector<std::byte> pixels = sent.picture.pixels();
    CHECK(send(output, sent).copied_bytes == pixels.size());
    CHECK(output.sink->conversion()->to.text() == "NV12 32x16");
    CHECK(output.fake.content(0, pixels.size()) == text_of(pixels));
}

TEST_CASE("frames whose buffers are longer than the output's lose what is behind the pixels") {
    Output output;
    FrameFormat format = *tight_format(FourCC("YUYV"), 64, 32);
    format.planes[0].sizeimage += 8192;
    const Sent sent(format);
    CHECK(output.sink->takes(format)); // a dma-buf may be longer
    const std::vector<std::byte> pixels = sent.picture.pixels();
    CHECK(send(output, sent).copied_bytes == pixels.size());
    CHECK(output.sink->conversion() == nullptr);
    CHECK(output.sink->why_not(MemoryRole::imports).empty());
    CHECK(output.fake.content(0, pixels.size()) == text_of(pixels));
    CHECK(output.fake.last_queued().bytesused == pixels.size());
    output.sink->release();
    REQUIRE(output.sink->prepare(MemoryRole::touches, 2));
    const Result<PutResult> written = output.sink->put(sent.frame);
    REQUIRE(written);
    CHECK(written->copied_bytes == pixels.size());
}

TEST_CASE("a format that nobody here knows passes as it is, also with other lengths of buffers") {
    Output output({FourCC("QQQQ")});
    FrameFormat format{.fourcc = FourCC("QQQQ"), .width = 64, .height = 16};
    format.planes[0] = {.bytesperline = 0, .sizeimage = 3000};
    output.fake.adjust = [](FrameFormat& granted) { granted.planes[0].sizeimage = 2000; };
    CHECK(output.sink->set_format(format));
    CHECK(output.sink->conversion() == nullptr);
}

TEST_CASE("other pixels are converted, to the offer that loses least") {
    Output output({FourCC("GREY"), FourCC("BA81"), FourCC("NV12")});
    const Sent sent(*tight_format(FourCC("YUYV"), 64, 32));
    std::ranges::fill(sent.memory.planes[0].bytes, std::byte{128});
    const PutResult put = send(output, sent);
    CHECK(output.fake.format.text() == "NV12 64x32");
    CHECK(put.copied_bytes == 64 * 32 * 3 / 2);
    CHECK(output.fake.content(0, 64 * 32 * 3 / 2) == std::string(64 * 32 * 3 / 2, '\x80'));
    CHECK(output.fake.last_queued().bytesused == 64 * 32 * 3 / 2);
}

TEST_CASE("a format of the right size goes before one that would be scaled to") {
    Output output({FourCC("YUYV"), FourCC("UYVY"), FourCC("GREY")});
    const auto grant = output.fake.adjust;
    output.fake.adjust = [&](FrameFormat& wanted) {
        if (wanted.fourcc != FourCC("GREY"))
            wanted.width = 32;
        grant(wanted);
    };
    REQUIRE(output.sink->set_format(*tight_format(FourCC("YUYV"), 64, 16)));
    CHECK(output.fake.format.text() == "GREY 64x16");
    // Where none has it, frames are scaled.
    output.fake.adjust = [&](FrameFormat& wanted) {
        wanted.width = 32;
        grant(wanted);
    };
    REQUIRE(output.sink->set_format(*tight_format(FourCC("YUYV"), 64, 16)));
    CHECK(output.sink->conversion()->to.text() == "YUYV 32x16");
}

TEST_CASE("a wish is kept to, and passes frames that are so already") {
    Output output({FourCC("YUYV"), FourCC("NV12")}, {.format = "nv12", .width = 32});
    CHECK_FALSE(output.sink->takes(*tight_format(FourCC("YUYV"), 32, 16)));
    CHECK_FALSE(output.sink->takes(*tight_format(FourCC("NV12"), 64, 16)));
    CHECK(output.sink->takes(*tight_format(FourCC("NV12"), 32, 16)));
    REQUIRE(output.sink->set_format(*tight_format(FourCC("YUYV"), 64, 16)));
    CHECK(output.fake.format.text() == "NV12 32x16");
    CHECK(output.sink->conversion()->why == "it was asked for");
    CHECK(output.sink->conversion()->remedy.starts_with("Without --output-format"));
    REQUIRE(output.sink->set_format(*tight_format(FourCC("NV12"), 32, 16)));
    CHECK(output.sink->conversion() == nullptr);
}

TEST_CASE("a size alone is a wish; compressed frames get a format that can be scaled to") {
    Output output({FourCC("MJPG"), FourCC("GREY"), FourCC("YUYV")}, {.width = 32, .height = 8});
    const FrameFormat jpeg{.fourcc = FourCC("MJPG"), .width = 64, .height = 16, .planes = {}};
    REQUIRE(output.sink->set_format(jpeg));
    CHECK(output.fake.format.text() == "YUYV 32x8");
}

TEST_CASE("a wish that cannot be granted is a usage error, before anything is set") {
    const FrameFormat format = *tight_format(FourCC("YUYV"), 64, 16);
    Output output({FourCC("YUYV"), FourCC("NV12")}, wish("RGB3"));
    const Status refused = output.sink->set_format(format);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::usage);
    CHECK(refused.error().message().contains("RGB3 64x16: /dev/video1 does not offer this"));
    CHECK(refused.error().remedy.contains("YUYV, NV12"));
    CHECK(output.system.count("S_FMT") == 0);

    Output sized({FourCC("YUYV"), FourCC("NV12")}, {.width = 640});
    const auto grant = sized.fake.adjust;
    sized.fake.adjust = [&](FrameFormat& wanted) {
        wanted.width = std::min(wanted.width, 320U);
        grant(wanted);
    };
    const Status too_large = sized.sink->set_format(format);
    REQUIRE_FALSE(too_large);
    CHECK(too_large.error().kind == ErrorKind::usage);
    CHECK(too_large.error().message().contains("640x16: /dev/video1 does not offer this; the nearest is"));

    Output compressed({FourCC("YUYV"), FourCC("H264")}, wish("H264"));
    const Status no_encoder = compressed.sink->set_format(format);
    REQUIRE_FALSE(no_encoder);
    CHECK(no_encoder.error().kind == ErrorKind::unsupported);
    CHECK(compressed.system.count("S_FMT") == 0);
}

TEST_CASE("an unknown format brings near matches when the output is opened") {
    FakeSystem system;
    system.add("/dev/video1", BufferType::output);
    const auto opened = V4l2Sink::open(*Device::open("/dev/video1", system), wish("YUYW"));
    REQUIRE_FALSE(opened);
    CHECK(opened.error().kind == ErrorKind::usage);
    CHECK(opened.error().remedy.contains("YUYV"));
}

TEST_CASE("frames that nothing can be made of leave an unusable device") {
    Output output({FourCC("YUYV"), FourCC("NV12")});
    const FrameFormat h264{.fourcc = FourCC("H264"), .width = 64, .height = 16, .planes = {}};
    CHECK_FALSE(output.sink->takes(h264));
    const Status refused = output.sink->set_format(h264);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::device);
    CHECK(
        refused.error().message().contains("it does not take H264 64x16, and a conversion is not possible"));
    CHECK(refused.error().remedy.contains("YUYV, NV12"));
}

TEST_CASE("every call while the format is settled can fail") {
    for (const int code : {ENODEV, EIO, EBUSY, ENOTTY, EINVAL})
        for (unsigned call = 0; call < 12; ++call) {
            Output output({FourCC("YUYV"), FourCC("NV12")});
            const std::size_t before = output.system.calls().size();
            output.system.fail_at(before + call, code);
            const Status status = output.sink->set_format(*tight_format(FourCC("UYVY"), 64, 16));
            if (!status)
                CHECK_FALSE(status.error().message().empty());
            else
                CHECK(output.sink->conversion() != nullptr);
        }
}

TEST_CASE("colours keep their meaning where the new pixels can have it") {
    Output output({FourCC("YUYV"), FourCC("NV12"), FourCC("RGB3"), FourCC("MJPG")});
    const auto granted = [&](const FrameFormat& source, const char* format) {
        Output to({FourCC("YUYV"), FourCC("NV12"), FourCC("RGB3")}, wish(format));
        REQUIRE(to.sink->set_format(source));
        return to.fake.format.colorimetry;
    };
    FrameFormat yuyv = *tight_format(FourCC("YUYV"), 64, 16);
    yuyv.colorimetry = {.colorspace = V4L2_COLORSPACE_JPEG, .quantization = V4L2_QUANTIZATION_FULL_RANGE};
    CHECK(granted(yuyv, "NV12") == yuyv.colorimetry);
    CHECK(granted(yuyv, "RGB3") == Colorimetry{});
    FrameFormat jpeg{.fourcc = FourCC("MJPG"), .width = 64, .height = 16, .planes = {}};
    jpeg.colorimetry = {.colorspace = V4L2_COLORSPACE_SRGB,
                        .ycbcr_encoding = V4L2_YCBCR_ENC_601,
                        .quantization = V4L2_QUANTIZATION_FULL_RANGE};
    CHECK(granted(jpeg, "YUYV") ==
          Colorimetry{.colorspace = V4L2_COLORSPACE_SRGB, .ycbcr_encoding = V4L2_YCBCR_ENC_601});
}

TEST_CASE("a converted frame that write() has no room for waits, and is not converted again") {
    Output output({FourCC("NV12")});
    output.fake.write_room = 1;
    constexpr std::uint64_t converted = 64 * 16 * 3 / 2;
    const Sent first(*tight_format(FourCC("YUYV"), 64, 16));
    REQUIRE(output.sink->set_format(first.format));
    REQUIRE(output.sink->prepare(MemoryRole::touches, 2));
    CHECK(output.sink->put(first.frame)->copied_bytes == 2 * converted);
    Sent second(first.format);
    second.frame.index = 1;
    second.frame.metadata.sequence = 1;
    std::ranges::fill(second.memory.planes[0].bytes, std::byte{'a'});
    CHECK(output.sink->put(second.frame)->taken == false);
    std::ranges::fill(second.memory.planes[0].bytes, std::byte{'b'}); // nobody may look again
    output.fake.show();
    const Result<PutResult> put = output.sink->put(second.frame);
    REQUIRE(put);
    CHECK(put->taken);
    CHECK(put->copied_bytes == 2 * converted);
    REQUIRE(output.fake.written().size() == 2);
    CHECK(output.fake.written().back() == "aaaaaaa");

    // Of a driver that counts no frames the time tells that it is another one.
    CHECK(output.sink->put(second.frame)->taken == false);
    second.frame.metadata.timestamp += std::chrono::milliseconds(40);
    std::ranges::fill(second.memory.planes[0].bytes, std::byte{'c'});
    output.fake.show();
    REQUIRE(output.sink->put(second.frame)->taken);
    CHECK(output.fake.written().back() == "ccccccc");
}

TEST_CASE("a JPEG is decoded; a broken or short one is a bad frame, and the next one is good") {
    Output output({FourCC("YUYV")});
    const FrameFormat format{.fourcc = FourCC("MJPG"), .width = 64, .height = 16, .planes = {}};
    std::vector<std::byte> jpeg = testing::make_jpeg(64, 16, {128, 128, 128});
    std::vector<std::byte> broken(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(jpeg.size() / 2));
    std::vector<std::byte> noise(100, std::byte{0x55});
    REQUIRE(output.sink->set_format(format));
    REQUIRE(output.sink->provide(MemoryRole::copies, 2));
    const auto put = [&](std::vector<std::byte>& bytes) {
        testing::PlacedFrame placed(format, bytes, static_cast<std::uint32_t>(bytes.size()));
        const Result<PutResult> result = output.sink->put(placed.frame);
        REQUIRE(result);
        CHECK(result->taken);
        CHECK_FALSE(result->kept);
        return *result;
    };
    CHECK(put(broken).bad);
    CHECK(put(noise).bad);
    CHECK(put(noise).copied_bytes == 0);
    CHECK(output.sink->in_flight() == 0);
    CHECK_FALSE(output.fake.streaming()); // no frame yet
    const PutResult good = put(jpeg);
    CHECK_FALSE(good.bad);
    CHECK(good.copied_bytes == 2 * 64 * 16 * 2); // decoded (4:2:2), converted
    CHECK(output.fake.queued() == 1);
    CHECK(output.fake.last_queued().bytesused == 64 * 16 * 2);
    // The decoded middle grey of full range is that of limited range, too.
    const std::string pixels = output.fake.content(0, 4);
    for (const char value : pixels)
        CHECK(std::abs(static_cast<unsigned char>(value) - 126) <= 3);
}

TEST_CASE("a loop is believed to take lines that it takes for a leftover") {
    FakeSystem system;
    FakeDevice& fake = system.add("/dev/video1", BufferType::output);
    fake.driver = "v4l2dma";
    fake.format = padded_format(FourCC("NV12"), 48, 16, 16); // 64 bytes per line
    int asked = 0;
    fake.adjust = [&](FrameFormat& wanted) {
        if (asked++ == 0)
            wanted.planes = tight_format(wanted.fourcc, wanted.width, wanted.height)->planes;
    };
    const auto sink = *V4l2Sink::open(*Device::open("/dev/video1", system));
    const FrameFormat format = padded_format(FourCC("GREY"), 40, 16, 24); // 64, too
    CHECK(sink->takes(format));
    asked = 0;
    CHECK_FALSE(sink->takes(padded_format(FourCC("GREY"), 40, 16, 8)));
    asked = 0;
    REQUIRE(sink->set_format(format));
    CHECK(asked == 2);
    CHECK(sink->conversion() == nullptr);
}
