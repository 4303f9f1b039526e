// SPDX-License-Identifier: GPL-2.0-only
/*
 * The picture that readers see while there is no signal: colour bars, and the
 * words NO SIGNAL.
 *
 * All lines of such a picture are alike, but for the words. So the kernel's test
 * pattern generator draws a strip of bars, one of the letters' colour and one of
 * their background, and the picture is put together from pieces of these: that
 * needs to know where a piece lies in a format, and never what a pixel means.
 */
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <media/tpg/v4l2-tpg.h>

#include "compat.h"
#include "v4l2dma.h"

#define STRIP_LINES	8	/* every format's vertical step divides it */

#define GLYPH_WIDTH	5	/* in dots */
#define GLYPH_HEIGHT	7
#define GLYPH_ADVANCE	(GLYPH_WIDTH + 1)
#define MARGIN		2
#define PLAIN		0x80	/* a grey, or nearly, in most formats */

enum strip {
	STRIP_BARS,
	STRIP_BACK,
	STRIP_LETTERS,
	N_STRIPS,
};

static const enum tpg_pattern patterns[] = {
	[STRIP_BARS] = TPG_PAT_100_COLORBAR,
	[STRIP_BACK] = TPG_PAT_BLACK,
	[STRIP_LETTERS] = TPG_PAT_WHITE,
};

/*
 * Formats that the generator does not know, but a relative of theirs: how a
 * group of bytes becomes one of the wanted format.
 */
enum widen {
	WIDEN_NONE,		/* the same */
	WIDEN_WORD,		/* 8 bits to the upper half of 16 */
	WIDEN_MIPI10,		/* 4 pixels, then their lower bits */
	WIDEN_MIPI12,
	WIDEN_MIPI14,
	WIDEN_14,		/* the upper 14 of 16 bits */
	WIDEN_TO_4,		/* the upper 4 of 8 bits */
	WIDEN_TO_6,
	WIDEN_DROP,		/* without the first of 4 bytes */
	WIDEN_DROP_WORD,	/* likewise, then as WIDEN_WORD */
	WIDEN_RGBX30,		/* 10 bits each, from the top */
	WIDEN_XRGB30,		/* 10 bits each, to the bottom */
};

static const struct {
	u8 in;
	u8 out;
} group_bytes[] = {
	[WIDEN_NONE] = { 1, 1 },
	[WIDEN_WORD] = { 1, 2 },
	[WIDEN_MIPI10] = { 4, 5 },
	[WIDEN_MIPI12] = { 2, 3 },
	[WIDEN_MIPI14] = { 4, 7 },
	[WIDEN_14] = { 2, 2 },
	[WIDEN_TO_4] = { 1, 1 },
	[WIDEN_TO_6] = { 1, 1 },
	[WIDEN_DROP] = { 4, 3 },
	[WIDEN_DROP_WORD] = { 4, 6 },
	[WIDEN_RGBX30] = { 4, 4 },
	[WIDEN_XRGB30] = { 4, 4 },
};

#define RELATIVE(f, g, h) \
	{ .fourcc = V4L2_PIX_FMT_##f, .from = V4L2_PIX_FMT_##g, \
	  .how = WIDEN_##h }

static const struct relative {
	u32 fourcc;
	u32 from;
	enum widen how;
} relatives[] = {
	RELATIVE(P010, NV12, WORD),
	RELATIVE(P012, NV12, WORD),
	RELATIVE(P012M, NV12M, WORD),
	RELATIVE(Y210, YUYV, WORD),
	RELATIVE(Y212, YUYV, WORD),
	RELATIVE(Y216, YUYV, WORD),
	RELATIVE(BGR48_12, BGR24, WORD),
	RELATIVE(BGR48, BGR24, WORD),
	RELATIVE(RGB48, RGB24, WORD),
	RELATIVE(ABGR64_12, ABGR32, WORD),
	RELATIVE(YUV24, AYUV32, DROP),
	RELATIVE(YUV48_12, AYUV32, DROP_WORD),
	RELATIVE(RGBX1010102, RGBA32, RGBX30),
	RELATIVE(RGBA1010102, RGBA32, RGBX30),
	RELATIVE(ARGB2101010, RGBA32, XRGB30),
	RELATIVE(Y4, GREY, TO_4),
	RELATIVE(Y6, GREY, TO_6),
	RELATIVE(Y012, GREY, WORD),
	RELATIVE(Y14, Y16, 14),
	RELATIVE(Y10P, GREY, MIPI10),
	RELATIVE(Y12P, GREY, MIPI12),
	RELATIVE(Y14P, GREY, MIPI14),
	RELATIVE(SBGGR10P, SBGGR8, MIPI10),
	RELATIVE(SGBRG10P, SGBRG8, MIPI10),
	RELATIVE(SGRBG10P, SGRBG8, MIPI10),
	RELATIVE(SRGGB10P, SRGGB8, MIPI10),
	RELATIVE(SBGGR12P, SBGGR8, MIPI12),
	RELATIVE(SGBRG12P, SGBRG8, MIPI12),
	RELATIVE(SGRBG12P, SGRBG8, MIPI12),
	RELATIVE(SRGGB12P, SRGGB8, MIPI12),
	RELATIVE(SBGGR14P, SBGGR8, MIPI14),
	RELATIVE(SGBRG14P, SGBRG8, MIPI14),
	RELATIVE(SGRBG14P, SGRBG8, MIPI14),
	RELATIVE(SRGGB14P, SRGGB8, MIPI14),
	RELATIVE(SBGGR14, SBGGR16, 14),
	RELATIVE(SGBRG14, SGBRG16, 14),
	RELATIVE(SGRBG14, SGRBG16, 14),
	RELATIVE(SRGGB14, SRGGB16, 14),
	/* Their brightness is not linear; bars they are nevertheless. */
	RELATIVE(SBGGR10ALAW8, SBGGR8, NONE),
	RELATIVE(SGBRG10ALAW8, SGBRG8, NONE),
	RELATIVE(SGRBG10ALAW8, SGRBG8, NONE),
	RELATIVE(SRGGB10ALAW8, SRGGB8, NONE),
	RELATIVE(SBGGR10DPCM8, SBGGR8, NONE),
	RELATIVE(SGBRG10DPCM8, SGBRG8, NONE),
	RELATIVE(SGRBG10DPCM8, SGRBG8, NONE),
	RELATIVE(SRGGB10DPCM8, SRGGB8, NONE),
};

/**
 * struct v4l2dma_painter - a picture that is being drawn
 * @pix: its format
 * @strip: the format of a strip
 * @n: number of component planes
 * @parts: where these are in the picture
 * @strip_parts: where they are in a strip
 * @strips: the strips, their memory planes one after the other
 * @out: the picture, by memory plane
 */
struct v4l2dma_painter {
	const struct v4l2_pix_format_mplane *pix;
	struct v4l2_pix_format_mplane strip;
	unsigned int n;
	struct v4l2dma_component parts[V4L2DMA_MAX_COMPONENTS];
	struct v4l2dma_component strip_parts[V4L2DMA_MAX_COMPONENTS];
	u8 *strips[N_STRIPS];
	u8 *out[V4L2DMA_MAX_PLANES];
};

/* Where a memory plane begins in a buffer that has all of them. */
static u32 plane_offset(const struct v4l2_pix_format_mplane *pix,
			unsigned int plane)
{
	u32 offset = 0;

	while (plane--)
		offset += pix->plane_fmt[plane].sizeimage;
	return offset;
}

static u32 part_offset(const struct v4l2_pix_format_mplane *pix,
		       const struct v4l2dma_component *part)
{
	return plane_offset(pix, part->plane) + part->offset;
}

/* The strips */

static void widen_group(enum widen how, const u8 *in, u8 *out)
{
	unsigned int i;

	switch (how) {
	case WIDEN_NONE:
		*out = *in;
		break;
	case WIDEN_WORD:
		put_unaligned_le16(*in << 8, out);
		break;
	case WIDEN_MIPI10:
	case WIDEN_MIPI12:
	case WIDEN_MIPI14:
		memset(out, 0, group_bytes[how].out);
		memcpy(out, in, group_bytes[how].in);
		break;
	case WIDEN_14:
		put_unaligned_le16(get_unaligned_le16(in) >> 2, out);
		break;
	case WIDEN_TO_4:
		*out = *in >> 4;
		break;
	case WIDEN_TO_6:
		*out = *in >> 2;
		break;
	case WIDEN_DROP:
		memcpy(out, in + 1, 3);
		break;
	case WIDEN_DROP_WORD:
		for (i = 0; i < 3; i++)
			put_unaligned_le16(in[i + 1] << 8, out + 2 * i);
		break;
	case WIDEN_RGBX30:
		put_unaligned_le32((u32)in[0] << 24 | in[1] << 14 |
				   in[2] << 4 | 3, out);
		break;
	case WIDEN_XRGB30:
		put_unaligned_le32(3U << 30 | in[0] << 22 | in[1] << 12 |
				   in[2] << 2, out);
		break;
	}
}

static void widen_line(enum widen how, const u8 *in, unsigned int bytes,
		       u8 *out)
{
	unsigned int n = group_bytes[how].in;
	unsigned int pos;

	for (pos = 0; pos + n <= bytes; pos += n) {
		widen_group(how, in + pos, out);
		out += group_bytes[how].out;
	}
}

static const struct relative *relative_of(u32 fourcc)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(relatives); i++)
		if (relatives[i].fourcc == fourcc)
			return &relatives[i];
	return NULL;
}

#if IS_REACHABLE(CONFIG_VIDEO_V4L2_TPG)
static int generate(const struct v4l2_pix_format_mplane *strip,
		    enum tpg_pattern pattern, u8 *out)
{
	struct tpg_data *tpg;
	int ret = -ENOMEM;
	unsigned int i;

	tpg = kzalloc(sizeof(*tpg), GFP_KERNEL);
	if (!tpg)
		return -ENOMEM;
	tpg_init(tpg, strip->width, strip->height);
	if (tpg_alloc(tpg, strip->width))
		goto out;
	ret = -EOPNOTSUPP;
	if (!tpg_s_fourcc(tpg, strip->pixelformat))
		goto out;
	tpg_reset_source(tpg, strip->width, strip->height, V4L2_FIELD_NONE);
	for (i = 0; i < strip->num_planes; i++)
		tpg_s_bytesperline(tpg, i, strip->plane_fmt[i].bytesperline);
	tpg_s_colorspace(tpg, strip->colorspace);
	tpg_s_xfer_func(tpg, strip->xfer_func);
	tpg_s_ycbcr_enc(tpg, strip->ycbcr_enc);
	tpg_s_hsv_enc(tpg, strip->hsv_enc);
	tpg_s_quantization(tpg, strip->quantization);
	tpg_s_alpha_component(tpg, 255);
	tpg_s_pattern(tpg, pattern);
	for (i = 0; i < strip->num_planes; i++)
		tpg_fillbuffer(tpg, 0, i, out + plane_offset(strip, i));
	ret = 0;
out:
	tpg_free(tpg);
	kfree(tpg);
	return ret;
}
#else
static int generate(const struct v4l2_pix_format_mplane *strip,
		    enum tpg_pattern pattern, u8 *out)
{
	return -EOPNOTSUPP;
}
#endif

/* Draw the strip in the relative's format, which has the same planes. */
static int generate_relative(struct v4l2dma_painter *p,
			     const struct relative *relative,
			     enum tpg_pattern pattern, u8 *out)
{
	struct v4l2dma_component from[V4L2DMA_MAX_COMPONENTS];
	struct v4l2_pix_format_mplane narrow = p->strip;
	unsigned int c, y;
	u8 *data;
	int ret;

	narrow.pixelformat = relative->from;
	v4l2dma_format_tighten(&narrow);
	data = kvzalloc(v4l2dma_format_size(&narrow), GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	ret = generate(&narrow, pattern, data);
	v4l2dma_format_components(&narrow, from);
	for (c = 0; c < p->n && !ret; c++)
		for (y = 0; y < narrow.height / from[c].vsub; y++)
			widen_line(relative->how,
				   data + part_offset(&narrow, &from[c]) +
				   y * from[c].stride, from[c].stride,
				   out + part_offset(&p->strip,
						     &p->strip_parts[c]) +
				   y * p->strip_parts[c].stride);
	kvfree(data);
	return ret;
}

static int make_strips(struct v4l2dma_painter *p)
{
	const struct relative *relative = relative_of(p->pix->pixelformat);
	unsigned int i;
	int ret = 0;

	for (i = 0; i < N_STRIPS && !ret; i++) {
		p->strips[i] = kvzalloc(v4l2dma_format_size(&p->strip),
					GFP_KERNEL);
		if (!p->strips[i])
			return -ENOMEM;
		ret = relative ? generate_relative(p, relative, patterns[i],
						   p->strips[i]) :
				 generate(&p->strip, patterns[i], p->strips[i]);
	}
	return ret;
}

/* The picture; all in pixels and lines that are multiples of the format's steps */

static u32 byte_of(const struct v4l2dma_component *part, u32 x)
{
	return x * part->bits / (8 * part->hsub);
}

static void fill(struct v4l2dma_painter *p, enum strip strip, u32 x, u32 y,
		 u32 width, u32 height)
{
	const struct v4l2dma_component *from, *to;
	u32 line, first, bytes;
	unsigned int c;

	for (c = 0; c < p->n; c++) {
		from = &p->strip_parts[c];
		to = &p->parts[c];
		first = byte_of(to, x);
		bytes = byte_of(to, x + width) - first;
		for (line = y / to->vsub; line < (y + height) / to->vsub;
		     line++) {
			memcpy(p->out[to->plane] + to->offset +
			       line * to->stride + first,
			       p->strips[strip] + part_offset(&p->strip, from) +
			       line % (STRIP_LINES / from->vsub) *
			       from->stride + first, bytes);
			cond_resched();
		}
	}
}

static const struct glyph {
	char letter;
	u8 lines[GLYPH_HEIGHT];
} glyphs[] = {
	{ 'N', { 0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11 } },
	{ 'O', { 0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e } },
	{ 'S', { 0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e } },
	{ 'I', { 0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e } },
	{ 'G', { 0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f } },
	{ 'A', { 0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11 } },
	{ 'L', { 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f } },
};

static void draw_glyph(struct v4l2dma_painter *p, const struct glyph *glyph,
		       u32 x, u32 y, u32 dot)
{
	unsigned int column, line;

	for (line = 0; line < GLYPH_HEIGHT; line++)
		for (column = 0; column < GLYPH_WIDTH; column++)
			if (glyph->lines[line] >> (GLYPH_WIDTH - 1 - column) & 1)
				fill(p, STRIP_LETTERS, x + column * dot,
				     y + line * dot, dot, dot);
}

static void draw_text(struct v4l2dma_painter *p, const char *text, u32 x,
		      u32 y, u32 dot)
{
	unsigned int i;

	for (; *text; text++, x += GLYPH_ADVANCE * dot)
		for (i = 0; i < ARRAY_SIZE(glyphs); i++)
			if (glyphs[i].letter == *text)
				draw_glyph(p, &glyphs[i], x, y, dot);
}

/**
 * struct v4l2dma_sign - the words in one of the shapes that they may have
 * @words: by line
 * @n: number of lines
 */
struct v4l2dma_sign {
	const char *words[2];
	unsigned int n;
};

/* The best shape first. */
static const struct v4l2dma_sign signs[] = {
	{ { "NO SIGNAL" }, 1 },
	{ { "NO", "SIGNAL" }, 2 },
};

static u32 sign_width(const struct v4l2dma_sign *s)
{
	return strlen(s->words[s->n - 1]) * GLYPH_ADVANCE - 1 + 2 * MARGIN;
}

static u32 sign_height(const struct v4l2dma_sign *s)
{
	return s->n * (GLYPH_HEIGHT + 1) - 1 + 2 * MARGIN;
}

/* Two thirds of the picture's width, and half of its height; less than @step: no. */
static u32 dot_size(const struct v4l2dma_painter *p,
		    const struct v4l2dma_sign *s, u32 step)
{
	u32 best = min(2 * p->pix->width / 3 / sign_width(s),
		       p->pix->height / 2 / sign_height(s));

	if (best < step && step * sign_width(s) <= p->pix->width &&
	    step * sign_height(s) <= p->pix->height)
		best = step;
	return rounddown(best, step);
}

static void draw_sign(struct v4l2dma_painter *p, const struct v4l2dma_sign *s,
		      u32 dot, u32 step)
{
	u32 width = sign_width(s) * dot, height = sign_height(s) * dot;
	u32 x = rounddown((p->pix->width - width) / 2, step);
	u32 y = rounddown((p->pix->height - height) / 2, step);
	unsigned int i;

	fill(p, STRIP_BACK, x, y, width, height);
	for (i = 0; i < s->n; i++)
		draw_text(p, s->words[i], x + MARGIN * dot,
			  y + (MARGIN + i * (GLYPH_HEIGHT + 1)) * dot, dot);
}

static void draw_picture(struct v4l2dma_painter *p)
{
	u32 width, height, step, dot;
	unsigned int i;

	fill(p, STRIP_BARS, 0, 0, p->pix->width, p->pix->height);
	v4l2dma_format_steps(p->pix->pixelformat, &width, &height);
	step = max(width, height);	/* powers of two, both */
	for (i = 0; i < ARRAY_SIZE(signs); i++) {
		dot = dot_size(p, &signs[i], step);
		if (dot) {
			draw_sign(p, &signs[i], dot, step);
			return;
		}
	}
}

/**
 * v4l2dma_picture_draw() - draw the picture
 * @pix: its format, not a compressed one
 * @out: its memory planes, zeroed
 *
 * In a format that is drawn neither by the kernel's generator nor here it is a
 * plain one, and where the words do not fit there are none.
 *
 * Return: 0 or -ENOMEM.
 */
int v4l2dma_picture_draw(const struct v4l2_pix_format_mplane *pix,
			 void *const out[V4L2DMA_MAX_PLANES])
{
	struct v4l2dma_painter p = { .pix = pix, .strip = *pix };
	unsigned int i;
	int ret;

	for (i = 0; i < pix->num_planes; i++)
		p.out[i] = out[i];
	p.strip.height = STRIP_LINES;
	v4l2dma_format_tighten(&p.strip);
	p.n = v4l2dma_format_components(pix, p.parts);
	v4l2dma_format_components(&p.strip, p.strip_parts);
	ret = make_strips(&p);
	if (!ret)
		draw_picture(&p);
	for (i = 0; i < N_STRIPS; i++)
		kvfree(p.strips[i]);
	if (ret != -EOPNOTSUPP)
		return ret;
	for (i = 0; i < pix->num_planes; i++)
		memset(out[i], PLAIN, pix->plane_fmt[i].sizeimage);
	return 0;
}
