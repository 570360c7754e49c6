// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	netlink/nfto.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <uapi/linux/nfto.h>

/* Common nested types */
const struct nla_policy nfto_filter_nl_policy[NFTO_A_FILTER_DPORT + 1] = {
	[NFTO_A_FILTER_FLOWTABLE] = NLA_POLICY_MIN(NLA_U32, 1),
	[NFTO_A_FILTER_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[NFTO_A_FILTER_IN_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[NFTO_A_FILTER_HW] = NLA_POLICY_MAX(NLA_U32, 3),
	[NFTO_A_FILTER_REASON] = NLA_POLICY_MAX(NLA_U32, 57),
	[NFTO_A_FILTER_ADDRESS] = { .type = NLA_BINARY, },
	[NFTO_A_FILTER_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U32, 128),
	[NFTO_A_FILTER_PORT] = { .type = NLA_U16, },
	[NFTO_A_FILTER_L4PROTO] = { .type = NLA_U8, },
	[NFTO_A_FILTER_MARK] = { .type = NLA_U32, },
	[NFTO_A_FILTER_MARK_MASK] = { .type = NLA_U32, },
	[NFTO_A_FILTER_ZONE] = { .type = NLA_U16, },
	[NFTO_A_FILTER_STATE] = NLA_POLICY_MAX(NLA_U32, 3),
	[NFTO_A_FILTER_SRC] = { .type = NLA_BINARY, },
	[NFTO_A_FILTER_SRC_LEN] = NLA_POLICY_MAX(NLA_U32, 128),
	[NFTO_A_FILTER_DST] = { .type = NLA_BINARY, },
	[NFTO_A_FILTER_DST_LEN] = NLA_POLICY_MAX(NLA_U32, 128),
	[NFTO_A_FILTER_SPORT] = { .type = NLA_U16, },
	[NFTO_A_FILTER_DPORT] = { .type = NLA_U16, },
};

/* NFTO_CMD_INFO_GET - do */
const struct nla_policy nfto_info_get_nl_policy[NFTO_A_INFO_PAD + 1] = {
};

/* NFTO_CMD_PORT_GET - do */
const struct nla_policy nfto_port_get_nl_policy[NFTO_A_PORT_IFINDEX + 1] = {
	[NFTO_A_PORT_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* NFTO_CMD_FLOWTABLE_GET - do */
const struct nla_policy nfto_flowtable_get_nl_policy[NFTO_A_FLOWTABLE_ID + 1] = {
	[NFTO_A_FLOWTABLE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* NFTO_CMD_FLOW_GET - do */
const struct nla_policy nfto_flow_get_nl_policy[NFTO_A_FLOW_FILTER + 1] = {
	[NFTO_A_FLOW_ID] = { .type = NLA_U64, },
	[NFTO_A_FLOW_FILTER] = NLA_POLICY_NESTED(nfto_filter_nl_policy),
};

/* NFTO_CMD_STATS_GET - do */
const struct nla_policy nfto_stats_get_nl_policy[NFTO_A_STATS_PAD + 1] = {
};

/* NFTO_CMD_REFUSAL_GET - do */
const struct nla_policy nfto_refusal_get_nl_policy[NFTO_A_REFUSAL_REASON + 1] = {
	[NFTO_A_REFUSAL_REASON] = NLA_POLICY_MAX(NLA_U32, 57),
};

/* NFTO_CMD_FLOW_COUNT - do */
const struct nla_policy nfto_flow_count_nl_policy[NFTO_A_COUNT_FILTER + 1] = {
	[NFTO_A_COUNT_FILTER] = NLA_POLICY_NESTED(nfto_filter_nl_policy),
};

/* NFTO_CMD_FLOW_DEL - do */
const struct nla_policy nfto_flow_del_nl_policy[NFTO_A_COUNT_ID + 1] = {
	[NFTO_A_COUNT_ID] = { .type = NLA_U64, },
	[NFTO_A_COUNT_FILTER] = NLA_POLICY_NESTED(nfto_filter_nl_policy),
};

/* NFTO_CMD_FLOW_REVALIDATE - do */
const struct nla_policy nfto_flow_revalidate_nl_policy[NFTO_A_COUNT_ID + 1] = {
	[NFTO_A_COUNT_ID] = { .type = NLA_U64, },
	[NFTO_A_COUNT_FILTER] = NLA_POLICY_NESTED(nfto_filter_nl_policy),
};

/* NFTO_CMD_PORT_PROBE - do */
const struct nla_policy nfto_port_probe_nl_policy[NFTO_A_PROBE_COUNT + 1] = {
	[NFTO_A_PROBE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[NFTO_A_PROBE_OUT_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[NFTO_A_PROBE_FEATURE] = NLA_POLICY_MAX(NLA_U32, 10),
	[NFTO_A_PROBE_COUNT] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* NFTO_CMD_FLOWTABLE_SET - do */
const struct nla_policy nfto_flowtable_set_nl_policy[NFTO_A_FLOWTABLE_FOLLOW_RULESET + 1] = {
	[NFTO_A_FLOWTABLE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[NFTO_A_FLOWTABLE_FOLLOW_RULESET] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* NFTO_CMD_PORT_SET - do */
const struct nla_policy nfto_port_set_nl_policy[NFTO_A_PORT_BLOCK + 1] = {
	[NFTO_A_PORT_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[NFTO_A_PORT_BLOCK] = NLA_POLICY_MAX(NLA_U32, 3),
};

/* Ops table for nfto */
const struct genl_ops nfto_nl_ops[12] = {
	{
		.cmd		= NFTO_CMD_INFO_GET,
		.doit		= nfto_nl_info_get_doit,
		.policy		= nfto_info_get_nl_policy,
		.maxattr	= NFTO_A_INFO_PAD,
	},
	{
		.cmd		= NFTO_CMD_PORT_GET,
		.doit		= nfto_nl_port_get_doit,
		.dumpit		= nfto_nl_port_get_dumpit,
		.policy		= nfto_port_get_nl_policy,
		.maxattr	= NFTO_A_PORT_IFINDEX,
	},
	{
		.cmd		= NFTO_CMD_FLOWTABLE_GET,
		.doit		= nfto_nl_flowtable_get_doit,
		.dumpit		= nfto_nl_flowtable_get_dumpit,
		.policy		= nfto_flowtable_get_nl_policy,
		.maxattr	= NFTO_A_FLOWTABLE_ID,
	},
	{
		.cmd		= NFTO_CMD_FLOW_GET,
		.doit		= nfto_nl_flow_get_doit,
		.dumpit		= nfto_nl_flow_get_dumpit,
		.policy		= nfto_flow_get_nl_policy,
		.maxattr	= NFTO_A_FLOW_FILTER,
	},
	{
		.cmd		= NFTO_CMD_STATS_GET,
		.doit		= nfto_nl_stats_get_doit,
		.policy		= nfto_stats_get_nl_policy,
		.maxattr	= NFTO_A_STATS_PAD,
	},
	{
		.cmd		= NFTO_CMD_REFUSAL_GET,
		.doit		= nfto_nl_refusal_get_doit,
		.dumpit		= nfto_nl_refusal_get_dumpit,
		.policy		= nfto_refusal_get_nl_policy,
		.maxattr	= NFTO_A_REFUSAL_REASON,
	},
	{
		.cmd		= NFTO_CMD_FLOW_COUNT,
		.doit		= nfto_nl_flow_count_doit,
		.policy		= nfto_flow_count_nl_policy,
		.maxattr	= NFTO_A_COUNT_FILTER,
	},
	{
		.cmd		= NFTO_CMD_FLOW_DEL,
		.doit		= nfto_nl_flow_del_doit,
		.policy		= nfto_flow_del_nl_policy,
		.maxattr	= NFTO_A_COUNT_ID,
	},
	{
		.cmd		= NFTO_CMD_FLOW_REVALIDATE,
		.doit		= nfto_nl_flow_revalidate_doit,
		.policy		= nfto_flow_revalidate_nl_policy,
		.maxattr	= NFTO_A_COUNT_ID,
	},
	{
		.cmd		= NFTO_CMD_PORT_PROBE,
		.doit		= nfto_nl_port_probe_doit,
		.policy		= nfto_port_probe_nl_policy,
		.maxattr	= NFTO_A_PROBE_COUNT,
	},
	{
		.cmd		= NFTO_CMD_FLOWTABLE_SET,
		.doit		= nfto_nl_flowtable_set_doit,
		.policy		= nfto_flowtable_set_nl_policy,
		.maxattr	= NFTO_A_FLOWTABLE_FOLLOW_RULESET,
	},
	{
		.cmd		= NFTO_CMD_PORT_SET,
		.doit		= nfto_nl_port_set_doit,
		.policy		= nfto_port_set_nl_policy,
		.maxattr	= NFTO_A_PORT_BLOCK,
	},
};
