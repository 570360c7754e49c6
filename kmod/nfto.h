/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nft_offload: the nouns of the module.
 *
 * Contexts
 *   packet	softirq or bottom halves off, below rcu_read_lock(): the
 *		ingress hook and the flow_offload expression
 *   control	process, nf_tables' commit mutex held, RTNL held or not: the
 *		flowtable type's functions
 *   event	process, RTNL held: the netdevice notifier
 *   worker	process, nothing held
 *   commit	process, nf_tables' commit mutex held: it tells of a commit
 *
 * Locks, in the order in which they are taken
 *   RTNL			a port's device and binding
 *   nfto_net.lock		mutex: tables, their devices, ports and their users.
 *				No driver is called and nobody is waited for below it
 *   nfto_table.nh_lock		the hash of next hops
 *   nfto_nexthop.lock		the directions that use it, @dead, change of @dst
 *   nfto_flow.lock		state of the flow and of its directions
 *   nfto_slot.lock		a slot of the wheel
 *   nfto_port.lock		the queue
 *   nfto_routes.lock		changes of routes that wait
 *   nfto_port.block_lock	rwsem: the driver's callbacks; below RTNL or nothing
 * All but RTNL, nfto_net.lock and block_lock are spinlocks taken with bottom
 * halves off; to turn these off and on costs more than the lock, so some functions
 * want them to be off. RTNL is never taken in control context, where its holder
 * may be waiting for us.
 *
 * References
 *   net	every table and port holds its nfto_net
 *   table	nf_tables holds one, each flow holds one
 *   port	its net's list holds one, each table's device and next hop one
 *   next hop	each of its directions holds one
 *   flow	one while it is live, one for each direction that is queued or
 *		worked on, one for each that is not out of the hardware
 */
#ifndef _NFTO_H
#define _NFTO_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include "flow/flow.h"
#include "net.h"
#include "way/nexthop.h"
#include "hw/port.h"
#include "flow/table.h"

/*
 * Two queues, because what waits for RTNL or for the engine's workers must not
 * fill the queue that these run on.
 */
extern struct workqueue_struct *nfto_wq;
extern struct workqueue_struct *nfto_control_wq;
extern bool nfto_strict;

/* main.c */
struct nfto_net *nfto_net_of(const struct net *net);
void nfto_net_put(struct nfto_net *nn);
void nfto_account(int change);

/* provider.c */
int nfto_provider_init(void);
void nfto_provider_exit(void);

/* table.c */
struct nfto_table *nfto_table_alloc(struct nf_flowtable *ft);
void nfto_table_detach(struct nfto_table *table);
void nfto_table_put(struct nfto_table *table);
void nfto_table_end_flows(struct nfto_table *table, enum nfto_reason reason);
int nfto_table_add_dev(struct nfto_table *table, struct net_device *dev);
void nfto_table_del_dev(struct nfto_table *table, struct net_device *dev);
struct nfto_table_dev *nfto_table_find_dev(const struct nfto_table *table,
					   int ifindex);
int nfto_table_insert(struct nfto_table *table, struct nfto_flow *flow);
void nfto_table_remove(struct nfto_table *table, struct nfto_flow *flow);
u32 nfto_table_digest(const struct nfto_table *table, const struct nfto_dir *dir,
		      const struct nf_conntrack_tuple *t);

/**
 * struct nfto_key - what a packet is looked up by
 * @ip4: IPv4 addresses, source first
 * @ip6: IPv6 addresses of the packet, source first, or NULL
 * @ports: as struct nfto_dir has them
 * @iif: as well
 * @proto: as well
 * @n_encap: encapsulations
 * @encap: these, outermost first
 */
struct nfto_key {
	union {
		__be32 ip4[2];
		u64 digest;
	};
	const struct in6_addr *ip6;
	u32 ports;
	int iif;
	u8 proto;
	u8 n_encap;
	struct nfto_encap encap[NFTO_ENCAP_MAX];
};

struct nfto_dir *nfto_table_lookup(struct nfto_table *table,
				   struct nfto_key *key);
void nfto_table_key(struct nfto_key *key, struct in6_addr pair[2],
		    const struct nf_conntrack_tuple *t, int iif,
		    const struct nfto_nexthop *back);

/* flow.c */
int nfto_flow_init(void);
void nfto_flow_exit(void);
struct kmem_cache *nfto_flow_cache(bool counter);
int nfto_flow_add(struct nfto_table *table, struct nf_conn *ct,
		  struct nfto_nexthop *nh[IP_CT_DIR_MAX]);
void nfto_flow_end(struct nfto_flow *flow, enum nfto_reason reason);
void nfto_flow_put(struct nfto_flow *flow);
void nfto_flow_put_all(struct nfto_dir *const *dirs, unsigned int n);
bool nfto_flow_get(struct nfto_flow *flow);
bool nfto_flow_event(struct nfto_dir *dir, enum nfto_hw_event event,
		     enum nfto_reason reason);
void nfto_flow_doubt(struct nfto_flow *flow);
void nfto_flow_reached(struct nfto_dir *dir);
void nfto_flow_trust(struct nfto_dir *dir);
unsigned int nfto_flow_timeout(const struct nfto_flow *flow);
u64 nfto_flow_last_id(void);
u64 nfto_flow_new_ids(unsigned int n);

/* path.c */
int nfto_path_resolve(struct nfto_table *table, const struct nf_conn *ct,
		      struct sk_buff *skb, const struct nf_hook_state *state,
		      enum ip_conntrack_dir dir,
		      struct nfto_nexthop *nh[IP_CT_DIR_MAX]);

/* nexthop.c */
struct nfto_nexthop *nfto_nexthop_get(struct nfto_table *table,
				      struct dst_entry *dst, const void *daddr,
				      int family);
void nfto_nexthop_put(struct nfto_nexthop *nh);
bool nfto_nexthop_link(struct nfto_nexthop *nh, struct nfto_dir *dir);
void nfto_nexthop_unlink(struct nfto_nexthop *nh, struct nfto_dir *dir);
void nfto_nexthop_end(struct nfto_nexthop *nh, enum nfto_reason reason);
void nfto_nexthop_end_dev(struct nfto_table *table, const struct net_device *dev,
			  enum nfto_reason reason);
void nfto_nexthop_end_all(struct nfto_table *table, enum nfto_reason reason);
void nfto_nexthop_kick(struct nfto_nexthop *nh);
void nfto_nexthop_suspect(struct nfto_nexthop *nh);
bool nfto_nexthop_leads_on(struct nfto_nexthop *nh);
bool nfto_nexthop_is_plain(const struct nfto_nexthop *nh);
bool nfto_nexthop_is_fresh(struct nfto_nexthop *nh);
bool nfto_nexthop_may_renew(struct nfto_nexthop *nh);
bool nfto_nexthop_renew(struct nfto_nexthop *nh, struct dst_entry *dst);
struct nfto_nexthop *nfto_nexthop_each(struct nfto_table *table,
				       unsigned int *bucket, u32 pass);
u16 nfto_nexthop_mtu(struct dst_entry *dst, int family);
bool nfto_nexthop_same(const struct nfto_nexthop *a,
		       const struct nfto_nexthop *b);
void nfto_nexthop_neigh(struct nfto_table *table, const struct neighbour *neigh);
void nfto_nexthop_check(struct nfto_table *table);

/**
 * struct nfto_range - a walk over a next hop's directions
 * @at: the destination to begin with, then that of the last one found
 * @dir: NULL to begin with, then the last one found. It may be gone: it is
 *	compared, not followed
 * @last: the last destination that is in it
 */
struct nfto_range {
	u64 at;
	const struct nfto_dir *dir;
	u64 last;
};

#define NFTO_RANGE_ALL	{ .last = U64_MAX }

struct nfto_flow *nfto_nexthop_next(struct nfto_nexthop *nh,
				    struct nfto_range *range);

/* dest.c */
void nfto_dest_insert(struct nfto_dir **root, struct nfto_dir *dir);
bool nfto_dest_remove(struct nfto_dir **root, struct nfto_dir *dir);
struct nfto_dir *nfto_dest_next(struct nfto_dir *root, struct nfto_range *range);

/* route.c */
void nfto_routes_init(struct nfto_routes *routes);
void nfto_routes_begin(struct nfto_net *nn);
void nfto_routes_exit(struct nfto_net *nn);
bool nfto_routes_stale(struct nfto_nexthop *nh);
bool nfto_routes_agree(struct net *net, const struct nf_conn *ct,
		       enum ip_conntrack_dir dir,
		       struct nfto_nexthop *const nh[IP_CT_DIR_MAX]);
void nfto_routes_carrier(struct nfto_net *nn, const struct net_device *dev);

/**
 * struct nfto_packet - what the hook knows of a packet
 * @table: the flowtable
 * @flags: of nf_tables' object, which may change "counter"
 * @key: what it is looked up by
 * @offset: of the IP header, behind encapsulations in the packet's data
 * @there: what is there from the IP header on
 * @len: from the IP header on, as it says
 * @thoff: of the L4 header, from the IP header
 * @hdrsize: of the L4 header
 */
struct nfto_packet {
	struct nfto_table *table;
	unsigned int flags;
	struct nfto_key key;
	unsigned int offset;
	unsigned int there;
	unsigned int len;
	unsigned int thoff;
	unsigned int hdrsize;
};

/* encap.c */
__be16 nfto_encap_parse(struct sk_buff *skb, struct nfto_packet *p);
void nfto_encap_pop(struct sk_buff *skb, const struct nfto_packet *p,
		    __be16 proto);

/* nat.c */
void nfto_nat_ip4(struct sk_buff *skb, const struct nfto_packet *p,
		  const struct nfto_dir *dir);
void nfto_nat_ip6(struct sk_buff *skb, const struct nfto_packet *p,
		  const struct nfto_dir *dir);

/* forward.c */
enum nfto_reason nfto_forward_l4(struct sk_buff *skb, struct nfto_packet *p,
				 u8 proto);
struct nfto_dir *nfto_forward_begin(struct sk_buff *skb, struct nfto_packet *p,
				    unsigned int *verdict);
unsigned int nfto_forward_xmit(struct sk_buff *skb, const struct nfto_packet *p,
			       const struct nfto_dir *dir);
unsigned int nfto_forward_inet(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state);
unsigned int nfto_forward_ip4(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);
unsigned int nfto_forward_ip6(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);

/* forward_ip4.c, forward_ip6.c */
unsigned int nfto_ip4_packet(struct sk_buff *skb, struct nfto_packet *p);
unsigned int nfto_ip6_packet(struct sk_buff *skb, struct nfto_packet *p);

/* port.c */
struct nfto_port *nfto_port_use(struct nfto_net *nn, struct net_device *dev);
void nfto_port_unuse(struct nfto_port *port);
void nfto_port_put(struct nfto_port *port);
int nfto_port_bind_now(struct nfto_port *port);
void nfto_port_bind_rtnl(struct nfto_port *port);
void nfto_port_flush(struct nfto_net *nn);
void nfto_port_gone(struct nfto_net *nn, struct net_device *dev);
void nfto_port_check(struct nfto_net *nn, struct net_device *dev);
void nfto_port_rename(struct nfto_net *nn, const struct net_device *dev);

/* engine.c */
int nfto_engine_start(struct nfto_port *port);
void nfto_engine_free(struct nfto_port *port);
void nfto_engine_kick(struct nfto_dir *dir);
void nfto_engine_kick_all(struct nfto_port *port);
void nfto_engine_flush(struct nfto_port *port);
void nfto_engine_drain(struct nfto_port *port);
void nfto_engine_stats(const struct nfto_port *port,
		       struct nfto_port_stats *sum);

/* worker.c */
struct nfto_worker *nfto_worker_alloc(struct nfto_port *port);
void nfto_worker_free(struct nfto_worker *w);
enum nfto_reason nfto_worker_offer(struct nfto_worker *w,
				   const struct nfto_dir *dir, int *err,
				   const char **why);
bool nfto_worker_counts(struct nfto_worker *w, const struct nfto_dir *dir);
bool nfto_worker_withdraw(struct nfto_worker *w, const struct nfto_dir *dir);

/* rule.c */
struct nfto_rule;
struct nfto_rule *nfto_rule_alloc(void);
void nfto_rule_free(struct nfto_rule *rule);
enum nfto_reason nfto_rule_build(struct nfto_rule *rule,
				 const struct nfto_dir *dir,
				 const struct nfto_port *port, bool ttl);
struct flow_rule *nfto_rule_get(struct nfto_rule *rule);

/* result.c */
u16 nfto_result_get(int err, const char *text);
const char *nfto_result_text(u16 result, int *err);
void nfto_result_exit(void);

/* age.c */
void nfto_wheel_init(struct nfto_wheel *wheel);
void nfto_wheel_exit(struct nfto_wheel *wheel);
void nfto_wheel_add(struct nfto_wheel *wheel, struct nfto_flow *flow);
void nfto_wheel_del(struct nfto_wheel *wheel, struct nfto_flow *flow);
void nfto_age_failed(struct nfto_flow *flow);
void nfto_age_counts(struct nfto_flow *flow);
void nfto_age_suspect(struct nfto_flow *flow);
bool nfto_age_offer(struct nfto_flow *flow);
void nfto_age_doubted(struct nfto_dir *dir);

/* ruleset.c */
extern bool nfto_follow_ruleset;
void nfto_ruleset_init(struct nfto_net *nn);
int nfto_ruleset_open(struct nfto_net *nn);
void nfto_ruleset_pre_exit(struct nfto_net *nn);
void nfto_ruleset_exit(struct nfto_net *nn);
void nfto_ruleset_reached(struct nfto_table *table, const struct nf_conn *ct,
			  struct sk_buff *skb, const struct nf_hook_state *state,
			  enum ip_conntrack_dir dir);

/* events.c */
void nfto_check_init(struct nfto_net *nn);
void nfto_check_exit(struct nfto_net *nn);
void nfto_check_later(struct nfto_net *nn);
int nfto_events_init(void);
void nfto_events_exit(void);

/* refuse.c */
void nfto_refuse(struct nfto_table *table, const struct nf_conn *ct,
		 const struct net_device *in, enum nfto_reason reason);

/* proc.c */
int nfto_proc_init(struct net *net);
void nfto_proc_exit(struct net *net);
const char *nfto_reason_name(unsigned int reason);

/* netlink.c */
int nfto_netlink_init(void);
void nfto_netlink_exit(void);

/* netlink-event.c */
void nfto_event_flow(const struct nfto_flow *flow, enum nfto_reason reason);
void nfto_event_dir(const struct nfto_dir *dir);
void nfto_event_port(const struct nfto_port *port);
void nfto_event_refusal(const struct nfto_net *nn,
			const struct nfto_refusal *refusal);

/* netlink-table.c */
void nfto_recent_tick(struct nfto_net *nn);

/* selftest/: whether it passes */
bool nfto_table_selftest(void);
bool nfto_flow_selftest(void);
bool nfto_age_selftest(void);
bool nfto_dest_selftest(void);
bool nfto_rule_selftest(void);

#endif
