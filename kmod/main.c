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

/*
 * A parameter that may differ from loop to loop. One value is every loop's;
 * with several, the i-th is that of the i-th loop.
 */
#define LOOP_PARAM(name, type, ctype, desc)				\
	static ctype name[V4L2DMA_MAX_LOOPS];				\
	static unsigned int n_##name;					\
	module_param_array(name, type, &n_##name, 0444);		\
	MODULE_PARM_DESC(name, desc)

#define LOOP_PARAM_FOR(name, i, target)					\
	do {								\
		if ((i) < n_##name)					\
			(target) = name[i];				\
		else if (n_##name == 1)					\
			(target) = name[0];				\
	} while (0)

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "number of loops (default 1, at most 32)");

LOOP_PARAM(video_nr, int, int, "wanted number of /dev/videoN, -1: any");
LOOP_PARAM(card_label, charp, char *, "name of each loop");
LOOP_PARAM(exclusive_caps, bool, bool,
	   "announce OUTPUT until a writer streams, CAPTURE from then on (default N)");
LOOP_PARAM(min_buffers, uint, unsigned int,
	   "fewest slots of a loop (default 4)");
LOOP_PARAM(max_buffers, uint, unsigned int,
	   "most slots of a loop (default and at most 32)");
LOOP_PARAM(support_dmabuf, bool, bool,
	   "offer DMABUF memory and EXPBUF (default Y)");
LOOP_PARAM(max_readers, uint, unsigned int,
	   "most readers of a loop at a time (default 8)");
LOOP_PARAM(max_pending, uint, unsigned int,
	   "most frames that wait for one reader (default 2)");
LOOP_PARAM(reclaim_ms, uint, unsigned int,
	   "how long a reader may keep a frame while the writer has none left (default 500)");
LOOP_PARAM(allowed_gid, int, int,
	   "group that may open the loop, -1: everybody whom the node's mode lets (default)");
LOOP_PARAM(debug, uint, unsigned int, "verbosity of the kernel log (default 0)");

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
	       check_range("min_buffers", c->min_buffers, 2, V4L2DMA_MAX_SLOTS) &&
	       check_range("max_buffers", c->max_buffers, c->min_buffers,
			V4L2DMA_MAX_SLOTS) &&
	       check_range("max_readers", c->max_readers, 1, MAX_READERS) &&
	       check_range("max_pending", c->max_pending, 1, V4L2DMA_MAX_SLOTS) &&
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

/* From the module's parameters, for the i-th loop. */
static bool configure(struct v4l2dma_config *c, unsigned int i)
{
	int gid = -1;

	*c = (struct v4l2dma_config){
		.video_nr = -1,
		.support_dmabuf = true,
		.min_buffers = 4,
		.max_buffers = V4L2DMA_MAX_SLOTS,
		.max_readers = 8,
		.max_pending = 2,
		.reclaim_ms = 500,
	};
	if (i < n_video_nr)
		c->video_nr = video_nr[i];
	LOOP_PARAM_FOR(exclusive_caps, i, c->exclusive_caps);
	LOOP_PARAM_FOR(min_buffers, i, c->min_buffers);
	LOOP_PARAM_FOR(max_buffers, i, c->max_buffers);
	LOOP_PARAM_FOR(support_dmabuf, i, c->support_dmabuf);
	LOOP_PARAM_FOR(max_readers, i, c->max_readers);
	LOOP_PARAM_FOR(max_pending, i, c->max_pending);
	LOOP_PARAM_FOR(reclaim_ms, i, c->reclaim_ms);
	LOOP_PARAM_FOR(allowed_gid, i, gid);
	LOOP_PARAM_FOR(debug, i, c->debug);
	return set_label(c, i) && set_gid(c, gid) && valid(c);
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

static int create_loops(struct device *parent)
{
	struct v4l2dma_config config;
	struct v4l2dma_loop *loop;
	unsigned int i;

	for (i = 0; i < devices; i++) {
		if (!configure(&config, i))
			return -EINVAL;
		loop = v4l2dma_loop_create(parent, i, &config);
		if (IS_ERR(loop)) {
			pr_err("v4l2dma: loop %u could not be made: %ld\n", i,
			       PTR_ERR(loop));
			return PTR_ERR(loop);
		}
		mutex_lock(&v4l2dma_driver.lock);
		list_add_tail(&loop->entry, &v4l2dma_driver.loops);
		mutex_unlock(&v4l2dma_driver.lock);
	}
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

	if (!check_range("devices", devices, 0, V4L2DMA_MAX_LOOPS))
		return -EINVAL;
	v4l2dma_driver.pdev =
		platform_create_bundle(&v4l2dma_platform_driver, v4l2dma_probe,
				       NULL, 0, NULL, 0);
	if (IS_ERR(v4l2dma_driver.pdev))
		return PTR_ERR(v4l2dma_driver.pdev);

	ret = create_loops(&v4l2dma_driver.pdev->dev);
	if (ret)
		goto remove;
	ret = v4l2dma_control_register();
	if (ret)
		goto remove;
	return 0;

remove:
	remove_loops();
	platform_device_unregister(v4l2dma_driver.pdev);
	platform_driver_unregister(&v4l2dma_platform_driver);
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
