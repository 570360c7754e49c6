// SPDX-License-Identifier: GPL-2.0
/*
 * A direction of a flow as a flow_rule: what to match, what to do.
 *
 * Drivers read the same structures in different ways. The differences are those
 * of struct nfto_dialect.
 */
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/slab.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tcp.h>
#include <net/neighbour.h>
#include "hw/internal.h"

/*
 * The longest rule: Ethernet's addresses, tags that go and tags or PPPoE that
 * come, TTL, two IPv6 addresses, two ports, checksums, redirect.
 */
#define ACTIONS_MAX	(4 + 2 * NFTO_ENCAP_MAX + 1 + 8 + 2 + 1 + 1)

/* flow_dissector's users compare keys as longs. */
struct rule_keys {
	struct flow_dissector_key_meta meta;
	struct flow_dissector_key_control control;
	struct flow_dissector_key_basic basic;
	struct flow_dissector_key_vlan vlan;
	struct flow_dissector_key_vlan cvlan;
	union {
		struct flow_dissector_key_ipv4_addrs ipv4;
		struct flow_dissector_key_ipv6_addrs ipv6;
	};
	struct flow_dissector_key_ports ports;
	struct flow_dissector_key_tcp tcp;
} __aligned(BITS_PER_LONG / 8);

/**
 * struct nfto_rule - where a worker builds its rules, again and again
 * @dissector: which keys are used, and where they are
 * @key: values
 * @mask: masks
 * @flow: the rule that points to these, with ACTIONS_MAX actions
 * @room: for how many actions there is room: ACTIONS_MAX
 * @spare: where an action is written that has no room any more
 * @overflow: there was one
 */
struct nfto_rule {
	struct flow_dissector dissector;
	struct rule_keys key;
	struct rule_keys mask;
	struct flow_rule *flow;
	unsigned int room;
	struct flow_action_entry spare;
	bool overflow;
};

/* Context: process. */
struct nfto_rule *nfto_rule_alloc(void)
{
	struct nfto_rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL);

	if (!rule)
		return NULL;
	rule->flow = flow_rule_alloc(ACTIONS_MAX);
	if (!rule->flow) {
		kfree(rule);
		return NULL;
	}
	rule->room = ACTIONS_MAX;
	rule->flow->match.dissector = &rule->dissector;
	rule->flow->match.key = &rule->key;
	rule->flow->match.mask = &rule->mask;
	return rule;
}

void nfto_rule_free(struct nfto_rule *rule)
{
	kfree(rule->flow);
	kfree(rule);
}

struct flow_rule *nfto_rule_get(struct nfto_rule *rule)
{
	return rule->flow;
}

static const struct nf_conntrack_tuple *dir_tuple(const struct nfto_dir *dir)
{
	return &nfto_flow_of(dir)->ct->tuplehash[dir->reply].tuple;
}

/* --- matches --- */

static void use_key(struct nfto_rule *rule, enum flow_dissector_key_id id,
		    size_t offset)
{
	rule->dissector.used_keys |= BIT_ULL(id);
	rule->dissector.offset[id] = offset;
}

static void match_addresses(struct nfto_rule *rule, const struct nfto_dir *dir)
{
	const struct nf_conntrack_tuple *t = dir_tuple(dir);

	use_key(rule, FLOW_DISSECTOR_KEY_CONTROL,
		offsetof(struct rule_keys, control));
	rule->mask.control.addr_type = 0xffff;
	if (dir->ipv6) {
		use_key(rule, FLOW_DISSECTOR_KEY_IPV6_ADDRS,
			offsetof(struct rule_keys, ipv6));
		rule->key.control.addr_type = FLOW_DISSECTOR_KEY_IPV6_ADDRS;
		rule->key.ipv6.src = t->src.u3.in6;
		rule->key.ipv6.dst = t->dst.u3.in6;
		memset(&rule->mask.ipv6, 0xff, sizeof(rule->mask.ipv6));
	} else {
		use_key(rule, FLOW_DISSECTOR_KEY_IPV4_ADDRS,
			offsetof(struct rule_keys, ipv4));
		rule->key.control.addr_type = FLOW_DISSECTOR_KEY_IPV4_ADDRS;
		rule->key.ipv4.src = dir->saddr;
		rule->key.ipv4.dst = dir->daddr;
		memset(&rule->mask.ipv4, 0xff, sizeof(rule->mask.ipv4));
	}
}

static void match_protocol(struct nfto_rule *rule, const struct nfto_dir *dir)
{
	use_key(rule, FLOW_DISSECTOR_KEY_BASIC,
		offsetof(struct rule_keys, basic));
	rule->key.basic.n_proto = dir->ipv6 ? htons(ETH_P_IPV6) :
					      htons(ETH_P_IP);
	rule->mask.basic.n_proto = htons(0xffff);
	rule->key.basic.ip_proto = dir->proto;
	rule->mask.basic.ip_proto = 0xff;

	if (dir->proto == IPPROTO_GRE)
		return;
	use_key(rule, FLOW_DISSECTOR_KEY_PORTS,
		offsetof(struct rule_keys, ports));
	memcpy(&rule->key.ports.ports, &dir->ports, sizeof(dir->ports));
	memset(&rule->mask.ports.ports, 0xff, sizeof(dir->ports));
}

/*
 * Packets with FIN, RST or SYN are left to the host, because conntrack has to see
 * the end of a connection and the beginning of the next one.
 */
static void match_tcp(struct nfto_rule *rule, const struct nfto_dir *dir)
{
	if (dir->proto != IPPROTO_TCP)
		return;
	use_key(rule, FLOW_DISSECTOR_KEY_TCP, offsetof(struct rule_keys, tcp));
	rule->mask.tcp.flags =
		cpu_to_be16(be32_to_cpu(TCP_FLAG_RST | TCP_FLAG_FIN |
				    TCP_FLAG_SYN) >> 16);
}

static void fill_vlan(struct flow_dissector_key_vlan *key,
		      struct flow_dissector_key_vlan *mask,
		      const struct nfto_encap *encap)
{
	key->vlan_id = encap->id;
	mask->vlan_id = VLAN_VID_MASK;
	key->vlan_tpid = encap->proto;
	mask->vlan_tpid = htons(0xffff);
}

/*
 * Matches the tags that the packet arrives with: those with which the other
 * direction leaves, except for what the device takes off by itself. There is no
 * key for PPPoE.
 */
static enum nfto_reason match_tags(struct nfto_rule *rule,
				   const struct nfto_nexthop *back)
{
	int i, n = 0;

	for (i = 0; i < back->n_encap; i++) {
		if (back->stripped & BIT(i) ||
		    back->encap[i].proto == htons(ETH_P_PPP_SES))
			continue;
		if (!eth_type_vlan(back->encap[i].proto))
			return NFTO_REASON_ENCAPSULATION;
		if (!n++) {
			use_key(rule, FLOW_DISSECTOR_KEY_VLAN,
				offsetof(struct rule_keys, vlan));
			fill_vlan(&rule->key.vlan, &rule->mask.vlan,
				  &back->encap[i]);
		} else {
			use_key(rule, FLOW_DISSECTOR_KEY_CVLAN,
				offsetof(struct rule_keys, cvlan));
			fill_vlan(&rule->key.cvlan, &rule->mask.cvlan,
				  &back->encap[i]);
		}
	}
	return NFTO_REASON_NONE;
}

static enum nfto_reason fill_match(struct nfto_rule *rule,
				   const struct nfto_dir *dir,
				   const struct nfto_dialect *d)
{
	rule->dissector.used_keys = 0;
	memset(&rule->key, 0, sizeof(rule->key));
	memset(&rule->mask, 0, sizeof(rule->mask));
	if (d->meta) {
		use_key(rule, FLOW_DISSECTOR_KEY_META,
			offsetof(struct rule_keys, meta));
		rule->key.meta.ingress_ifindex = dir->iif;
		rule->mask.meta.ingress_ifindex = ~0;
	}
	if (d->tcp_flags)
		match_tcp(rule, dir);
	match_addresses(rule, dir);
	match_protocol(rule, dir);
	return match_tags(rule, nfto_dir_other(dir)->nh);
}

/* --- actions --- */

/* What is too much goes to a place of its own, and the rule is not used. */
static struct flow_action_entry *next_action(struct nfto_rule *rule,
					     enum flow_action_id id)
{
	struct flow_action *action = &rule->flow->action;
	struct flow_action_entry *e = &rule->spare;

	if (action->num_entries < rule->room)
		e = &action->entries[action->num_entries++];
	else
		rule->overflow = true;
	memset(e, 0, sizeof(*e));
	e->id = id;
	e->hw_stats = FLOW_ACTION_HW_STATS_DONT_CARE;
	return e;
}

/* Sets the bits of @bits, of the word at @offset, to @val. */
static void add_mangle(struct nfto_rule *rule,
		       enum flow_action_mangle_base htype, u32 offset,
		       __be32 bits, __be32 val)
{
	struct flow_action_entry *e = next_action(rule, FLOW_ACTION_MANGLE);

	e->mangle.htype = htype;
	e->mangle.offset = offset;
	e->mangle.mask = ~(__force u32)bits;
	e->mangle.val = (__force u32)(val & bits);
}

#define ALL_BITS	htonl(0xffffffff)
#define HIGH_BITS	htonl(0xffff0000)
#define LOW_BITS	htonl(0x0000ffff)

/*
 * The words are written as they are in the packet, so that they are right on
 * any machine.
 */
static void mangle_eth(struct nfto_rule *rule, const u8 source[ETH_ALEN],
		       const u8 dest[ETH_ALEN])
{
	__be32 word[3];

	memcpy(word, dest, ETH_ALEN);
	memcpy((u8 *)word + ETH_ALEN, source, ETH_ALEN);
	add_mangle(rule, FLOW_ACT_MANGLE_HDR_TYPE_ETH, 4, LOW_BITS, word[1]);
	add_mangle(rule, FLOW_ACT_MANGLE_HDR_TYPE_ETH, 8, ALL_BITS, word[2]);
	add_mangle(rule, FLOW_ACT_MANGLE_HDR_TYPE_ETH, 0, ALL_BITS, word[0]);
	add_mangle(rule, FLOW_ACT_MANGLE_HDR_TYPE_ETH, 4, HIGH_BITS, word[1]);
}

static enum nfto_reason add_ethernet(struct nfto_rule *rule,
				     const struct nfto_dir *dir)
{
	const struct nfto_nexthop *nh = dir->nh;
	u8 ha[MAX_ADDR_LEN];

	if (nh->has_dest) {
		mangle_eth(rule, nh->h_source, nh->h_dest);
		return NFTO_REASON_NONE;
	}
	if (!nh->neigh)
		return NFTO_REASON_NO_ETHERNET;
	if (!(READ_ONCE(nh->neigh->nud_state) & NUD_VALID))
		return NFTO_REASON_NEIGHBOUR;
	neigh_ha_snapshot(ha, nh->neigh, nh->neigh->dev);
	if (!is_valid_ether_addr(ha) || !is_valid_ether_addr(nh->h_source))
		return NFTO_REASON_ADDRESS;
	mangle_eth(rule, nh->h_source, ha);
	return NFTO_REASON_NONE;
}

/* TC's action adds 0xff to the byte. */
static void decrement_ttl(struct nfto_rule *rule, const struct nfto_dir *dir)
{
	struct flow_action_entry *e = next_action(rule, FLOW_ACTION_ADD);
	__be32 bits = dir->ipv6 ? htonl(0x000000ff) : htonl(0xff000000);

	e->mangle.htype = dir->ipv6 ? FLOW_ACT_MANGLE_HDR_TYPE_IP6 :
				      FLOW_ACT_MANGLE_HDR_TYPE_IP4;
	/* the words of the hop limit, and of the TTL */
	e->mangle.offset = dir->ipv6 ? 4 : offsetof(struct iphdr, ttl);
	e->mangle.mask = ~(__force u32)bits;
	e->mangle.val = (__force u32)bits;
}

static void mangle_ip6(struct nfto_rule *rule, u32 offset,
		       const struct in6_addr *addr)
{
	int i;

	for (i = 0; i < 4; i++)
		add_mangle(rule, FLOW_ACT_MANGLE_HDR_TYPE_IP6,
			   offset + i * sizeof(u32), ALL_BITS,
			   addr->s6_addr32[i]);
}

/*
 * The addresses of the packet that leaves are those of the other direction,
 * mirrored.
 */
static void nat_addresses(struct nfto_rule *rule, const struct nfto_dir *dir,
			  bool source, bool dest)
{
	const struct nf_conntrack_tuple *out = dir_tuple(nfto_dir_other(dir));

	if (dir->ipv6) {
		if (source)
			mangle_ip6(rule, offsetof(struct ipv6hdr, saddr),
				   &out->dst.u3.in6);
		if (dest)
			mangle_ip6(rule, offsetof(struct ipv6hdr, daddr),
				   &out->src.u3.in6);
		return;
	}
	if (source)
		add_mangle(rule, FLOW_ACT_MANGLE_HDR_TYPE_IP4,
			   offsetof(struct iphdr, saddr), ALL_BITS,
			   out->dst.u3.ip);
	if (dest)
		add_mangle(rule, FLOW_ACT_MANGLE_HDR_TYPE_IP4,
			   offsetof(struct iphdr, daddr), ALL_BITS,
			   out->src.u3.ip);
}

/*
 * Both ports are in the word at offset 0; TC and nf_flow_table write them like
 * that.
 */
static void nat_ports(struct nfto_rule *rule, const struct nfto_dir *dir,
		      bool source, bool dest)
{
	const struct nf_conntrack_tuple *out = dir_tuple(nfto_dir_other(dir));
	enum flow_action_mangle_base htype;

	if (dir->proto == IPPROTO_GRE)
		return;
	htype = dir->proto == IPPROTO_TCP ? FLOW_ACT_MANGLE_HDR_TYPE_TCP :
					    FLOW_ACT_MANGLE_HDR_TYPE_UDP;
	if (source)
		add_mangle(rule, htype, 0, HIGH_BITS,
			   htonl((u32)ntohs(out->dst.u.all) << 16));
	if (dest)
		add_mangle(rule, htype, 0, LOW_BITS, htonl(ntohs(out->src.u.all)));
}

static void add_checksums(struct nfto_rule *rule, const struct nfto_dir *dir)
{
	struct flow_action_entry *e;

	if (dir->ipv6)
		return;
	e = next_action(rule, FLOW_ACTION_CSUM);
	e->csum_flags = TCA_CSUM_UPDATE_FLAG_IPV4HDR;
	if (dir->proto == IPPROTO_TCP)
		e->csum_flags |= TCA_CSUM_UPDATE_FLAG_TCP;
	else if (dir->proto == IPPROTO_UDP)
		e->csum_flags |= TCA_CSUM_UPDATE_FLAG_UDP;
}

static void add_nat(struct nfto_rule *rule, const struct nfto_dir *dir)
{
	u8 flags = nfto_flow_of(dir)->flags;
	bool source, dest;

	/*
	 * What NAT does to the source in one direction it does to the
	 * destination in the other.
	 */
	source = flags & (dir->reply ? NFTO_F_DNAT : NFTO_F_SNAT);
	dest = flags & (dir->reply ? NFTO_F_SNAT : NFTO_F_DNAT);
	if (!source && !dest)
		return;
	nat_addresses(rule, dir, source, dest);
	nat_ports(rule, dir, source, dest);
}

static enum nfto_reason add_push(struct nfto_rule *rule,
				 const struct nfto_encap *encap)
{
	struct flow_action_entry *e;

	if (encap->proto == htons(ETH_P_PPP_SES)) {
		e = next_action(rule, FLOW_ACTION_PPPOE_PUSH);
		e->pppoe.sid = encap->id;
		return NFTO_REASON_NONE;
	}
	if (!eth_type_vlan(encap->proto))
		return NFTO_REASON_ENCAPSULATION;
	e = next_action(rule, FLOW_ACTION_VLAN_PUSH);
	e->vlan.vid = encap->id;
	e->vlan.proto = encap->proto;
	return NFTO_REASON_NONE;
}

static enum nfto_reason add_tags(struct nfto_rule *rule,
				 const struct nfto_dir *dir, bool outer_first)
{
	const struct nfto_nexthop *back = nfto_dir_other(dir)->nh;
	const struct nfto_nexthop *nh = dir->nh;
	enum nfto_reason reason;
	int i, k;

	for (i = 0; i < back->n_encap; i++)
		if (eth_type_vlan(back->encap[i].proto) &&
		    !(back->stripped & BIT(i)))
			next_action(rule, FLOW_ACTION_VLAN_POP);
	for (i = 0; i < nh->n_encap; i++) {
		k = outer_first ? i : nh->n_encap - 1 - i;
		if (nh->stripped & BIT(k))
			continue;
		reason = add_push(rule, &nh->encap[k]);
		if (reason)
			return reason;
	}
	return NFTO_REASON_NONE;
}

static enum nfto_reason fill_actions(struct nfto_rule *rule,
				     const struct nfto_dir *dir,
				     const struct nfto_dialect *d, bool ttl)
{
	bool nat = nfto_flow_of(dir)->flags & (NFTO_F_SNAT | NFTO_F_DNAT);
	enum nfto_reason reason;

	rule->flow->action.num_entries = 0;
	rule->overflow = false;
	reason = add_ethernet(rule, dir);
	if (reason)
		return reason;
	reason = add_tags(rule, dir, d->outer_first);
	if (reason)
		return reason;
	if (ttl)
		decrement_ttl(rule, dir);
	add_nat(rule, dir);
	if (d->csum && (ttl || nat))
		add_checksums(rule, dir);
	next_action(rule, FLOW_ACTION_REDIRECT)->dev = dir->nh->lower;
	return rule->overflow ? NFTO_REASON_ENCAPSULATION : NFTO_REASON_NONE;
}

/* --- what a driver would get wrong --- */

static bool is_wrapped_in(const struct nfto_nexthop *nh, __be16 proto)
{
	int i;

	for (i = 0; i < nh->n_encap; i++)
		if (nh->encap[i].proto == proto && !(nh->stripped & BIT(i)))
			return true;
	return false;
}

static int count_encap(const struct nfto_nexthop *nh)
{
	return nh->n_encap - hweight8(nh->stripped & (BIT(nh->n_encap) - 1));
}

/*
 * Encapsulations are looked at both ways: a driver that refuses to put one on may
 * accept the other direction, and match packets without it.
 */
static enum nfto_reason check_encap(const struct nfto_dir *dir,
				    const struct nfto_dialect *d)
{
	const struct nfto_nexthop *back = nfto_dir_other(dir)->nh;
	const struct nfto_nexthop *nh = dir->nh;

	if (!d->decapsulates && is_wrapped_in(back, htons(ETH_P_PPP_SES)))
		return NFTO_REASON_ENCAPSULATION;
	if (d->only_8021q && (is_wrapped_in(nh, htons(ETH_P_8021AD)) ||
			      is_wrapped_in(back, htons(ETH_P_8021AD))))
		return NFTO_REASON_ENCAPSULATION;
	if (d->max_encap && max(count_encap(nh), count_encap(back)) > d->max_encap)
		return NFTO_REASON_ENCAPSULATION;
	return NFTO_REASON_NONE;
}

static enum nfto_reason check_source(const struct nfto_dir *dir,
				     const struct nfto_dialect *d)
{
	if (d->ipv6_own_source && dir->ipv6 &&
	    !ether_addr_equal(dir->nh->h_source, dir->nh->lower->dev_addr))
		return NFTO_REASON_ADDRESS;
	return NFTO_REASON_NONE;
}

/**
 * nfto_rule_build() - what a driver is told of a direction
 * @rule: where to build it
 * @dir: the direction
 * @d: how the driver that will read it reads
 * @ttl: the TTL's decrement is an action
 *
 * Context: worker.
 * Return: NFTO_REASON_NONE, or why there is no such rule.
 */
enum nfto_reason nfto_rule_build(struct nfto_rule *rule,
				 const struct nfto_dir *dir,
				 const struct nfto_dialect *d, bool ttl)
{
	enum nfto_reason reason;

	reason = check_encap(dir, d) ?: check_source(dir, d);
	if (reason)
		return reason;
	reason = fill_match(rule, dir, d);
	if (reason)
		return reason;
	return fill_actions(rule, dir, d, ttl);
}

#ifdef NFTO_SELFTEST
#include "selftest/rule.c"
#endif
