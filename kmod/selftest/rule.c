// SPDX-License-Identifier: GPL-2.0
/*
 * The rule builder, against a packet: the match must describe the packet as it
 * arrives, and the actions, carried out on its bytes, must make it what nf_nat
 * and a router would.
 */
#include <linux/udp.h>
#include "selftest/selftest.h"

struct packet {
	struct ethhdr eth;
	union {
		struct iphdr ip4;
		struct ipv6hdr ip6;
	};
	union {
		struct tcphdr tcp;
		struct udphdr udp;
		__be16 ports[2];
	};
} __packed __aligned(4);

static void __init addresses(struct packet *p, const struct nfto_dir *dir,
			     const union nf_inet_addr *source,
			     const union nf_inet_addr *dest)
{
	if (dir->ipv6) {
		p->ip6.saddr = source->in6;
		p->ip6.daddr = dest->in6;
	} else {
		p->ip4.saddr = source->ip;
		p->ip4.daddr = dest->ip;
	}
}

static void __init arriving(struct packet *p, const struct nfto_dir *dir)
{
	const struct nf_conntrack_tuple *t = dir_tuple(dir);

	memset(p, 0x5a, sizeof(*p));
	addresses(p, dir, &t->src.u3, &t->dst.u3);
	p->ports[0] = t->src.u.all;
	p->ports[1] = t->dst.u.all;
}

/* NAT has no part in tuples that say the same. */
static void __init leaving(struct packet *p, const struct nfto_dir *dir,
			   bool ttl)
{
	const struct nf_conntrack_tuple *t = dir_tuple(nfto_dir_other(dir));

	arriving(p, dir);
	ether_addr_copy(p->eth.h_dest, dir->nh->h_dest);
	ether_addr_copy(p->eth.h_source, dir->nh->h_source);
	addresses(p, dir, &t->dst.u3, &t->src.u3);
	p->ports[0] = t->dst.u.all;
	p->ports[1] = t->src.u.all;
	if (ttl && dir->ipv6)
		p->ip6.hop_limit--;
	else if (ttl)
		p->ip4.ttl--;
}

static u8 *__init header(struct packet *p, enum flow_action_mangle_base htype)
{
	switch (htype) {
	case FLOW_ACT_MANGLE_HDR_TYPE_ETH:
		return (u8 *)&p->eth;
	case FLOW_ACT_MANGLE_HDR_TYPE_IP4:
	case FLOW_ACT_MANGLE_HDR_TYPE_IP6:
		return (u8 *)&p->ip4;
	default:
		return (u8 *)&p->ports;
	}
}

/* As drivers read them: memory, a byte at a time. */
static void __init carry_out(struct packet *p, const struct flow_action_entry *e)
{
	u8 *to = header(p, e->mangle.htype) + e->mangle.offset;
	const u8 *mask = (const u8 *)&e->mangle.mask;
	const u8 *val = (const u8 *)&e->mangle.val;
	int i;

	for (i = 0; i < sizeof(u32); i++) {
		if (e->id == FLOW_ACTION_ADD)
			to[i] += val[i] & ~mask[i];
		else
			to[i] = (to[i] & mask[i]) | (val[i] & ~mask[i]);
	}
}

static bool __init check_actions(struct nfto_rule *rule,
				 const struct nfto_dir *dir,
				 const struct nfto_dialect *d, bool ttl)
{
	const struct nfto_nexthop *back = nfto_dir_other(dir)->nh;
	const struct flow_action_entry *e;
	struct packet p, wanted;
	int i, pops = 0, pushes = 0;
	bool ok = true;

	arriving(&p, dir);
	flow_action_for_each(i, e, &rule->flow->action) {
		switch (e->id) {
		case FLOW_ACTION_MANGLE:
		case FLOW_ACTION_ADD:
			carry_out(&p, e);
			break;
		case FLOW_ACTION_VLAN_POP:
			pops++;
			break;
		case FLOW_ACTION_VLAN_PUSH: {
			int k = d->outer_first ? pushes :
						 dir->nh->n_encap - 1 - pushes;

			ok = ok && EXPECT(e->vlan.vid == dir->nh->encap[k].id);
			pushes++;
			break;
		}
		default:
			break;
		}
	}
	leaving(&wanted, dir, ttl);
	return ok && EXPECT(!memcmp(&p, &wanted, sizeof(p))) &&
	       EXPECT(pops == back->n_encap) &&
	       EXPECT(pushes == dir->nh->n_encap);
}

static bool __init check_match(struct nfto_rule *rule,
			       const struct nfto_dir *dir)
{
	const struct nfto_nexthop *back = nfto_dir_other(dir)->nh;
	const struct flow_rule *flow = rule->flow;
	struct flow_match_ports ports;
	struct flow_match_vlan vlan;
	struct packet p;
	bool ok;

	arriving(&p, dir);
	flow_rule_match_ports(flow, &ports);
	ok = EXPECT(ports.key->src == p.ports[0]) &&
	     EXPECT(ports.key->dst == p.ports[1]);
	if (dir->ipv6) {
		struct flow_match_ipv6_addrs a;

		flow_rule_match_ipv6_addrs(flow, &a);
		ok = ok && EXPECT(!memcmp(a.key, &p.ip6.saddr, sizeof(*a.key)));
	} else {
		struct flow_match_ipv4_addrs a;

		flow_rule_match_ipv4_addrs(flow, &a);
		ok = ok && EXPECT(a.key->src == p.ip4.saddr) &&
		     EXPECT(a.key->dst == p.ip4.daddr);
	}
	ok = ok && EXPECT(flow_rule_match_key(flow, FLOW_DISSECTOR_KEY_VLAN) ==
			  (back->n_encap > 0)) &&
	     EXPECT(flow_rule_match_key(flow, FLOW_DISSECTOR_KEY_CVLAN) ==
		    (back->n_encap > 1));
	if (back->n_encap) {
		flow_rule_match_vlan(flow, &vlan);
		ok = ok && EXPECT(vlan.key->vlan_id == back->encap[0].id);
	}
	if (back->n_encap > 1) {
		flow_rule_match_cvlan(flow, &vlan);
		ok = ok && EXPECT(vlan.key->vlan_id == back->encap[1].id);
	}
	return ok;
}

static void __init fake_addresses(struct fake *f)
{
	int i;

	f->flow.flags |= NFTO_F_SNAT | NFTO_F_DNAT;
	for (i = 0; i < IP_CT_DIR_MAX; i++) {
		f->nh[i].has_dest = true;
		prandom_bytes_state(&selftest_rnd, f->nh[i].h_dest, ETH_ALEN);
		prandom_bytes_state(&selftest_rnd, f->nh[i].h_source, ETH_ALEN);
	}
}

static bool __init run_rule(struct nfto_rule *rule)
{
	struct nfto_dialect d = {
		.csum = pick(2), .meta = pick(2), .tcp_flags = pick(2),
		.outer_first = pick(2),
	};
	struct fake *f = fake_flow(NULL);
	bool ok = f, ttl = pick(2);
	int i;

	if (!f)
		return false;
	fake_addresses(f);
	for (i = 0; i < IP_CT_DIR_MAX && ok; i++) {
		const struct nfto_dir *dir = &f->flow.dir[i];

		ok = EXPECT(!nfto_rule_build(rule, dir, &d, ttl)) &&
		     check_match(rule, dir) &&
		     check_actions(rule, dir, &d, ttl) &&
		     EXPECT(flow_rule_match_key(rule->flow, FLOW_DISSECTOR_KEY_META) ==
			    d.meta);
	}
	kfree(f);
	return ok;
}

static void __init put_encap(struct nfto_nexthop *nh, u16 outer, u16 inner)
{
	nh->n_encap = 2;
	nh->encap[0] = (struct nfto_encap){ 7, htons(outer) };
	nh->encap[1] = (struct nfto_encap){ 8, htons(inner) };
}

/*
 * The longest rule there is: IPv6 with both addresses and ports translated, two
 * tags that go, a tag and PPPoE that come, TTL. Checksums have no action there.
 */
static bool __init run_longest(struct nfto_rule *rule)
{
	struct nfto_dialect d = { .csum = true, .decapsulates = true };
	struct flow_action *action = &rule->flow->action;
	struct fake *f = fake_flow(NULL);
	const struct nfto_dir *dir;
	unsigned int n;
	bool ok;

	if (!f)
		return false;
	dir = &f->flow.dir[0];
	f->flow.dir[0].ipv6 = true;
	f->flow.dir[1].ipv6 = true;
	fake_addresses(f);
	put_encap(&f->nh[0], ETH_P_8021Q, ETH_P_PPP_SES);
	put_encap(&f->nh[1], ETH_P_8021AD, ETH_P_8021Q);
	ok = EXPECT(!nfto_rule_build(rule, dir, &d, true));
	n = action->num_entries;
	ok = ok && EXPECT(n == ACTIONS_MAX - 1) &&
	     EXPECT(action->entries[n - 1].id == FLOW_ACTION_REDIRECT);

	/* One more than there is room for is refused, and written nowhere. */
	memset(&action->entries[n - 1], 0x5a, sizeof(action->entries[0]));
	rule->room = n - 1;
	ok = ok && EXPECT(nfto_rule_build(rule, dir, &d, true) ==
			  NFTO_REASON_ENCAPSULATION) &&
	     EXPECT(!memchr_inv(&action->entries[n - 1], 0x5a,
				sizeof(action->entries[0])));
	rule->room = ACTIONS_MAX;

	/* Each of these is wrong on some driver. */
	d.decapsulates = false;
	ok = ok && EXPECT(!nfto_rule_build(rule, dir, &d, true)) &&
	     EXPECT(nfto_rule_build(rule, &f->flow.dir[1], &d, true) ==
		    NFTO_REASON_ENCAPSULATION);
	d.decapsulates = true;
	d.only_8021q = true;
	ok = ok && EXPECT(nfto_rule_build(rule, dir, &d, true) ==
			  NFTO_REASON_ENCAPSULATION);
	d.only_8021q = false;
	d.max_encap = 1;
	ok = ok && EXPECT(nfto_rule_build(rule, dir, &d, true) ==
			  NFTO_REASON_ENCAPSULATION);
	kfree(f);
	return ok;
}

bool __init nfto_rule_selftest(void)
{
	struct nfto_rule *rule = nfto_rule_alloc();
	bool ok = rule;
	int round;

	prandom_seed_state(&selftest_rnd, 4);
	for (round = 0; round < 1000 && ok; round++)
		ok = run_rule(rule);
	ok = ok && run_longest(rule);
	if (rule)
		nfto_rule_free(rule);
	return ok;
}
