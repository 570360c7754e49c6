// SPDX-License-Identifier: GPL-2.0
/* See rig.h. */
#include <linux/debugfs.h>
#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/pkt_cls.h>
#include "rig.h"

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A network driver's flow offload without its hardware");

#define PACKET_SIZE	100

static const struct rig_driver *const rig = &rig_driver;
struct net_device *rig_host[RIG_PORTS];
static struct net_device *wire[RIG_PORTS];
static const char *const names[RIG_PORTS + 1] = { "lan", "wan", "host" };

/*
 * For trying what a driver would take: what is left out of the rules that it is
 * shown. 1: ADD, 2: CSUM, 4: TCP flags, 8: META, 16: VLAN_POP, 32: CONTROL
 */
static int without;
module_param(without, int, 0444);

long rig_stub(const char *name)
{
	rig_say("stub %s", name);
	return 0;
}

int rig_index(const struct net_device *dev)
{
	return dev == rig_host[1];
}

/* --- what is in hardware --- */

static LIST_HEAD(entries);
static DEFINE_SPINLOCK(entries_lock);
static u32 n_entries;
static u32 capacity;
static u64 n_packets;

bool rig_is_full(void)
{
	return capacity && n_entries >= capacity;
}

int rig_add(const struct rig_entry *entry)
{
	struct rig_entry *e = kmemdup(entry, sizeof(*entry), GFP_ATOMIC);

	if (!e)
		return -ENOMEM;
	e->base = n_packets;
	spin_lock_bh(&entries_lock);
	list_add_tail(&e->list, &entries);
	n_entries++;
	spin_unlock_bh(&entries_lock);
	return 0;
}

void rig_del(u64 handle)
{
	struct rig_entry *e;

	spin_lock_bh(&entries_lock);
	list_for_each_entry(e, &entries, list) {
		if (e->handle != handle)
			continue;
		list_del(&e->list);
		n_entries--;
		kfree(e);
		break;
	}
	spin_unlock_bh(&entries_lock);
}

/* Return: how many there are; up to @n are written. */
u64 rig_handles(u64 *handles, unsigned int n)
{
	struct rig_entry *e;
	unsigned int i = 0;

	spin_lock_bh(&entries_lock);
	list_for_each_entry(e, &entries, list)
		if (i < n)
			handles[i++] = e->handle;
	spin_unlock_bh(&entries_lock);
	return i;
}

void rig_push(struct rig_packet *packet, u16 tpid, u16 vid)
{
	if (packet->n_tags < RIG_TAGS)
		packet->tag[1] = packet->tag[0];
	packet->n_tags = min(packet->n_tags + 1, RIG_TAGS);
	packet->tag[0].tpid = tpid;
	packet->tag[0].vid = vid;
}

void rig_pop(struct rig_packet *packet)
{
	if (!packet->n_tags)
		return;
	packet->tag[0] = packet->tag[1];
	packet->n_tags--;
}

void rig_v4(u8 to[16], u32 addr)
{
	__be32 word = htonl(addr);

	memcpy(to, &word, sizeof(word));
}

void rig_v6(u8 to[16], const u32 words[4])
{
	int i;

	for (i = 0; i < 4; i++)
		rig_v4(to + i * 4, words[i]);
}

static void show_packet(struct seq_file *s, const struct rig_packet *p)
{
	if (p->family == 4)
		seq_printf(s, "src=%pI4 dst=%pI4", p->ip.src, p->ip.dst);
	else
		seq_printf(s, "src=%pI6c dst=%pI6c", p->ip.src, p->ip.dst);
}

static void show_tags(struct seq_file *s, const struct rig_packet *p)
{
	int i;

	seq_puts(s, " tags=");
	for (i = 0; i < p->n_tags; i++)
		seq_printf(s, "%s%04x:%u", i ? "," : "", p->tag[i].tpid,
			   p->tag[i].vid);
	seq_printf(s, " pppoe=%u", p->pppoe);
}

/* One line: the packet that it is for, "becomes", the packet that leaves. */
void rig_show(struct seq_file *s, const struct rig_entry *e)
{
	seq_printf(s, "port=%s proto=%u ",
		   e->any_port ? "any" : names[e->in.port], e->in.proto);
	show_packet(s, &e->in);
	if (e->any_ports)
		seq_puts(s, " sport=any dport=any");
	else
		seq_printf(s, " sport=%u dport=%u", e->in.sport, e->in.dport);
	if (e->any_tags)
		seq_puts(s, " tags=any pppoe=any");
	else
		show_tags(s, &e->in);
	if (e->in.ttl)
		seq_printf(s, " ttl=%u", e->in.ttl);
	seq_printf(s, " becomes port=%s ", names[e->out.port]);
	show_packet(s, &e->out);
	seq_printf(s, " sport=%u dport=%u", e->out.sport, e->out.dport);
	show_tags(s, &e->out);
	if (e->has_macs)
		seq_printf(s, " dmac=%pM smac=%pM", e->out.dmac, e->out.smac);
	if (e->decrement)
		seq_puts(s, " ttl=-1");
	else if (e->out.ttl)
		seq_printf(s, " ttl=%u", e->out.ttl);
	else
		seq_puts(s, " ttl=kept");
	if (e->note)
		seq_printf(s, " note=%s", e->note);
	seq_putc(s, '\n');
}

static int entries_show(struct seq_file *s, void *v)
{
	struct rig_entry *e;

	if (rig->show) {
		rig->show(s);
		return 0;
	}
	spin_lock_bh(&entries_lock);
	list_for_each_entry(e, &entries, list)
		rig_show(s, e);
	spin_unlock_bh(&entries_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(entries);

/* --- traffic in hardware --- */

static unsigned long last_hit;

/* How many packets any entry would have seen, were it there from the beginning. */
u64 rig_packets(void)
{
	return n_packets;
}

/* Of one entry, since it was added. */
u64 rig_seen(u64 handle)
{
	struct rig_entry *e;
	u64 seen = 0;

	spin_lock_bh(&entries_lock);
	list_for_each_entry(e, &entries, list)
		if (e->handle == handle)
			seen = n_packets - e->base;
	spin_unlock_bh(&entries_lock);
	return seen;
}

unsigned long rig_last_hit(void)
{
	return last_hit;
}

static int traffic_set(void *data, u64 packets)
{
	n_packets += packets;
	last_hit = jiffies;
	if (rig->traffic)
		rig->traffic(packets);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(traffic_fops, NULL, traffic_set, "%llu\n");

/* --- the driver's callbacks, listened to --- */

#define COOKIES		256

static struct listener {
	flow_setup_cb_t *cb;
	void *priv;
	struct net_device *dev;
	struct flow_block_cb *block_cb;
	bool unlocked;
} listeners[RIG_PORTS * 4];

/* Calls of a driver that has not said that it does without RTNL. */
static u32 n_calls, n_without_rtnl;

/* Cookies that a driver has accepted, for whoever takes them away unasked. */
static struct cookie {
	struct listener *listener;
	unsigned long value;
} cookies[COOKIES];

static bool is_left_out(const struct flow_action_entry *e)
{
	switch (e->id) {
	case FLOW_ACTION_ADD:
		return without & 1;
	case FLOW_ACTION_CSUM:
		return without & 2;
	case FLOW_ACTION_VLAN_POP:
		return without & 16;
	default:
		return false;
	}
}

/* The rule is the caller's to build again, so it may be changed. */
static void leave_out(struct flow_rule *rule)
{
	unsigned int i, n = 0;

	for (i = 0; i < rule->action.num_entries; i++)
		if (!is_left_out(&rule->action.entries[i]))
			rule->action.entries[n++] = rule->action.entries[i];
	rule->action.num_entries = n;
	if (without & 4)
		rule->match.dissector->used_keys &=
			~BIT_ULL(FLOW_DISSECTOR_KEY_TCP);
	if (without & 8)
		rule->match.dissector->used_keys &=
			~BIT_ULL(FLOW_DISSECTOR_KEY_META);
	if (without & 32)
		rule->match.dissector->used_keys &=
			~BIT_ULL(FLOW_DISSECTOR_KEY_CONTROL);
}

static void note_cookie(struct listener *l, unsigned long value, bool add)
{
	int i;

	for (i = 0; i < COOKIES; i++) {
		if (add ? !cookies[i].listener :
			  cookies[i].listener == l && cookies[i].value == value) {
			cookies[i].listener = add ? l : NULL;
			cookies[i].value = value;
			return;
		}
	}
}

static DEFINE_MUTEX(listen_lock);

static int listen(enum tc_setup_type type, void *type_data, void *cb_priv)
{
	struct flow_cls_offload *cls = type_data;
	struct listener *l = cb_priv;
	int err;

	if (type != TC_SETUP_CLSFLOWER)
		return l->cb(type, type_data, l->priv);
	mutex_lock(&listen_lock);
	n_calls++;
	if (!l->unlocked && !rtnl_is_locked())
		n_without_rtnl++;
	if (cls->command == FLOW_CLS_REPLACE && without)
		leave_out(cls->rule);
	err = l->cb(type, type_data, l->priv);
	rig_say("%s command %u cookie %lx = %d %s", l->dev->name, cls->command,
		cls->cookie, err, cls->common.extack &&
		cls->common.extack->_msg ? cls->common.extack->_msg : "");
	if (err >= 0 && cls->command == FLOW_CLS_REPLACE) {
		note_cookie(l, cls->cookie, true);
		if (rig->bind)
			rig->bind(cls->cookie);
	} else if (cls->command == FLOW_CLS_DESTROY) {
		note_cookie(l, cls->cookie, false);
	}
	mutex_unlock(&listen_lock);
	return err;
}

static int ask(struct listener *l, enum flow_cls_command command,
	       unsigned long cookie)
{
	struct flow_cls_offload cls = { .command = command, .cookie = cookie };
	struct netlink_ext_ack extack = {};

	cls.common.protocol = htons(ETH_P_IP);
	cls.common.prio = 1;
	cls.common.extack = &extack;
	return l->cb(TC_SETUP_CLSFLOWER, &cls, l->priv);
}

/* All entries leave the driver's tables, and nobody is told. */
static int lose_set(void *data, u64 unused)
{
	int i;

	rtnl_lock();
	mutex_lock(&listen_lock);
	for (i = 0; i < COOKIES; i++) {
		if (!cookies[i].listener)
			continue;
		ask(cookies[i].listener, FLOW_CLS_DESTROY, cookies[i].value);
		cookies[i].listener = NULL;
	}
	mutex_unlock(&listen_lock);
	rtnl_unlock();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(lose_fops, NULL, lose_set, "%llu\n");

/* What the driver says of cookies that it never had, and how it was called. */
static int about_show(struct seq_file *s, void *v)
{
	int destroy = 0, stats = 0, i;
	bool bound = false;

	rtnl_lock();
	mutex_lock(&listen_lock);
	for (i = 0; i < ARRAY_SIZE(listeners) && !bound; i++) {
		if (!listeners[i].block_cb)
			continue;
		bound = true;
		destroy = ask(&listeners[i], FLOW_CLS_DESTROY, 0xdead);
		stats = ask(&listeners[i], FLOW_CLS_STATS, 0xdead);
	}
	seq_printf(s, "bound=%d unlocked=%d calls=%u without_rtnl=%u\n", bound,
		   bound && listeners[i - 1].unlocked, n_calls, n_without_rtnl);
	seq_printf(s, "unknown_destroy=%d unknown_stats=%d\n", destroy, stats);
	mutex_unlock(&listen_lock);
	rtnl_unlock();
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(about);

static void attach(struct net_device *dev, struct flow_block_offload *bo,
		   bool unlocked)
{
	struct flow_block_cb *cb;
	int i;

	list_for_each_entry(cb, &bo->cb_list, list) {
		for (i = 0; i < ARRAY_SIZE(listeners); i++) {
			if (listeners[i].block_cb)
				continue;
			listeners[i].cb = cb->cb;
			listeners[i].priv = cb->cb_priv;
			listeners[i].dev = dev;
			listeners[i].block_cb = cb;
			listeners[i].unlocked = unlocked;
			cb->cb = listen;
			cb->cb_priv = &listeners[i];
			break;
		}
	}
}

/* The driver finds its callback by these two. */
static void detach(struct flow_block_offload *bo)
{
	struct flow_block_cb *cb;
	int i;

	list_for_each_entry(cb, &bo->block->cb_list, list) {
		for (i = 0; i < ARRAY_SIZE(listeners); i++) {
			if (listeners[i].block_cb != cb)
				continue;
			cb->cb = listeners[i].cb;
			cb->cb_priv = listeners[i].priv;
			listeners[i].block_cb = NULL;
		}
	}
}

int rig_setup_tc(struct net_device *dev, enum tc_setup_type type, void *data)
{
	struct flow_block_offload *bo = data;
	bool asked, answer;
	int err;

	if (type != TC_SETUP_BLOCK && type != TC_SETUP_FT)
		return -EOPNOTSUPP;
	if (bo->command == FLOW_BLOCK_UNBIND)
		detach(bo);
	asked = bo->unlocked_driver_cb;
	bo->unlocked_driver_cb = false;
	err = rig->setup_tc(dev, type, data);
	answer = bo->unlocked_driver_cb;
	if (!answer)
		bo->unlocked_driver_cb = asked;
	rig_say("%s %s %s = %d", dev->name, type == TC_SETUP_FT ? "FT" : "BLOCK",
		bo->command == FLOW_BLOCK_BIND ? "BIND" : "UNBIND", err);
	/* Flowtables' drivers are called without RTNL, whatever they answer. */
	if (!err && bo->command == FLOW_BLOCK_BIND)
		attach(dev, bo, answer || type == TC_SETUP_FT);
	return err;
}

/* --- netdevs --- */

netdev_tx_t rig_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_forward_skb(wire[rig_index(dev)], skb);
	return NETDEV_TX_OK;
}

static netdev_tx_t wire_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_forward_skb(rig_host[dev == wire[1]], skb);
	return NETDEV_TX_OK;
}

int rig_parent_id(struct net_device *dev, struct netdev_phys_item_id *id)
{
	static const u8 parent_id[] = { 0x72, 0x69, 0x67, 1 };

	id->id_len = sizeof(parent_id);
	memcpy(id->id, parent_id, sizeof(parent_id));
	return 0;
}

static const struct net_device_ops host_ops = { RIG_NETDEV_OPS };

static const struct net_device_ops wire_ops = {
	.ndo_start_xmit = wire_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, rig->info ?: rig->name, sizeof(info->driver));
}

static const struct ethtool_ops host_ethtool_ops = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
};

static struct net_device *make(const char *name, size_t priv,
			       const struct net_device_ops *ops)
{
	static u8 last = 0x10;
	u8 mac[ETH_ALEN] = { 0x02, 0xaa, 0xbb, 0xcc, 0xdd, last++ };
	struct net_device *dev = alloc_etherdev(priv);

	if (!dev)
		return NULL;
	strscpy(dev->name, name, IFNAMSIZ);
	dev->netdev_ops = ops;
	eth_hw_addr_set(dev, mac);
	return dev;
}

/* --- the parent: a device with a driver of the real one's name --- */

static int probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver parent_driver = {
	.probe = probe,
	.driver = { .suppress_bind_attrs = true },
};

static struct platform_device *pdev;

static struct device *make_parent(void)
{
	int err;

	parent_driver.driver.name = rig->name;
	err = platform_driver_register(&parent_driver);
	if (err)
		return ERR_PTR(err);
	pdev = platform_device_register_simple(rig->name, PLATFORM_DEVID_NONE,
					       NULL, 0);
	if (IS_ERR(pdev)) {
		platform_driver_unregister(&parent_driver);
		return ERR_CAST(pdev);
	}
	return &pdev->dev;
}

static struct dentry *dir;

static void make_files(void)
{
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("entries", 0400, dir, NULL, &entries_fops);
	debugfs_create_file("about", 0400, dir, NULL, &about_fops);
	debugfs_create_file("traffic", 0200, dir, NULL, &traffic_fops);
	debugfs_create_file("lose", 0200, dir, NULL, &lose_fops);
	debugfs_create_u32("capacity", 0600, dir, &capacity);
}

static int make_netdevs(struct device *parent)
{
	char name[IFNAMSIZ];
	int i, err;

	for (i = 0; i < RIG_PORTS; i++) {
		rig_host[i] = make(names[i], rig->priv_size,
				   rig->ops ?: &host_ops);
		snprintf(name, sizeof(name), "%sw", names[i]);
		wire[i] = make(name, 0, &wire_ops);
		if (!rig_host[i] || !wire[i])
			return -ENOMEM;
		SET_NETDEV_DEV(rig_host[i], parent);
		rig_host[i]->ethtool_ops = &host_ethtool_ops;
		rig_host[i]->features |= NETIF_F_HW_TC;
		rig_host[i]->hw_features |= NETIF_F_HW_TC;
	}
	for (i = 0; i < RIG_PORTS; i++) {
		err = rig->setup(rig_host[i], i);
		if (err)
			return err;
	}
	for (i = 0; i < RIG_PORTS; i++) {
		err = register_netdev(rig_host[i]) ?: register_netdev(wire[i]);
		if (err)
			return err;
	}
	return 0;
}

static void unregister(struct net_device *dev)
{
	if (dev && dev->reg_state == NETREG_REGISTERED)
		unregister_netdev(dev);
}

static void stop(void)
{
	int i;

	/* Nothing sends any more before anything is freed. */
	for (i = 0; i < RIG_PORTS; i++) {
		unregister(wire[i]);
		unregister(rig_host[i]);
	}
	if (rig->stop)
		rig->stop();
	for (i = 0; i < RIG_PORTS; i++) {
		if (wire[i])
			free_netdev(wire[i]);
		if (rig_host[i])
			free_netdev(rig_host[i]);
	}
	debugfs_remove(dir);
	platform_device_unregister(pdev);
	platform_driver_unregister(&parent_driver);
}

static int __init rig_init(void)
{
	struct device *parent;
	int err;

	parent = make_parent();
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	err = rig->start ? rig->start(parent) : 0;
	if (!err)
		err = make_netdevs(parent);
	if (err) {
		pr_err("rig: %s does not start: %d\n", rig->name, err);
		stop();
		return err;
	}
	make_files();
	return 0;
}
module_init(rig_init);

static void __exit rig_exit(void)
{
	stop();
}
module_exit(rig_exit);
