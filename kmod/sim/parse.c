// SPDX-License-Identifier: GPL-2.0
/*
 * The adapter's parser: a frame's bytes into the fields that rules match.
 */
#include <linux/if_vlan.h>
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/ppp_defs.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "sim.h"

/* FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, NS and the three reserved bits. */
#define TCP_FLAGS	0x0fff

static void parse_l4(struct sk_buff *skb, struct sim_packet *pkt, u16 off)
{
	struct sim_key *key = &pkt->key;
	const struct icmphdr *icmph;
	const struct tcphdr *tcph;
	const struct udphdr *udph;

	switch (key->ip_proto) {
	case IPPROTO_TCP:
		if (!pskb_may_pull(skb, off + sizeof(*tcph)))
			goto short_packet;
		tcph = (void *)skb->data + off;
		if (tcph->doff * 4 < sizeof(*tcph))
			goto short_packet;
		key->sport = tcph->source;
		key->dport = tcph->dest;
		key->tcp_flags = htons(ntohs(*(__be16 *)((void *)tcph + 12)) &
				       TCP_FLAGS);
		break;
	case IPPROTO_UDP:
		if (!pskb_may_pull(skb, off + sizeof(*udph)))
			goto short_packet;
		udph = (void *)skb->data + off;
		key->sport = udph->source;
		key->dport = udph->dest;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (!pskb_may_pull(skb, off + sizeof(*icmph)))
			goto short_packet;
		icmph = (void *)skb->data + off;
		key->sport = htons(icmph->type << 8 | icmph->code);
		break;
	default:
		/* GRE and the like: no ports, the header is not touched */
		break;
	}
	pkt->l4 = off;
	return;

short_packet:
	key->no_l4 = 1;
	pkt->odd = SIM_CTR_PUNT_MALFORMED;
}

static void parse_ipv4(struct sk_buff *skb, struct sim_packet *pkt, u16 off)
{
	struct sim_key *key = &pkt->key;
	const struct iphdr *iph;

	if (!pskb_may_pull(skb, off + sizeof(*iph)))
		goto malformed;
	iph = (void *)skb->data + off;
	if (iph->version != 4 || iph->ihl < 5 ||
	    ntohs(iph->tot_len) < iph->ihl * 4 ||
	    (!skb_is_gso(skb) && ntohs(iph->tot_len) > skb->len - off))
		goto malformed;

	pkt->l3 = off;
	key->saddr[0] = iph->saddr;
	key->daddr[0] = iph->daddr;
	key->ip_proto = iph->protocol;
	key->tos = iph->tos;
	key->ttl = iph->ttl;
	if (ip_is_fragment(iph)) {
		key->no_l4 = 1;
		pkt->odd = SIM_CTR_PUNT_FRAGMENT;
		return;
	}
	if (iph->ihl > 5) {
		key->no_l4 = 1;
		pkt->odd = SIM_CTR_PUNT_OPTIONS;
		return;
	}
	parse_l4(skb, pkt, off + sizeof(*iph));
	return;

malformed:
	key->no_l4 = 1;
	pkt->odd = SIM_CTR_PUNT_MALFORMED;
}

static void parse_ipv6(struct sk_buff *skb, struct sim_packet *pkt, u16 off)
{
	struct sim_key *key = &pkt->key;
	const struct ipv6hdr *ip6h;

	if (!pskb_may_pull(skb, off + sizeof(*ip6h)))
		goto malformed;
	ip6h = (void *)skb->data + off;
	if (ip6h->version != 6 ||
	    (!skb_is_gso(skb) &&
	     ntohs(ip6h->payload_len) > skb->len - off - sizeof(*ip6h)))
		goto malformed;

	pkt->l3 = off;
	memcpy(key->saddr, &ip6h->saddr, sizeof(key->saddr));
	memcpy(key->daddr, &ip6h->daddr, sizeof(key->daddr));
	key->ip_proto = ip6h->nexthdr;
	key->tos = ipv6_get_dsfield(ip6h);
	key->ttl = ip6h->hop_limit;
	if (ip6h->nexthdr == NEXTHDR_FRAGMENT) {
		key->no_l4 = 1;
		pkt->odd = SIM_CTR_PUNT_FRAGMENT;
		return;
	}
	if (ipv6_ext_hdr(ip6h->nexthdr)) {
		key->no_l4 = 1;
		pkt->odd = SIM_CTR_PUNT_OPTIONS;
		return;
	}
	parse_l4(skb, pkt, off + sizeof(*ip6h));
	return;

malformed:
	key->no_l4 = 1;
	pkt->odd = SIM_CTR_PUNT_MALFORMED;
}

/* Returns the EtherType that the PPP protocol stands for, 0 = none of ours. */
static __be16 parse_pppoe(struct sk_buff *skb, u16 off)
{
	const struct sim_pppoe *ph;

	if (!pskb_may_pull(skb, off + sizeof(*ph)))
		return 0;
	ph = (void *)skb->data + off;
	if (ph->ver_type != SIM_PPPOE_VER_TYPE || ph->code != 0)
		return 0;
	if (ph->ppp == htons(PPP_IP))
		return htons(ETH_P_IP);
	if (ph->ppp == htons(PPP_IPV6))
		return htons(ETH_P_IPV6);
	return 0;
}

/**
 * sim_parse() - extract the fields of a frame
 * @skb: data at the MAC header, no tag in skb->vlan_tci; headers are pulled
 *	into the linear part as they are read
 * @pkt: the result
 * @pppoe: look into PPPoE sessions
 *
 * Never fails: what is cut off or odd leaves fields zero and says so in
 * @pkt->odd.
 */
void sim_parse(struct sk_buff *skb, struct sim_packet *pkt, bool pppoe)
{
	struct sim_key *key = &pkt->key;
	u16 off = ETH_HLEN;
	__be16 proto;

	memset(pkt, 0, sizeof(*pkt));
	ether_addr_copy(key->eth_dst, eth_hdr(skb)->h_dest);
	ether_addr_copy(key->eth_src, eth_hdr(skb)->h_source);
	proto = eth_hdr(skb)->h_proto;

	while (eth_type_vlan(proto) && pkt->tags < ARRAY_SIZE(key->tpid)) {
		const struct vlan_hdr *vh;

		if (!pskb_may_pull(skb, off + VLAN_HLEN)) {
			pkt->odd = SIM_CTR_PUNT_MALFORMED;
			return;
		}
		vh = (void *)skb->data + off;
		key->tpid[pkt->tags] = proto;
		key->tci[pkt->tags] = vh->h_vlan_TCI;
		proto = vh->h_vlan_encapsulated_proto;
		off += VLAN_HLEN;
		pkt->tags++;
	}

	if (pppoe && proto == htons(ETH_P_PPP_SES)) {
		__be16 inner = parse_pppoe(skb, off);

		if (inner) {
			pkt->pppoe = off;
			off += sizeof(struct sim_pppoe);
			proto = inner;
		}
	}

	key->n_proto = proto;
	if (proto == htons(ETH_P_IP))
		parse_ipv4(skb, pkt, off);
	else if (proto == htons(ETH_P_IPV6))
		parse_ipv6(skb, pkt, off);
}
