// SPDX-License-Identifier: GPL-2.0
/*
 * The adapter's pipeline: what becomes of a frame that the wire sent.
 */
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/gso.h>
#include "sim.h"

/* FIN as parse.c leaves it in the key. */
#define TCP_FIN		htons(0x0001)

static unsigned int gso_header_len(const struct sk_buff *skb)
{
	if (!skb_transport_header_was_set(skb))
		return 0;
	return skb_transport_offset(skb) + tcp_hdrlen(skb);
}

/**
 * sim_wire_packets() - the frames that a cable would see
 * @skb: maybe a GSO packet
 *
 * Return: one, or the number of its segments.
 */
unsigned int sim_wire_packets(const struct sk_buff *skb)
{
	const struct skb_shared_info *info = skb_shinfo(skb);

	if (!skb_is_gso(skb))
		return 1;
	if (info->gso_segs)
		return info->gso_segs;
	return DIV_ROUND_UP(skb->len - gso_header_len(skb), info->gso_size);
}

/**
 * sim_wire_bytes() - the bytes that a cable would see
 * @skb: data at the MAC header; maybe a GSO packet
 *
 * Return: L2 bytes of all its frames, without FCS.
 */
u64 sim_wire_bytes(const struct sk_buff *skb)
{
	return skb->len + (u64)(sim_wire_packets(skb) - 1) * gso_header_len(skb);
}

static void to_host(struct sim_port *in, struct sk_buff *skb)
{
	unsigned int packets = sim_wire_packets(skb);
	u64 bytes = sim_wire_bytes(skb);

	if (!sim_ring_put(&in->to_host, skb)) {
		sim_count(in, SIM_CTR_DROP_OVERRUN, packets);
		return;
	}
	sim_count(in, SIM_CTR_HOST_IN_PACKETS, packets);
	sim_count(in, SIM_CTR_HOST_IN_BYTES, bytes);
}

static void punt(struct sim_port *in, struct sk_buff *skb, enum sim_counter why)
{
	sim_count(in, why, sim_wire_packets(skb));
	to_host(in, skb);
}

static void drop(struct sim_port *in, struct sk_buff *skb, enum sim_counter why)
{
	sim_count(in, why, sim_wire_packets(skb));
	kfree_skb(skb);
}

static void to_wire(struct sim_port *in, struct sim_port *out,
		    struct sk_buff *skb)
{
	unsigned int packets = sim_wire_packets(skb);
	u64 bytes = sim_wire_bytes(skb);

	if (!sim_ring_put(&out->to_wire, skb)) {
		sim_count(in, SIM_CTR_DROP_OVERRUN, packets);
		return;
	}
	sim_count(in, SIM_CTR_FORWARDED_PACKETS, packets);
	sim_count(in, SIM_CTR_FORWARDED_BYTES, bytes);
}

static bool fits(const struct sk_buff *skb, const struct sim_packet *pkt,
		 const struct sim_rule *rule, unsigned int mtu)
{
	if (!pkt->l3)
		return skb->len - ETH_HLEN - pkt->tags * VLAN_HLEN <= mtu;
	mtu -= rule->extra;
	if (skb_is_gso(skb))
		return skb_gso_validate_network_len(skb, mtu);
	return skb->len - pkt->l3 <= mtu;
}

/* A PPPoE header has a length of its own: GSO cannot repeat it. */
static struct sk_buff *segment(struct sk_buff *skb)
{
	struct sk_buff *segs = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);

	if (IS_ERR_OR_NULL(segs))
		return NULL;
	consume_skb(skb);
	return segs;
}

static void forward_one(struct sim_port *in, const struct sim_rule *rule,
			struct sk_buff *skb, struct sim_packet *pkt)
{
	struct sim_adapter *ad = in->adapter;

	if (sim_action_run(ad, rule, skb, pkt)) {
		drop(in, skb, SIM_CTR_DROP_ERROR);
		return;
	}
	to_wire(in, &ad->port[rule->out], skb);
}

static void forward(struct sim_port *in, const struct sim_rule *rule,
		    struct sk_buff *skb, struct sim_packet *pkt)
{
	struct sk_buff *next;

	if (!rule->extra || !skb_is_gso(skb)) {
		forward_one(in, rule, skb, pkt);
		return;
	}

	next = segment(skb);
	if (!next) {
		drop(in, skb, SIM_CTR_DROP_ERROR);
		return;
	}
	while (next) {
		struct sim_packet one;

		skb = next;
		next = skb->next;
		skb_mark_not_on_list(skb);
		sim_parse(skb, &one, in->adapter->profile->tuple_only);
		forward_one(in, rule, skb, &one);
	}
}

/* The rule, or the port it leads to, may not be for this packet. */
static bool hardware_can(struct sim_port *in, const struct sim_rule *rule,
			 struct sk_buff *skb, const struct sim_packet *pkt)
{
	struct sim_port *out = &in->adapter->port[rule->out];

	if (rule->needs_l4 && !pkt->l4) {
		punt(in, skb, pkt->odd ?: SIM_CTR_PUNT_MALFORMED);
		return false;
	}
	if (rule->dec_ttl && pkt->key.ttl <= 1) {
		punt(in, skb, SIM_CTR_PUNT_TTL);
		return false;
	}
	if (rule->verdict == SIM_FORWARD &&
	    !fits(skb, pkt, rule, READ_ONCE(out->host->mtu))) {
		punt(in, skb, SIM_CTR_PUNT_MTU);
		return false;
	}
	return true;
}

static void carry_out(struct sim_port *in, const struct sim_rule *rule,
		      struct sk_buff *skb, struct sim_packet *pkt)
{
	struct sim_adapter *ad = in->adapter;

	switch (rule->verdict) {
	case SIM_TO_HOST:
		if (sim_action_run(ad, rule, skb, pkt))
			drop(in, skb, SIM_CTR_DROP_ERROR);
		else
			punt(in, skb, SIM_CTR_RULE_ACCEPTS);
		break;
	case SIM_DROP:
		if (sim_action_run(ad, rule, skb, pkt))
			drop(in, skb, SIM_CTR_DROP_ERROR);
		else
			drop(in, skb, SIM_CTR_RULE_DROPS);
		break;
	case SIM_FORWARD:
		if (sim_port_is_up(&ad->port[rule->out]))
			forward(in, rule, skb, pkt);
		else
			drop(in, skb, SIM_CTR_DROP_LINK);
		break;
	}
}

static void hit(struct sim_port *in, struct sim_entry *e, struct sk_buff *skb,
		struct sim_packet *pkt)
{
	const struct sim_rule *rule = &e->rule;
	unsigned int packets = sim_wire_packets(skb);

	/* The checks come first: what the host gets is not the entry's use. */
	if (!hardware_can(in, rule, skb, pkt))
		return;
	if (!sim_table_hit(in->adapter, e, packets, sim_wire_bytes(skb),
			   pkt->key.tcp_flags & TCP_FIN)) {
		punt(in, skb, SIM_CTR_PUNT_UNBOUND);
		return;
	}
	sim_count(in, SIM_CTR_HITS, packets);
	carry_out(in, rule, skb, pkt);
}

/* A filter that is on lets through what it knows, and what has no ports. */
static bool is_filtered(const struct sim_port *in, const struct sim_packet *pkt)
{
	return in->adapter->profile->filters && atomic_read(&in->n_entries) &&
	       (pkt->key.ip_proto == IPPROTO_TCP ||
		pkt->key.ip_proto == IPPROTO_UDP);
}

static void miss(struct sim_port *in, struct sk_buff *skb,
		 const struct sim_packet *pkt)
{
	sim_count(in, SIM_CTR_MISSES, sim_wire_packets(skb));
	if (is_filtered(in, pkt))
		drop(in, skb, SIM_CTR_DROP_FILTER);
	else if (pkt->odd)
		punt(in, skb, pkt->odd);
	else
		to_host(in, skb);
}

/**
 * sim_pipeline_run() - decide about one frame
 * @in: the port whose wire sent it
 * @skb: data at the MAC header; consumed
 *
 * Context: softirq; takes the RCU read lock.
 */
void sim_pipeline_run(struct sim_port *in, struct sk_buff *skb)
{
	struct sim_adapter *ad = in->adapter;
	struct sim_packet pkt;
	struct sim_entry *e;

	/*
	 * A cable carries bytes: the tag goes into the frame, and nothing in
	 * it is shared with the sender, who may send it again.
	 */
	if (skb_vlan_tag_present(skb)) {
		skb = __vlan_hwaccel_push_inside(skb);
		if (!skb) {
			sim_count(in, SIM_CTR_DROP_ERROR, 1);
			return;
		}
		skb_reset_mac_header(skb);
	}
	if (!pskb_may_pull(skb, ETH_HLEN) || skb_unclone(skb, GFP_ATOMIC) ||
	    skb_cow_head(skb, 0)) {
		drop(in, skb, SIM_CTR_DROP_ERROR);
		return;
	}
	skb_reset_mac_header(skb);
	skb->protocol = eth_hdr(skb)->h_proto;

	sim_parse(skb, &pkt, ad->profile->tuple_only);
	pkt.key.in_port = in->index;
	if (pkt.l3)
		skb_set_network_header(skb, pkt.l3);
	if (pkt.l4)
		skb_set_transport_header(skb, pkt.l4);

	sim_count(in, SIM_CTR_WIRE_IN_PACKETS, sim_wire_packets(skb));
	sim_count(in, SIM_CTR_WIRE_IN_BYTES, sim_wire_bytes(skb));

	if (!sim_port_is_up(in)) {
		drop(in, skb, SIM_CTR_DROP_LINK);
		return;
	}

	rcu_read_lock();
	e = sim_table_lookup(ad, &pkt.key);
	if (e)
		hit(in, e, skb, &pkt);
	else
		miss(in, skb, &pkt);
	rcu_read_unlock();
}
