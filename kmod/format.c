// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pixel formats: what the loop knows of a frame's layout. It moves pixels and
 * never looks at them; all it needs is how many bytes there must be.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include "compat.h"
#include "v4l2dma.h"

/**
 * struct v4l2dma_format - the layout of a format
 * @fourcc: V4L2_PIX_FMT_*
 * @bits: per pixel, in the first component plane; 0: compressed
 * @planes: further component planes (2: separate Cb and Cr, 1: interleaved)
 * @hsub: horizontal subsampling of these
 * @vsub: vertical subsampling of these
 * @hstep: pixels that cannot be split, where it is not @hsub
 * @vstep: lines that cannot be split, where it is not @vsub
 * @apart: each component plane has a memory plane of its own
 */
struct v4l2dma_format {
	u32 fourcc;
	u8 bits;
	u8 planes;
	u8 hsub;
	u8 vsub;
	u8 hstep;
	u8 vstep;
	bool apart;
};

#define PACKED(f, b, step) \
	{ .fourcc = V4L2_PIX_FMT_##f, .bits = b, .hstep = step, .vstep = 1 }
#define BAYER(f, b, step) \
	{ .fourcc = V4L2_PIX_FMT_##f, .bits = b, .hstep = step, .vstep = 2 }
#define PLANAR(f, b, n, h, v) \
	{ .fourcc = V4L2_PIX_FMT_##f, .bits = b, .planes = n, .hsub = h, \
	  .vsub = v }
#define APART(f, b, n, h, v) \
	{ .fourcc = V4L2_PIX_FMT_##f, .bits = b, .planes = n, .hsub = h, \
	  .vsub = v, .apart = true }
/* 4:2:0 in two planes, each in tiles of 4 by 4. */
#define TILED(f, b) \
	{ .fourcc = V4L2_PIX_FMT_##f, .bits = b, .planes = 1, .hsub = 2, \
	  .vsub = 2, .hstep = 4, .vstep = 4 }
#define COMPRESSED(f) \
	{ .fourcc = V4L2_PIX_FMT_##f, .hstep = 1, .vstep = 1 }

/* The first one is a new loop's. */
static const struct v4l2dma_format formats[] = {
	PACKED(YUYV, 16, 2),
	PACKED(UYVY, 16, 2),
	PACKED(YVYU, 16, 2),
	PACKED(VYUY, 16, 2),
	PLANAR(NV12, 8, 1, 2, 2),
	PLANAR(NV21, 8, 1, 2, 2),
	PLANAR(NV16, 8, 1, 2, 1),
	PLANAR(NV61, 8, 1, 2, 1),
	PLANAR(NV24, 8, 1, 1, 1),
	PLANAR(NV42, 8, 1, 1, 1),
	PLANAR(P010, 16, 1, 2, 2),
	PLANAR(YUV420, 8, 2, 2, 2),
	PLANAR(YVU420, 8, 2, 2, 2),
	PLANAR(YUV422P, 8, 2, 2, 1),
	PLANAR(P012, 16, 1, 2, 2),
	PLANAR(YUV410, 8, 2, 4, 4),
	PLANAR(YVU410, 8, 2, 4, 4),
	PLANAR(YUV411P, 8, 2, 4, 1),
	APART(NV12M, 8, 1, 2, 2),
	APART(NV21M, 8, 1, 2, 2),
	APART(NV16M, 8, 1, 2, 1),
	APART(NV61M, 8, 1, 2, 1),
	APART(P012M, 16, 1, 2, 2),
	APART(YUV420M, 8, 2, 2, 2),
	APART(YVU420M, 8, 2, 2, 2),
	APART(YUV422M, 8, 2, 2, 1),
	APART(YVU422M, 8, 2, 2, 1),
	APART(YUV444M, 8, 2, 1, 1),
	APART(YVU444M, 8, 2, 1, 1),
	TILED(NV12_4L4, 8),
	TILED(NV15_4L4, 10),
	TILED(P010_4L4, 16),
	PACKED(RGB24, 24, 1),
	PACKED(BGR24, 24, 1),
	PACKED(XBGR32, 32, 1),
	PACKED(ABGR32, 32, 1),
	PACKED(XRGB32, 32, 1),
	PACKED(ARGB32, 32, 1),
	PACKED(RGBX32, 32, 1),
	PACKED(RGBA32, 32, 1),
	PACKED(BGR32, 32, 1),
	PACKED(RGB32, 32, 1),
	PACKED(RGB565, 16, 1),
	PACKED(RGB332, 8, 1),
	PACKED(ARGB444, 16, 1),
	PACKED(XRGB444, 16, 1),
	PACKED(RGBA444, 16, 1),
	PACKED(RGBX444, 16, 1),
	PACKED(ABGR444, 16, 1),
	PACKED(XBGR444, 16, 1),
	PACKED(BGRA444, 16, 1),
	PACKED(BGRX444, 16, 1),
	PACKED(RGB444, 16, 1),
	PACKED(ARGB555, 16, 1),
	PACKED(XRGB555, 16, 1),
	PACKED(RGBA555, 16, 1),
	PACKED(RGBX555, 16, 1),
	PACKED(ABGR555, 16, 1),
	PACKED(XBGR555, 16, 1),
	PACKED(BGRA555, 16, 1),
	PACKED(BGRX555, 16, 1),
	PACKED(RGB555, 16, 1),
	PACKED(RGB555X, 16, 1),
	PACKED(ARGB555X, 16, 1),
	PACKED(XRGB555X, 16, 1),
	PACKED(RGB565X, 16, 1),
	PACKED(BGR666, 32, 1),
	PACKED(BGRX32, 32, 1),
	PACKED(BGRA32, 32, 1),
	PACKED(HSV24, 24, 1),
	PACKED(HSV32, 32, 1),
	PACKED(RGBX1010102, 32, 1),
	PACKED(RGBA1010102, 32, 1),
	PACKED(ARGB2101010, 32, 1),
	PACKED(BGR48_12, 48, 1),
	PACKED(BGR48, 48, 1),
	PACKED(RGB48, 48, 1),
	PACKED(ABGR64_12, 64, 1),
	PACKED(YUV444, 16, 1),
	PACKED(YUV555, 16, 1),
	PACKED(YUV565, 16, 1),
	PACKED(YUV24, 24, 1),
	PACKED(YUV32, 32, 1),
	PACKED(AYUV32, 32, 1),
	PACKED(XYUV32, 32, 1),
	PACKED(VUYA32, 32, 1),
	PACKED(VUYX32, 32, 1),
	PACKED(YUVA32, 32, 1),
	PACKED(YUVX32, 32, 1),
	PACKED(Y210, 32, 2),
	PACKED(Y212, 32, 2),
	PACKED(Y216, 32, 2),
	PACKED(YUV48_12, 48, 1),
	PACKED(GREY, 8, 1),
	PACKED(Y10, 16, 1),
	PACKED(Y12, 16, 1),
	PACKED(Y16, 16, 1),
	PACKED(Y4, 8, 1),
	PACKED(Y6, 8, 1),
	PACKED(Y012, 16, 1),
	PACKED(Y14, 16, 1),
	PACKED(Y16_BE, 16, 1),
	PACKED(Y10BPACK, 10, 4),
	PACKED(Y10P, 10, 4),
	PACKED(Y12P, 12, 2),
	PACKED(Y14P, 14, 4),
	BAYER(SBGGR8, 8, 2),
	BAYER(SGBRG8, 8, 2),
	BAYER(SGRBG8, 8, 2),
	BAYER(SRGGB8, 8, 2),
	BAYER(SBGGR10, 16, 2),
	BAYER(SGBRG10, 16, 2),
	BAYER(SGRBG10, 16, 2),
	BAYER(SRGGB10, 16, 2),
	BAYER(SBGGR10P, 10, 4),
	BAYER(SGBRG10P, 10, 4),
	BAYER(SGRBG10P, 10, 4),
	BAYER(SRGGB10P, 10, 4),
	BAYER(SBGGR10ALAW8, 8, 2),
	BAYER(SGBRG10ALAW8, 8, 2),
	BAYER(SGRBG10ALAW8, 8, 2),
	BAYER(SRGGB10ALAW8, 8, 2),
	BAYER(SBGGR10DPCM8, 8, 2),
	BAYER(SGBRG10DPCM8, 8, 2),
	BAYER(SGRBG10DPCM8, 8, 2),
	BAYER(SRGGB10DPCM8, 8, 2),
	BAYER(SBGGR12, 16, 2),
	BAYER(SGBRG12, 16, 2),
	BAYER(SGRBG12, 16, 2),
	BAYER(SRGGB12, 16, 2),
	BAYER(SBGGR12P, 12, 2),
	BAYER(SGBRG12P, 12, 2),
	BAYER(SGRBG12P, 12, 2),
	BAYER(SRGGB12P, 12, 2),
	BAYER(SBGGR14, 16, 2),
	BAYER(SGBRG14, 16, 2),
	BAYER(SGRBG14, 16, 2),
	BAYER(SRGGB14, 16, 2),
	BAYER(SBGGR14P, 14, 4),
	BAYER(SGBRG14P, 14, 4),
	BAYER(SGRBG14P, 14, 4),
	BAYER(SRGGB14P, 14, 4),
	BAYER(SBGGR16, 16, 2),
	BAYER(SGBRG16, 16, 2),
	BAYER(SGRBG16, 16, 2),
	BAYER(SRGGB16, 16, 2),
	COMPRESSED(MJPEG),
	COMPRESSED(JPEG),
	COMPRESSED(H264),
	COMPRESSED(HEVC),
	COMPRESSED(VP8),
	COMPRESSED(VP9),
	COMPRESSED(AV1),
};

/* By which later cores know what an older one has no name for. */
static const struct {
	u32 fourcc;
	const char *name;
} names[] = {
	{ V4L2_PIX_FMT_BGR48_12, "12-bit Depth BGR" },
	{ V4L2_PIX_FMT_BGR48, "48-bit BGR 16-16-16" },
	{ V4L2_PIX_FMT_RGB48, "48-bit RGB 16-16-16" },
	{ V4L2_PIX_FMT_ABGR64_12, "12-bit Depth BGRA" },
	{ V4L2_PIX_FMT_RGBX1010102, "32-bit RGBX 10-10-10-2" },
	{ V4L2_PIX_FMT_RGBA1010102, "32-bit RGBA 10-10-10-2" },
	{ V4L2_PIX_FMT_ARGB2101010, "32-bit ARGB 2-10-10-10" },
	{ V4L2_PIX_FMT_Y210, "10-bit YUYV Packed" },
	{ V4L2_PIX_FMT_Y212, "12-bit YUYV Packed" },
	{ V4L2_PIX_FMT_Y216, "16-bit YUYV Packed" },
	{ V4L2_PIX_FMT_YUV48_12, "12-bit YUV 4:4:4 Packed" },
	{ V4L2_PIX_FMT_P012, "12-bit Y/UV 4:2:0" },
	{ V4L2_PIX_FMT_P012M, "12-bit Y/UV 4:2:0 (N-C)" },
	{ V4L2_PIX_FMT_Y012, "12-bit Greyscale (bits 15-4)" },
	{ V4L2_PIX_FMT_Y12P, "12-bit Greyscale (MIPI Packed)" },
	{ V4L2_PIX_FMT_Y14P, "14-bit Greyscale (MIPI Packed)" },
	{ V4L2_PIX_FMT_NV15_4L4, "10-bit Y/UV 4:2:0 (4x4 Linear)" },
	{ V4L2_PIX_FMT_P010_4L4, "10-bit Y/UV 4:2:0 (4x4 Linear)" },
	{ V4L2_PIX_FMT_AV1, "AV1 OBU Stream" },
};

#define MIN_COMPRESSED	SZ_64K

static const struct v4l2dma_format *find(u32 fourcc)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].fourcc == fourcc)
			return &formats[i];
	return NULL;
}

static bool offers(const struct v4l2dma_config *c,
		   const struct v4l2dma_format *f)
{
	return f && (!f->apart || c->multiplanar);
}

static unsigned int n_planes(const struct v4l2dma_format *f)
{
	return f->apart ? 1 + f->planes : 1;
}

static u32 hstep(const struct v4l2dma_format *f)
{
	return f->hstep ? : f->hsub;
}

static u32 vstep(const struct v4l2dma_format *f)
{
	return f->vstep ? : f->vsub;
}

/* Bytes of a line in a memory plane, without padding. */
static u32 min_stride(const struct v4l2dma_format *f, unsigned int plane,
		      u32 width)
{
	u32 bits = width * f->bits;

	if (plane)
		bits = bits / f->hsub * (f->planes == 1 ? 2 : 1);
	return DIV_ROUND_UP(bits, 8);
}

/* Bytes of a memory plane with this stride. */
static u32 plane_size(const struct v4l2dma_format *f, unsigned int plane,
		      u32 stride, u32 height)
{
	u32 size;

	if (plane)
		return stride * (height / f->vsub);
	size = stride * height;
	if (f->planes && !f->apart)
		size += DIV_ROUND_UP(2 * stride, f->hsub) * (height / f->vsub);
	return size;
}

static u32 compressed_size(const struct v4l2_pix_format_mplane *pix)
{
	return max_t(u32, pix->width * pix->height * 2, MIN_COMPRESSED);
}

/* A camera pads its lines to a power of two at most, or to a page. */
static u32 max_stride(u32 stride)
{
	return max_t(u32, 2 * stride, stride + SZ_4K);
}

/*
 * A camera's padding is kept, so that its buffers pass unchanged; nonsense is
 * replaced by the smallest that holds the frame.
 */
static void adjust_plane(const struct v4l2dma_format *f, unsigned int plane,
			 struct v4l2_pix_format_mplane *pix)
{
	struct v4l2_plane_pix_format *layout = &pix->plane_fmt[plane];
	u32 stride = min_stride(f, plane, pix->width);
	u32 size = plane_size(f, plane, stride, pix->height);

	/* The size of frames without padding was computed, their lines not. */
	if (layout->sizeimage == size)
		layout->bytesperline = stride;
	if (layout->bytesperline < stride ||
	    layout->bytesperline > max_stride(stride) ||
	    (f->hsub && !f->apart && layout->bytesperline % f->hsub))
		layout->bytesperline = stride;
	size = plane_size(f, plane, layout->bytesperline, pix->height);
	if (layout->sizeimage < size ||
	    layout->sizeimage > max(2 * size, size + SZ_1M))
		layout->sizeimage = size;
}

static void adjust_layout(const struct v4l2dma_format *f,
			  struct v4l2_pix_format_mplane *pix)
{
	u32 size = compressed_size(pix);
	unsigned int i;

	pix->num_planes = n_planes(f);
	if (f->bits) {
		for (i = 0; i < pix->num_planes; i++)
			adjust_plane(f, i, pix);
		return;
	}
	pix->plane_fmt[0].bytesperline = 0;
	if (pix->plane_fmt[0].sizeimage < PAGE_SIZE ||
	    pix->plane_fmt[0].sizeimage > max_t(u32, 2 * size, SZ_16M))
		pix->plane_fmt[0].sizeimage = size;
}

static void adjust_colorimetry(struct v4l2_pix_format_mplane *pix)
{
	if (!pix->colorspace || pix->colorspace > V4L2_COLORSPACE_DCI_P3)
		pix->colorspace = V4L2_COLORSPACE_SRGB;
	if (pix->xfer_func > V4L2_XFER_FUNC_SMPTE2084)
		pix->xfer_func = V4L2_XFER_FUNC_DEFAULT;
	if (pix->pixelformat == V4L2_PIX_FMT_HSV24 ||
	    pix->pixelformat == V4L2_PIX_FMT_HSV32) {
		if (pix->hsv_enc != V4L2_HSV_ENC_256)
			pix->hsv_enc = V4L2_HSV_ENC_180;
	} else if (pix->ycbcr_enc > V4L2_YCBCR_ENC_SMPTE240M) {
		pix->ycbcr_enc = V4L2_YCBCR_ENC_DEFAULT;
	}
	if (pix->quantization > V4L2_QUANTIZATION_LIM_RANGE)
		pix->quantization = V4L2_QUANTIZATION_DEFAULT;
	pix->flags &= V4L2_PIX_FMT_FLAG_PREMUL_ALPHA;
}

/* Formats are compared as a whole: what has no meaning is 0. */
static void clear_unused(struct v4l2_pix_format_mplane *pix)
{
	unsigned int i;

	memset(pix->reserved, 0, sizeof(pix->reserved));
	for (i = 0; i < VIDEO_MAX_PLANES; i++) {
		if (i >= pix->num_planes)
			pix->plane_fmt[i] = (struct v4l2_plane_pix_format){};
		memset(pix->plane_fmt[i].reserved, 0,
		       sizeof(pix->plane_fmt[i].reserved));
	}
}

/**
 * v4l2dma_format_drop_leftovers() - tell a wish from what was only left there
 * @pix: what the writer wishes; a layout that is none of its own becomes 0
 * @old: the loop's
 *
 * Programs ask for the format, change width and height in the answer, and set
 * that (v4l2-ctl and OBS do): what it then says of lines and sizes is the old
 * format's, and would make a padded one of the new. Who really wishes for the
 * same layout says it again, when the rest of the format is no longer new.
 */
void v4l2dma_format_drop_leftovers(struct v4l2_pix_format_mplane *pix,
				   const struct v4l2_pix_format_mplane *old)
{
	bool other_lines = pix->pixelformat != old->pixelformat ||
			   pix->width != old->width;
	bool other_frame = other_lines || pix->height != old->height;
	unsigned int i;

	for (i = 0; i < old->num_planes; i++) {
		const struct v4l2_plane_pix_format *was = &old->plane_fmt[i];
		struct v4l2_plane_pix_format *layout = &pix->plane_fmt[i];

		if (other_lines && layout->bytesperline == was->bytesperline)
			layout->bytesperline = 0;
		if (other_frame && layout->sizeimage == was->sizeimage)
			layout->sizeimage = 0;
	}
}

/**
 * v4l2dma_format_same_layout() - are the pixels of both at the same places
 * @a: a valid format
 * @b: another one
 *
 * Return: whether a frame of one is a frame of the other, whatever its colours
 * mean.
 */
bool v4l2dma_format_same_layout(const struct v4l2_pix_format_mplane *a,
				const struct v4l2_pix_format_mplane *b)
{
	return a->width == b->width && a->height == b->height &&
	       a->pixelformat == b->pixelformat && a->field == b->field &&
	       !memcmp(a->plane_fmt, b->plane_fmt, sizeof(a->plane_fmt));
}

/**
 * v4l2dma_format_keep_sizes() - leave the buffers that there are large enough
 * @pix: valid, what the writer gets; if only its planes are smaller than those
 *	of the loop, they become as large
 * @old: the loop's
 */
void v4l2dma_format_keep_sizes(struct v4l2_pix_format_mplane *pix,
			       const struct v4l2_pix_format_mplane *old)
{
	struct v4l2_pix_format_mplane larger = *pix;
	unsigned int i;

	for (i = 0; i < larger.num_planes; i++)
		larger.plane_fmt[i].sizeimage = max(pix->plane_fmt[i].sizeimage,
						    old->plane_fmt[i].sizeimage);
	if (v4l2dma_format_same_layout(&larger, old))
		*pix = larger;
}

/**
 * v4l2dma_format_adjust() - make a format valid, as VIDIOC_TRY_FMT does
 * @pix: what the writer wishes; replaced by what it gets
 * @c: the loop's limits
 */
void v4l2dma_format_adjust(struct v4l2_pix_format_mplane *pix,
			   const struct v4l2dma_config *c)
{
	const struct v4l2dma_format *f = find(pix->pixelformat);

	if (!offers(c, f)) {
		f = &formats[0];
		pix->pixelformat = f->fourcc;
	}
	pix->width = rounddown(clamp_t(u32, pix->width, V4L2DMA_MIN_WIDTH,
				       c->max_width), hstep(f));
	pix->height = rounddown(clamp_t(u32, pix->height, V4L2DMA_MIN_HEIGHT,
					c->max_height), vstep(f));
	if (pix->field == V4L2_FIELD_ANY ||
	    pix->field > V4L2_FIELD_INTERLACED_BT)
		pix->field = V4L2_FIELD_NONE;
	adjust_layout(f, pix);
	adjust_colorimetry(pix);
	clear_unused(pix);
}

/**
 * v4l2dma_format_default() - the format of a new loop
 * @pix: filled in
 * @c: the loop's limits
 */
void v4l2dma_format_default(struct v4l2_pix_format_mplane *pix,
			    const struct v4l2dma_config *c)
{
	memset(pix, 0, sizeof(*pix));
	pix->pixelformat = formats[0].fourcc;
	pix->width = 640;
	pix->height = 480;
	v4l2dma_format_adjust(pix, c);
}

/**
 * v4l2dma_format_to_user() - say it as the V4L2 API does
 * @user: its type is set, and says which API; the rest is filled in
 * @pix: a valid format; the single-planar API has no more than one memory plane
 */
void v4l2dma_format_to_user(struct v4l2_format *user,
			    const struct v4l2_pix_format_mplane *pix)
{
	if (V4L2_TYPE_IS_MULTIPLANAR(user->type)) {
		user->fmt.pix_mp = *pix;
		return;
	}
	user->fmt.pix = (struct v4l2_pix_format) {
		.width = pix->width,
		.height = pix->height,
		.pixelformat = pix->pixelformat,
		.field = pix->field,
		.bytesperline = pix->plane_fmt[0].bytesperline,
		.sizeimage = pix->plane_fmt[0].sizeimage,
		.colorspace = pix->colorspace,
		.priv = V4L2_PIX_FMT_PRIV_MAGIC,
		.flags = pix->flags,
		.ycbcr_enc = pix->ycbcr_enc,
		.quantization = pix->quantization,
		.xfer_func = pix->xfer_func,
	};
}

/**
 * v4l2dma_format_from_user() - the way back
 * @pix: filled in; not valid before v4l2dma_format_adjust()
 * @user: of either API
 */
void v4l2dma_format_from_user(struct v4l2_pix_format_mplane *pix,
			      const struct v4l2_format *user)
{
	const struct v4l2_pix_format *single = &user->fmt.pix;

	if (V4L2_TYPE_IS_MULTIPLANAR(user->type)) {
		*pix = user->fmt.pix_mp;
		return;
	}
	*pix = (struct v4l2_pix_format_mplane) {
		.width = single->width,
		.height = single->height,
		.pixelformat = single->pixelformat,
		.field = single->field,
		.colorspace = single->colorspace,
		.plane_fmt[0].bytesperline = single->bytesperline,
		.plane_fmt[0].sizeimage = single->sizeimage,
		.flags = single->flags,
		.ycbcr_enc = min_t(u32, single->ycbcr_enc, U8_MAX),
		.quantization = min_t(u32, single->quantization, U8_MAX),
		.xfer_func = min_t(u32, single->xfer_func, U8_MAX),
	};
}

/**
 * v4l2dma_format_size() - of a whole frame
 * @pix: a valid format
 *
 * Return: bytes in all memory planes.
 */
u32 v4l2dma_format_size(const struct v4l2_pix_format_mplane *pix)
{
	unsigned int i;
	u32 size = 0;

	for (i = 0; i < pix->num_planes; i++)
		size += pix->plane_fmt[i].sizeimage;
	return size;
}

/**
 * v4l2dma_format_room() - the largest memory that makes sense for a plane
 * @sizeimage: bytes of the plane
 *
 * Return: bytes, room for headers and padding.
 */
u32 v4l2dma_format_room(u32 sizeimage)
{
	u64 size = sizeimage;

	return min_t(u64, max_t(u64, 2 * size, size + SZ_1M), SZ_2G);
}

/**
 * v4l2dma_format_max_size() - the largest buffer that makes sense
 * @pix: a valid format
 * @plane: one of its memory planes
 *
 * Return: bytes; nothing larger is allocated on a caller's word.
 */
u32 v4l2dma_format_max_size(const struct v4l2_pix_format_mplane *pix,
			    unsigned int plane)
{
	return v4l2dma_format_room(pix->plane_fmt[plane].sizeimage);
}

/**
 * v4l2dma_format_known() - does a loop have the format
 * @fourcc: V4L2_PIX_FMT_*
 * @c: what the loop is set to
 *
 * Return: whether it has.
 */
bool v4l2dma_format_known(u32 fourcc, const struct v4l2dma_config *c)
{
	return offers(c, find(fourcc));
}

/**
 * v4l2dma_format_compressed() - is it a format without lines
 * @fourcc: of the table
 *
 * Return: whether it is.
 */
bool v4l2dma_format_compressed(u32 fourcc)
{
	return !find(fourcc)->bits;
}

/**
 * v4l2dma_format_name() - name a format as the V4L2 core does
 * @fourcc: V4L2_PIX_FMT_*
 *
 * Return: the name, or NULL where every core knows it.
 */
const char *v4l2dma_format_name(u32 fourcc)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].fourcc == fourcc)
			return names[i].name;
	return NULL;
}

/**
 * v4l2dma_format_nth() - enumerate what a loop has of the table
 * @index: from 0
 * @c: what the loop is set to
 *
 * Return: V4L2_PIX_FMT_*, or 0 behind the last one.
 */
u32 v4l2dma_format_nth(unsigned int index, const struct v4l2dma_config *c)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (offers(c, &formats[i]) && !index--)
			return formats[i].fourcc;
	return 0;
}

/**
 * v4l2dma_format_steps() - steps of the frame sizes
 * @fourcc: of the table
 * @width: out: in pixels
 * @height: out: in lines
 */
void v4l2dma_format_steps(u32 fourcc, u32 *width, u32 *height)
{
	const struct v4l2dma_format *f = find(fourcc);

	*width = hstep(f);
	*height = vstep(f);
}

/**
 * v4l2dma_format_tighten() - lay a frame out without any padding
 * @pix: of a format of the table that is not compressed, and a valid size
 */
void v4l2dma_format_tighten(struct v4l2_pix_format_mplane *pix)
{
	memset(pix->plane_fmt, 0, sizeof(pix->plane_fmt));
	adjust_layout(find(pix->pixelformat), pix);
}

/**
 * v4l2dma_format_components() - where the component planes of a frame are
 * @pix: a valid format that is not compressed
 * @parts: filled in
 *
 * Return: their number.
 */
unsigned int
v4l2dma_format_components(const struct v4l2_pix_format_mplane *pix,
			  struct v4l2dma_component parts[V4L2DMA_MAX_COMPONENTS])
{
	const struct v4l2dma_format *f = find(pix->pixelformat);
	u32 stride = pix->plane_fmt[0].bytesperline;
	struct v4l2dma_component part = {
		.stride = stride,
		.vsub = 1,
		.hsub = 1,
		.bits = f->bits,
	};
	unsigned int i;

	parts[0] = part;
	if (!f->planes)
		return 1;
	part.offset = stride * pix->height;
	part.vsub = f->vsub;
	part.hsub = f->hsub;
	/* Pairs of Cb and Cr, or one of them. */
	part.bits = 2 * f->bits / f->planes;
	part.stride = DIV_ROUND_UP(2 * stride, f->hsub) / f->planes;
	for (i = 1; i <= f->planes; i++) {
		parts[i] = part;
		if (f->apart) {
			parts[i].plane = i;
			parts[i].offset = 0;
			parts[i].stride = pix->plane_fmt[i].bytesperline;
		}
		part.offset += part.stride * (pix->height / f->vsub);
	}
	return i;
}
