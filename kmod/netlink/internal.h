/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of netlink/ share. */
#ifndef _NFTO_NETLINK_INTERNAL_H
#define _NFTO_NETLINK_INTERNAL_H

#include <net/genetlink.h>
#include "nfto.h"
#include "events.h"
#include "flow/flow.h"
#include "hw/hw.h"
#include "way/way.h"
#include "netlink/netlink.h"
#include "netlink/netlink-gen.h"

/* Enough for any object; the largest is a table with 255 devices. */
#define NFTO_NL_SIZE	8192

extern struct genl_family nfto_nl_family;

/**
 * struct nfto_totals - sums over tables and ports
 * @tables: tables
 * @ports: ports
 * @flows: live flows
 * @in_hardware: entries in hardware
 * @packets: of the software fast path
 * @bytes: likewise
 * @hw_packets: of the hardware
 * @hw_bytes: likewise
 * @reason: see struct nfto_table_cpu
 */
struct nfto_totals {
	u32 tables;
	u32 ports;
	u32 flows;
	u32 in_hardware;
	u64 packets;
	u64 bytes;
	u64 hw_packets;
	u64 hw_bytes;
	u64 reason[NFTO_REASON_MAX + 1];
};

/**
 * struct nfto_prefix - leading bits of an address
 * @family: NFPROTO_IPV4, NFPROTO_IPV6, or 0: any address
 * @addr: the address
 * @len: bits of it that count
 */
struct nfto_prefix {
	u8 family;
	union nf_inet_addr addr;
	u32 len;
};

/**
 * struct nfto_filter - which flows are meant
 * @table: id of the table, 0: any
 * @ifindex: a direction's, any of the three, 0: any
 * @in_ifindex: a direction arrives there, 0: anywhere
 * @hw: enum nfto_hw of a direction, negative: any
 * @reason: enum nfto_reason of a direction, negative: any
 * @address: in one of the tuples
 * @port: in one of the tuples, host order, negative: any
 * @l4proto: protocol, negative: any
 * @mark: conntrack mark
 * @mark_mask: bits of it that count
 * @zone: conntrack zone, negative: any
 * @state: enum nfto_flow_state, negative: any
 * @end: of one direction, source first
 */
struct nfto_filter {
	u32 table;
	int ifindex;
	int in_ifindex;
	int hw;
	int reason;
	struct nfto_prefix address;
	int port;
	int l4proto;
	u32 mark;
	u32 mark_mask;
	int zone;
	int state;
	struct {
		struct nfto_prefix address;
		int port;
	} end[2];
};

/* netlink.c */
int nfto_nl_may_see(struct sk_buff *skb, struct netlink_ext_ack *extack);
int nfto_nl_may_change(struct sk_buff *skb, struct netlink_ext_ack *extack);
int nfto_nl_parse(struct netlink_callback *cb, struct nlattr *tb[], int max,
		  const struct nla_policy *policy);
int nfto_nl_no_attrs(struct netlink_callback *cb);
int nfto_nl_answer(struct genl_info *info,
		   int (*fill)(struct sk_buff *skb, const void *object),
		   const void *object);
int nfto_nl_put(struct sk_buff *skb, struct netlink_callback *cb,
		int (*fill)(struct sk_buff *skb, const void *object),
		const void *object);
int nfto_nl_dumped(const struct sk_buff *skb, struct netlink_callback *cb,
		   int err);

/* netlink-event.c */
extern const struct genl_multicast_group nfto_nl_groups[];
extern const unsigned int nfto_nl_n_groups;
void nfto_nl_events_open(void);
void nfto_nl_events_close(void);

/* netlink-table.c */
void nfto_totals_add(struct nfto_totals *totals,
		     const struct nfto_table *table);
void nfto_totals_of(struct nfto_totals *totals, struct nfto_net *nn);
int nfto_nl_fill_port(struct sk_buff *skb, const void *object);

/* netlink-flow.c */
int nfto_nl_put_tuple(struct sk_buff *skb, int attr,
		      const struct nf_conntrack_tuple *t);
int nfto_nl_flow_done(struct netlink_callback *cb);

int nfto_nl_check_table(struct nfto_net *nn, u32 id,
			struct netlink_ext_ack *extack);
struct nfto_flow *nfto_nl_flow_of(struct nfto_net *nn, u64 id);
int nfto_nl_fill_flow(struct sk_buff *skb, const struct nfto_flow *flow);
int nfto_nl_put_hardware(struct sk_buff *skb, const struct nfto_dir *dir);

/* netlink-refusal.c */
int nfto_nl_fill_refusal(struct sk_buff *skb, const struct nfto_refusal *refusal,
			 int cpu);

/* netlink-filter.c */
int nfto_filter_parse(struct nfto_filter *filter, struct nlattr *nest,
		      struct netlink_ext_ack *extack);
enum nfto_flow_state nfto_flow_state_of(const struct nfto_flow *flow);
bool nfto_filter_match(const struct nfto_filter *filter,
		       const struct nfto_flow *flow);

/* proc.c */
const char *nfto_port_state_name(unsigned int state);
const char *nfto_port_kind_name(unsigned int kind);

#endif
