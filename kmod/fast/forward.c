// SPDX-License-Identifier: GPL-2.0
/*
 * The software fast path: from the ingress hook of one device to the transmit
 * function of another. What is not plainly a packet of a known flow is left to
 * the slow path, as it is, and counted under the reason.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <net/gre.h>
#include <net/gso.h>
#include <net/ip.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/xfrm.h>
#include "compat/rt6.h"
#include "fast/internal.h"

/**
 * nfto_forward_l4() - what the L4 header says
 * @skb: the packet
 * @p: @thoff is known, the others of L4 are filled in
 * @proto: IPPROTO_*
 *
 * Return: NFTO_REASON_NONE, or why this is for the slow path.
 */
enum nfto_reason nfto_forward_l4(struct sk_buff *skb, struct nfto_packet *p,
				 u8 proto)
{
	const struct gre_base_hdr *gre;
	unsigned int at = p->offset + p->thoff;

	switch (proto) {
	case IPPROTO_TCP:
		p->hdrsize = sizeof(struct tcphdr);
		break;
	case IPPROTO_UDP:
		p->hdrsize = sizeof(struct udphdr);
		break;
	case IPPROTO_GRE:
		p->hdrsize = sizeof(*gre);
		break;
	default:
		return NFTO_REASON_PROTOCOL;
	}
	if (p->len < p->thoff + p->hdrsize ||
	    !pskb_may_pull(skb, at + p->hdrsize))
		return NFTO_REASON_TRUNCATED;
	p->key.proto = proto;
	if (proto == IPPROTO_GRE) {
		gre = (const void *)(skb_network_header(skb) + at);
		if ((gre->flags & GRE_VERSION) != GRE_VERSION_0)
			return NFTO_REASON_GRE_VERSION;
		p->key.ports = 0;
	} else {
		memcpy(&p->key.ports, skb_network_header(skb) + at,
		       sizeof(p->key.ports));
	}
	return NFTO_REASON_NONE;
}

/* If there is an encapsulation, the network header points to it. */
static bool exceeds_mtu(const struct sk_buff *skb, const struct nfto_packet *p,
			unsigned int mtu)
{
	return p->len > mtu &&
	       !(skb_is_gso(skb) &&
		 skb_gso_validate_network_len(skb, mtu + p->offset));
}

/*
 * Packets to a router behind a bridge are addressed to the bridge, not to the
 * port's hardware address: then the driver of the port says that the packet is
 * for another host. On a shared segment in promiscuous mode it may really be.
 */
static bool is_for_us(const struct sk_buff *skb, const struct nfto_dir *dir)
{
	const struct nfto_nexthop *back = nfto_dir_other(dir)->nh;

	/* Only the peer of a PPPoE session may send in it. */
	if (unlikely(back->has_dest) &&
	    !ether_addr_equal(eth_hdr(skb)->h_source, back->h_dest))
		return false;
	if (likely(skb->pkt_type == PACKET_HOST))
		return true;
	return skb->pkt_type == PACKET_OTHERHOST &&
	       back->l3dev->addr_len == ETH_ALEN &&
	       skb_mac_header_was_set(skb) &&
	       ether_addr_equal_64bits(eth_hdr(skb)->h_dest,
				       back->l3dev->dev_addr);
}

/* Return: why conntrack has to see this packet; TCP_CLOSE if the flow is over. */
static enum nfto_reason for_conntrack(const struct sk_buff *skb,
				      const struct nfto_packet *p)
{
	const struct tcphdr *tcp;

	if (p->key.proto != IPPROTO_TCP)
		return NFTO_REASON_NONE;
	tcp = (const void *)(skb_network_header(skb) + p->offset + p->thoff);
	if (unlikely(tcp->fin || tcp->rst))
		return NFTO_REASON_TCP_CLOSE;
	return unlikely(tcp->syn) ? NFTO_REASON_TCP_SYN : NFTO_REASON_NONE;
}

/* Return: why this packet is left to the slow path. */
static enum nfto_reason leads_on(struct nfto_nexthop *nh)
{
	struct dst_entry *dst = rcu_dereference(nh->dst);

	if (unlikely(nh->neigh && READ_ONCE(nh->neigh->dead)))
		return NFTO_REASON_ROUTE_STALE;
	if (likely(dst_check(dst, READ_ONCE(nh->cookie))))
		return NFTO_REASON_NONE;
	/*
	 * Some route has changed, perhaps this one: the work of way/route.c
	 * finds out.
	 */
	return nfto_routes_stale(nh) ? NFTO_REASON_ROUTE_CHECK :
				       NFTO_REASON_ROUTE_STALE;
}

static struct nfto_dir *leave_to_slow_path(const struct nfto_packet *p,
					   enum nfto_reason reason,
					   unsigned int *verdict)
{
	nfto_table_count(p->table, reason);
	*verdict = NF_ACCEPT;
	return NULL;
}

/*
 * A packet that the hardware should have forwarded may mean that it lost its
 * table. Then a flow is asked for every two seconds, and some flows of a port
 * at once, for that shows whether all are lost. It is racy: a few more
 * questions do no harm.
 */
#define SUSPECT_AFTER	(2 * HZ)
#define SUSPECT_SOME	(HZ / 4)

static bool is_suspect(const struct nfto_dir *dir, u32 asked, u32 now)
{
	struct nfto_port *port = nfto_dir_port(dir);
	u32 n;

	if (now - asked > SUSPECT_AFTER)
		return true;
	if (now - READ_ONCE(port->suspect_at) > SUSPECT_SOME) {
		WRITE_ONCE(port->suspect_at, now);
		WRITE_ONCE(port->n_suspect, 0);
	}
	n = READ_ONCE(port->n_suspect);
	if (n >= NFTO_LOST_ALL)
		return false;
	WRITE_ONCE(port->n_suspect, n + 1);
	return true;
}

static void touch_flow(struct nfto_dir *dir)
{
	struct nfto_flow *flow = nfto_flow_of(dir);
	u32 now = (u32)jiffies;

	/* Not for each packet: the cache line is shared with other CPUs. */
	if (now - READ_ONCE(flow->last_used) <= HZ / 8)
		return;
	WRITE_ONCE(flow->last_used, now);
	if (dir->state == NFTO_HW_IN &&
	    is_suspect(dir, READ_ONCE(flow->asked), now))
		nfto_age_suspect(flow);
}

/**
 * nfto_forward_begin() - everything up to the first change of the packet
 * @skb: the packet
 * @p: what is known of it
 * @verdict: for the hook, when the return value is NULL
 *
 * Return: the direction it belongs to; the packet is writable then, and has the
 * length that its header says.
 */
struct nfto_dir *nfto_forward_begin(struct sk_buff *skb, struct nfto_packet *p,
				    unsigned int *verdict)
{
	struct nfto_nexthop *nh;
	enum nfto_reason reason;
	struct nfto_dir *dir;

	dir = nfto_table_lookup(p->table, &p->key);
	if (!dir)
		return leave_to_slow_path(p, NFTO_REASON_NO_FLOW, verdict);
	nh = dir->nh;
	if (unlikely(exceeds_mtu(skb, p, nh->mtu)))
		return leave_to_slow_path(p, NFTO_REASON_MTU, verdict);
	if (unlikely(!is_for_us(skb, dir)))
		return leave_to_slow_path(p, NFTO_REASON_NOT_FOR_US, verdict);
	reason = for_conntrack(skb, p);
	if (unlikely(reason == NFTO_REASON_TCP_CLOSE)) {
		nfto_flow_end(nfto_flow_of(dir), reason);
		*verdict = NF_ACCEPT;
		return NULL;
	}
	if (unlikely(reason))
		return leave_to_slow_path(p, reason, verdict);
	/* The connection was deleted and begins anew, and so may its flow. */
	if (unlikely(nf_ct_is_dying(nfto_flow_of(dir)->ct))) {
		nfto_flow_end(nfto_flow_of(dir), NFTO_REASON_CT_GONE);
		*verdict = NF_ACCEPT;
		return NULL;
	}
	reason = leads_on(nh);
	if (unlikely(reason == NFTO_REASON_ROUTE_CHECK))
		return leave_to_slow_path(p, reason, verdict);
	if (unlikely(reason)) {
		nfto_flow_end(nfto_flow_of(dir), reason);
		*verdict = NF_ACCEPT;
		return NULL;
	}
	if (unlikely(dir->doubt)) {
		touch_flow(dir);
		if (dir->doubt == NFTO_DOUBT_NEW)
			nfto_age_await_verdict(dir);
		return leave_to_slow_path(p, NFTO_REASON_RULESET_CHECK, verdict);
	}
	if (unlikely(skb->len > p->len + p->offset) &&
	    pskb_trim_rcsum(skb, p->len + p->offset))
		goto drop;
	if (skb_try_make_writable(skb, p->offset + p->thoff + p->hdrsize))
		goto drop;
	touch_flow(dir);
	skb_forward_csum(skb);
	return dir;

drop:
	nfto_table_count(p->table, NFTO_REASON_DROPPED);
	*verdict = NF_DROP;
	return NULL;
}

/* --- handing on --- */

static void set_skb_dst(struct sk_buff *skb, const struct nfto_nexthop *nh)
{
	skb_dst_drop(skb);
	skb_dst_set_noref(skb, rcu_dereference(nh->dst));
}

static bool has_headroom(struct sk_buff *skb, const struct net_device *dev)
{
	unsigned int need = LL_RESERVED_SPACE(dev);

	return likely(skb_headroom(skb) >= need) ||
	       !pskb_expand_head(skb, HH_DATA_ALIGN(need - skb_headroom(skb)),
				 0, GFP_ATOMIC);
}

/*
 * Whether the neighbour's address may be used now. One that is to be verified
 * begins with that, as by any other packet.
 */
static bool is_neigh_valid(struct neighbour *n)
{
	u8 state = READ_ONCE(n->nud_state);

	return likely(state & NUD_CONNECTED) ||
	       (state & NUD_VALID && !neigh_event_send(n, NULL));
}

/*
 * The packet may have to wait for the neighbour's address. It does so with the
 * neighbour's own device: when that goes, so do those who wait. The port of a
 * bridge may be gone when the address is known, or the host at another one.
 * If the neighbour never answers, the sender is told by ICMP, for which the
 * route is needed.
 */
static void xmit_unresolved(struct sk_buff *skb, const struct nfto_nexthop *nh)
{
	struct neighbour *n = nh->neigh;

	if (!has_headroom(skb, n->dev)) {
		kfree_skb(skb);
		return;
	}
	memset(skb->cb, 0, sizeof(skb->cb));
	set_skb_dst(skb, nh);
	skb->dev = n->dev;
	neigh_output(n, skb, true);
}

/* With a header that is there, a packet never waits. */
static void xmit_neigh(struct sk_buff *skb, const struct nfto_nexthop *nh)
{
	struct neighbour *n = nh->neigh;

	if (likely(READ_ONCE(n->hh.hh_len) && is_neigh_valid(n)))
		neigh_hh_output(&n->hh, skb);
	else
		xmit_unresolved(skb, nh);
}

static void xmit_lookup(struct sk_buff *skb, const struct nfto_nexthop *nh,
			const struct nfto_dir *dir)
{
	const struct nf_conntrack_tuple *to =
		&nfto_flow_of(dir)->ct->tuplehash[!dir->reply].tuple;
	struct dst_entry *dst = rcu_dereference(nh->dst);
	const struct in6_addr *addr6;
	__be32 addr4;

	set_skb_dst(skb, nh);
	if (dir->ipv6) {
		addr6 = rt6_nexthop(dst_rt6_info(dst), &to->src.u3.in6);
		neigh_xmit(NEIGH_ND_TABLE, nh->out, addr6, skb);
	} else {
		addr4 = rt_nexthop((struct rtable *)dst, to->src.u3.ip);
		neigh_xmit(NEIGH_ARP_TABLE, nh->out, &addr4, skb);
	}
}

static void xmit_xfrm(struct sk_buff *skb, const struct nfto_nexthop *nh,
		      const struct nfto_dir *dir, int iif)
{
	struct net *net = dev_net(nh->l3dev);

	memset(skb->cb, 0, sizeof(skb->cb));
	if (dir->ipv6) {
		IP6CB(skb)->iif = iif;
		IP6CB(skb)->flags = IP6SKB_FORWARDED;
	} else {
		IPCB(skb)->iif = iif;
		IPCB(skb)->flags = IPSKB_FORWARDED;
	}
	skb_orphan(skb);
	set_skb_dst(skb, nh);
	dst_output(net, NULL, skb);
}

/**
 * nfto_forward_xmit() - the packet is what it has to be: send it
 * @skb: the packet, without encapsulation
 * @p: what is known of it
 * @dir: its direction
 *
 * Return: NF_STOLEN or NF_DROP.
 */
unsigned int nfto_forward_xmit(struct sk_buff *skb, const struct nfto_packet *p,
			       const struct nfto_dir *dir)
{
	const struct nfto_nexthop *nh = dir->nh;

	if (p->flags & NF_FLOWTABLE_COUNTER)
		nf_ct_acct_update(nfto_flow_of(dir)->ct, dir->reply, skb->len);
	this_cpu_inc(p->table->cpu->packets);
	this_cpu_add(p->table->cpu->bytes, skb->len);

	skb_clear_tstamp(skb);
	if (!has_headroom(skb, nh->out)) {
		nfto_table_count(p->table, NFTO_REASON_DROPPED);
		return NF_DROP;
	}
	skb->dev = nh->out;
	switch (nh->xmit) {
	case NFTO_XMIT_NEIGH:
		xmit_neigh(skb, nh);
		break;
	case NFTO_XMIT_PLAIN:
		set_skb_dst(skb, nh);
		dev_queue_xmit(skb);
		break;
	case NFTO_XMIT_LOOKUP:
		xmit_lookup(skb, nh, dir);
		break;
	case NFTO_XMIT_XFRM:
		xmit_xfrm(skb, nh, dir, p->key.iif);
		break;
	}
	return NF_STOLEN;
}

/* --- the hooks --- */

static __be16 begin_packet(struct nfto_packet *p, void *priv,
			   struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	const struct nf_flowtable *ft = priv;

	p->table = nfto_table_of(ft);
	if (unlikely(!p->table))
		return 0;
	p->flags = ft->flags;
	p->offset = 0;
	p->there = skb->len;
	p->key.n_encap = 0;
	p->key.ip6 = NULL;
	p->key.iif = state->in->ifindex;
	return nfto_encap_parse(skb, p);
}

unsigned int nfto_forward_inet(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	struct nfto_packet p;

	switch (begin_packet(&p, priv, skb, state)) {
	case htons(ETH_P_IP):
		return nfto_ip4_packet(skb, &p);
	case htons(ETH_P_IPV6):
		return nfto_ip6_packet(skb, &p);
	}
	return NF_ACCEPT;
}

unsigned int nfto_forward_ip4(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	struct nfto_packet p;

	if (begin_packet(&p, priv, skb, state) != htons(ETH_P_IP))
		return NF_ACCEPT;
	return nfto_ip4_packet(skb, &p);
}

unsigned int nfto_forward_ip6(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	struct nfto_packet p;

	if (begin_packet(&p, priv, skb, state) != htons(ETH_P_IPV6))
		return NF_ACCEPT;
	return nfto_ip6_packet(skb, &p);
}
