// SPDX-License-Identifier: GPL-2.0
/*
 * The driver families, as data. docs/testing.md has the same as a table, with
 * what was left out.
 */
#include "sim.h"

#define KEY(k)	BIT_ULL(FLOW_DISSECTOR_KEY_##k)

#define SWITCH_KEYS (KEY(META) | KEY(CONTROL) | KEY(BASIC) |		\
		     KEY(ETH_ADDRS) | KEY(VLAN) | KEY(CVLAN) |		\
		     KEY(IPV4_ADDRS) | KEY(IPV6_ADDRS) | KEY(PORTS) |	\
		     KEY(TCP) | KEY(IP) | KEY(ICMP))

#define FLOWER_KEYS (KEY(CONTROL) | KEY(BASIC) | KEY(ETH_ADDRS) |	\
		     KEY(VLAN) | KEY(CVLAN) | KEY(IPV4_ADDRS) |		\
		     KEY(IPV6_ADDRS) | KEY(PORTS) | KEY(IP) | KEY(ICMP))

#define CXGB4_KEYS (KEY(CONTROL) | KEY(BASIC) | KEY(VLAN) |		\
		    KEY(IPV4_ADDRS) | KEY(IPV6_ADDRS) | KEY(PORTS) |	\
		    KEY(IP))

static const struct sim_profile profiles[] = {
	{
		.name = "mlx5-rep",
		.driver = "mlx5e_rep",
		.about = "representor of an mlx5 switch: exact matches, all rewrites",
		.takes_ft = true,
		.takes_block = true,
		.takes_above = true,
		.unlocked = true,
		.replaces_twin = true,
		.ft_prio_range = 16,
		.err_unknown_destroy = -EINVAL,
		.err_unknown_stats = -EINVAL,
		.keys = SWITCH_KEYS,
		.match = sim_rule_match_exact,
		.actions = sim_rule_actions_switch,
		.capacity = 65536,
		.stats_ms = 1000,
		.counters = true,
	},
	{
		.name = "mtk",
		.driver = "mtk_soc_eth",
		.about = "MediaTek PPE (netsys v2): 5-tuples, bound late, aged by itself",
		.takes_ft = true,
		.takes_block = true,
		.bind_counted = true,
		.serial = true,
		.one_db = true,
		.off_refuses_all = true,
		.tuple_only = true,
		.ttl_dec = true,
		.err_unknown_destroy = -ENOENT,
		.err_unknown_stats = -ENOENT,
		.match = sim_rule_match_tuple,
		.actions = sim_rule_actions_mtk,
		.capacity = 16384,
		.full_silent = true,
		.bind_rate = 30,
		.age_udp = 12,
		.age_tcp = 7,
		.age_fin = 1,
		.idle_bits = 8,
		.counters = true,
		.reset_unbinds = true,
	},
	{
		.name = "airoha",
		.driver = "airoha_eth",
		.about = "Airoha EN7581 PPE: as mtk, larger, ages after 60 s",
		.takes_ft = true,
		.takes_block = true,
		.bind_counted = true,
		.serial = true,
		.one_db = true,
		.off_refuses_all = true,
		.tuple_only = true,
		.ttl_dec = true,
		.err_unknown_destroy = -ENOENT,
		.err_unknown_stats = -ENOENT,
		.match = sim_rule_match_tuple,
		.actions = sim_rule_actions_airoha,
		.capacity = 32768,
		.full_silent = true,
		.bind_rate = 30,
		.age_udp = 60,
		.age_tcp = 60,
		.age_fin = 60,
		.idle_bits = 15,
		.counters = true,
		.told_stays = true,
		.reset_unbinds = true,
	},
	{
		.name = "flower",
		.about = "TC flower NIC that is right: no flowtables, no TCP flags",
		.takes_block = true,
		.off_refuses_all = true,
		.unlocked = true,
		.err_unknown_destroy = -EINVAL,
		.err_unknown_stats = -EINVAL,
		.keys = FLOWER_KEYS,
		.match = sim_rule_match_flower,
		.actions = sim_rule_actions_flower,
		.capacity = 16384,
		.stats_ms = 1000,
		.counters = true,
	},
	{
		.name = "nfp",
		.driver = "nfp",
		.about = "Netronome: no TTL decrement, exact checksums",
		.takes_block = true,
		.off_refuses_all = true,
		.unlocked = true,
		.err_full = -ENOENT,
		.err_unknown_destroy = -ENOENT,
		.err_unknown_stats = -EINVAL,
		.keys = FLOWER_KEYS | KEY(TCP),
		.match = sim_rule_match_flower,
		.actions = sim_rule_actions_nfp,
		.capacity = 16384,
		.stats_ms = 1000,
		.counters = true,
	},
	{
		.name = "cxgb4",
		.driver = "cxgb4",
		.about = "Chelsio: no TTL, no checksum action, one tag, wants RTNL",
		.takes_block = true,
		.off_refuses_all = true,
		.err_full = -ENOMEM,
		.err_unknown_destroy = -ENOENT,
		.err_unknown_stats = -ENOENT,
		.keys = CXGB4_KEYS,
		.match = sim_rule_match_flower,
		.actions = sim_rule_actions_cxgb4,
		.capacity = 4096,
		.stats_ms = 1000,
		.counters = true,
	},
	{
		.name = "bnxt",
		.driver = "bnxt_en",
		.about = "Broadcom: accepts, and does something else; wants RTNL",
		.takes_block = true,
		.off_refuses_all = true,
		.err_unknown_destroy = -EPERM,
		.err_unknown_stats = -EPERM,
		.keys = FLOWER_KEYS,
		.match = sim_rule_match_flower,
		.actions = sim_rule_actions_bnxt,
		.capacity = 16384,
		.stats_ms = 1000,
		.counters = true,
	},
	{
		.name = "stmmac",
		.driver = "st_gmac",
		.about = "Synopsys MAC: accepts, and drops what no rule takes; wants RTNL",
		.takes_block = true,
		.off_refuses_all = true,
		.filters = true,
		.no_stats = true,
		.err_full = -ENOENT,
		.err_unknown_destroy = -ENOENT,
		.keys = FLOWER_KEYS,
		.match = sim_rule_match_flower,
		.actions = sim_rule_actions_stmmac,
		.capacity = 8,
	},
	{
		.name = "ice",
		.driver = "ice",
		.about = "Intel: refuses all rewrites, wants RTNL",
		.takes_block = true,
		.off_refuses_all = true,
		.err_unknown_destroy = -ENOENT,
		.err_unknown_stats = -ENOENT,
		.keys = FLOWER_KEYS,
		.match = sim_rule_match_flower,
		.actions = sim_rule_actions_ice,
		.capacity = 16384,
		.stats_ms = 1000,
		.counters = true,
	},
	{
		.name = "none",
		.about = "a NIC that offloads nothing",
	},
};

/**
 * sim_profile_find() - a profile by its name
 * @name: as the maker writes it
 *
 * Return: the profile, or NULL.
 */
const struct sim_profile *sim_profile_find(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(profiles); i++)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	return NULL;
}

/* For messages. */
const char *sim_profile_names(void)
{
	return "mlx5-rep, mtk, airoha, flower, nfp, cxgb4, bnxt, stmmac, ice, none";
}
