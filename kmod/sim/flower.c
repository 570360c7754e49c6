// SPDX-License-Identifier: GPL-2.0
/*
 * NICs of TC flower that are not as they should be: what the drivers' own code
 * was seen to make of actions. Each first looks at the rule for what it refuses,
 * or does not see, and has the plain flower NIC (rule.c) do the rest.
 */
#include <linux/ip.h>
#include <linux/tc_act/tc_csum.h>
#include "sim.h"

static int no(struct sim_build *b, const char *why)
{
	b->why = why;
	return -EOPNOTSUPP;
}

static bool has_action(const struct sim_build *b, enum flow_action_id id)
{
	const struct flow_action_entry *a;
	int i;

	flow_action_for_each(i, a, &b->cls->rule->action)
		if (a->id == id)
			return true;
	return false;
}

/* Takes out all operations of a kind, or all but the last. */
static void drop_ops(struct sim_rule *rule, enum sim_op_kind kind, bool but_last)
{
	int i, k = 0, left = 0;

	for (i = 0; i < rule->n_ops; i++)
		left += rule->op[i].kind == kind;
	for (i = 0; i < rule->n_ops; i++) {
		if (rule->op[i].kind == kind && !(but_last && --left == 0))
			continue;
		rule->op[k++] = rule->op[i];
	}
	rule->n_ops = k;
}

/* --- nfp --- */

static u32 l4_checksum(const struct sim_build *b)
{
	return b->rule->key.ip_proto == IPPROTO_TCP ? TCA_CSUM_UPDATE_FLAG_TCP :
						      TCA_CSUM_UPDATE_FLAG_UDP;
}

/* The checksums that a rewrite makes wrong. */
static u32 nfp_checksums(const struct sim_build *b,
			 const struct flow_action_entry *a)
{
	switch (a->mangle.htype) {
	case FLOW_ACT_MANGLE_HDR_TYPE_IP4:
		if (a->mangle.offset == offsetof(struct iphdr, ttl))
			return TCA_CSUM_UPDATE_FLAG_IPV4HDR;
		return TCA_CSUM_UPDATE_FLAG_IPV4HDR | l4_checksum(b);
	case FLOW_ACT_MANGLE_HDR_TYPE_IP6:
		return a->mangle.offset < 8 ? 0 : l4_checksum(b);
	case FLOW_ACT_MANGLE_HDR_TYPE_TCP:
	case FLOW_ACT_MANGLE_HDR_TYPE_UDP:
		return l4_checksum(b);
	default:
		return 0;
	}
}

static bool sets_ttl(const struct flow_action_entry *a)
{
	return (a->mangle.htype == FLOW_ACT_MANGLE_HDR_TYPE_IP4 &&
		a->mangle.offset == offsetof(struct iphdr, ttl)) ||
	       (a->mangle.htype == FLOW_ACT_MANGLE_HDR_TYPE_IP6 &&
		a->mangle.offset == 4);
}

/**
 * sim_rule_actions_nfp() - Netronome's flower firmware
 * @b: the rule
 *
 * Cannot add: the TTL can be set, where the match says what it is. Wants to be
 * told of exactly the checksums that change.
 */
int sim_rule_actions_nfp(struct sim_build *b)
{
	const struct flow_action_entry *a;
	u32 needed = 0, told = 0;
	int i;

	if (has_action(b, FLOW_ACTION_ADD))
		return no(b, "nothing can be added to a field");
	flow_action_for_each(i, a, &b->cls->rule->action) {
		if (a->id == FLOW_ACTION_CSUM)
			told |= a->csum_flags;
		if (a->id != FLOW_ACTION_MANGLE)
			continue;
		needed |= nfp_checksums(b, a);
		if (sets_ttl(a) && b->rule->mask.ttl != 0xff)
			return no(b, "the TTL can be set only where it is matched");
	}
	if (needed != told)
		return no(b, "the checksums to update are not those that change");
	return sim_rule_actions_flower(b);
}

/* --- cxgb4 --- */

/**
 * sim_rule_actions_cxgb4() - Chelsio's exact-match filters
 * @b: the rule
 *
 * Updates checksums without being told, knows no TTL, and of two tags pushes
 * the last one.
 */
int sim_rule_actions_cxgb4(struct sim_build *b)
{
	int err;

	if (has_action(b, FLOW_ACTION_ADD) || has_action(b, FLOW_ACTION_CSUM))
		return no(b, "the filter has no such action");
	err = sim_rule_actions_flower(b);
	if (!err)
		drop_ops(b->rule, SIM_OP_VLAN_PUSH, true);
	return err;
}

/* --- bnxt --- */

/**
 * sim_rule_actions_bnxt() - Broadcom's, which accepts and does something else
 * @b: the rule
 *
 * Skips what it does not know, the TTL among it. Of addresses it rewrites the
 * last one, ports never; MAC addresses become those of the match, which has none.
 */
int sim_rule_actions_bnxt(struct sim_build *b)
{
	struct sim_rule *rule = b->rule;
	int i, err;

	if (has_action(b, FLOW_ACTION_PPPOE_PUSH))
		return no(b, "PPPoE is not supported");
	err = sim_rule_actions_flower(b);
	if (err)
		return err;
	drop_ops(rule, SIM_OP_TTL_DEC, false);
	drop_ops(rule, SIM_OP_L4, false);
	drop_ops(rule, SIM_OP_L3, true);
	drop_ops(rule, SIM_OP_VLAN_PUSH, true);
	rule->dec_ttl = false;
	for (i = 0; i < rule->n_ops; i++)
		if (rule->op[i].kind == SIM_OP_ETH)
			rule->op[i].val = 0;
	return 0;
}

/* --- stmmac --- */

/**
 * sim_rule_actions_stmmac() - a MAC's filter of what the host gets
 * @b: the rule
 *
 * Every action but drop is ignored, and the rule accepted. While there is one,
 * TCP and UDP that no rule takes is dropped, see pipeline.c.
 */
int sim_rule_actions_stmmac(struct sim_build *b)
{
	if (b->rule->key.n_proto != htons(ETH_P_IP))
		return no(b, "only IPv4 can be filtered");
	b->rule->verdict = has_action(b, FLOW_ACTION_DROP) ? SIM_DROP :
							    SIM_TO_HOST;
	return 0;
}

/* --- ice --- */

/**
 * sim_rule_actions_ice() - Intel's switch, which rewrites nothing
 * @b: the rule
 */
int sim_rule_actions_ice(struct sim_build *b)
{
	static const enum flow_action_id unknown[] = {
		FLOW_ACTION_MANGLE, FLOW_ACTION_ADD, FLOW_ACTION_CSUM,
		FLOW_ACTION_VLAN_PUSH, FLOW_ACTION_VLAN_POP,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		if (has_action(b, unknown[i]))
			return no(b, "packets cannot be rewritten");
	return sim_rule_actions_flower(b);
}
