// SPDX-License-Identifier: MIT
#include "v4l2/format.h"

#include "support/fake_system.h"

#include <cstring>
#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeDevice;
using testing::FakeSystem;

namespace {

/// A driver that answers one ioctl in its own way.
class OneAnswer final : public System {
public:
    explicit OneAnswer(std::function<int(unsigned long, void*)> answer) : answer_(std::move(answer)) {}
    int open(const char*, int) override { return testing::fake_memory(0).release(); }
    int ioctl(int, unsigned long request, void* argument) override { return answer_(request, argument); }

private:
    std::function<int(unsigned long, void*)> answer_;
};

int only(unsigned long wanted, unsigned long request, auto&& answer) {
    if (request == VIDIOC_QUERYCAP)
        return 0;
    return request == wanted ? answer() : -ENOTTY;
}

} // namespace

TEST_CASE("a format survives the way into the kernel's structure and back") {
    FrameFormat format{.fourcc = FourCC("NV12"),
                       .width = 640,
                       .height = 480,
                       .field = V4L2_FIELD_INTERLACED,
                       .flags = V4L2_PIX_FMT_FLAG_PREMUL_ALPHA,
                       .colorimetry = {V4L2_COLORSPACE_REC709, V4L2_YCBCR_ENC_709,
                                       V4L2_QUANTIZATION_FULL_RANGE, V4L2_XFER_FUNC_709},
                       .plane_count = 1,
                       .planes = {}};
    format.planes[0] = {.bytesperline = 768, .sizeimage = 600'000};
    const v4l2_format raw_format = to_raw(format, V4L2_BUF_TYPE_VIDEO_OUTPUT);
    CHECK(raw_format.type == V4L2_BUF_TYPE_VIDEO_OUTPUT);
    CHECK(raw_format.fmt.pix.priv == V4L2_PIX_FMT_PRIV_MAGIC);
    CHECK(from_raw(raw_format) == format);

    format.plane_count = 2;
    format.planes[1] = {.bytesperline = 384, .sizeimage = 300'000};
    const v4l2_format raw_mplane = to_raw(format, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE);
    CHECK(raw_mplane.type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE);
    CHECK(raw_mplane.fmt.pix_mp.num_planes == 2);
    CHECK(from_raw(raw_mplane) == format);
}

TEST_CASE("a driver that tells of more planes than there can be is not believed") {
    v4l2_format raw_format{};
    raw_format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
    raw_format.fmt.pix_mp.num_planes = 255;
    CHECK(from_raw(raw_format).plane_count == FrameFormat::max_planes);
    raw_format.fmt.pix_mp.num_planes = 0;
    CHECK(from_raw(raw_format).plane_count == 1);
}

TEST_CASE("each format call that fails is named") {
    struct {
        std::string_view call;
        Result<FrameFormat> (*run)(const Device&);
    } const calls[] = {
        {"G_FMT", [](const Device& device) { return get_format(device, BufferType::capture); }},
        {"S_FMT",
         [](const Device& device) { return set_format(device, BufferType::capture, FrameFormat{}); }},
        {"TRY_FMT",
         [](const Device& device) { return try_format(device, BufferType::capture, FrameFormat{}); }},
    };
    for (const auto& [call, run] : calls)
        for (const int code : {EINVAL, EIO, ENODEV, ENOTTY, ENOMEM}) {
            FakeSystem system;
            system.add("/dev/video0", BufferType::capture);
            const Result<Device> device = Device::open("0", system);
            REQUIRE(device);
            system.fail(call, code);
            const Result<FrameFormat> format = run(*device);
            REQUIRE_FALSE(format);
            CHECK(format.error().operation == call);
            CHECK(format.error().object.starts_with("/dev/video0"));
            CHECK(format.error().code == code);
            CHECK((format.error().kind == ErrorKind::device) == (code == ENODEV));
        }
}

TEST_CASE("a format cannot be set while another program has buffers") {
    FakeSystem system;
    system.add("/dev/video0", BufferType::output);
    const Result<Device> device = Device::open("0", system);
    REQUIRE(device);
    system.fail("S_FMT", EBUSY);
    const Result<FrameFormat> format = set_format(*device, BufferType::output, FrameFormat{});
    REQUIRE_FALSE(format);
    CHECK(format.error().kind == ErrorKind::device);
    CHECK(format.error().message().contains("fuser -v /dev/video0"));
}

TEST_CASE("trying a format changes nothing") {
    FakeSystem system;
    FakeDevice& fake = system.add("/dev/video0", BufferType::capture);
    fake.adjust = [](FrameFormat& format) { format.width = 320; };
    const Result<Device> device = Device::open("0", system);
    REQUIRE(device);
    FrameFormat wanted = fake.format;
    wanted.width = 400;
    CHECK(try_format(*device, BufferType::capture, wanted)->width == 320);
    CHECK(fake.format.width == 16);
    CHECK(set_format(*device, BufferType::capture, wanted)->width == 320);
    CHECK(fake.format.width == 320);
}

TEST_CASE("a driver that enumerates without end is stopped") {
    OneAnswer system([](unsigned long request, void* argument) {
        if (request == VIDIOC_ENUM_FMT) {
            auto* entry = static_cast<v4l2_fmtdesc*>(argument);
            std::memset(entry->description, 'x', sizeof entry->description); // not terminated
            return 0;
        }
        if (request == VIDIOC_ENUM_FRAMESIZES)
            static_cast<v4l2_frmsizeenum*>(argument)->type = V4L2_FRMSIZE_TYPE_DISCRETE;
        return 0;
    });
    const Result<Device> device = Device::open("0", system);
    REQUIRE(device);
    const std::vector<FormatDescription> formats = enumerate_formats(*device, BufferType::capture);
    CHECK(formats.size() == 1024);
    CHECK(formats[0].description.size() == sizeof(v4l2_fmtdesc::description));
    CHECK(enumerate_sizes(*device, FourCC("YUYV")).size() == 1024);
    const std::string offers = describe_offers(*device, BufferType::capture, 2);
    CHECK(offers.contains("1012 more"));
    CHECK(offers.ends_with("and 1022 more formats"));
}

TEST_CASE("sizes: each one, or a range") {
    OneAnswer system([](unsigned long request, void* argument) {
        return only(VIDIOC_ENUM_FRAMESIZES, request, [&] {
            auto* entry = static_cast<v4l2_frmsizeenum*>(argument);
            if (entry->pixel_format == FourCC("YUYV").value()) {
                entry->type = V4L2_FRMSIZE_TYPE_DISCRETE;
                entry->discrete = {.width = 100 + entry->index, .height = 50};
                return entry->index < 2 ? 0 : -EINVAL;
            }
            entry->type = V4L2_FRMSIZE_TYPE_STEPWISE;
            entry->stepwise = {48, 3840, 2, 50, 2160, 4};
            return 0; // a range is the only entry, whatever the driver says of index 1
        });
    });
    const Result<Device> device = Device::open("0", system);
    REQUIRE(device);
    const std::vector<FrameSize> sizes = enumerate_sizes(*device, FourCC("YUYV"));
    REQUIRE(sizes.size() == 2);
    CHECK(sizes[1].text() == "101x50");
    const std::vector<FrameSize> range = enumerate_sizes(*device, FourCC("NV12"));
    REQUIRE(range.size() == 1);
    CHECK(range[0].text() == "48x50 to 3840x2160 in steps of 2x4");
    CHECK(describe_offers(*device, BufferType::capture).empty());
}

TEST_CASE("frame rates: what the driver has, and a driver that has none") {
    v4l2_fract answered{.numerator = 1001, .denominator = 30000};
    v4l2_fract asked{};
    OneAnswer system([&](unsigned long request, void* argument) {
        if (request == VIDIOC_QUERYCAP)
            return 0;
        if (request != VIDIOC_G_PARM && request != VIDIOC_S_PARM)
            return -ENOTTY;
        auto* parameters = static_cast<v4l2_streamparm*>(argument);
        asked = parameters->parm.capture.timeperframe;
        parameters->parm.capture.timeperframe = answered;
        return 0;
    });
    const Result<Device> device = Device::open("0", system);
    REQUIRE(device);
    CHECK(get_frame_rate(*device, BufferType::capture) == doctest::Approx(29.97));
    CHECK(*set_frame_rate(*device, BufferType::capture, 29.97) == doctest::Approx(29.97));
    CHECK(asked.numerator == 1000);
    CHECK(asked.denominator == 29970);
    for (const v4l2_fract none : {v4l2_fract{0, 30}, v4l2_fract{1, 0}}) {
        answered = none;
        CHECK_FALSE(get_frame_rate(*device, BufferType::capture));
        CHECK(set_frame_rate(*device, BufferType::capture, 30).error().kind == ErrorKind::device);
    }
}

TEST_CASE("a device without inputs has a signal") {
    std::uint32_t status = 0;
    bool has_inputs = false;
    OneAnswer system([&](unsigned long request, void* argument) {
        if (request == VIDIOC_QUERYCAP)
            return 0;
        if (!has_inputs)
            return -ENOTTY;
        if (request == VIDIOC_ENUMINPUT)
            static_cast<v4l2_input*>(argument)->status = status;
        return 0;
    });
    const Result<Device> device = Device::open("0", system);
    REQUIRE(device);
    CHECK(has_signal(*device));
    has_inputs = true;
    CHECK(has_signal(*device));
    status = V4L2_IN_ST_NO_SIGNAL;
    CHECK_FALSE(has_signal(*device));
    status = V4L2_IN_ST_NO_COLOR;
    CHECK(has_signal(*device));
}
