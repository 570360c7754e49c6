/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dev_fill_forward_path() took a device and an address. Newer kernels have it
 * take a context, which holds these, and leave references to tunnels' routes,
 * which dev_fill_forward_path_release() puts.
 *
 * Both forms are declared below under names that nobody defines, and the type of
 * the kernel's own decides. That it has exactly one of them is the control: a
 * comparison that always says the same fails, and so does a third form.
 */
#ifndef _NFTO_COMPAT_FORWARD_PATH_H
#define _NFTO_COMPAT_FORWARD_PATH_H

#include <linux/build_bug.h>
#include <linux/etherdevice.h>
#include <linux/netdevice.h>

int nfto_fill_path_old(const struct net_device *dev, const u8 *daddr,
		       struct net_device_path_stack *stack);
int nfto_fill_path_new(struct net_device_path_ctx *ctx,
		       struct net_device_path_stack *stack);
/* Where it is not there, it is not called. */
void dev_fill_forward_path_release(struct net_device_path_stack *stack);

#define NFTO_FILL_PATH_OLD						\
	__same_type(dev_fill_forward_path, nfto_fill_path_old)
#define NFTO_FILL_PATH_NEW						\
	__same_type(dev_fill_forward_path, nfto_fill_path_new)
static_assert(NFTO_FILL_PATH_OLD + NFTO_FILL_PATH_NEW == 1);

/* Return: 0, and the stack is to be put. */
static inline int nfto_fill_forward_path(const struct net_device *dev,
					 const u8 *daddr,
					 struct net_device_path_stack *stack)
{
	struct net_device_path_ctx ctx = { .dev = dev };

	ether_addr_copy(ctx.daddr, daddr);
	/* Also the call that is not chosen has to be one that could be. */
	return __builtin_choose_expr(NFTO_FILL_PATH_NEW,
		__builtin_choose_expr(NFTO_FILL_PATH_NEW, dev_fill_forward_path,
				      nfto_fill_path_new)(&ctx, stack),
		__builtin_choose_expr(NFTO_FILL_PATH_OLD, dev_fill_forward_path,
				      nfto_fill_path_old)(dev, daddr, stack));
}

static inline void nfto_put_forward_path(struct net_device_path_stack *stack)
{
	if (NFTO_FILL_PATH_NEW)
		dev_fill_forward_path_release(stack);
}

#endif
