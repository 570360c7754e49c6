// SPDX-License-Identifier: GPL-2.0
/*
 * What the drivers make of a flow_rule: which keys and actions they take, what
 * they answer to the others, and the adapter's rule that comes out of it.
 */
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tc_act/tc_csum.h>
#include "sim.h"

/* The words that a modify-header context holds in the switch profile. */
#define SWITCH_MAX_REWRITES	16
#define MAX_TAGS		2
#define VLAN_DEI_SHIFT		12

static int no(struct sim_build *b, int err, const char *why)
{
	b->why = why;
	return err;
}

static bool has(const struct sim_build *b, enum flow_dissector_key_id key)
{
	return flow_rule_match_key(b->cls->rule, key);
}

/* --- matches --- */

static void match_tuple_addrs(struct sim_build *b, u16 addr_type)
{
	struct sim_key *key = &b->rule->key, *mask = &b->rule->mask;
	const struct flow_rule *flow = b->cls->rule;

	if (addr_type == FLOW_DISSECTOR_KEY_IPV4_ADDRS &&
	    has(b, FLOW_DISSECTOR_KEY_IPV4_ADDRS)) {
		struct flow_match_ipv4_addrs m;

		flow_rule_match_ipv4_addrs(flow, &m);
		key->saddr[0] = m.key->src;
		key->daddr[0] = m.key->dst;
		mask->saddr[0] = m.mask->src;
		mask->daddr[0] = m.mask->dst;
	} else if (addr_type == FLOW_DISSECTOR_KEY_IPV6_ADDRS &&
		   has(b, FLOW_DISSECTOR_KEY_IPV6_ADDRS)) {
		struct flow_match_ipv6_addrs m;

		flow_rule_match_ipv6_addrs(flow, &m);
		memcpy(key->saddr, &m.key->src, sizeof(key->saddr));
		memcpy(key->daddr, &m.key->dst, sizeof(key->daddr));
		memcpy(mask->saddr, &m.mask->src, sizeof(mask->saddr));
		memcpy(mask->daddr, &m.mask->dst, sizeof(mask->daddr));
	}
}

static void match_ports(struct sim_build *b)
{
	struct flow_match_ports m;

	if (!has(b, FLOW_DISSECTOR_KEY_PORTS))
		return;
	flow_rule_match_ports(b->cls->rule, &m);
	b->rule->key.sport = m.key->src;
	b->rule->key.dport = m.key->dst;
	b->rule->mask.sport = m.mask->src;
	b->rule->mask.dport = m.mask->dst;
	b->rule->mask.no_l4 = 0xff;
}

static void match_basic(struct sim_build *b)
{
	struct flow_match_basic m;

	if (!has(b, FLOW_DISSECTOR_KEY_BASIC))
		return;
	flow_rule_match_basic(b->cls->rule, &m);
	b->rule->key.n_proto = m.key->n_proto;
	b->rule->mask.n_proto = m.mask->n_proto;
	b->rule->key.ip_proto = m.key->ip_proto;
	b->rule->mask.ip_proto = m.mask->ip_proto;
}

/**
 * sim_rule_match_tuple() - MediaTek's and Airoha's packet engine
 * @b: the rule
 *
 * Wants to see most keys, programs the 5-tuple, and ignores the others: the
 * ingress port, VLAN tags and TCP flags do not take part in the lookup.
 */
int sim_rule_match_tuple(struct sim_build *b)
{
	struct flow_match_control control;
	struct flow_match_meta meta;
	u16 type;

	if (!has(b, FLOW_DISSECTOR_KEY_META))
		return no(b, -EOPNOTSUPP, "the rule does not name its ingress port");
	flow_rule_match_meta(b->cls->rule, &meta);
	if (!has(b, FLOW_DISSECTOR_KEY_CONTROL))
		return no(b, -EOPNOTSUPP, "the rule has no address type");
	flow_rule_match_control(b->cls->rule, &control);
	if (control.mask->flags)
		return no(b, -EOPNOTSUPP, "fragment flags cannot be matched");
	if (!has(b, FLOW_DISSECTOR_KEY_BASIC))
		return no(b, -EOPNOTSUPP, "the rule does not name its protocol");
	type = control.key->addr_type;
	if (type != FLOW_DISSECTOR_KEY_IPV4_ADDRS &&
	    type != FLOW_DISSECTOR_KEY_IPV6_ADDRS)
		return no(b, -EOPNOTSUPP, "only IPv4 and IPv6 flows are offloaded");

	match_basic(b);
	match_tuple_addrs(b, type);
	match_ports(b);
	b->rule->strip = true;
	return 0;
}

static int match_meta(struct sim_build *b)
{
	struct net_device *host = b->port->host;
	struct flow_match_meta m;
	bool known;

	if (!has(b, FLOW_DISSECTOR_KEY_META))
		return 0;
	flow_rule_match_meta(b->cls->rule, &m);
	if (!m.mask->ingress_ifindex)
		return 0;
	if (m.mask->ingress_ifindex != -1)
		return no(b, -EOPNOTSUPP, "the ingress port's mask is not exact");
	if (m.key->ingress_ifindex == b->ifindex)
		return 0;

	rcu_read_lock();
	known = dev_get_by_index_rcu(dev_net(host), m.key->ingress_ifindex);
	rcu_read_unlock();
	if (!known)
		return no(b, -ENOENT, "the ingress port does not exist");
	return no(b, -EOPNOTSUPP, "the ingress port is not the one asked");
}

static u16 tci_of(const struct flow_dissector_key_vlan *v)
{
	return v->vlan_id | v->vlan_dei << VLAN_DEI_SHIFT |
	       v->vlan_priority << VLAN_PRIO_SHIFT;
}

static void match_vlan(struct sim_build *b, const struct flow_match_vlan *m,
		       int tag)
{
	b->rule->key.tpid[tag] = m->key->vlan_tpid;
	b->rule->mask.tpid[tag] = m->mask->vlan_tpid;
	b->rule->key.tci[tag] = htons(tci_of(m->key));
	b->rule->mask.tci[tag] = htons(tci_of(m->mask));
}

/* Without a VLAN key: untagged frames only; with one: as many tags as keys. */
static void match_tags(struct sim_build *b)
{
	struct flow_match_vlan m;
	int tags = 0;

	if (has(b, FLOW_DISSECTOR_KEY_VLAN)) {
		flow_rule_match_vlan(b->cls->rule, &m);
		match_vlan(b, &m, tags++);
	}
	if (has(b, FLOW_DISSECTOR_KEY_CVLAN)) {
		flow_rule_match_cvlan(b->cls->rule, &m);
		match_vlan(b, &m, tags++);
	}
	if (tags < MAX_TAGS)
		b->rule->mask.tpid[tags] = htons(0xffff);
}

static void match_eth(struct sim_build *b)
{
	struct flow_match_eth_addrs m;

	if (!has(b, FLOW_DISSECTOR_KEY_ETH_ADDRS))
		return;
	flow_rule_match_eth_addrs(b->cls->rule, &m);
	ether_addr_copy(b->rule->key.eth_dst, m.key->dst);
	ether_addr_copy(b->rule->key.eth_src, m.key->src);
	ether_addr_copy(b->rule->mask.eth_dst, m.mask->dst);
	ether_addr_copy(b->rule->mask.eth_src, m.mask->src);
}

static void match_ip(struct sim_build *b)
{
	struct flow_match_ip m;

	if (!has(b, FLOW_DISSECTOR_KEY_IP))
		return;
	flow_rule_match_ip(b->cls->rule, &m);
	b->rule->key.tos = m.key->tos;
	b->rule->mask.tos = m.mask->tos;
	b->rule->key.ttl = m.key->ttl;
	b->rule->mask.ttl = m.mask->ttl;
}

static void match_tcp(struct sim_build *b)
{
	struct flow_match_tcp m;

	if (!has(b, FLOW_DISSECTOR_KEY_TCP))
		return;
	flow_rule_match_tcp(b->cls->rule, &m);
	b->rule->key.tcp_flags = m.key->flags;
	b->rule->mask.tcp_flags = m.mask->flags;
	b->rule->mask.no_l4 = 0xff;
}

static void match_icmp(struct sim_build *b)
{
	struct flow_match_icmp m;

	if (!has(b, FLOW_DISSECTOR_KEY_ICMP))
		return;
	flow_rule_match_icmp(b->cls->rule, &m);
	b->rule->key.sport = htons(m.key->type << 8 | m.key->code);
	b->rule->mask.sport = htons(m.mask->type << 8 | m.mask->code);
	b->rule->mask.no_l4 = 0xff;
}

static bool is_tcp_or_udp(const struct sim_build *b)
{
	u8 proto = b->rule->key.ip_proto;

	return b->rule->mask.ip_proto == 0xff &&
	       (proto == IPPROTO_TCP || proto == IPPROTO_UDP);
}

/* The fields that both kinds of switch program; the keys are known ones. */
static int match_fields(struct sim_build *b)
{
	u16 type = 0;
	int err;

	err = match_meta(b);
	if (err)
		return err;
	if (has(b, FLOW_DISSECTOR_KEY_CONTROL)) {
		struct flow_match_control m;

		flow_rule_match_control(b->cls->rule, &m);
		if (m.mask->flags)
			return no(b, -EOPNOTSUPP, "fragment flags cannot be matched");
		type = m.key->addr_type;
	}
	b->rule->key.in_port = b->port->index;
	b->rule->mask.in_port = 0xff;
	match_basic(b);
	match_eth(b);
	match_tags(b);
	match_tuple_addrs(b, type);
	match_ip(b);
	if (has(b, FLOW_DISSECTOR_KEY_PORTS) && !is_tcp_or_udp(b))
		return no(b, -EINVAL, "ports can be matched for TCP and UDP only");
	match_ports(b);
	match_tcp(b);
	match_icmp(b);
	return 0;
}

/**
 * sim_rule_match_exact() - the switch of a mlx5 representor
 * @b: the rule
 *
 * No key is mandatory, and what is matched is matched exactly, the ingress port
 * always among it.
 */
int sim_rule_match_exact(struct sim_build *b)
{
	return match_fields(b);
}

/**
 * sim_rule_match_flower() - a TC flower NIC that is right
 * @b: the rule
 *
 * Wants the EtherType, and TC's idea of the protocol field.
 */
int sim_rule_match_flower(struct sim_build *b)
{
	__be16 protocol = b->cls->common.protocol;
	int err;

	if (!has(b, FLOW_DISSECTOR_KEY_CONTROL) ||
	    !has(b, FLOW_DISSECTOR_KEY_BASIC))
		return no(b, -EOPNOTSUPP, "the rule has no protocol to match");
	err = match_fields(b);
	if (err)
		return err;
	if (b->rule->mask.n_proto != htons(0xffff))
		return no(b, -EOPNOTSUPP, "the EtherType must be matched exactly");
	if (protocol && protocol != b->rule->key.n_proto &&
	    !(eth_type_vlan(protocol) && has(b, FLOW_DISSECTOR_KEY_VLAN)))
		return no(b, -EOPNOTSUPP, "the filter's protocol is not that of its match");
	return 0;
}

/* --- actions --- */

static int add_op(struct sim_build *b, struct sim_op op)
{
	if (b->rule->n_ops == SIM_MAX_OPS)
		return no(b, -EOPNOTSUPP, "the rule has too many actions");
	switch (op.kind) {
	case SIM_OP_TTL_DEC:
		b->rule->dec_ttl = true;
		fallthrough;
	case SIM_OP_L3:
	case SIM_OP_L4:
		b->rule->needs_l4 = true;
		break;
	case SIM_OP_PPPOE_PUSH:
		b->rule->extra = sizeof(struct sim_pppoe);
		break;
	}
	b->rule->op[b->rule->n_ops++] = op;
	return 0;
}

static int add_rewrite(struct sim_build *b, enum sim_op_kind kind, u32 off,
		       u32 mask, u32 val)
{
	return add_op(b, (struct sim_op){
		.kind = kind, .off = off, .mask = mask, .val = val & ~mask,
	});
}

static int add_vlan(struct sim_build *b, enum sim_op_kind kind,
		    const struct flow_action_entry *a)
{
	if (!eth_type_vlan(a->vlan.proto))
		return no(b, -EOPNOTSUPP, "the VLAN protocol is neither 802.1Q nor 802.1ad");
	return add_op(b, (struct sim_op){
		.kind = kind,
		.proto = a->vlan.proto,
		.tci = a->vlan.vid | a->vlan.prio << VLAN_PRIO_SHIFT,
	});
}

/* The port that a netdev is, where it is one of the same adapter. */
static struct sim_port *own_port(const struct sim_build *b,
				 const struct net_device *dev)
{
	const struct net_device *below = sim_block_below(dev);
	struct sim_port *port = sim_port_of_host(below ?: dev);

	return port && port->adapter == b->port->adapter ? port : NULL;
}

static bool is_ipv4(const struct sim_build *b)
{
	return b->rule->key.n_proto == htons(ETH_P_IP);
}

static bool is_ipv6(const struct sim_build *b)
{
	return b->rule->key.n_proto == htons(ETH_P_IPV6);
}

/* --- actions of the packet engines --- */

/**
 * struct engine - what the first pass over the actions collects
 * @mac: destination and source address, as mangled
 * @dev: of the last redirect
 * @push: VLAN pushes, outermost first
 * @n_push: how many
 * @pppoe: PPPoE pushes
 */
struct engine {
	u8 mac[12];
	struct net_device *dev;
	const struct flow_action_entry *push[MAX_TAGS];
	int n_push;
	const struct flow_action_entry *pppoe;
};

static int engine_eth(struct sim_build *b, struct engine *en,
		      const struct flow_action_entry *a)
{
	u32 word;

	if (a->mangle.offset > 8 || a->mangle.offset % 4)
		return 0;
	memcpy(&word, en->mac + a->mangle.offset, sizeof(word));
	word = (word & a->mangle.mask) | (a->mangle.val & ~a->mangle.mask);
	memcpy(en->mac + a->mangle.offset, &word, sizeof(word));
	return add_rewrite(b, SIM_OP_ETH, a->mangle.offset, a->mangle.mask,
			   a->mangle.val);
}

static int engine_push(struct sim_build *b, struct engine *en,
		       const struct flow_action_entry *a, bool pppoe_counts)
{
	if (a->vlan.proto != htons(ETH_P_8021Q))
		return no(b, -EOPNOTSUPP, "only 802.1Q tags can be pushed");
	if (en->n_push + (pppoe_counts && en->pppoe) >= MAX_TAGS)
		return no(b, -EOPNOTSUPP, "more than two tags");
	en->push[en->n_push++] = a;
	return 0;
}

static int engine_pppoe(struct sim_build *b, struct engine *en,
			const struct flow_action_entry *a)
{
	if (en->pppoe)
		return no(b, -EOPNOTSUPP, "more than one PPPoE session");
	if (en->n_push >= MAX_TAGS)
		return no(b, -EOPNOTSUPP, "PPPoE below two tags");
	en->pppoe = a;
	return 0;
}

static int engine_first_pass(struct sim_build *b, struct engine *en,
			     bool pppoe_counts)
{
	const struct flow_action *action = &b->cls->rule->action;
	const struct flow_action_entry *a;
	int i, err = 0;

	flow_action_for_each(i, a, action) {
		switch (a->id) {
		case FLOW_ACTION_MANGLE:
			if (a->mangle.htype == FLOW_ACT_MANGLE_UNSPEC)
				return no(b, -EOPNOTSUPP, "a rewrite names no header");
			if (a->mangle.htype == FLOW_ACT_MANGLE_HDR_TYPE_ETH)
				err = engine_eth(b, en, a);
			break;
		case FLOW_ACTION_REDIRECT:
			en->dev = a->dev;
			break;
		case FLOW_ACTION_CSUM:
		case FLOW_ACTION_VLAN_POP:
			break;
		case FLOW_ACTION_VLAN_PUSH:
			err = engine_push(b, en, a, pppoe_counts);
			break;
		case FLOW_ACTION_PPPOE_PUSH:
			err = engine_pppoe(b, en, a);
			break;
		default:
			return no(b, -EOPNOTSUPP, "an action that the packet engine does not have");
		}
		if (err)
			return err;
	}
	return 0;
}

static int engine_ports(struct sim_build *b, const struct flow_action_entry *a)
{
	u32 mask = a->mangle.mask, val = a->mangle.val;

	switch (a->mangle.offset) {
	case 0:
		break;
	case 2:
		mask = (__force u32)htonl(0xffff0000);
		val = (__force u32)htonl(ntohl((__force __be32)val) & 0xffff);
		break;
	default:
		return no(b, -EINVAL, "only the ports of L4 can be rewritten");
	}
	return add_rewrite(b, SIM_OP_L4, 0, mask, val);
}

static int engine_second_pass(struct sim_build *b)
{
	const struct flow_action *action = &b->cls->rule->action;
	const struct flow_action_entry *a;
	int i, err = 0;

	flow_action_for_each(i, a, action) {
		if (a->id != FLOW_ACTION_MANGLE)
			continue;
		switch (a->mangle.htype) {
		case FLOW_ACT_MANGLE_HDR_TYPE_ETH:
			break;
		case FLOW_ACT_MANGLE_HDR_TYPE_IP4:
			if (a->mangle.offset != offsetof(struct iphdr, saddr) &&
			    a->mangle.offset != offsetof(struct iphdr, daddr))
				return no(b, -EINVAL, "of IPv4 only addresses can be rewritten");
			err = add_rewrite(b, SIM_OP_L3, a->mangle.offset, 0,
					  a->mangle.val);
			break;
		case FLOW_ACT_MANGLE_HDR_TYPE_TCP:
		case FLOW_ACT_MANGLE_HDR_TYPE_UDP:
			err = engine_ports(b, a);
			break;
		default:
			return no(b, -EOPNOTSUPP, "IPv6 headers cannot be rewritten");
		}
		if (err)
			return err;
	}
	return 0;
}

/* The frame is built from the inside: IP, PPPoE, inner tag, outer tag. */
static int engine_tags(struct sim_build *b, const struct engine *en)
{
	int i, err = 0;

	if (en->pppoe)
		err = add_op(b, (struct sim_op){
			.kind = SIM_OP_PPPOE_PUSH,
			.proto = htons(en->pppoe->pppoe.sid),
		});
	for (i = en->n_push - 1; i >= 0 && !err; i--)
		err = add_vlan(b, SIM_OP_VLAN_PUSH, en->push[i]);
	return err;
}

static int engine_output(struct sim_build *b, const struct engine *en, int err)
{
	struct sim_port *out = own_port(b, en->dev);

	if (!out)
		return no(b, err, "the egress device is not a port of this adapter");
	b->rule->verdict = SIM_FORWARD;
	b->rule->out = out->index;
	return 0;
}

static int engine_macs(struct sim_build *b, const struct engine *en)
{
	if (!is_valid_ether_addr(en->mac) ||
	    !is_valid_ether_addr(en->mac + ETH_ALEN))
		return no(b, -EINVAL, "a MAC address is missing or not unicast");
	return 0;
}

static int engine_has_ports(struct sim_build *b)
{
	if (!has(b, FLOW_DISSECTOR_KEY_PORTS))
		return no(b, -EOPNOTSUPP, "the rule has no ports");
	return 0;
}

static int engine_rewrites(struct sim_build *b, const struct engine *en)
{
	int err;

	err = engine_second_pass(b);
	if (!err)
		err = add_op(b, (struct sim_op){ .kind = SIM_OP_TTL_DEC });
	if (!err)
		err = engine_tags(b, en);
	return err;
}

/* mtk_flow_offload_replace(): the egress device is looked at last. */
int sim_rule_actions_mtk(struct sim_build *b)
{
	struct engine en = {};
	int err;

	err = engine_first_pass(b, &en, true);
	if (!err)
		err = engine_macs(b, &en);
	if (!err)
		err = engine_has_ports(b);
	if (!err)
		err = engine_rewrites(b, &en);
	if (!err)
		err = engine_output(b, &en, -EOPNOTSUPP);
	return err;
}

/* airoha_ppe_flow_offload_replace(): before the ports. */
int sim_rule_actions_airoha(struct sim_build *b)
{
	struct engine en = {};
	int err;

	err = engine_first_pass(b, &en, false);
	if (!err)
		err = engine_macs(b, &en);
	if (!err)
		err = engine_output(b, &en, -EINVAL);
	if (!err)
		err = engine_has_ports(b);
	if (!err)
		err = engine_rewrites(b, &en);
	return err;
}

/* --- actions of the switches --- */

/**
 * struct steps - where a single pass over the actions stands
 * @accept: an ACCEPT was seen
 * @drop: a DROP was seen
 * @out: port of the redirect
 * @pushes: VLAN pushes
 * @pops: VLAN pops
 * @rewrites: words rewritten, and TTL decrements
 */
struct steps {
	bool accept;
	bool drop;
	struct sim_port *out;
	int pushes;
	int pops;
	int rewrites;
};

/* The bits of a word of the IP header that may be set, 0 = none. */
static u32 ip4_bits(u32 off)
{
	switch (off) {
	case 0:
		return (__force u32)htonl(0x00ff0000);	/* DSCP and ECN */
	case 8:
		return (__force u32)htonl(0xff000000);	/* TTL */
	case offsetof(struct iphdr, saddr):
	case offsetof(struct iphdr, daddr):
		return ~0U;
	default:
		return 0;
	}
}

static u32 ip6_bits(u32 off)
{
	switch (off) {
	case 0:
		return (__force u32)htonl(0x0ff00000);	/* traffic class */
	case 4:
		return (__force u32)htonl(0x000000ff);	/* hop limit */
	case 8 ... 36:
		return off % 4 ? 0 : ~0U;
	default:
		return 0;
	}
}

static bool rewrites_ip_of(const struct sim_build *b)
{
	u8 proto = b->rule->key.ip_proto;

	return is_tcp_or_udp(b) ||
	       (b->rule->mask.ip_proto == 0xff &&
		(proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6));
}

static int switch_mangle(struct sim_build *b, struct steps *st,
			 const struct flow_action_entry *a)
{
	u32 off = a->mangle.offset, allowed = 0;
	enum sim_op_kind kind = SIM_OP_L3;
	u8 proto = b->rule->key.ip_proto;
	int i;

	switch (a->mangle.htype) {
	case FLOW_ACT_MANGLE_HDR_TYPE_ETH:
		kind = SIM_OP_ETH;
		if (off <= 8 && off % 4 == 0)
			allowed = ~0U;
		break;
	case FLOW_ACT_MANGLE_HDR_TYPE_IP4:
		if (is_ipv4(b))
			allowed = ip4_bits(off);
		break;
	case FLOW_ACT_MANGLE_HDR_TYPE_IP6:
		if (is_ipv6(b))
			allowed = ip6_bits(off);
		break;
	case FLOW_ACT_MANGLE_HDR_TYPE_TCP:
		kind = SIM_OP_L4;
		if (proto == IPPROTO_TCP && off == 0)
			allowed = ~0U;
		break;
	case FLOW_ACT_MANGLE_HDR_TYPE_UDP:
		kind = SIM_OP_L4;
		if (proto == IPPROTO_UDP && off == 0)
			allowed = ~0U;
		break;
	default:
		return no(b, -EOPNOTSUPP, "a rewrite names no header");
	}
	if (~a->mangle.mask & ~allowed)
		return no(b, -EOPNOTSUPP, "a field that cannot be rewritten");
	if (kind == SIM_OP_L3 && !rewrites_ip_of(b))
		return no(b, -EOPNOTSUPP, "IP can be rewritten for TCP, UDP and ICMP only");

	for (i = 0; i < b->rule->n_ops; i++) {
		const struct sim_op *op = &b->rule->op[i];

		if (op->kind == kind && op->off == off &&
		    ~op->mask & ~a->mangle.mask)
			return no(b, -EOPNOTSUPP, "a field is rewritten twice");
	}
	if (++st->rewrites > SWITCH_MAX_REWRITES)
		return no(b, -ENOSPC, "more rewrites than the hardware has room for");
	return add_rewrite(b, kind, off, a->mangle.mask, a->mangle.val);
}

/* TC's way to decrement the TTL: add 255 to its byte. */
static int switch_add(struct sim_build *b, struct steps *st,
		      const struct flow_action_entry *a)
{
	__be32 ttl;
	u32 off;

	switch (a->mangle.htype) {
	case FLOW_ACT_MANGLE_HDR_TYPE_IP4:
		ttl = htonl(0xff000000);
		off = 8;
		break;
	case FLOW_ACT_MANGLE_HDR_TYPE_IP6:
		ttl = htonl(0x000000ff);
		off = 4;
		break;
	default:
		return no(b, -EOPNOTSUPP, "only the TTL can be added to");
	}
	if (a->mangle.offset != off ||
	    a->mangle.mask != ~(__force u32)ttl ||
	    (a->mangle.val & ~a->mangle.mask) != (__force u32)ttl)
		return no(b, -EOPNOTSUPP, "only -1 can be added, and only to the TTL");
	st->rewrites++;
	return add_op(b, (struct sim_op){ .kind = SIM_OP_TTL_DEC });
}

static int switch_redirect(struct sim_build *b, struct steps *st,
			   const struct flow_action_entry *a)
{
	st->out = own_port(b, a->dev);
	if (!st->out)
		return no(b, -EOPNOTSUPP, "the egress device is not on the same switch");
	if (st->out == b->port)
		return no(b, -EOPNOTSUPP, "a port cannot forward to itself");
	return 0;
}

static int switch_mirror(struct sim_build *b, const struct flow_action_entry *a)
{
	struct sim_port *to = own_port(b, a->dev);

	if (!to)
		return no(b, -EOPNOTSUPP, "the mirror's device is not on the same switch");
	return add_op(b, (struct sim_op){
		.kind = SIM_OP_MIRROR, .port = to->index,
	});
}

static int switch_csum(struct sim_build *b, const struct steps *st,
		       const struct flow_action_entry *a)
{
	u32 known = TCA_CSUM_UPDATE_FLAG_IPV4HDR | TCA_CSUM_UPDATE_FLAG_TCP |
		    TCA_CSUM_UPDATE_FLAG_UDP;

	if (!st->rewrites)
		return no(b, -EOPNOTSUPP, "checksums are updated with rewrites only");
	if (a->csum_flags & ~known)
		return no(b, -EOPNOTSUPP, "a checksum that the hardware does not update");
	return 0;
}

static int switch_push(struct sim_build *b, struct steps *st,
		       const struct flow_action_entry *a)
{
	if (++st->pushes > MAX_TAGS)
		return no(b, -EOPNOTSUPP, "more than two tags");
	return add_vlan(b, SIM_OP_VLAN_PUSH, a);
}

static int switch_pop(struct sim_build *b, struct steps *st)
{
	if (++st->pops > MAX_TAGS)
		return no(b, -EOPNOTSUPP, "more than two tags");
	return add_op(b, (struct sim_op){ .kind = SIM_OP_VLAN_POP });
}

static int switch_action(struct sim_build *b, struct steps *st,
			 const struct flow_action_entry *a)
{
	switch (a->id) {
	case FLOW_ACTION_ACCEPT:
		st->accept = true;
		return 0;
	case FLOW_ACTION_DROP:
		st->drop = true;
		return 0;
	case FLOW_ACTION_REDIRECT:
		return switch_redirect(b, st, a);
	case FLOW_ACTION_MIRRED:
		return switch_mirror(b, a);
	case FLOW_ACTION_MANGLE:
		return switch_mangle(b, st, a);
	case FLOW_ACTION_ADD:
		return switch_add(b, st, a);
	case FLOW_ACTION_CSUM:
		return switch_csum(b, st, a);
	case FLOW_ACTION_VLAN_PUSH:
		return switch_push(b, st, a);
	case FLOW_ACTION_VLAN_POP:
		return switch_pop(b, st);
	case FLOW_ACTION_VLAN_MANGLE:
		return add_vlan(b, SIM_OP_VLAN_SET, a);
	default:
		return no(b, -EOPNOTSUPP, "an action that the hardware does not have");
	}
}

/**
 * sim_rule_actions_switch() - the switch of a mlx5 representor
 * @b: the rule
 *
 * One pass, in order. ACCEPT wins over a redirect: the packet goes to the host.
 */
int sim_rule_actions_switch(struct sim_build *b)
{
	const struct flow_action *action = &b->cls->rule->action;
	const struct flow_action_entry *a;
	struct steps st = {};
	int i, err;

	if (!flow_action_basic_hw_stats_check(action, NULL))
		return no(b, -EOPNOTSUPP, "this type of hardware statistics is not supported");
	flow_action_for_each(i, a, action) {
		err = switch_action(b, &st, a);
		if (err)
			return err;
	}
	if (st.drop) {
		b->rule->verdict = SIM_DROP;
	} else if (st.accept) {
		b->rule->verdict = SIM_TO_HOST;
	} else if (st.out) {
		b->rule->verdict = SIM_FORWARD;
		b->rule->out = st.out->index;
	} else {
		return no(b, -EOPNOTSUPP, "the rule has no destination");
	}
	return 0;
}

/**
 * sim_rule_actions_flower() - a TC flower NIC that is right
 * @b: the rule
 *
 * As the switch, but it cannot leave a packet to the host by a rule.
 */
int sim_rule_actions_flower(struct sim_build *b)
{
	int err = sim_rule_actions_switch(b);

	if (err)
		return err;
	if (b->rule->verdict == SIM_TO_HOST)
		return no(b, -EOPNOTSUPP, "accept is not an action of the hardware");
	return 0;
}
