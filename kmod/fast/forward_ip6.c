// SPDX-License-Identifier: GPL-2.0
/* IPv6: which packets the fast path takes, and how they change. */
#include <linux/ipv6.h>
#include "fast/internal.h"

static enum nfto_reason parse_ip6(struct sk_buff *skb, struct nfto_packet *p)
{
	const struct ipv6hdr *ip6h;
	enum nfto_reason reason;

	if (!pskb_may_pull(skb, p->offset + sizeof(*ip6h)))
		return NFTO_REASON_TRUNCATED;
	ip6h = (const void *)(skb_network_header(skb) + p->offset);
	if (ip6h->version != 6)
		return NFTO_REASON_TRUNCATED;
	if (ip6h->hop_limit <= 1)
		return NFTO_REASON_TTL;
	p->len = ntohs(ip6h->payload_len);
	if (!p->len && skb_is_gso(skb))
		p->len = p->there;
	else
		p->len += sizeof(*ip6h);
	if (p->there < p->len)
		return NFTO_REASON_TRUNCATED;
	p->thoff = sizeof(*ip6h);
	/*
	 * Extension headers are not L4 protocols, so that these packets take
	 * the slow path.
	 */
	reason = nfto_forward_l4(skb, p, ip6h->nexthdr);
	if (reason)
		return reason;
	ip6h = (const void *)(skb_network_header(skb) + p->offset);
	p->key.ip6 = &ip6h->saddr;
	return NFTO_REASON_NONE;
}

/* Context: packet. Return: the hook's verdict. */
unsigned int nfto_ip6_packet(struct sk_buff *skb, struct nfto_packet *p)
{
	enum nfto_reason reason = parse_ip6(skb, p);
	struct nfto_dir *dir;
	unsigned int verdict;

	if (unlikely(reason)) {
		nfto_table_count(p->table, reason);
		return NF_ACCEPT;
	}
	dir = nfto_forward_begin(skb, p, &verdict);
	if (!dir)
		return verdict;
	nfto_encap_pop(skb, p, htons(ETH_P_IPV6));
	skb_set_transport_header(skb, p->thoff);
	if (nfto_flow_of(dir)->flags & (NFTO_F_SNAT | NFTO_F_DNAT))
		nfto_nat_ip6(skb, p, dir);
	ipv6_hdr(skb)->hop_limit--;
	return nfto_forward_xmit(skb, p, dir);
}
