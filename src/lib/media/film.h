// SPDX-License-Identifier: MIT
#pragma once

#include "format/frame_format.h"
#include "format/stream_properties.h"
#include "media/decoding_device.h"
#include "media/device_picture.h"
#include "media/media_input.h"
#include "media/picture_turner.h"
#include "media/playback_wishes.h"
#include "media/raw_reader.h"
#include "media/video_decoder.h"

#include <array>
#include <chrono>
#include <cmath>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace v4l2dma {

/// A piece of a film.
struct FilmPicture {
    /// Decoded, also in a device's memory; empty if the film is played as packets, or this is bad.
    AvFrame frame;
    AvPacket packet;                  ///< likewise of a film that is not decoded
    std::chrono::microseconds time{}; ///< from the first picture, going on over all rounds of a loop
    /// Of a packet, whose `time` is that of decoding: when its picture is shown; empty if the film does not
    /// say.
    std::optional<std::chrono::microseconds> shown{};
    bool bad = false;               ///< damaged: it counts, and there is nothing to show
    std::uint64_t copied_bytes = 0; ///< by the CPU, on the way to where it lies
};

/// What a film's pictures are, as FFmpeg decodes them and as they should be shown.
struct FilmShape {
    AVPixelFormat pixel_format = AV_PIX_FMT_NONE;
    std::uint32_t width = 0;        ///< pixels
    std::uint32_t height = 0;       ///< pixels
    std::uint32_t shown_width = 0;  ///< with square pixels
    std::uint32_t shown_height = 0; ///< likewise
    Colorimetry colorimetry{};
    std::uint32_t field = 0;                                     ///< enum v4l2_field
    bool turned = false;                                         ///< width and height are those after turning
    bool in_device = false;                                      ///< pictures lie in a device's memory
    PixelAspect aspect{};                                        ///< as stored
    std::optional<std::array<std::int32_t, 9>> display_matrix{}; ///< likewise
};

/// A side of a picture that most pixel formats take.
[[nodiscard]] std::uint32_t even(double pixels);

/// How a film is read: as PlaybackWishes has it, with what the file does not say.
struct FilmWishes {
    PlaybackWishes playback{};
    MediaInputWishes input{};
};

/// A film as one picture after the other, decoded and turned upright, or as packets. Blocks where a file or
/// network does. One thread, but for interrupt().
class Film {
public:
    /// Reads up to the first picture. Errors: those of MediaInput::open(); (device) nothing in it can be
    /// decoded; (usage) there is nothing at the time to begin at; a loop of what cannot be begun again.
    [[nodiscard]] static Result<std::unique_ptr<Film>> open(const std::string& name,
                                                            const FilmWishes& wishes);

    [[nodiscard]] const FilmShape& shape() const noexcept { return shape_; }
    /// The codec's name among the pixel formats; empty if it has none.
    [[nodiscard]] std::optional<FourCC> packet_format() const;
    /// Whether packets come in another order than the pictures in them, so that their times do not grow.
    [[nodiscard]] bool reorders() const noexcept { return reorders_; }
    /// Whether packets tell when they are decoded and when their pictures are shown: AVI has no such times.
    [[nodiscard]] bool tells_both_times() const noexcept { return !untimed_packets_; }
    /// Whether it begins with pictures that are decoded and not shown, as where an mp4 was cut between key
    /// frames. As packets they are seen.
    [[nodiscard]] bool hides_pictures() const noexcept { return hides_pictures_; }
    /// Whether pictures at its beginning have no times.
    [[nodiscard]] bool begins_untimed() const noexcept { return begins_untimed_; }
    /// Whether its first packets are still there: not of a stream that came without a picture for long.
    [[nodiscard]] bool has_first_packets() const noexcept { return !first_packets_lost_; }
    /// What is said of its packets.
    [[nodiscard]] CodedPictures coded() const;
    /// Pictures a second, as far as the file says.
    [[nodiscard]] std::optional<double> rate() const { return input_->rate(); }
    /// From the first picture to the end, if that is known, and there is one.
    [[nodiscard]] std::optional<std::chrono::microseconds> length() const noexcept { return length_; }
    [[nodiscard]] bool seekable() const noexcept { return seekable_; }
    /// Whether it goes on after interrupt() where it was, once it has a target: a pipe with raw pictures.
    [[nodiscard]] bool resumes() const noexcept { return raw_ && !seekable_; }
    /// Pictures that the decoder holds on to, with the one that it works on.
    [[nodiscard]] std::uint32_t kept_pictures() const noexcept { return raw_ ? 1 : kept_pictures_; }
    /// How pictures that lie in a device's memory can be handed on as they are. Errors: (unsupported) why
    /// they cannot, or that they lie elsewhere.
    [[nodiscard]] const Result<DeviceLayout>& device_layout() const noexcept { return device_layout_; }
    /// Makes the memory of @p format longer where decoding into it needs that and nothing is against it.
    void make_room(FrameFormat& format) const;
    /// Whether pictures can be decoded, or read, into memory of this format.
    [[nodiscard]] bool decodes_into(const FrameFormat& format) const;

    /// From the next rewind() on pictures are decoded into @p target (borrowed until leave_target()), as far
    /// as it has places, which are for frames that decodes_into() said yes to.
    void decode_into(DecodeTarget& target, const FrameFormat& format);
    /// Nothing lies in the target any more, but for pictures that were handed out. What comes next is the
    /// film's beginning: rewind(); or of a pipe, what comes next.
    void leave_target() noexcept;
    /// Moves what was handed out, and must not be lost, into memory of its own; without any it is a bad
    /// picture.
    static void leave_target(FilmPicture& picture) noexcept;

    /// Packets instead of pictures from the next rewind() on, or pictures again.
    [[nodiscard]] Status play_packets(bool wanted);

    /// The next one; empty at the end. Errors: (system) what reading says; ECANCELED.
    [[nodiscard]] Result<std::optional<FilmPicture>> next();
    /// Back to the first picture. Without seekable(): only before the second was taken.
    [[nodiscard]] Status rewind();

    /// Ends a sleep in next() and rewind(), and those to come, until resume(). Any thread.
    void interrupt() noexcept { interrupt_.request(); }
    void resume() noexcept { interrupt_.reset(); }

private:
    explicit Film(const FilmWishes& wishes)
        : wishes_(wishes), begin_(std::llround(wishes.playback.seek.value_or(0) * 1e6)) {}
    [[nodiscard]] Status open_input(const std::string& name);
    [[nodiscard]] Status open_decoder();
    [[nodiscard]] Status look();
    [[nodiscard]] Status look_there();
    [[nodiscard]] std::unexpected<Error> no_picture_there() const;
    [[nodiscard]] std::optional<std::chrono::microseconds> find_length() const;
    [[nodiscard]] Status begin_again();
    [[nodiscard]] Status begin_round();
    [[nodiscard]] Result<std::optional<FilmPicture>> next_of_round();
    [[nodiscard]] FilmPicture bad_picture() const;
    [[nodiscard]] Result<std::optional<FilmPicture>> next_decoded();
    [[nodiscard]] bool reads_raw() const noexcept { return raw_ && target_ != nullptr && !packets_; }
    [[nodiscard]] Result<std::optional<FilmPicture>> next_read();
    [[nodiscard]] Status feed();
    [[nodiscard]] Result<bool> read_packet();
    [[nodiscard]] bool is_before_begin(std::int64_t timestamp);
    [[nodiscard]] Result<std::optional<FilmPicture>> finish(AvFrame frame);
    [[nodiscard]] Status turn_upright(FilmPicture& picture);
    [[nodiscard]] std::int64_t to_microseconds(std::int64_t timestamp) const;
    [[nodiscard]] std::chrono::microseconds time_of(std::int64_t timestamp);
    [[nodiscard]] std::chrono::microseconds step() const noexcept;
    [[nodiscard]] std::chrono::microseconds longest_overlap() const noexcept;

    // What the first picture says of all: film_shape.cpp
    [[nodiscard]] Status find_shape(const AVFrame& frame);
    [[nodiscard]] Status find_device_layout(const AVFrame& frame);
    [[nodiscard]] Status find_orientation(const AVFrame& frame);
    [[nodiscard]] Status make_turner(Turn turn, const AVFrame& frame);

    // Of what is not decoded: film_packets.cpp
    [[nodiscard]] Result<std::optional<FilmPicture>> next_packet();
    [[nodiscard]] Result<bool> read_converted();
    [[nodiscard]] Status keep_for_packets();
    void begin_packets();
    [[nodiscard]] std::int64_t decode_timestamp(const AVPacket& packet) const;

    FilmWishes wishes_;
    std::chrono::microseconds begin_; ///< from the film's beginning, where each round begins
    Interrupt interrupt_;
    std::unique_ptr<MediaInput> input_;
    const AVCodec* codec_ = nullptr;        ///< that decodes it. Set once, unlike input_: any thread
    std::optional<DecodingDevice> device_;  ///< empty: the CPU decodes
    std::unique_ptr<VideoDecoder> decoder_; ///< empty after leave_target()
    std::unique_ptr<RawReader> raw_;        ///< in the decoder's place, where there is a target
    DecodeTarget* target_ = nullptr;
    FrameFormat target_format_{};
    std::uint32_t kept_pictures_ = 0;
    bool reorders_ = false;
    bool untimed_packets_ = false;   ///< one at the beginning did not say when it is shown
    bool decodes_no_wider_ = false;  ///< than what is to be seen
    bool decodes_no_higher_ = false; ///< likewise
    std::optional<std::chrono::microseconds> length_;
    bool interrupted_ = false;            ///< in the middle of reading: FFmpeg does not go on from there
    std::optional<PictureTurner> turner_; ///< empty: pictures are upright
    FilmShape shape_;
    Result<DeviceLayout> device_layout_ =
        make_error(ErrorKind::unsupported, "share", "pictures", "they are decoded by the CPU");
    bool seekable_ = false;
    bool looking_ = false; ///< for the first picture
    bool hides_pictures_ = false;
    bool begins_untimed_ = false;
    bool packets_ = false;
    bool raw_swapped_ = false;         ///< a raw file whose planes lie in the other order
    bool at_end_ = false;              ///< of the file: the decoder has the rest
    bool bad_packet_ = false;          ///< the decoder did not take it
    std::optional<Error> failure_;     ///< of reading; said when the decoder is empty
    std::optional<FilmPicture> first_; ///< of what cannot be begun again
    std::deque<AvPacket> looked_at_;   ///< what first_ was found in, for who wants packets
    std::size_t looked_at_bytes_ = 0;  ///< that came before the first picture
    bool first_packets_lost_ = false;  ///< they were too many
    AvBsf converter_;                  ///< of packets, to how devices have them; empty: they are so already
    AvPacket packet_;
    bool packet_waits_ = false; ///< the decoder had no room for packet_
    std::optional<std::int64_t>
        zero_; ///< microseconds: the file's time at FilmPicture::time 0, in this round
    std::optional<std::chrono::microseconds> last_; ///< FilmPicture::time of the picture before
    std::optional<std::chrono::microseconds> last_step_;
    std::optional<std::chrono::microseconds>
        place_;                  ///< of the picture before, from the film's beginning; empty: not known there
    std::uint64_t in_round_ = 0; ///< good pictures
    bool given_out_ = false;     ///< any picture
};

} // namespace v4l2dma
