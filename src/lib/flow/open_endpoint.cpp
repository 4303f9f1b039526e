// SPDX-License-Identifier: MIT
#include "flow/open_endpoint.h"

#include "flow/media_sink.h"
#include "flow/media_source.h"
#include "flow/null_sink.h"
#include "flow/test_source.h"
#include "flow/v4l2_sink.h"
#include "media/media_opening.h"

namespace v4l2dma {

namespace {

using SourceResult = Result<std::unique_ptr<Source>>;
using SinkResult = Result<std::unique_ptr<Sink>>;

SourceResult open_v4l2_source(std::string_view name, const CaptureWishes& wishes, System& system) {
    Result<Device> device = Device::open(name, system);
    if (!device)
        return std::unexpected(std::move(device.error()));
    return V4l2Source::open(std::move(*device), wishes);
}

SourceResult open_media_source(std::string_view name, const CaptureWishes& wishes, System& system) {
    return MediaSource::open(name, wishes, system);
}

SourceResult open_test_source(std::string_view name, const CaptureWishes& wishes, System& system) {
    return TestSource::open(name, wishes, system);
}

SinkResult open_v4l2_sink(std::string_view name, bool, const OutputWishes& wishes, System& system) {
    Result<Device> device = Device::open(name, system);
    if (!device)
        return std::unexpected(std::move(device.error()));
    return V4l2Sink::open(std::move(*device), wishes);
}

SinkResult open_null_sink(std::string_view name, bool wants_dmabufs, const OutputWishes& wishes, System&) {
    if (name != "null:")
        return make_error(ErrorKind::usage, "open", name, "null: has no parameters", "Write `null:` alone");
    if (wishes.any())
        return make_error(ErrorKind::usage, "open", name,
                          "it looks at the frames as they are, in no format of its own",
                          "Leave --output-format, --output-width and --output-height away");
    return std::make_unique<NullSink>(wants_dmabufs);
}

SinkResult open_media_sink(std::string_view name, bool, const OutputWishes& wishes, System&) {
    return MediaSink::open(name, wishes);
}

bool is_test(std::string_view name) {
    return name.starts_with("test:");
}

bool is_null(std::string_view name) {
    return name.starts_with("null:");
}

bool is_any(std::string_view) {
    return true;
}

template <typename Open> struct Kind {
    bool (*matches)(std::string_view name); ///< the first that does is taken
    Open open;
};
constexpr Kind<SourceResult (*)(std::string_view, const CaptureWishes&, System&)> sources[] = {
    {is_test, open_test_source},
    {is_media_name, open_media_source},
    {is_any, open_v4l2_source},
};
constexpr Kind<SinkResult (*)(std::string_view, bool, const OutputWishes&, System&)> sinks[] = {
    {is_null, open_null_sink},
    {is_export_name, open_media_sink},
    {is_any, open_v4l2_sink},
};

const auto& find_kind(const auto& table, std::string_view name) {
    std::size_t i = 0;
    while (!table[i].matches(name))
        ++i;
    return table[i];
}

} // namespace

SourceResult open_source(std::string_view name, const CaptureWishes& wishes, System& system) {
    if (wishes.playback.container && is_input_device(*wishes.playback.container))
        return open_media_source(name, wishes, system);
    if (wishes.playback.any() && !is_media_name(name))
        return make_error(ErrorKind::usage, "open", name, "it is no film",
                          "Leave --loop, --seek, --no-pace, --input-container, --hwaccel, --decoder and "
                          "--as-stored away");
    return find_kind(sources, name).open(name, wishes, system);
}

SinkResult open_sink(std::string_view name, bool wants_dmabufs, const OutputWishes& wishes, System& system) {
    return find_kind(sinks, name).open(name, wants_dmabufs, wishes, system);
}

} // namespace v4l2dma
