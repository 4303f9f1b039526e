// SPDX-License-Identifier: MIT
#include "camera.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace {

/// As many frames a second as it can.
void set_up(Client& camera, Size size) {
    v4l2_pix_format pix = wish(V4L2_PIX_FMT_YUYV, size.width, size.height);
    must(camera.set_format(pix, capture), "the camera's S_FMT");
    must(pix.pixelformat != V4L2_PIX_FMT_YUYV || pix.width != size.width || pix.sizeimage != size.bytes()
             ? EINVAL
             : 0,
         "the camera has no YUYV of " + size.name());
    v4l2_streamparm rate{};
    rate.type = capture;
    rate.parm.capture.timeperframe = {1, 120};
    must(camera.ioctl(VIDIOC_S_PARM, &rate), "the camera's S_PARM");
}

} // namespace

CameraFrames::CameraFrames(const std::string& camera, const Module& module, Size size, Writing how)
    : camera_(camera), loop_(module.node), how_(how) {
    set_up(camera_, size);
    set_format(loop_, size);
    const auto camera_memory = how == Writing::filled ? V4L2_MEMORY_DMABUF : V4L2_MEMORY_MMAP;
    const auto loop_memory = how == Writing::handed ? V4L2_MEMORY_DMABUF : V4L2_MEMORY_MMAP;
    must(camera_.reqbufs(capture, camera_memory, buffers), "the camera's REQBUFS");
    if (how != Writing::sent)
        must(loop_.reqbufs(output, loop_memory, buffers), "the writer's REQBUFS");
    if (how == Writing::filled)
        share_memory_of(loop_, camera_);
    else if (how == Writing::handed)
        share_memory_of(camera_, loop_);
    for (unsigned index = 0; how == Writing::copied && index < buffers; ++index)
        free_.push_back(index);
    must(camera_.queue_all(), "the camera's QBUF");
    if (how != Writing::sent)
        must(loop_.stream_on(), "the writer's STREAMON");
    must(camera_.stream_on(), "the camera's STREAMON");
}

void CameraFrames::share_memory_of(Client& exporter, Client& importer) {
    must(exporter.count() != buffers || importer.count() != buffers ? ENOMEM : 0, "the number of buffers");
    for (unsigned index = 0; index < buffers; ++index)
        shared_.add(exporter.must_export(index), exporter.length());
    importer.use(shared_.fds());
}

void CameraFrames::copy_into_loop(std::span<const std::uint32_t> pixels) {
    const unsigned index = free_.front();
    free_.pop_front();
    std::ranges::copy(pixels, loop_.map(index).begin());
    must(loop_.queue(index), "the writer's QBUF");
}

void CameraFrames::put(std::uint32_t number) {
    v4l2_buffer frame{};
    must(camera_.dequeue(frame), "the camera's DQBUF");
    must((frame.flags & V4L2_BUF_FLAG_ERROR) != 0 ? EIO : 0, "a frame of the camera");
    const auto pixels = (shares_memory() ? shared_.map(frame.index) : camera_.map(frame.index))
                            .first(frame.bytesused / sizeof(std::uint32_t));
    stamp(pixels, number);
    if (shares_memory()) {
        must(loop_.queue(frame.index), "the writer's QBUF");
        return;
    }
    if (how_ == Writing::sent)
        must_be_whole(::write(loop_.fd(), pixels.data(), pixels.size_bytes()), pixels.size_bytes(), "write");
    else
        copy_into_loop(pixels);
    must(camera_.queue(frame.index), "the camera's QBUF");
}

void CameraFrames::take_back() {
    if (how_ == Writing::sent)
        return;
    v4l2_buffer frame{};
    must(loop_.dequeue(frame), "the writer's DQBUF");
    if (shares_memory())
        must(camera_.queue(frame.index), "the camera's QBUF");
    else
        free_.push_back(frame.index);
}
