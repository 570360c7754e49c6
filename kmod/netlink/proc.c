// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/nft_offload: totals of a netns, for everybody. A line for each
 * flowtable, reason and port; after the first words, key=value.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/netfilter/nf_tables.h>
#include "netlink/internal.h"
#include "netlink/netlink-names.h"

#define PROC_NAME	"nft_offload"

/* --- names --- */

struct name {
	unsigned int value;
	const char *name;
};

static const struct name reasons[] = { NFTO_REASON_NAMES };
static const struct name port_states[] = { NFTO_PORT_STATE_NAMES };
static const struct name port_kinds[] = { NFTO_PORT_KIND_NAMES };

static_assert(ARRAY_SIZE(reasons) == NFTO_REASON_MAX + 1);
static_assert(ARRAY_SIZE(port_states) == NFTO_PORT_STATE_MAX + 1);
static_assert(ARRAY_SIZE(port_kinds) == NFTO_PORT_KIND_MAX + 1);

static const char *reason_name(unsigned int reason)
{
	return reason < ARRAY_SIZE(reasons) ? reasons[reason].name : "unknown";
}

const char *nfto_port_state_name(unsigned int state)
{
	return state < ARRAY_SIZE(port_states) ? port_states[state].name :
						 "unknown";
}

const char *nfto_port_kind_name(unsigned int kind)
{
	return kind < ARRAY_SIZE(port_kinds) ? port_kinds[kind].name : "unknown";
}

static const char *family_name(u8 family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	default:
		return "unknown";
	}
}

/* --- lines --- */

/* Names may have anything in them, but for a zero. */
static void show_name(struct seq_file *s, const char *key, const char *name)
{
	seq_printf(s, " %s=", key);
	seq_escape(s, name, " \t\n\\=");
}

static void show_table(struct seq_file *s, const struct nfto_table *table)
{
	const struct nft_flowtable *ft;
	struct nfto_totals t = {};

	nfto_totals_add(&t, table);
	seq_printf(s, "flowtable id=%u family=%s", table->id,
		   family_name(table->family));
	if (table->ft) {
		ft = container_of(table->ft, struct nft_flowtable, data);
		show_name(s, "table", ft->table->name);
		show_name(s, "name", ft->name);
	}
	seq_printf(s, " priority=%d offload=%u counter=%u flows=%u packets=%llu bytes=%llu\n",
		   table->prio, table->hw, table->counter, t.flows, t.packets,
		   t.bytes);
}

static void show_port(struct seq_file *s, const struct nfto_port *port)
{
	struct nfto_port_stats p;
	char name[IFNAMSIZ];

	nfto_engine_stats(port, &p);
	/* RTNL is not held: a driver that binds would keep readers waiting. */
	strscpy(name, port->name, sizeof(name));
	seq_printf(s, "port ifindex=%d", port->ifindex);
	show_name(s, "name", name);
	seq_printf(s, " state=%s kind=%s errno=%d users=%u in_hardware=%u full_at=%u queued=%u workers=%u",
		   nfto_port_state_name(READ_ONCE(port->state)),
		   nfto_port_kind_name(READ_ONCE(port->kind)),
		   -READ_ONCE(port->error), port->users,
		   atomic_read(&port->n_in), READ_ONCE(port->full_at),
		   READ_ONCE(port->n_queued), READ_ONCE(port->n_usable));
	seq_printf(s, " accepted=%llu refused=%llu removed=%llu stuck=%llu queries=%llu lost=%llu packets=%llu bytes=%llu\n",
		   p.adds, p.refused, p.removes, p.stuck, p.queries, p.lost,
		   p.packets, p.bytes);
}

static int show_totals(struct seq_file *s, void *v)
{
	struct nfto_net *nn = nfto_net_of(seq_file_single_net(s));
	struct nfto_totals t = {};
	struct nfto_table *table;
	struct nfto_port *port;
	unsigned int i;

	mutex_lock(&nn->lock);
	list_for_each_entry(table, &nn->tables, list) {
		show_table(s, table);
		nfto_totals_add(&t, table);
	}
	list_for_each_entry(port, &nn->ports, list)
		show_port(s, port);
	mutex_unlock(&nn->lock);
	for (i = 0; i <= NFTO_REASON_MAX; i++)
		if (t.reason[i])
			seq_printf(s, "reason %s %llu\n", reason_name(i),
				   t.reason[i]);
	return 0;
}

int nfto_proc_init(struct net *net)
{
	if (!proc_create_net_single(PROC_NAME, 0444, net->proc_net, show_totals, NULL))
		return -ENOMEM;
	return 0;
}

void nfto_proc_exit(struct net *net)
{
	remove_proc_entry(PROC_NAME, net->proc_net);
}
