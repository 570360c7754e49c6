/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What netlink/ offers: it answers user space, and carries out what events.h says.
 */
#ifndef _NFTO_NETLINK_H
#define _NFTO_NETLINK_H

struct net;

/**
 * nfto_netlink_init() - register the generic netlink family "nfto"
 *
 * Context: the module's init.
 * Return: 0 or a negative errno.
 */
int nfto_netlink_init(void);

/**
 * nfto_netlink_exit() - unregister it
 *
 * When this returns, nobody is told of any event.
 *
 * Context: the module's exit.
 */
void nfto_netlink_exit(void);

/**
 * nfto_proc_init() - make /proc/net/nft_offload
 * @net: the netns, which is being made
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int nfto_proc_init(struct net *net);

/**
 * nfto_proc_exit() - remove it
 * @net: the netns, which goes
 *
 * Context: process; waits for those who read it.
 */
void nfto_proc_exit(struct net *net);

#endif
