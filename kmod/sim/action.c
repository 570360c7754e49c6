// SPDX-License-Identifier: GPL-2.0
/*
 * The adapter's rewrite engine: an entry's operations on a frame.
 *
 * The pipeline has made the frame's header private and linear up to L4.
 */
#include <linux/if_vlan.h>
#include <linux/icmpv6.h>
#include <linux/ppp_defs.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "sim.h"

/* Room in front of the IP header moves the MAC addresses and all before it. */
static int insert(struct sk_buff *skb, struct sim_packet *pkt, u16 at, u16 n)
{
	int err = skb_cow_head(skb, n);

	if (err)
		return err;
	__skb_push(skb, n);
	memmove(skb->data, skb->data + n, at);
	skb_reset_mac_header(skb);
	if (pkt->l3)
		pkt->l3 += n;
	if (pkt->l4)
		pkt->l4 += n;
	if (pkt->pppoe >= at && pkt->pppoe)
		pkt->pppoe += n;
	return 0;
}

static void take_out(struct sk_buff *skb, struct sim_packet *pkt, u16 at, u16 n)
{
	memmove(skb->data + n, skb->data, at);
	__skb_pull(skb, n);
	skb_reset_mac_header(skb);
	if (pkt->l3)
		pkt->l3 -= n;
	if (pkt->l4)
		pkt->l4 -= n;
	if (pkt->pppoe > at)
		pkt->pppoe -= n;
}

/* The EtherType in front of the IP header, behind all tags. */
static void set_inner_proto(struct sk_buff *skb, struct sim_packet *pkt,
			    __be16 proto)
{
	u16 off = ETH_HLEN - 2 + pkt->tags * VLAN_HLEN;

	*(__be16 *)(skb->data + off) = proto;
}

static int vlan_push(struct sk_buff *skb, struct sim_packet *pkt,
		     __be16 tpid, u16 tci)
{
	struct vlan_hdr *vh;
	__be16 inner = *(__be16 *)(skb->data + 2 * ETH_ALEN);
	int err = insert(skb, pkt, 2 * ETH_ALEN, VLAN_HLEN);

	if (err)
		return err;
	*(__be16 *)(skb->data + 2 * ETH_ALEN) = tpid;
	vh = (void *)skb->data + ETH_HLEN;
	vh->h_vlan_TCI = htons(tci);
	vh->h_vlan_encapsulated_proto = inner;
	pkt->tags++;
	return 0;
}

static void vlan_pop(struct sk_buff *skb, struct sim_packet *pkt)
{
	if (!pkt->tags)
		return;
	take_out(skb, pkt, 2 * ETH_ALEN, VLAN_HLEN);
	pkt->tags--;
}

static void vlan_set(struct sk_buff *skb, struct sim_packet *pkt,
		     __be16 tpid, u16 tci)
{
	struct vlan_hdr *vh = (void *)skb->data + ETH_HLEN;

	if (!pkt->tags)
		return;
	*(__be16 *)(skb->data + 2 * ETH_ALEN) = tpid;
	vh->h_vlan_TCI = htons(tci);
}

static int pppoe_push(struct sk_buff *skb, struct sim_packet *pkt, __be16 sid)
{
	u16 at = ETH_HLEN + pkt->tags * VLAN_HLEN;
	unsigned int len = skb->len - at;
	struct sim_pppoe *ph;
	int err;

	err = insert(skb, pkt, at, sizeof(*ph));
	if (err)
		return err;
	ph = (void *)skb->data + at;
	ph->ver_type = SIM_PPPOE_VER_TYPE;
	ph->code = 0;
	ph->sid = sid;
	ph->length = htons(len + sizeof(ph->ppp));
	ph->ppp = pkt->key.n_proto == htons(ETH_P_IPV6) ? htons(PPP_IPV6) :
							  htons(PPP_IP);
	set_inner_proto(skb, pkt, htons(ETH_P_PPP_SES));
	pkt->pppoe = at;
	return 0;
}

static void strip(struct sk_buff *skb, struct sim_packet *pkt)
{
	if (pkt->pppoe) {
		u16 at = pkt->pppoe;

		set_inner_proto(skb, pkt, pkt->key.n_proto);
		take_out(skb, pkt, at, sizeof(struct sim_pppoe));
		pkt->pppoe = 0;
	}
	while (pkt->tags)
		vlan_pop(skb, pkt);
}

/* Where the L4 checksum is, NULL = there is none to keep. */
static __sum16 *l4_check(struct sk_buff *skb, const struct sim_packet *pkt)
{
	void *l4 = skb->data + pkt->l4;
	struct udphdr *udph = l4;

	if (!pkt->l4)
		return NULL;
	switch (pkt->key.ip_proto) {
	case IPPROTO_TCP:
		return &((struct tcphdr *)l4)->check;
	case IPPROTO_UDP:
		if (!udph->check && skb->ip_summed != CHECKSUM_PARTIAL)
			return NULL;
		return &udph->check;
	case IPPROTO_ICMPV6:
		return &((struct icmp6hdr *)l4)->icmp6_cksum;
	default:
		return NULL;
	}
}

/* RFC 1624; @pseudo: the word is part of the pseudo header. */
static void fix_l4(struct sk_buff *skb, const struct sim_packet *pkt,
		   __be32 old, __be32 new, bool pseudo)
{
	__sum16 *check = l4_check(skb, pkt);

	if (!check)
		return;
	inet_proto_csum_replace4(check, skb, old, new, pseudo);
	if (pkt->key.ip_proto == IPPROTO_UDP && !*check &&
	    skb->ip_summed != CHECKSUM_PARTIAL)
		*check = CSUM_MANGLED_0;
}

static void rewrite_l3(struct sk_buff *skb, const struct sim_packet *pkt,
		       const struct sim_op *op)
{
	__be32 *word = (void *)skb->data + pkt->l3 + op->off;
	__be32 old = *word;
	__be32 new = (__force __be32)(((__force u32)old & op->mask) | op->val);

	*word = new;
	if (pkt->key.n_proto == htons(ETH_P_IPV6)) {
		if (op->off >= offsetof(struct ipv6hdr, saddr))
			fix_l4(skb, pkt, old, new, true);
		return;
	}
	csum_replace4(&((struct iphdr *)(skb->data + pkt->l3))->check, old, new);
	if (op->off >= offsetof(struct iphdr, saddr))
		fix_l4(skb, pkt, old, new, true);
}

static void rewrite_l4(struct sk_buff *skb, const struct sim_packet *pkt,
		       const struct sim_op *op)
{
	__be32 *word = (void *)skb->data + pkt->l4 + op->off;
	__be32 old, new;

	/* Of other protocols the parser has not made sure that it is there. */
	if (pkt->key.ip_proto != IPPROTO_TCP && pkt->key.ip_proto != IPPROTO_UDP)
		return;
	old = *word;
	new = (__force __be32)(((__force u32)old & op->mask) | op->val);
	*word = new;
	fix_l4(skb, pkt, old, new, false);
}

static void rewrite_eth(struct sk_buff *skb, const struct sim_op *op)
{
	u32 word;

	memcpy(&word, skb->data + op->off, sizeof(word));
	word = (word & op->mask) | op->val;
	memcpy(skb->data + op->off, &word, sizeof(word));
}

static void ttl_dec(struct sk_buff *skb, const struct sim_packet *pkt)
{
	void *l3 = skb->data + pkt->l3;

	if (pkt->key.n_proto == htons(ETH_P_IPV6))
		((struct ipv6hdr *)l3)->hop_limit--;
	else
		ip_decrease_ttl(l3);
}

static void mirror(struct sim_adapter *ad, struct sk_buff *skb, u8 port)
{
	struct sim_port *to = &ad->port[port];
	struct sk_buff *copy;

	/* A copy, so that the operations that follow do not show in it. */
	copy = skb_copy(skb, GFP_ATOMIC);
	if (!copy)
		return;
	sim_count(to, SIM_CTR_MIRRORED, sim_wire_packets(copy));
	if (sim_port_is_up(to))
		sim_ring_put(&to->to_wire, copy);
	else
		kfree_skb(copy);
}

/**
 * sim_action_run() - carry out a rule
 * @ad: the adapter
 * @rule: its operations
 * @skb: a frame that matched, private and linear up to L4
 * @pkt: its fields; offsets are kept right
 *
 * Return: 0, or -ENOMEM.
 */
int sim_action_run(struct sim_adapter *ad, const struct sim_rule *rule,
		   struct sk_buff *skb, struct sim_packet *pkt)
{
	int i, err = 0;

	if (rule->strip)
		strip(skb, pkt);

	for (i = 0; i < rule->n_ops && !err; i++) {
		const struct sim_op *op = &rule->op[i];

		switch (op->kind) {
		case SIM_OP_ETH:
			rewrite_eth(skb, op);
			break;
		case SIM_OP_L3:
			rewrite_l3(skb, pkt, op);
			break;
		case SIM_OP_L4:
			rewrite_l4(skb, pkt, op);
			break;
		case SIM_OP_TTL_DEC:
			ttl_dec(skb, pkt);
			break;
		case SIM_OP_VLAN_PUSH:
			err = vlan_push(skb, pkt, op->proto, op->tci);
			break;
		case SIM_OP_VLAN_POP:
			vlan_pop(skb, pkt);
			break;
		case SIM_OP_VLAN_SET:
			vlan_set(skb, pkt, op->proto, op->tci);
			break;
		case SIM_OP_PPPOE_PUSH:
			err = pppoe_push(skb, pkt, op->proto);
			break;
		case SIM_OP_MIRROR:
			mirror(ad, skb, op->port);
			break;
		}
	}
	return err;
}
