// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: parameters, and the loops made at load time.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "compat.h"
#include "v4l2dma.h"

struct v4l2dma_driver v4l2dma_driver = {
	.lock = __MUTEX_INITIALIZER(v4l2dma_driver.lock),
	.loops = LIST_HEAD_INIT(v4l2dma_driver.loops),
};

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "number of loops (default 1, at most 32)");

/*
 * What may differ from loop to loop. One value is every loop's; with several,
 * the i-th is that of the i-th loop. A number and a name are one loop's only.
 */
static int video_nr[V4L2DMA_MAX_LOOPS];
static unsigned int n_video_nr;
module_param_array(video_nr, int, &n_video_nr, 0444);
MODULE_PARM_DESC(video_nr, "wanted number of /dev/videoN, -1: any");

static char *card_label[V4L2DMA_MAX_LOOPS];
static unsigned int n_card_label;
module_param_array(card_label, charp, &n_card_label, 0444);
MODULE_PARM_DESC(card_label, "name of each loop");

static bool exclusive_caps[V4L2DMA_MAX_LOOPS];
static unsigned int n_exclusive_caps;
module_param_array(exclusive_caps, bool, &n_exclusive_caps, 0444);
MODULE_PARM_DESC(exclusive_caps,
		 "announce CAPTURE while a writer streams, OUTPUT otherwise (default N)");

static bool support_dmabuf[V4L2DMA_MAX_LOOPS];
static unsigned int n_support_dmabuf;
module_param_array(support_dmabuf, bool, &n_support_dmabuf, 0444);
MODULE_PARM_DESC(support_dmabuf,
		 "offer DMABUF memory and EXPBUF (default Y)");

static unsigned int min_buffers[V4L2DMA_MAX_LOOPS];
static unsigned int n_min_buffers;
module_param_array(min_buffers, uint, &n_min_buffers, 0444);
MODULE_PARM_DESC(min_buffers, "fewest slots of a loop (default 4)");

static unsigned int max_buffers[V4L2DMA_MAX_LOOPS];
static unsigned int n_max_buffers;
module_param_array(max_buffers, uint, &n_max_buffers, 0444);
MODULE_PARM_DESC(max_buffers, "most slots of a loop (default and at most 32)");

static unsigned int max_readers[V4L2DMA_MAX_LOOPS];
static unsigned int n_max_readers;
module_param_array(max_readers, uint, &n_max_readers, 0444);
MODULE_PARM_DESC(max_readers,
		 "most readers of a loop at a time (default 8)");

static unsigned int max_pending[V4L2DMA_MAX_LOOPS];
static unsigned int n_max_pending;
module_param_array(max_pending, uint, &n_max_pending, 0444);
MODULE_PARM_DESC(max_pending,
		 "most frames that wait for one reader (default 2)");

static unsigned int reclaim_ms[V4L2DMA_MAX_LOOPS];
static unsigned int n_reclaim_ms;
module_param_array(reclaim_ms, uint, &n_reclaim_ms, 0444);
MODULE_PARM_DESC(reclaim_ms,
		 "how long a reader may keep a frame while the writer has none left (default 500)");

static int allowed_gid[V4L2DMA_MAX_LOOPS];
static unsigned int n_allowed_gid;
module_param_array(allowed_gid, int, &n_allowed_gid, 0444);
MODULE_PARM_DESC(allowed_gid,
		 "group that may open the loop, -1: whom the node's mode lets (default)");

static unsigned int debug[V4L2DMA_MAX_LOOPS];
static unsigned int n_debug;
module_param_array(debug, uint, &n_debug, 0444);
MODULE_PARM_DESC(debug, "verbosity of the kernel log (default 0)");

#define MAX_READERS	64
#define MAX_RECLAIM_MS	60000

static bool check_range(const char *name, long long value, long long min,
			long long max)
{
	if (value >= min && value <= max)
		return true;
	pr_err("v4l2dma: %s=%lld is out of range, %lld to %lld are possible\n",
	       name, value, min, max);
	return false;
}

static bool valid(const struct v4l2dma_config *c)
{
	return check_range("video_nr", c->video_nr, -1, 255) &&
	       check_range("min_buffers", c->min_buffers, 2,
			   V4L2DMA_MAX_SLOTS) &&
	       check_range("max_buffers", c->max_buffers, c->min_buffers,
			   V4L2DMA_MAX_SLOTS) &&
	       check_range("max_readers", c->max_readers, 1, MAX_READERS) &&
	       check_range("max_pending", c->max_pending, 1,
			   V4L2DMA_MAX_SLOTS) &&
	       check_range("reclaim_ms", c->reclaim_ms, 1, MAX_RECLAIM_MS);
}

static bool set_gid(struct v4l2dma_config *c, int gid)
{
	if (gid == -1)
		return true;
	c->allowed_gid = make_kgid(&init_user_ns, gid);
	c->has_gid = true;
	if (gid >= 0 && gid_valid(c->allowed_gid))
		return true;
	pr_err("v4l2dma: allowed_gid=%d is no group\n", gid);
	return false;
}

static bool set_label(struct v4l2dma_config *c, unsigned int i)
{
	if (i >= n_card_label) {
		snprintf(c->label, sizeof(c->label), "v4l2dma loop %u", i);
		return true;
	}
	if (strscpy(c->label, card_label[i], sizeof(c->label)) > 0)
		return true;
	pr_err("v4l2dma: card_label of loop %u must have 1 to %zu characters\n",
	       i, sizeof(c->label) - 1);
	return false;
}

/* Which of @n values is the i-th loop's; -1: none, take the default. */
static int pick(unsigned int n, unsigned int i)
{
	if (i < n)
		return i;
	return n == 1 ? 0 : -1;
}

static unsigned int pick_uint(const unsigned int *values, unsigned int n,
			      unsigned int i, unsigned int fallback)
{
	int at = pick(n, i);

	return at < 0 ? fallback : values[at];
}

static bool pick_bool(const bool *values, unsigned int n, unsigned int i,
		      bool fallback)
{
	int at = pick(n, i);

	return at < 0 ? fallback : values[at];
}

/* From the module's parameters, for the i-th loop. */
static bool configure(struct v4l2dma_config *c, unsigned int i)
{
	int gid = pick(n_allowed_gid, i);

	memset(c, 0, sizeof(*c));
	c->video_nr = i < n_video_nr ? video_nr[i] : -1;
	c->exclusive_caps = pick_bool(exclusive_caps, n_exclusive_caps, i,
				      false);
	c->support_dmabuf = pick_bool(support_dmabuf, n_support_dmabuf, i,
				      true);
	c->min_buffers = pick_uint(min_buffers, n_min_buffers, i, 4);
	c->max_buffers = pick_uint(max_buffers, n_max_buffers, i,
				   V4L2DMA_MAX_SLOTS);
	c->max_readers = pick_uint(max_readers, n_max_readers, i, 8);
	c->max_pending = pick_uint(max_pending, n_max_pending, i, 2);
	c->reclaim_ms = pick_uint(reclaim_ms, n_reclaim_ms, i, 500);
	c->debug = pick_uint(debug, n_debug, i, 0);
	return set_label(c, i) && valid(c) &&
	       set_gid(c, gid < 0 ? -1 : allowed_gid[gid]);
}

static void remove_loops(void)
{
	struct v4l2dma_loop *loop, *next;

	mutex_lock(&v4l2dma_driver.lock);
	list_for_each_entry_safe(loop, next, &v4l2dma_driver.loops, entry) {
		list_del(&loop->entry);
		v4l2dma_loop_remove(loop);
	}
	mutex_unlock(&v4l2dma_driver.lock);
}

static bool check_parameters(void)
{
	struct v4l2dma_config config;
	unsigned int i;

	if (!check_range("devices", devices, 0, V4L2DMA_MAX_LOOPS))
		return false;
	for (i = 0; i < devices; i++)
		if (!configure(&config, i))
			return false;
	return true;
}

static int create_loop(struct device *parent, unsigned int i)
{
	struct v4l2dma_config config;
	struct v4l2dma_loop *loop;

	configure(&config, i);
	loop = v4l2dma_loop_create(parent, i, &config);
	if (IS_ERR(loop)) {
		pr_err("v4l2dma: loop %u could not be made: %ld\n", i,
		       PTR_ERR(loop));
		return PTR_ERR(loop);
	}
	mutex_lock(&v4l2dma_driver.lock);
	list_add_tail(&loop->entry, &v4l2dma_driver.loops);
	mutex_unlock(&v4l2dma_driver.lock);
	return 0;
}

/*
 * A node can be opened as soon as it is there, and a module whose init fails
 * is freed even while its files are open. So once there is a node this is
 * successful, with what could be made.
 */
static int create_nodes(struct device *parent)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < devices && !ret; i++)
		ret = create_loop(parent, i);
	if (ret && i == 1)
		return ret;
	ret = v4l2dma_control_register();
	if (!ret || !devices)
		return ret;
	pr_err("v4l2dma: /dev/" V4L2DMA_DRIVER_NAME " could not be made: %d\n",
	       ret);
	return 0;
}

static int v4l2dma_probe(struct platform_device *pdev)
{
	/* The loops' memory is the CPU's; no device limits what it may be. */
	return dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
}

static struct platform_driver v4l2dma_platform_driver = {
	.driver = {
		.name = V4L2DMA_DRIVER_NAME,
	},
};

static int __init v4l2dma_init(void)
{
	int ret;

	if (!check_parameters())
		return -EINVAL;
	v4l2dma_driver.pdev =
		platform_create_bundle(&v4l2dma_platform_driver, v4l2dma_probe,
				       NULL, 0, NULL, 0);
	if (IS_ERR(v4l2dma_driver.pdev))
		return PTR_ERR(v4l2dma_driver.pdev);

	ret = create_nodes(&v4l2dma_driver.pdev->dev);
	if (ret) {
		platform_device_unregister(v4l2dma_driver.pdev);
		platform_driver_unregister(&v4l2dma_platform_driver);
	}
	return ret;
}

static void __exit v4l2dma_exit(void)
{
	v4l2dma_control_unregister();
	remove_loops();
	platform_device_unregister(v4l2dma_driver.pdev);
	platform_driver_unregister(&v4l2dma_platform_driver);
}

module_init(v4l2dma_init);
module_exit(v4l2dma_exit);

MODULE_DESCRIPTION("Virtual video cable whose frames are dma-bufs");
MODULE_AUTHOR("The v4l2dma authors");
MODULE_LICENSE("GPL");
V4L2DMA_IMPORT_DMA_BUF_NS;
