// SPDX-License-Identifier: GPL-2.0
/* IPv4: which packets the fast path takes, and how they change. */
#include <linux/ip.h>
#include <net/ip.h>
#include "fast/internal.h"

static enum nfto_reason parse_ip4(struct sk_buff *skb, struct nfto_packet *p)
{
	enum nfto_reason reason;
	const struct iphdr *iph;

	if (!pskb_may_pull(skb, p->offset + sizeof(*iph)))
		return NFTO_REASON_TRUNCATED;
	iph = (const void *)(skb_network_header(skb) + p->offset);
	if (iph->version != 4 || iph->ihl < 5)
		return NFTO_REASON_TRUNCATED;
	if (ip_is_fragment(iph))
		return NFTO_REASON_FRAGMENT;
	if (iph->ihl != 5)
		return NFTO_REASON_IP_OPTIONS;
	if (iph->ttl <= 1)
		return NFTO_REASON_TTL;
	p->len = ntohs(iph->tot_len);
	/* TCP segments together may be too long for the field. */
	if (!p->len && skb_is_gso(skb))
		p->len = p->there;
	if (p->there < p->len)
		return NFTO_REASON_TRUNCATED;
	p->thoff = sizeof(*iph);
	reason = nfto_forward_l4(skb, p, iph->protocol);
	if (reason)
		return reason;

	iph = (const void *)(skb_network_header(skb) + p->offset);
	if (ip_fast_csum(iph, 5))
		return NFTO_REASON_CHECKSUM;
	p->key.ip4[0] = iph->saddr;
	p->key.ip4[1] = iph->daddr;
	return NFTO_REASON_NONE;
}

/* Context: packet. Return: the hook's verdict. */
unsigned int nfto_ip4_packet(struct sk_buff *skb, struct nfto_packet *p)
{
	enum nfto_reason reason = parse_ip4(skb, p);
	struct nfto_dir *dir;
	unsigned int verdict;

	if (unlikely(reason)) {
		nfto_table_count(p->table, reason);
		return NF_ACCEPT;
	}
	dir = nfto_forward_begin(skb, p, &verdict);
	if (!dir)
		return verdict;
	nfto_encap_pop(skb, p, htons(ETH_P_IP));
	skb_set_transport_header(skb, p->thoff);
	if (nfto_flow_of(dir)->flags & (NFTO_F_SNAT | NFTO_F_DNAT))
		nfto_nat_ip4(skb, p, dir);
	ip_decrease_ttl(ip_hdr(skb));
	return nfto_forward_xmit(skb, p, dir);
}
