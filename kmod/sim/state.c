// SPDX-License-Identifier: GPL-2.0
/*
 * An adapter's state: what it is, its ports, every entry, the last refusals.
 * Lines of key=value, in files of its debugfs folder.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "sim.h"

static const char * const class_names[] = { "tc", "ft" };

/* --- entries --- */

static void show_mac(struct seq_file *s, const char *name, const u8 *mac,
		     const u8 *mask)
{
	if (!is_zero_ether_addr(mask))
		seq_printf(s, " %s=%pM/%pM", name, mac, mask);
}

static void show_addr(struct seq_file *s, const char *name, bool v6,
		      const __be32 *addr, const __be32 *mask)
{
	__be32 any = mask[0] | mask[1] | mask[2] | mask[3];
	__be32 all = mask[0] & (v6 ? mask[1] & mask[2] & mask[3] : ~(__be32)0);

	if (!any)
		return;
	if (v6)
		seq_printf(s, " %s=%pI6c", name, addr);
	else
		seq_printf(s, " %s=%pI4", name, addr);
	if (~all && v6)
		seq_printf(s, "/%pI6c", mask);
	else if (~all)
		seq_printf(s, "/%pI4", mask);
}

static void show_be16(struct seq_file *s, const char *name, __be16 value,
		      __be16 mask, const char *fmt)
{
	if (!mask)
		return;
	seq_printf(s, " %s=", name);
	seq_printf(s, fmt, ntohs(value));
	if (mask != htons(0xffff))
		seq_printf(s, "/0x%x", ntohs(mask));
}

static void show_tag(struct seq_file *s, const struct sim_rule *rule, int tag)
{
	if (rule->mask.tpid[tag] && !rule->key.tpid[tag]) {
		if (!tag)
			seq_puts(s, " untagged");
		return;
	}
	show_be16(s, tag ? "cvlan_tpid" : "vlan_tpid", rule->key.tpid[tag],
		  rule->mask.tpid[tag], "0x%04x");
	show_be16(s, tag ? "cvlan_tci" : "vlan_tci", rule->key.tci[tag],
		  rule->mask.tci[tag], "%u");
}

static void show_match(struct seq_file *s, const struct sim_rule *rule)
{
	const struct sim_key *key = &rule->key, *mask = &rule->mask;
	bool v6 = key->n_proto == htons(ETH_P_IPV6);

	seq_puts(s, " match:");
	if (mask->in_port)
		seq_printf(s, " in=%u", key->in_port);
	show_mac(s, "eth_dst", key->eth_dst, mask->eth_dst);
	show_mac(s, "eth_src", key->eth_src, mask->eth_src);
	show_tag(s, rule, 0);
	show_tag(s, rule, 1);
	show_be16(s, "n_proto", key->n_proto, mask->n_proto, "0x%04x");
	if (mask->ip_proto)
		seq_printf(s, " ip_proto=%u", key->ip_proto);
	show_addr(s, "src", v6, key->saddr, mask->saddr);
	show_addr(s, "dst", v6, key->daddr, mask->daddr);
	show_be16(s, "sport", key->sport, mask->sport, "%u");
	show_be16(s, "dport", key->dport, mask->dport, "%u");
	show_be16(s, "tcp_flags", key->tcp_flags, mask->tcp_flags, "0x%x");
	if (mask->tos)
		seq_printf(s, " tos=0x%x/0x%x", key->tos, mask->tos);
	if (mask->ttl)
		seq_printf(s, " ttl=%u/0x%x", key->ttl, mask->ttl);
}

static void show_rewrite(struct seq_file *s, const char *header,
			 const struct sim_op *op)
{
	u32 bits = ~op->mask;

	/* As they stand in the packet. */
	seq_printf(s, " %s+%u=%*phN/%*phN", header, op->off, 4, &op->val, 4,
		   &bits);
}

static void show_op(struct seq_file *s, const struct sim_op *op)
{
	switch (op->kind) {
	case SIM_OP_ETH:
		show_rewrite(s, "eth", op);
		break;
	case SIM_OP_L3:
		show_rewrite(s, "ip", op);
		break;
	case SIM_OP_L4:
		show_rewrite(s, "l4", op);
		break;
	case SIM_OP_TTL_DEC:
		seq_puts(s, " ttl_dec");
		break;
	case SIM_OP_VLAN_PUSH:
		seq_printf(s, " vlan_push=0x%04x/%u", ntohs(op->proto), op->tci);
		break;
	case SIM_OP_VLAN_POP:
		seq_puts(s, " vlan_pop");
		break;
	case SIM_OP_VLAN_SET:
		seq_printf(s, " vlan_set=0x%04x/%u", ntohs(op->proto), op->tci);
		break;
	case SIM_OP_PPPOE_PUSH:
		seq_printf(s, " pppoe_push=%u", ntohs(op->proto));
		break;
	case SIM_OP_MIRROR:
		seq_printf(s, " mirror=%u", op->port);
		break;
	}
}

static void show_actions(struct seq_file *s, const struct sim_rule *rule)
{
	int i;

	seq_puts(s, " actions:");
	if (rule->strip)
		seq_puts(s, " strip");
	for (i = 0; i < rule->n_ops; i++)
		show_op(s, &rule->op[i]);
	switch (rule->verdict) {
	case SIM_TO_HOST:
		seq_puts(s, " accept");
		break;
	case SIM_DROP:
		seq_puts(s, " drop");
		break;
	case SIM_FORWARD:
		seq_printf(s, " out=%u", rule->out);
		break;
	}
}

static int entries_show(struct seq_file *s, void *v)
{
	struct sim_entry *e = v;
	u64 now = get_jiffies_64();

	spin_lock_bh(&e->lock);
	seq_printf(s, "cookie=0x%llx port=%u class=%s prio=%u state=%s packets=%llu bytes=%llu age_ms=%llu idle_ms=%llu",
		   e->cookie.cookie, e->port, class_names[e->rule.class],
		   e->rule.prio, e->bound ? "bound" : "unbound", e->packets,
		   e->bytes, jiffies64_to_msecs(now - e->created),
		   jiffies64_to_msecs(now - e->used));
	spin_unlock_bh(&e->lock);
	show_match(s, &e->rule);
	show_actions(s, &e->rule);
	seq_putc(s, '\n');
	return 0;
}

/* RCU from start to stop keeps the entry; *pos is the next entry's number. */
static void *entries_start(struct seq_file *s, loff_t *pos) __acquires(RCU)
{
	struct sim_adapter *ad = s->private;
	unsigned long id = *pos;
	void *e;

	rcu_read_lock();
	e = xa_find(&ad->entries, &id, ULONG_MAX, XA_PRESENT);
	*pos = id;
	return e;
}

static void *entries_next(struct seq_file *s, void *v, loff_t *pos)
{
	struct sim_adapter *ad = s->private;
	unsigned long id = *pos;
	void *e;

	e = xa_find_after(&ad->entries, &id, ULONG_MAX, XA_PRESENT);
	*pos = e ? id : id + 1;
	return e;
}

static void entries_stop(struct seq_file *s, void *v) __releases(RCU)
{
	rcu_read_unlock();
}

static const struct seq_operations entries_sops = {
	.start = entries_start,
	.next = entries_next,
	.stop = entries_stop,
	.show = entries_show,
};

static int entries_open(struct inode *inode, struct file *file)
{
	int err = seq_open(file, &entries_sops);

	if (!err)
		((struct seq_file *)file->private_data)->private = inode->i_private;
	return err;
}

static const struct file_operations entries_fops = {
	.owner = THIS_MODULE,
	.open = entries_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release,
};

/* --- the adapter, its ports, the refusals --- */

static int adapter_show(struct seq_file *s, void *v)
{
	struct sim_adapter *ad = s->private;
	u64 ns = 0;
	int i;

	for (i = 0; i < ad->n_ports; i++)
		ns += atomic64_read(&ad->port[i].ctr[SIM_CTR_CALLBACK_NS]);
	seq_printf(s, "profile=%s\n", ad->profile->name);
	seq_printf(s, "about=%s\n", ad->profile->about);
	seq_printf(s, "ports=%u\n", ad->n_ports);
	seq_printf(s, "entries=%d\n", atomic_read(&ad->n_entries));
	seq_printf(s, "entries_bound=%d\n", atomic_read(&ad->n_bound));
	seq_printf(s, "callback_ns=%llu\n", ns);
	mutex_lock(&ad->lock);
	seq_printf(s, "resets=%llu\n", ad->resets);
	seq_printf(s, "refusals=%llu\n", ad->n_refusals);
	mutex_unlock(&ad->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(adapter);

static int ports_show(struct seq_file *s, void *v)
{
	struct sim_adapter *ad = s->private;
	unsigned int binds[2];
	int i;

	for (i = 0; i < ad->n_ports; i++) {
		struct sim_port *port = &ad->port[i];

		mutex_lock(&ad->lock);
		sim_block_dump_binds(port, binds);
		mutex_unlock(&ad->lock);
		seq_printf(s, "port=%d host=%s host_ifindex=%d wire=%s wire_ifindex=%d link=%s hw_tc_offload=%s tc_blocks=%u ft_blocks=%u\n",
			   i, port->host->name, port->host->ifindex,
			   port->wire->name, port->wire->ifindex,
			   sim_port_is_up(port) ? "up" : "down",
			   port->host->features & NETIF_F_HW_TC ? "on" : "off",
			   binds[SIM_CLASS_TC], binds[SIM_CLASS_FT]);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ports);

static int refusals_show(struct seq_file *s, void *v)
{
	struct sim_adapter *ad = s->private;
	char name[16];
	u64 i;

	mutex_lock(&ad->lock);
	i = ad->n_refusals > SIM_REFUSALS ? ad->n_refusals - SIM_REFUSALS : 0;
	for (; i < ad->n_refusals; i++) {
		const struct sim_refusal *r = &ad->refusals[i % SIM_REFUSALS];

		seq_printf(s, "seq=%llu call=%s port=%u class=%s cookie=0x%llx errno=%s age_ms=%llu why=%s\n",
			   r->seq, r->what, r->port, class_names[r->class],
			   r->cookie, sim_errname(-r->err, name, sizeof(name)),
			   jiffies64_to_msecs(get_jiffies_64() - r->when),
			   r->why ?: "");
	}
	mutex_unlock(&ad->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(refusals);

void sim_state_add(struct sim_adapter *ad)
{
	debugfs_create_file("adapter", 0400, ad->dir, ad, &adapter_fops);
	debugfs_create_file("ports", 0400, ad->dir, ad, &ports_fops);
	debugfs_create_file("entries", 0400, ad->dir, ad, &entries_fops);
	debugfs_create_file("refusals", 0400, ad->dir, ad, &refusals_fops);
}
