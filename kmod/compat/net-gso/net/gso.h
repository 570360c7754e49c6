/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For kernels before d457a0e329b0 ("net: move gso declarations and functions to
 * their own files"), where skb_gso_segment() is in linux/netdevice.h.
 */
#include <linux/netdevice.h>
