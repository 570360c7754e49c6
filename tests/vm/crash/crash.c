// SPDX-License-Identifier: GPL-2.0
/*
 * A module with one fault of each kind, for the tests of the virtual-machine
 * harness: what the kernel's checkers say of it must fail a run.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/completion.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *what = "nothing";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "the fault to commit on loading");

/* Read at run time, so that the compiler cannot see the fault coming. */
static unsigned int forty = 40;
module_param(forty, uint, 0444);
MODULE_PARM_DESC(forty, "a shift too wide for an int");

static DEFINE_MUTEX(crash_a);
static DEFINE_MUTEX(crash_b);
static DEFINE_SPINLOCK(crash_lock);

static void crash_warn(void)
{
	WARN_ON(1);
}

static void crash_bug(void)
{
	int *p = NULL;

	OPTIMIZER_HIDE_VAR(p);
	pr_info("read %d\n", READ_ONCE(*p));
}

/* Both orders of two locks; lockdep needs no second task to object. */
static void crash_inversion(void)
{
	mutex_lock(&crash_a);
	mutex_lock(&crash_b);
	mutex_unlock(&crash_b);
	mutex_unlock(&crash_a);

	mutex_lock(&crash_b);
	mutex_lock(&crash_a);
	mutex_unlock(&crash_a);
	mutex_unlock(&crash_b);
}

static void crash_use_after_free(void)
{
	char *p = kzalloc(64, GFP_KERNEL), *stale = p;

	if (!p)
		return;
	OPTIMIZER_HIDE_VAR(stale);
	kfree(p);
	pr_info("read %d\n", READ_ONCE(stale[8]));
}

/* Several, as the address of the last one may live on in a register. */
static void crash_leak(void)
{
	int i;

	for (i = 0; i < 16; i++) {
		void *p = kmalloc(200, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(p);
	}
}

static void crash_sleep(void)
{
	spin_lock(&crash_lock);
	might_sleep();
	spin_unlock(&crash_lock);
}

static void crash_shift(void)
{
	pr_info("shifted to %d\n", 1 << forty);
}

static void crash_refcount(void)
{
	refcount_t count = REFCOUNT_INIT(0);

	refcount_inc(&count);
}

/* Long enough for the timeouts that the caller has shortened. */
static void crash_hang(void)
{
	DECLARE_COMPLETION_ONSTACK(never);

	wait_for_completion_timeout(&never, 8 * HZ);
}

static void crash_stall(void)
{
	unsigned long end = jiffies + 8 * HZ;

	preempt_disable();
	while (time_before(jiffies, end))
		cpu_relax();
	preempt_enable();
}

static const struct {
	const char *name;
	void (*commit)(void);
} crashes[] = {
	{ "warn", crash_warn },
	{ "bug", crash_bug },
	{ "inversion", crash_inversion },
	{ "use-after-free", crash_use_after_free },
	{ "leak", crash_leak },
	{ "sleep", crash_sleep },
	{ "shift", crash_shift },
	{ "refcount", crash_refcount },
	{ "hang", crash_hang },
	{ "stall", crash_stall },
};

static int __init crash_init(void)
{
	int i;

	if (!strcmp(what, "nothing"))
		return 0;
	for (i = 0; i < ARRAY_SIZE(crashes); i++) {
		if (strcmp(what, crashes[i].name))
			continue;
		crashes[i].commit();
		return 0;
	}
	return -EINVAL;
}
module_init(crash_init);

static void __exit crash_exit(void)
{
}
module_exit(crash_exit);

MODULE_DESCRIPTION("One kernel fault of each kind");
MODULE_LICENSE("GPL");
