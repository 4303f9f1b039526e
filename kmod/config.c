// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a loop is set to: defaults, bounds, and how the control node says it.
 */
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "v4l2dma.h"

#define MAX_READERS	64
#define MAX_OPENERS	1024
#define MAX_RECLAIM_MS	60000
#define MAX_TIMEOUT_MS	3600000
#define MAX_DEBUG	9

/**
 * struct v4l2dma_bound - a number of the configuration
 * @name: as a module parameter
 * @kernel: its place in struct v4l2dma_config
 * @user: its place in struct v4l2dma_loop_config, where 0 is the default
 * @fallback: default
 * @min: smallest value
 * @max: largest value
 * @set: the bit that changes it at run time, 0 if it is fixed
 */
struct v4l2dma_bound {
	const char *name;
	size_t kernel;
	size_t user;
	u32 fallback;
	u32 min;
	u32 max;
	u32 set;
};

#define KERNEL(member)	offsetof(struct v4l2dma_config, member)
#define USER(member)	offsetof(struct v4l2dma_loop_config, member)

static const struct v4l2dma_bound bounds[] = {
	{ "min_buffers", KERNEL(min_buffers), USER(min_buffers),
	  4, 2, V4L2DMA_MAX_SLOTS, 0 },
	{ "max_buffers", KERNEL(max_buffers), USER(max_buffers),
	  V4L2DMA_MAX_SLOTS, 2, V4L2DMA_MAX_SLOTS, 0 },
	{ "max_readers", KERNEL(max_readers), USER(max_readers),
	  8, 1, MAX_READERS, V4L2DMA_SET_MAX_READERS },
	{ "max_openers", KERNEL(max_openers), USER(max_openers),
	  MAX_OPENERS, 1, MAX_OPENERS, V4L2DMA_SET_MAX_OPENERS },
	{ "max_pending", KERNEL(max_pending), USER(max_pending),
	  2, 1, V4L2DMA_MAX_SLOTS, V4L2DMA_SET_MAX_PENDING },
	{ "reclaim_ms", KERNEL(reclaim_ms), USER(reclaim_ms),
	  500, 1, MAX_RECLAIM_MS, V4L2DMA_SET_RECLAIM_MS },
	{ "max_width", KERNEL(max_width), USER(max_width),
	  V4L2DMA_MAX_WIDTH, V4L2DMA_MIN_WIDTH, V4L2DMA_MAX_WIDTH, 0 },
	{ "max_height", KERNEL(max_height), USER(max_height),
	  V4L2DMA_MAX_HEIGHT, V4L2DMA_MIN_HEIGHT, V4L2DMA_MAX_HEIGHT, 0 },
	{ "timeout", KERNEL(timeout_ms), USER(timeout_ms),
	  0, 0, MAX_TIMEOUT_MS, V4L2DMA_SET_TIMEOUT },
	{ "debug", KERNEL(debug), USER(debug),
	  0, 0, MAX_DEBUG, V4L2DMA_SET_DEBUG },
};

/* The flags of the control node and what they are here. */
static const struct {
	u32 flag;
	size_t kernel;
} flags[] = {
	{ V4L2DMA_LOOP_EXCLUSIVE_CAPS, KERNEL(exclusive_caps) },
	{ V4L2DMA_LOOP_NO_DMABUF, KERNEL(no_dmabuf) },
	{ V4L2DMA_LOOP_SPLIT_NODES, KERNEL(split_nodes) },
	{ V4L2DMA_LOOP_LOSSLESS, KERNEL(lossless) },
	{ V4L2DMA_LOOP_CONTIGUOUS, KERNEL(contiguous) },
	{ V4L2DMA_LOOP_MULTIPLANAR, KERNEL(multiplanar) },
	{ V4L2DMA_LOOP_ALLOWED_GID_SET, KERNEL(has_gid) },
};

#define KNOWN_SETS	(V4L2DMA_SET_MAX_READERS | V4L2DMA_SET_MAX_OPENERS | \
			 V4L2DMA_SET_MAX_PENDING | V4L2DMA_SET_RECLAIM_MS |  \
			 V4L2DMA_SET_DEBUG | V4L2DMA_SET_ALLOWED_GID |	     \
			 V4L2DMA_SET_TIMEOUT)

static u32 *number(struct v4l2dma_config *c, size_t offset)
{
	return (void *)c + offset;
}

static bool *boolean(struct v4l2dma_config *c, size_t offset)
{
	return (void *)c + offset;
}

/* Of either structure. */
static u32 read_number(const void *structure, size_t offset)
{
	return *(const u32 *)(structure + offset);
}

/**
 * v4l2dma_config_default() - what a loop is set to if nobody says anything
 * @c: filled in; the label is empty
 */
void v4l2dma_config_default(struct v4l2dma_config *c)
{
	unsigned int i;

	memset(c, 0, sizeof(*c));
	c->video_nr = -1;
	c->capture_nr = -1;
	for (i = 0; i < ARRAY_SIZE(bounds); i++)
		*number(c, bounds[i].kernel) = bounds[i].fallback;
}

/**
 * v4l2dma_check_range() - is a number in its range, and say so if not
 * @name: of a parameter
 * @value: its value
 * @min: smallest one that is allowed
 * @max: largest one
 *
 * Return: whether it is.
 */
bool v4l2dma_check_range(const char *name, long long value, long long min,
			 long long max)
{
	if (value >= min && value <= max)
		return true;
	pr_err("v4l2dma: %s=%lld is out of range, %lld to %lld are possible\n",
	       name, value, min, max);
	return false;
}

/**
 * v4l2dma_config_valid() - can a loop be set to that
 * @c: what is wanted
 *
 * Return: whether it can; if not, one line in the kernel's log says why.
 */
bool v4l2dma_config_valid(struct v4l2dma_config *c)
{
	unsigned int i;

	if (!v4l2dma_check_range("video_nr", c->video_nr, -1, 255) ||
	    !v4l2dma_check_range("capture_nr", c->capture_nr, -1, 255))
		return false;
	for (i = 0; i < ARRAY_SIZE(bounds); i++)
		if (!v4l2dma_check_range(bounds[i].name,
					 *number(c, bounds[i].kernel),
					 bounds[i].min, bounds[i].max))
			return false;
	if (!v4l2dma_check_range("max_buffers", c->max_buffers, c->min_buffers,
				 V4L2DMA_MAX_SLOTS))
		return false;
	if (c->has_gid && !gid_valid(c->allowed_gid)) {
		pr_err("v4l2dma: allowed_gid is no group\n");
		return false;
	}
	if (c->exclusive_caps && c->split_nodes) {
		pr_err("v4l2dma: exclusive_caps needs a single node, nodes=split makes two\n");
		return false;
	}
	return true;
}

/**
 * v4l2dma_config_from_user() - what the control node was asked for
 * @c: filled in; not checked
 * @user: 0 means the default
 *
 * Return: 0, or -EINVAL for what this module does not know.
 */
int v4l2dma_config_from_user(struct v4l2dma_config *c,
			     const struct v4l2dma_loop_config *user)
{
	u32 unknown = user->flags, value;
	unsigned int i;

	v4l2dma_config_default(c);
	c->video_nr = user->video_nr;
	c->capture_nr = user->capture_nr;
	for (i = 0; i < ARRAY_SIZE(bounds); i++) {
		value = read_number(user, bounds[i].user);
		if (value)
			*number(c, bounds[i].kernel) = value;
	}
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		*boolean(c, flags[i].kernel) = user->flags & flags[i].flag;
		unknown &= ~flags[i].flag;
	}
	c->allowed_gid = make_kgid(current_user_ns(), user->allowed_gid);
	if (strnlen(user->card_label, sizeof(user->card_label)) ==
	    sizeof(user->card_label))
		return -EINVAL;
	strscpy(c->label, user->card_label, sizeof(c->label));
	return unknown ? -EINVAL : 0;
}

/**
 * v4l2dma_config_to_user() - the way back
 * @user: filled in
 * @c: what a loop is set to
 */
void v4l2dma_config_to_user(struct v4l2dma_loop_config *user,
			    const struct v4l2dma_config *c)
{
	unsigned int i;

	memset(user, 0, sizeof(*user));
	user->video_nr = c->video_nr;
	user->capture_nr = c->capture_nr;
	for (i = 0; i < ARRAY_SIZE(bounds); i++)
		*(u32 *)((void *)user + bounds[i].user) =
			read_number(c, bounds[i].kernel);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (*(const bool *)((const u8 *)c + flags[i].kernel))
			user->flags |= flags[i].flag;
	if (c->has_gid)
		user->allowed_gid = from_kgid_munged(current_user_ns(),
						     c->allowed_gid);
	strscpy(user->card_label, c->label, sizeof(user->card_label));
}

static void apply(struct v4l2dma_config *c, const struct v4l2dma_config *wish,
		  u32 which)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bounds); i++)
		if (which & bounds[i].set)
			*number(c, bounds[i].kernel) =
				read_number(wish, bounds[i].kernel);
	if (which & V4L2DMA_SET_ALLOWED_GID) {
		c->has_gid = wish->has_gid;
		c->allowed_gid = wish->allowed_gid;
	}
}

/**
 * v4l2dma_config_change() - change what may change while a loop exists
 * @c: a loop's; changed only where this is successful
 * @wish: values
 * @which: V4L2DMA_SET_*: which of them
 *
 * Return: 0 or -EINVAL.
 */
int v4l2dma_config_change(struct v4l2dma_config *c,
			  const struct v4l2dma_config *wish, u32 which)
{
	struct v4l2dma_config changed = *c;

	if (which & ~KNOWN_SETS)
		return -EINVAL;
	apply(&changed, wish, which);
	if (!v4l2dma_config_valid(&changed))
		return -EINVAL;
	apply(c, wish, which);
	return 0;
}
