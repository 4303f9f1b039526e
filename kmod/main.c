// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: parameters, and the loops made at load time.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/string.h>

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

static int capture_nr[V4L2DMA_MAX_LOOPS];
static unsigned int n_capture_nr;
module_param_array(capture_nr, int, &n_capture_nr, 0444);
MODULE_PARM_DESC(capture_nr,
		 "with nodes=split: wanted number of the readers' node");

static char *nodes[V4L2DMA_MAX_LOOPS];
static unsigned int n_nodes;
module_param_array(nodes, charp, &n_nodes, 0444);
MODULE_PARM_DESC(nodes,
		 "single (default): one node for both sides; split: one for each");

static char *overrun[V4L2DMA_MAX_LOOPS];
static unsigned int n_overrun;
module_param_array(overrun, charp, &n_overrun, 0444);
MODULE_PARM_DESC(overrun,
		 "leaky (default): a slow reader loses frames; lossless: the writer waits");

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

static bool contiguous[V4L2DMA_MAX_LOOPS];
static unsigned int n_contiguous;
module_param_array(contiguous, bool, &n_contiguous, 0444);
MODULE_PARM_DESC(contiguous,
		 "physically contiguous memory, for cameras that import nothing else (default N)");

static bool multiplanar[V4L2DMA_MAX_LOOPS];
static unsigned int n_multiplanar;
module_param_array(multiplanar, bool, &n_multiplanar, 0444);
MODULE_PARM_DESC(multiplanar,
		 "the multi-planar API, with a dma-buf for each plane of NV12M and the like (default N)");

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

static unsigned int max_openers[V4L2DMA_MAX_LOOPS];
static unsigned int n_max_openers;
module_param_array(max_openers, uint, &n_max_openers, 0444);
MODULE_PARM_DESC(max_openers,
		 "most open file handles of a loop at a time (default 1024)");

static unsigned int max_width[V4L2DMA_MAX_LOOPS];
static unsigned int n_max_width;
module_param_array(max_width, uint, &n_max_width, 0444);
MODULE_PARM_DESC(max_width, "largest width of a frame (default 8192)");

static unsigned int max_height[V4L2DMA_MAX_LOOPS];
static unsigned int n_max_height;
module_param_array(max_height, uint, &n_max_height, 0444);
MODULE_PARM_DESC(max_height, "largest height of a frame (default 8192)");

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

static unsigned int timeout[V4L2DMA_MAX_LOOPS];
static unsigned int n_timeout;
module_param_array(timeout, uint, &n_timeout, 0444);
MODULE_PARM_DESC(timeout,
		 "readers get a picture of the loop's own after so many ms without a frame, 0: never (default)");

static int allowed_gid[V4L2DMA_MAX_LOOPS];
static unsigned int n_allowed_gid;
module_param_array(allowed_gid, int, &n_allowed_gid, 0444);
MODULE_PARM_DESC(allowed_gid,
		 "group that may open the loop, -1: whom the node's mode lets (default)");

static unsigned int debug[V4L2DMA_MAX_LOOPS];
static unsigned int n_debug;
module_param_array(debug, uint, &n_debug, 0444);
MODULE_PARM_DESC(debug, "verbosity of the kernel log (default 0)");

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
	if (i >= n_card_label)
		return true;
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

static void pick_uint(u32 *value, const unsigned int *values, unsigned int n,
		      unsigned int i)
{
	int at = pick(n, i);

	if (at >= 0)
		*value = values[at];
}

static bool pick_bool(const bool *values, unsigned int n, unsigned int i,
		      bool fallback)
{
	int at = pick(n, i);

	return at < 0 ? fallback : values[at];
}

/* One of two words; the first is the default, and false. */
static bool pick_word(bool *value, const char *name, char *const *values,
		      unsigned int n, unsigned int i, const char *const *words)
{
	int at = pick(n, i);
	int word = at < 0 ? 0 : match_string(words, 2, values[at]);

	*value = word == 1;
	if (word >= 0)
		return true;
	pr_err("v4l2dma: %s=%s is neither %s nor %s\n", name, values[at],
	       words[0], words[1]);
	return false;
}

static const char *const nodes_words[] = { "single", "split" };
static const char *const overrun_words[] = { "leaky", "lossless" };

/* From the module's parameters, for the i-th loop. */
static bool configure(struct v4l2dma_config *c, unsigned int i)
{
	int gid = pick(n_allowed_gid, i);

	v4l2dma_config_default(c);
	if (i < n_video_nr)
		c->video_nr = video_nr[i];
	if (i < n_capture_nr)
		c->capture_nr = capture_nr[i];
	c->exclusive_caps = pick_bool(exclusive_caps, n_exclusive_caps, i,
				      false);
	c->no_dmabuf = !pick_bool(support_dmabuf, n_support_dmabuf, i, true);
	c->contiguous = pick_bool(contiguous, n_contiguous, i, false);
	c->multiplanar = pick_bool(multiplanar, n_multiplanar, i, false);
	pick_uint(&c->min_buffers, min_buffers, n_min_buffers, i);
	pick_uint(&c->max_buffers, max_buffers, n_max_buffers, i);
	pick_uint(&c->max_readers, max_readers, n_max_readers, i);
	pick_uint(&c->max_openers, max_openers, n_max_openers, i);
	pick_uint(&c->max_pending, max_pending, n_max_pending, i);
	pick_uint(&c->reclaim_ms, reclaim_ms, n_reclaim_ms, i);
	pick_uint(&c->max_width, max_width, n_max_width, i);
	pick_uint(&c->max_height, max_height, n_max_height, i);
	pick_uint(&c->timeout_ms, timeout, n_timeout, i);
	pick_uint(&c->debug, debug, n_debug, i);
	return pick_word(&c->split_nodes, "nodes", nodes, n_nodes, i,
			 nodes_words) &&
	       pick_word(&c->lossless, "overrun", overrun, n_overrun, i,
			 overrun_words) &&
	       set_label(c, i) &&
	       set_gid(c, gid < 0 ? -1 : allowed_gid[gid]) &&
	       v4l2dma_config_valid(c);
}

/**
 * v4l2dma_driver_add() - make a loop and list it
 * @config: what it is set to, valid; an empty label becomes the default one
 *
 * The driver's lock must be held.
 *
 * Return: the loop, or an ERR_PTR.
 */
struct v4l2dma_loop *v4l2dma_driver_add(const struct v4l2dma_config *config)
{
	struct v4l2dma_driver *driver = &v4l2dma_driver;
	struct v4l2dma_config c = *config;
	struct v4l2dma_loop *loop;

	lockdep_assert_held(&driver->lock);
	if (driver->n_loops >= V4L2DMA_MAX_LOOPS)
		return ERR_PTR(-ENOSPC);
	if (!c.label[0])
		snprintf(c.label, sizeof(c.label), "v4l2dma loop %u",
			 driver->next_id);
	loop = v4l2dma_loop_create(&driver->pdev->dev, driver->next_id, &c);
	if (IS_ERR(loop))
		return loop;
	driver->next_id++;
	driver->n_loops++;
	list_add_tail(&loop->entry, &driver->loops);
	return loop;
}

/**
 * v4l2dma_driver_remove() - unplug a loop
 * @loop: which
 * @force: even if somebody has it open
 *
 * The driver's lock must be held.
 *
 * Return: 0, or -EBUSY.
 */
int v4l2dma_driver_remove(struct v4l2dma_loop *loop, bool force)
{
	lockdep_assert_held(&v4l2dma_driver.lock);
	if (!v4l2dma_loop_may_go(loop, force))
		return -EBUSY;
	list_del(&loop->entry);
	v4l2dma_driver.n_loops--;
	v4l2dma_loop_remove(loop);
	return 0;
}

static void remove_loops(void)
{
	struct v4l2dma_loop *loop, *next;

	mutex_lock(&v4l2dma_driver.lock);
	list_for_each_entry_safe(loop, next, &v4l2dma_driver.loops, entry)
		v4l2dma_driver_remove(loop, true);
	mutex_unlock(&v4l2dma_driver.lock);
}

static bool check_parameters(void)
{
	struct v4l2dma_config config;
	unsigned int i;

	if (!v4l2dma_check_range("devices", devices, 0, V4L2DMA_MAX_LOOPS))
		return false;
	for (i = 0; i < devices; i++)
		if (!configure(&config, i))
			return false;
	return true;
}

static int create_loop(unsigned int i)
{
	struct v4l2dma_config config;
	struct v4l2dma_loop *loop;

	configure(&config, i);
	mutex_lock(&v4l2dma_driver.lock);
	loop = v4l2dma_driver_add(&config);
	mutex_unlock(&v4l2dma_driver.lock);
	if (!IS_ERR(loop))
		return 0;
	pr_err("v4l2dma: loop %u could not be made: %ld\n", i, PTR_ERR(loop));
	return PTR_ERR(loop);
}

/*
 * A node can be opened as soon as it is there, and a module whose init fails
 * is freed even while its files are open. So once there is a node this is
 * successful, with what could be made.
 */
static int create_nodes(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < devices && !ret; i++)
		ret = create_loop(i);
	if (ret && !v4l2dma_driver.had_node)
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

	ret = create_nodes();
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
