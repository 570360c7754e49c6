/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What fast/ offers: the hook that takes packets of flows out of a device's ingress
 * and hands them to another one, without routing and ruleset.
 */
#ifndef _NFTO_FAST_H
#define _NFTO_FAST_H

#include <linux/netfilter.h>

/**
 * nfto_forward_inet() - a flowtable's hook, for tables of the family inet
 * @priv: nf_tables' flowtable
 * @skb: the packet; its network header is that of an encapsulation or of IP
 * @state: of the hook
 *
 * Context: packet.
 * Return: NF_STOLEN for a packet of a flow that was sent; NF_ACCEPT for one that is
 * left to the slow path, unchanged; NF_DROP where there is no memory to send one.
 */
unsigned int nfto_forward_inet(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state);

/**
 * nfto_forward_ip4() - likewise, for tables of the family ip
 * @priv: nf_tables' flowtable
 * @skb: the packet
 * @state: of the hook
 *
 * Context: packet.
 * Return: as nfto_forward_inet(); NF_ACCEPT for all but IPv4.
 */
unsigned int nfto_forward_ip4(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);

/**
 * nfto_forward_ip6() - likewise, for tables of the family ip6
 * @priv: nf_tables' flowtable
 * @skb: the packet
 * @state: of the hook
 *
 * Context: packet.
 * Return: as nfto_forward_inet(); NF_ACCEPT for all but IPv6.
 */
unsigned int nfto_forward_ip6(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);

#endif
