/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the glue of all drivers has in common: two netdevs "lan" and "wan" with the
 * driver's private data, two more "lanw" and "wanw" for the other ends of their
 * cables, and a table of what the driver has written to its hardware, in words
 * that are the same for all drivers: which packets, and what becomes of them.
 */
#ifndef RIG_H
#define RIG_H

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/in6.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/seq_file.h>
#include <net/flow_offload.h>

#define RIG_PORTS	2
#define RIG_TAGS	2
#define RIG_HOST	RIG_PORTS

#define rig_say(fmt, ...)	pr_debug("rig: " fmt "\n", ##__VA_ARGS__)

struct rig_tag {
	u16 tpid;
	u16 vid;
};

/**
 * struct rig_packet - a packet before or after
 * @port: 0 or 1; RIG_HOST: the host gets it
 * @family: 4, 6
 * @proto: of layer 4
 * @ttl: what it was compared with, or has been set to; 0: it was not
 * @sport: host byte order; @ports says whether hardware looks at them
 * @dport: the same
 * @ip: addresses as in the header, four bytes of IPv4
 * @n_tags: VLAN tags, outermost first
 * @tag: these
 * @pppoe: session; 0: none
 * @dmac: destination
 * @smac: source
 */
struct rig_packet {
	int port;
	int family;
	u8 proto;
	u8 ttl;
	u16 sport;
	u16 dport;
	struct {
		u8 src[16];
		u8 dst[16];
	} ip;
	int n_tags;
	struct rig_tag tag[RIG_TAGS];
	u16 pppoe;
	u8 dmac[ETH_ALEN];
	u8 smac[ETH_ALEN];
};

/**
 * struct rig_entry - a rule in hardware
 * @list: of those there are
 * @handle: by which the driver will take it out
 * @in: the packets that it is for
 * @out: what leaves
 * @any_port: whatever port they come from
 * @any_tags: whatever tags and session they have
 * @any_ports: whatever their ports of layer 4
 * @has_macs: both MACs are written
 * @decrement: the TTL falls by one
 * @note: what else it does, a word
 * @base: how many packets there had been before it
 */
struct rig_entry {
	struct list_head list;
	u64 handle;
	struct rig_packet in;
	struct rig_packet out;
	bool any_port;
	bool any_tags;
	bool any_ports;
	bool has_macs;
	bool decrement;
	const char *note;
	u64 base;
};

/**
 * struct rig_driver - what a glue file says of its driver
 * @name: of the bus driver
 * @info: what "ethtool -i" says, if not @name
 * @ops: of the netdevs, if the driver knows them by these
 * @priv_size: of netdev_priv()
 * @start: before there are netdevs; @parent is their parent device
 * @setup: fills in the private data, before the netdev is registered
 * @setup_tc: the driver's ndo_setup_tc
 * @bind: for engines that bind late: plays the hardware's part
 * @show: shows the hardware's table, where it is in memory
 * @stop: no timer and no work of the driver's is left
 * @traffic: each entry has been hit by this many packets of 100 bytes
 */
struct rig_driver {
	const char *name;
	const char *info;
	const struct net_device_ops *ops;
	size_t priv_size;
	int (*start)(struct device *parent);
	int (*setup)(struct net_device *dev, int index);
	int (*setup_tc)(struct net_device *dev, enum tc_setup_type type,
			void *data);
	void (*bind)(unsigned long cookie);
	void (*show)(struct seq_file *s);
	void (*stop)(void);
	void (*traffic)(u32 packets);
};

/* The glue's. The driver's own memory stays when the module goes: the driver's
 * ends are not among what is compiled.
 */
extern const struct rig_driver rig_driver;

extern struct net_device *rig_host[RIG_PORTS];

netdev_tx_t rig_xmit(struct sk_buff *skb, struct net_device *dev);
int rig_setup_tc(struct net_device *dev, enum tc_setup_type type, void *data);
int rig_parent_id(struct net_device *dev, struct netdev_phys_item_id *id);

/* Some drivers know their netdevs by their ops: @ops of struct rig_driver. */
#define RIG_NETDEV_OPS					\
	.ndo_start_xmit = rig_xmit,			\
	.ndo_setup_tc = rig_setup_tc,			\
	.ndo_get_port_parent_id = rig_parent_id,	\
	.ndo_set_mac_address = eth_mac_addr,		\
	.ndo_validate_addr = eth_validate_addr

int rig_index(const struct net_device *dev);
long rig_stub(const char *name);

bool rig_is_full(void);
int rig_add(const struct rig_entry *entry);
void rig_del(u64 handle);
void rig_show(struct seq_file *s, const struct rig_entry *entry);
u64 rig_handles(u64 *handles, unsigned int n);
void rig_push(struct rig_packet *packet, u16 tpid, u16 vid);
void rig_pop(struct rig_packet *packet);
void rig_v4(u8 to[16], u32 addr);
void rig_v6(u8 to[16], const u32 words[4]);

u64 rig_packets(void);
u64 rig_seen(u64 handle);
unsigned long rig_last_hit(void);

#endif
