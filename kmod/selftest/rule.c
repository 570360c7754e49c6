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
				 const struct nfto_dir *dir, bool ttl)
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
			int k = ttl ? dir->nh->n_encap - 1 - pushes : pushes;

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

static bool __init run_rule(struct nfto_rule *rule, struct nfto_port *port)
{
	struct fake *f = fake_flow(NULL);
	bool ok = f, ttl = pick(2);
	int d;

	if (!f)
		return false;
	f->flow.flags |= NFTO_F_SNAT | NFTO_F_DNAT;
	port->kind = pick(2) ? NFTO_PORT_KIND_FLOWER : NFTO_PORT_KIND_FLOWTABLE;
	for (d = 0; d < IP_CT_DIR_MAX && ok; d++) {
		f->nh[d].has_dest = true;
		prandom_bytes_state(&selftest_rnd, f->nh[d].h_dest, ETH_ALEN);
		prandom_bytes_state(&selftest_rnd, f->nh[d].h_source, ETH_ALEN);
	}
	for (d = 0; d < IP_CT_DIR_MAX && ok; d++)
		ok = EXPECT(!nfto_rule_build(rule, &f->flow.dir[d], port, ttl)) &&
		     check_match(rule, &f->flow.dir[d]) &&
		     check_actions(rule, &f->flow.dir[d], ttl);
	kfree(f);
	return ok;
}

bool __init nfto_rule_selftest(void)
{
	struct nfto_rule *rule = nfto_rule_alloc();
	struct nfto_port *port = kzalloc(sizeof(*port), GFP_KERNEL);
	bool ok = rule && port;
	int round;

	prandom_seed_state(&selftest_rnd, 4);
	for (round = 0; round < 1000 && ok; round++)
		ok = run_rule(rule, port);
	if (rule)
		nfto_rule_free(rule);
	kfree(port);
	return ok;
}
