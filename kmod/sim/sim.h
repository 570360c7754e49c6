/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nft_offload_sim: a simulated NIC that carries out offloaded flows
 *
 * An adapter has ports. A port is two netdevs: the *host* one, which the
 * machine under test routes through and binds flow blocks to, and the *wire*
 * one, which stands for the cable and is put into another netns. What the wire
 * sends is looked up in the adapter's table; a hit leaves on another port's
 * wire without the host, a miss is what the host receives.
 *
 * Locks, outermost first:
 *   sim_lock        mutex: the list of adapters, making and removing
 *   RTNL            taken inside sim_lock to register and unregister netdevs
 *   adapter->serial mutex: held over a whole driver call, delays included, by
 *                   profiles whose driver serialises
 *   adapter->lock   mutex: bindings, table changes, the refusal log
 *   entry->lock     spinlock, BH: one entry's counters and binding state
 *
 * Context: driver calls (block.c, rule.c, table.c's changes) are process
 * context, and may hold RTNL, nf_tables' commit mutex or a flow block's lock.
 * The packet path (ring.c, pipeline.c, parse.c, action.c, table.c's lookup) is
 * softirq, under RCU, and takes entry->lock only.
 */
#ifndef NFTO_SIM_H
#define NFTO_SIM_H

#include <linux/etherdevice.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rhashtable-types.h>
#include <linux/skbuff.h>
#include <linux/smp.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/flow_offload.h>

#define SIM_NAME_LEN	10	/* leaves room for "p" and two digits */
#define SIM_MAX_PORTS	32
#define SIM_MAX_ENTRIES	1000000
#define SIM_MAX_OPS	24	/* nf_flow_table's longest rule is 21 */
#define SIM_REFUSALS	256

struct sim_adapter;

/* --- what a rule may match, and what the parser finds in a packet --- */

/**
 * struct sim_key - the fields the adapter's parser extracts
 * @saddr: IPv6 source; IPv4 in the first word
 * @daddr: likewise, destination
 * @sport: TCP/UDP source port; ICMP type << 8 | code
 * @dport: TCP/UDP destination port
 * @tpid: VLAN protocols, outermost first; 0 = no such tag
 * @tci: VLAN tag control information, outermost first
 * @n_proto: EtherType behind the VLAN tags (behind PPPoE where it is parsed)
 * @tcp_flags: the twelve flag bits
 * @eth_dst: destination MAC
 * @eth_src: source MAC
 * @ip_proto: L4 protocol
 * @tos: DSCP and ECN
 * @ttl: TTL or hop limit
 * @in_port: index of the port whose wire sent it
 * @no_l4: L4 was not parsed: a fragment, IP options, extension headers
 * @pad: zero
 *
 * All zero where the packet has no such field. Hashed and compared as words.
 */
struct sim_key {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	__be16 tpid[2];
	__be16 tci[2];
	__be16 n_proto;
	__be16 tcp_flags;
	u8 eth_dst[ETH_ALEN];
	u8 eth_src[ETH_ALEN];
	u8 ip_proto;
	u8 tos;
	u8 ttl;
	u8 in_port;
	u8 no_l4;
	u8 pad[7];
};

#define SIM_KEY_WORDS	(sizeof(struct sim_key) / sizeof(u32))

/**
 * struct sim_packet - one frame in the pipeline
 * @key: its fields
 * @l3: offset of the IP header from skb->data, 0 = none
 * @l4: offset of the L4 header, 0 = none or not parsed
 * @pppoe: offset of the PPPoE header, 0 = none
 * @tags: VLAN tags in the frame
 * @odd: why L4 was not parsed, a counter's number, or 0
 */
struct sim_packet {
	struct sim_key key;
	u16 l3;
	u16 l4;
	u16 pppoe;
	u8 tags;
	u8 odd;
};

/* RFC 2516, with the PPP protocol behind it. */
struct sim_pppoe {
	u8 ver_type;
	u8 code;
	__be16 sid;
	__be16 length;
	__be16 ppp;
};

#define SIM_PPPOE_VER_TYPE	0x11

/* --- what an entry does --- */

enum sim_op_kind {
	SIM_OP_ETH,		/* rewrite a word of the Ethernet header */
	SIM_OP_L3,		/* rewrite a word of the IP header */
	SIM_OP_L4,		/* rewrite a word of the TCP or UDP header */
	SIM_OP_TTL_DEC,
	SIM_OP_VLAN_PUSH,
	SIM_OP_VLAN_POP,
	SIM_OP_VLAN_SET,
	SIM_OP_PPPOE_PUSH,
	SIM_OP_MIRROR,
};

/**
 * struct sim_op - one step of an entry's actions
 * @kind: what to do
 * @off: rewrites: byte offset in the header
 * @port: mirror: the port's index
 * @proto: VLAN push, set: TPID; PPPoE push: session id
 * @tci: VLAN push, set: tag control information, host order
 * @mask: rewrites: bits to keep, as in the packet
 * @val: rewrites: bits to set, as in the packet
 */
struct sim_op {
	u8 kind;
	u8 off;
	u8 port;
	__be16 proto;
	u16 tci;
	u32 mask;
	u32 val;
};

enum sim_verdict {
	SIM_TO_HOST,		/* "accept": counted, then the host's */
	SIM_DROP,
	SIM_FORWARD,
};

/* Which table a rule came through; TC's rules are looked at first. */
enum sim_class {
	SIM_CLASS_TC,
	SIM_CLASS_FT,
};

/**
 * struct sim_rule - a rule as the driver has translated it
 * @key: values to match, already masked
 * @mask: bits to match
 * @class: TC or FT
 * @prio: lower wins within a class
 * @verdict: what becomes of the packet
 * @out: forward: index of the egress port
 * @strip: all VLAN tags and PPPoE go before the operations run
 * @needs_l4: it rewrites IP or L4: not for packets whose L4 was not parsed
 * @dec_ttl: it decrements the TTL: not for packets that would die of it
 * @extra: bytes that it adds between the MAC header and the IP header
 * @n_ops: operations in @op
 * @op: carried out in this order
 */
struct sim_rule {
	struct sim_key key;
	struct sim_key mask;
	u8 class;
	u32 prio;
	u8 verdict;
	u8 out;
	bool strip;
	bool needs_l4;
	bool dec_ttl;
	u8 extra;
	u8 n_ops;
	struct sim_op op[SIM_MAX_OPS];
};

/**
 * struct sim_mask - a set of bits that some entries match on
 * @list: in adapter->masks; changed under adapter->lock, read under RCU
 * @bits: the mask
 * @entries: how many entries use it; under adapter->lock
 * @rcu: to free it after the last reader
 */
struct sim_mask {
	struct list_head list;
	struct sim_key bits;
	unsigned int entries;
	struct rcu_head rcu;
};

/* The key of adapter->by_cookie: a driver may have one table, or one a port. */
struct sim_cookie {
	u64 cookie;
	u32 port;
	u32 pad;
};

/* The key of adapter->by_match: hashed as bytes, so it may have no holes. */
struct sim_match {
	struct sim_key key;
	u64 mask;		/* the sim_mask's address, to compare only */
};

static_assert(sizeof(struct sim_match) == sizeof(struct sim_key) + sizeof(u64));

/**
 * struct sim_entry - one rule in the adapter's table
 * @by_cookie: node of adapter->by_cookie
 * @by_match: node of adapter->by_match
 * @cookie: the caller's cookie, a number and nothing else
 * @match: masked fields and which mask
 * @mask: the mask, kept by its count
 * @id: index in adapter->entries
 * @port: the port whose callback was asked
 * @created: jiffies64 when REPLACE returned
 * @lock: protects all that follows but @rule
 * @bound: the hardware has it; false while late binding waits, or aged out
 * @fin: a FIN was seen while bound
 * @window: jiffies64 when the bind rate's second began
 * @seen: packets in that second
 * @used: jiffies64 of the last hit
 * @packets: hits, counted from the last binding, in wire packets
 * @bytes: likewise, L2 bytes
 * @told_packets: what STATS has reported of @packets
 * @told_bytes: likewise
 * @tick: statistics period of the last hit
 * @old_packets: @packets when that period began
 * @old_bytes: likewise
 * @old_used: jiffies64 of the end of the last period with a hit before @tick
 * @rcu: the packet path reads entries under RCU
 * @rule: does not change
 *
 * Owned by the adapter's table. Taken out of all three indexes under
 * adapter->lock, then freed after a grace period: whoever found it in the
 * packet path or in a state file did so under rcu_read_lock().
 */
struct sim_entry {
	struct rhash_head by_cookie;
	struct rhlist_head by_match;
	struct sim_cookie cookie;
	struct sim_match match;
	struct sim_mask *mask;
	u32 id;
	u8 port;
	u64 created;

	spinlock_t lock;	/* see above */
	bool bound;
	bool fin;
	u64 window;
	u32 seen;
	u64 used;
	u64 packets;
	u64 bytes;
	u64 told_packets;
	u64 told_bytes;
	u64 tick;
	u64 old_packets;
	u64 old_bytes;
	u64 old_used;

	struct rcu_head rcu;
	struct sim_rule rule;	/* last: allocated only as far as n_ops */
};

/* --- counters --- */

/* ethtool -S shows them under these names in lower case, with "offload_". */
enum sim_counter {
	SIM_CTR_WIRE_IN_PACKETS,
	SIM_CTR_WIRE_IN_BYTES,
	SIM_CTR_WIRE_OUT_PACKETS,
	SIM_CTR_WIRE_OUT_BYTES,
	SIM_CTR_HOST_IN_PACKETS,
	SIM_CTR_HOST_IN_BYTES,
	SIM_CTR_HOST_OUT_PACKETS,
	SIM_CTR_HOST_OUT_BYTES,
	SIM_CTR_HITS,
	SIM_CTR_MISSES,
	SIM_CTR_FORWARDED_PACKETS,
	SIM_CTR_FORWARDED_BYTES,
	SIM_CTR_RULE_DROPS,
	SIM_CTR_RULE_ACCEPTS,
	SIM_CTR_MIRRORED,
	SIM_CTR_PUNT_UNBOUND,
	SIM_CTR_PUNT_FRAGMENT,
	SIM_CTR_PUNT_OPTIONS,
	SIM_CTR_PUNT_MALFORMED,
	SIM_CTR_PUNT_TTL,
	SIM_CTR_PUNT_MTU,
	SIM_CTR_DROP_LINK,
	SIM_CTR_DROP_OVERRUN,
	SIM_CTR_DROP_ERROR,
	SIM_CTR_BINDS,
	SIM_CTR_UNBINDS,
	SIM_CTR_BINDS_REFUSED,
	SIM_CTR_REPLACES,
	SIM_CTR_DESTROYS,
	SIM_CTR_STATS,
	SIM_CTR_REFUSED,
	SIM_CTR_CALLBACK_NS,
	SIM_CTR_AGED,
	SIM_CTR_DROP_FILTER,
	SIM_CTR_UNLOCKED_CALLS,
	SIM_CTR_MAX
};

/* --- ports --- */

/**
 * struct sim_ring - packets on their way to one NAPI context
 * @napi: polls it
 * @in: producers append here, under its own lock
 * @work: the poll's own, refilled from @in
 * @csd: raises the softirq on another CPU, as an interrupt would
 * @kicked: bit 0: @csd is on its way
 * @cpu: where to poll; negative: on the CPU of the producer
 * @producer: the netdev that is stopped while the ring is full, or NULL
 * @open: packets are taken; cleared before the NAPI is disabled
 */
struct sim_ring {
	struct napi_struct napi;
	struct sk_buff_head in;
	struct sk_buff_head work;
	call_single_data_t csd;
	unsigned long kicked;
	const int *cpu;
	struct net_device *producer;
	bool open;
};

/**
 * struct sim_port - two netdevs of an adapter
 * @adapter: whose
 * @index: number in adapter->port
 * @host: the netdev of the machine under test
 * @wire: the netdev of the other end of the cable
 * @to_pipe: what the wire sent, before the lookup; polled on the wire netdev
 * @to_host: what the host is to receive
 * @to_wire: what the wire is to receive
 * @ctr: enum sim_counter
 * @blocks: flow_block_cbs of TC (0) and FT (1); under adapter->lock
 * @n_entries: entries that were put in by its callbacks
 *
 * Lives as long as its adapter; the netdevs are unregistered before that.
 */
struct sim_port {
	struct sim_adapter *adapter;
	u8 index;
	struct net_device *host;
	struct net_device *wire;
	struct sim_ring to_pipe;
	struct sim_ring to_host;
	struct sim_ring to_wire;
	atomic64_t ctr[SIM_CTR_MAX];
	struct list_head blocks[2];
	atomic_t n_entries;
};

/* --- profiles --- */

struct sim_build;

/**
 * struct sim_profile - what distinguishes one driver family from another
 * @name: as the maker knows it
 * @driver: the driver's name as ethtool -i tells it; NULL: this module's
 * @about: one line for the admin
 * @takes_ft: TC_SETUP_FT
 * @takes_block: TC_SETUP_BLOCK
 * @takes_above: it binds macvlan devices (passthru) above its ports, indirectly
 * @bind_counted: a second bind of a block counts; otherwise -EBUSY
 * @serial: the driver serialises all its calls
 * @one_db: cookies are the adapter's, not the port's
 * @off_refuses_all: hw-tc-offload off: every command, not REPLACE alone
 * @replaces_twin: two rules of the same match are -EEXIST
 * @tuple_only: matches the 5-tuple only, strips tags, two-pass actions
 * @ttl_dec: the hardware decrements the TTL by itself
 * @ft_prio_range: hook priorities below this are taken; 0 = all
 * @filters: TCP and UDP that no entry takes is dropped while a port has one
 * @no_stats: STATS is -EOPNOTSUPP
 * @unlocked: TC may call without RTNL
 * @err_full: what "full" is called, 0: -ENOSPC
 * @err_unknown_destroy: DESTROY of a cookie it does not have
 * @err_unknown_stats: STATS likewise
 * @keys: the keys it knows; 0 = it does not look at the others
 * @match: translate the match; returns 0 or an errno, with sim_build.why
 * @actions: translate the actions, likewise
 * @capacity: entries; default of the knob
 * @full_silent: a full table is not reported, the entry just never binds
 * @bind_rate: packets per second before an entry binds; default of the knob
 * @age_udp: seconds until an idle entry unbinds by itself; 0 = never
 * @age_tcp: likewise
 * @age_fin: likewise, after a FIN
 * @idle_bits: width of the idle clock in seconds; 0 = a jiffies clock
 * @stats_ms: counters are read from the hardware this often; knob's default
 * @counters: packets and bytes are counted
 * @told_stays: what was reported survives a new binding (deltas underflow)
 * @reset_unbinds: after a reset the driver still has its entries, unbound
 */
struct sim_profile {
	const char *name;
	const char *driver;
	const char *about;
	bool takes_ft;
	bool takes_block;
	bool takes_above;
	bool bind_counted;
	bool serial;
	bool one_db;
	bool off_refuses_all;
	bool replaces_twin;
	bool tuple_only;
	bool ttl_dec;
	bool filters;
	bool no_stats;
	bool unlocked;
	u32 ft_prio_range;
	int err_full;
	int err_unknown_destroy;
	int err_unknown_stats;
	u64 keys;
	int (*match)(struct sim_build *b);
	int (*actions)(struct sim_build *b);
	u32 capacity;
	bool full_silent;
	u32 bind_rate;
	u32 age_udp;
	u32 age_tcp;
	u32 age_fin;
	u8 idle_bits;
	u32 stats_ms;
	bool counters;
	bool told_stays;
	bool reset_unbinds;
};

/**
 * struct sim_build - a REPLACE being translated
 * @profile: by whose rules
 * @port: the port whose callback was asked
 * @ifindex: of the device that was bound, the port's or one above it
 * @cls: the caller's command, with its rule
 * @rule: the result
 * @why: one sentence why it is refused
 */
struct sim_build {
	const struct sim_profile *profile;
	struct sim_port *port;
	int ifindex;
	const struct flow_cls_offload *cls;
	struct sim_rule *rule;
	const char *why;
};

/* --- adapters --- */

enum sim_lie {
	SIM_LIE_OFF,
	SIM_LIE_ZERO,		/* nothing was ever used */
	SIM_LIE_BUSY,		/* everything was used just now */
	SIM_LIE_DOUBLE,		/* twice the packets and bytes */
	SIM_LIE_BACKWARDS,	/* last use lies further back each time */
	SIM_LIE_MAX
};

/* Values that the knob files set; each is read and written whole. */
struct sim_knobs {
	int pipeline_cpu;
	int host_cpu;
	u32 capacity;
	u32 bind_rate;
	u32 prio_range;
	u32 stats_ms;
	u32 stats_lie;
	u32 link_down;		/* bit n: port n */
	u32 fail_bind;		/* errnos, 0 = off */
	u32 fail_unbind;
	u32 fail_replace;
	u32 fail_destroy;
	u32 fail_stats;
	int fail_port;		/* -1: all */
	u32 fail_count;		/* 0: without end */
	u32 delay_bind_us;
	u32 delay_replace_us;
	u32 delay_destroy_us;
	u32 delay_stats_us;
	u32 bind_silent;
	u32 wants_rtnl;
};

/**
 * struct sim_refusal - one driver call that was refused
 * @seq: its number
 * @when: jiffies64
 * @what: "bind", "replace"...
 * @port: whose callback
 * @class: TC or FT
 * @cookie: of the rule, 0 for binds
 * @err: negative errno
 * @why: the sentence given as extack
 */
struct sim_refusal {
	u64 seq;
	u64 when;
	const char *what;
	u8 port;
	u8 class;
	u64 cookie;
	int err;
	const char *why;
};

/**
 * struct sim_adapter - one simulated NIC
 * @list: in sim_adapters, under sim_lock
 * @ref: one of the maker, one of each binding
 * @name: given by the maker
 * @profile: given by the maker
 * @serial: see the top of this file
 * @lock: protects @dying (writes), @masks (writes), the three indexes
 *	(writes), @n_bound, @refusals, the ports' block lists
 * @dying: being removed: calls are answered -ENODEV, faults are off
 * @knob: see struct sim_knobs
 * @fails: failures injected since the fault knobs were last written
 * @by_cookie: entries by cookie
 * @by_match: entries by masked fields
 * @entries: entries by id, in the order they came
 * @next_id: for @entries
 * @n_entries: entries in the table
 * @n_bound: entries bound
 * @masks: struct sim_mask
 * @refusals: ring buffer
 * @n_refusals: ever
 * @resets: how often the table was lost
 * @ager: looks for idle entries where the hardware ages by itself
 * @dir: in debugfs
 * @n_ports: ports in use
 * @port: the ports
 */
struct sim_adapter {
	struct list_head list;
	struct kref ref;
	char name[SIM_NAME_LEN];
	const struct sim_profile *profile;
	struct mutex serial;	/* see the top of this file */
	struct mutex lock;	/* likewise */
	bool dying;
	struct sim_knobs knob;
	atomic_t fails;
	struct rhashtable by_cookie;
	struct rhltable by_match;
	struct xarray entries;
	u32 next_id;
	atomic_t n_entries;
	atomic_t n_bound;
	struct list_head masks;
	struct sim_refusal refusals[SIM_REFUSALS];
	u64 n_refusals;
	u64 resets;
	struct delayed_work ager;
	struct dentry *dir;
	u8 n_ports;
	struct sim_port *port;
};

/* What the maker's line asks for. */
struct sim_spec {
	char name[SIM_NAME_LEN];
	const struct sim_profile *profile;
	u8 n_ports;
	char host[SIM_MAX_PORTS][IFNAMSIZ];
	char wire[SIM_MAX_PORTS][IFNAMSIZ];
	struct net *host_net;
	struct net *wire_net;
};

/* adapter.c */
int sim_adapter_make(const struct sim_spec *spec);
int sim_adapter_remove(const char *name);
void sim_adapter_remove_all(void);
void sim_adapter_get(struct sim_adapter *ad);
void sim_adapter_put(struct sim_adapter *ad);

/* maker.c */
int sim_maker_init(void);
void sim_maker_exit(void);
__printf(1, 2) void sim_error(const char *fmt, ...);
ssize_t sim_read_line(char *buf, size_t size, const char __user *ubuf,
		      size_t count, const char *what);
extern struct dentry *sim_dir;

/* knobs.c */
void sim_knobs_init(struct sim_adapter *ad);
void sim_knobs_add(struct sim_adapter *ad);
int sim_knobs_fault(struct sim_port *port, const u32 *knob);
void sim_knobs_delay(const u32 *knob);
const char *sim_errname(int err, char *buf, size_t size);

/* state.c */
void sim_state_add(struct sim_adapter *ad);

/* port.c */
int sim_port_register(struct sim_port *port, const struct sim_spec *spec);
void sim_port_unregister(struct sim_port *port, struct list_head *head);
void sim_port_free(struct sim_port *port);
void sim_port_link(struct sim_port *port);
bool sim_port_is_up(const struct sim_port *port);
struct sim_port *sim_port_of_host(const struct net_device *dev);

static inline void sim_count(struct sim_port *port, enum sim_counter c, u64 n)
{
	atomic64_add(n, &port->ctr[c]);
}

/* ring.c */
void sim_ring_init(struct sim_ring *ring, struct net_device *dev,
		   struct net_device *producer, const int *cpu,
		   int (*poll)(struct napi_struct *napi, int budget));
void sim_ring_open(struct sim_ring *ring);
void sim_ring_close(struct sim_ring *ring);
void sim_ring_free(struct sim_ring *ring);
bool sim_ring_put(struct sim_ring *ring, struct sk_buff *skb);
struct sk_buff *sim_ring_get(struct sim_ring *ring);

/* pipeline.c */
void sim_pipeline_run(struct sim_port *in, struct sk_buff *skb);
unsigned int sim_wire_packets(const struct sk_buff *skb);
u64 sim_wire_bytes(const struct sk_buff *skb);

/* parse.c */
void sim_parse(struct sk_buff *skb, struct sim_packet *pkt, bool pppoe);

/* action.c */
int sim_action_run(struct sim_adapter *ad, const struct sim_rule *rule,
		   struct sk_buff *skb, struct sim_packet *pkt);

/* table.c */
int sim_table_init(struct sim_adapter *ad);
void sim_table_destroy(struct sim_adapter *ad);
struct sim_entry *sim_table_find(struct sim_port *port, u64 cookie);
struct sim_entry *sim_table_twin(struct sim_adapter *ad,
				 const struct sim_rule *rule);
int sim_table_add(struct sim_port *port, u64 cookie,
		  const struct sim_rule *rule);
void sim_table_del(struct sim_adapter *ad, struct sim_entry *e);
void sim_table_reset(struct sim_adapter *ad);
struct sim_entry *sim_table_lookup(struct sim_adapter *ad,
				   const struct sim_key *key);
bool sim_table_hit(struct sim_adapter *ad, struct sim_entry *e,
		   unsigned int packets, u64 bytes, bool fin);
void sim_table_stats(struct sim_adapter *ad, struct sim_entry *e,
		     struct flow_stats *stats);

/* block.c */
void sim_block_init(void);
int sim_block_setup(struct sim_port *port, enum sim_class class,
		    struct flow_block_offload *bo);
int sim_block_register(struct sim_adapter *ad);
void sim_block_unregister(struct sim_adapter *ad);
struct net_device *sim_block_below(const struct net_device *dev);
void sim_block_dump_binds(struct sim_port *port, unsigned int n[2]);

/* rule.c */
int sim_rule_match_tuple(struct sim_build *b);
int sim_rule_match_exact(struct sim_build *b);
int sim_rule_match_flower(struct sim_build *b);
int sim_rule_actions_mtk(struct sim_build *b);
int sim_rule_actions_airoha(struct sim_build *b);
int sim_rule_actions_switch(struct sim_build *b);
int sim_rule_actions_flower(struct sim_build *b);

/* flower.c */
int sim_rule_actions_nfp(struct sim_build *b);
int sim_rule_actions_cxgb4(struct sim_build *b);
int sim_rule_actions_bnxt(struct sim_build *b);
int sim_rule_actions_stmmac(struct sim_build *b);
int sim_rule_actions_ice(struct sim_build *b);

/* profile.c */
const struct sim_profile *sim_profile_find(const char *name);
const char *sim_profile_names(void);

#endif
