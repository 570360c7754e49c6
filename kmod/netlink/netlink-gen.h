/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	netlink/nfto.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_NFTO_GEN_H
#define _LINUX_NFTO_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/nfto.h>

/* Common nested types */
extern const struct nla_policy nfto_filter_nl_policy[NFTO_A_FILTER_DPORT + 1];

extern const struct nla_policy nfto_info_get_nl_policy[NFTO_A_INFO_PAD + 1];

extern const struct nla_policy nfto_port_get_nl_policy[NFTO_A_PORT_IFINDEX + 1];

extern const struct nla_policy nfto_flowtable_get_nl_policy[NFTO_A_FLOWTABLE_ID + 1];

extern const struct nla_policy nfto_flow_get_nl_policy[NFTO_A_FLOW_FILTER + 1];

extern const struct nla_policy nfto_stats_get_nl_policy[NFTO_A_STATS_PAD + 1];

extern const struct nla_policy nfto_refusal_get_nl_policy[NFTO_A_REFUSAL_REASON + 1];

extern const struct nla_policy nfto_flow_count_nl_policy[NFTO_A_COUNT_FILTER + 1];

extern const struct nla_policy nfto_flow_del_nl_policy[NFTO_A_COUNT_ID + 1];

extern const struct nla_policy nfto_flow_revalidate_nl_policy[NFTO_A_COUNT_ID + 1];

extern const struct nla_policy nfto_port_probe_nl_policy[NFTO_A_PROBE_COUNT + 1];

extern const struct nla_policy nfto_flowtable_set_nl_policy[NFTO_A_FLOWTABLE_FOLLOW_RULESET + 1];

extern const struct nla_policy nfto_port_set_nl_policy[NFTO_A_PORT_BLOCK + 1];

/* Ops table for nfto */
extern const struct genl_ops nfto_nl_ops[12];

int nfto_nl_info_get_doit(struct sk_buff *skb, struct genl_info *info);
int nfto_nl_port_get_doit(struct sk_buff *skb, struct genl_info *info);
int nfto_nl_port_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int nfto_nl_flowtable_get_doit(struct sk_buff *skb, struct genl_info *info);
int nfto_nl_flowtable_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int nfto_nl_flow_get_doit(struct sk_buff *skb, struct genl_info *info);
int nfto_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int nfto_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int nfto_nl_refusal_get_doit(struct sk_buff *skb, struct genl_info *info);
int nfto_nl_refusal_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int nfto_nl_flow_count_doit(struct sk_buff *skb, struct genl_info *info);
int nfto_nl_flow_del_doit(struct sk_buff *skb, struct genl_info *info);
int nfto_nl_flow_revalidate_doit(struct sk_buff *skb, struct genl_info *info);
int nfto_nl_port_probe_doit(struct sk_buff *skb, struct genl_info *info);
int nfto_nl_flowtable_set_doit(struct sk_buff *skb, struct genl_info *info);
int nfto_nl_port_set_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	NFTO_NLGRP_PORTS,
	NFTO_NLGRP_FLOWS,
	NFTO_NLGRP_REFUSALS,
};

#endif /* _LINUX_NFTO_GEN_H */
