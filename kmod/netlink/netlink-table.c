// SPDX-License-Identifier: GPL-2.0
/* Tables, ports and their totals, by netlink. */
#include <linux/rtnetlink.h>
#include <net/netfilter/nf_tables.h>
#include "netlink/internal.h"

/* --- totals --- */

/* Context: any; the table cannot go away. */
void nfto_totals_add(struct nfto_totals *totals, const struct nfto_table *table)
{
	const struct nfto_table_cpu *c;
	unsigned int i;
	int cpu;

	totals->tables++;
	totals->flows += atomic_read(&table->n_flows);
	for_each_possible_cpu(cpu) {
		c = per_cpu_ptr(table->cpu, cpu);
		totals->packets += READ_ONCE(c->packets);
		totals->bytes += READ_ONCE(c->bytes);
		for (i = 0; i <= NFTO_REASON_MAX; i++)
			totals->reason[i] += READ_ONCE(c->reason[i]);
	}
}

/* Context: process. */
void nfto_totals_of(struct nfto_totals *totals, struct nfto_net *nn)
{
	struct nfto_port_stats stats;
	struct nfto_table *table;
	struct nfto_port *port;

	memset(totals, 0, sizeof(*totals));
	mutex_lock(&nn->lock);
	list_for_each_entry(table, &nn->tables, list)
		nfto_totals_add(totals, table);
	list_for_each_entry(port, &nn->ports, list) {
		nfto_engine_stats(port, &stats);
		totals->ports++;
		totals->in_hardware += atomic_read(&port->n_in);
		totals->hw_packets += stats.packets;
		totals->hw_bytes += stats.bytes;
	}
	mutex_unlock(&nn->lock);
}

/* --- what was forwarded lately --- */

/* So often drivers are asked what they have counted. */
#define MOMENT		(10 * HZ)

/* Context: process, while there are flows. */
void nfto_recent_tick(struct nfto_net *nn)
{
	struct nfto_moment *last = &nn->recent[1];
	struct nfto_totals t;

	if (last->at && time_before(jiffies, last->at + MOMENT))
		return;
	nfto_totals_of(&t, nn);
	mutex_lock(&nn->lock);
	nn->recent[0] = *last;
	*last = (struct nfto_moment) {
		.at = jiffies ?: 1,
		.packets = t.packets,
		.bytes = t.bytes,
		.hw_packets = t.hw_packets,
		.hw_bytes = t.hw_bytes,
	};
	mutex_unlock(&nn->lock);
}

/*
 * The older moment, if it is of that time: nothing keeps them while there are no
 * flows. What a table or port that went had forwarded is not in the totals any
 * more: then there is nothing to compare with.
 */
static bool moment_of(struct nfto_moment *m, struct nfto_net *nn,
		      const struct nfto_totals *t)
{
	mutex_lock(&nn->lock);
	*m = nn->recent[0].at ? nn->recent[0] : nn->recent[1];
	mutex_unlock(&nn->lock);
	return m->at && time_after(jiffies, m->at) &&
	       time_before(jiffies, m->at + 3 * MOMENT) &&
	       t->packets >= m->packets && t->bytes >= m->bytes &&
	       t->hw_packets >= m->hw_packets && t->hw_bytes >= m->hw_bytes;
}

static int put_recent(struct sk_buff *skb, struct nfto_net *nn,
		      const struct nfto_totals *t)
{
	struct nfto_moment m;

	if (!moment_of(&m, nn, t))
		return 0;
	if (nla_put_u32(skb, NFTO_A_STATS_RECENT_MS,
			jiffies_to_msecs(jiffies - m.at)) ||
	    nla_put_u64_64bit(skb, NFTO_A_STATS_RECENT_PACKETS,
			      t->packets - m.packets, NFTO_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, NFTO_A_STATS_RECENT_BYTES,
			      t->bytes - m.bytes, NFTO_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, NFTO_A_STATS_RECENT_HW_PACKETS,
			      t->hw_packets - m.hw_packets, NFTO_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, NFTO_A_STATS_RECENT_HW_BYTES,
			      t->hw_bytes - m.hw_bytes, NFTO_A_STATS_PAD))
		return -EMSGSIZE;
	return 0;
}

/* --- totals, shown --- */

static int put_reasons(struct sk_buff *skb, int attr, const u64 *reason)
{
	struct nlattr *nest;
	unsigned int i;

	for (i = 0; i <= NFTO_REASON_MAX; i++) {
		if (!reason[i])
			continue;
		nest = nla_nest_start(skb, attr);
		if (!nest ||
		    nla_put_u32(skb, NFTO_A_REASON_COUNT_REASON, i) ||
		    nla_put_u64_64bit(skb, NFTO_A_REASON_COUNT_COUNT,
				      reason[i], NFTO_A_REASON_COUNT_PAD))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

/**
 * struct shown - what stats-get answers
 * @totals: these
 * @nn: of this netns
 */
struct shown {
	struct nfto_totals totals;
	struct nfto_net *nn;
};

static int fill_stats(struct sk_buff *skb, const void *object)
{
	const struct shown *shown = object;
	const struct nfto_totals *t = &shown->totals;

	if (nla_put_u32(skb, NFTO_A_STATS_FLOWTABLES, t->tables) ||
	    nla_put_u32(skb, NFTO_A_STATS_PORTS, t->ports) ||
	    nla_put_u32(skb, NFTO_A_STATS_FLOWS, t->flows) ||
	    nla_put_u32(skb, NFTO_A_STATS_IN_HARDWARE, t->in_hardware) ||
	    nla_put_u64_64bit(skb, NFTO_A_STATS_PACKETS, t->packets,
			      NFTO_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, NFTO_A_STATS_BYTES, t->bytes,
			      NFTO_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, NFTO_A_STATS_HW_PACKETS, t->hw_packets,
			      NFTO_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, NFTO_A_STATS_HW_BYTES, t->hw_bytes,
			      NFTO_A_STATS_PAD))
		return -EMSGSIZE;
	return put_reasons(skb, NFTO_A_STATS_REASONS, t->reason) ?:
	       put_recent(skb, shown->nn, t);
}

int nfto_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct shown shown = { .nn = nfto_net_of(genl_info_net(info)) };

	nfto_totals_of(&shown.totals, shown.nn);
	return nfto_nl_answer(info, fill_stats, &shown);
}

/* --- ports --- */

static int put_port_stats(struct sk_buff *skb, const struct nfto_port_stats *s)
{
	const struct {
		int attr;
		u64 value;
	} all[] = {
		{ NFTO_A_PORT_ACCEPTED, s->adds },
		{ NFTO_A_PORT_REFUSED, s->refused },
		{ NFTO_A_PORT_REMOVED, s->removes },
		{ NFTO_A_PORT_STUCK, s->stuck },
		{ NFTO_A_PORT_QUERIES, s->queries },
		{ NFTO_A_PORT_LOST, s->lost },
		{ NFTO_A_PORT_PACKETS, s->packets },
		{ NFTO_A_PORT_BYTES, s->bytes },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (nla_put_u64_64bit(skb, all[i].attr, all[i].value,
				      NFTO_A_PORT_PAD))
			return -EMSGSIZE;
	return 0;
}

static int put_port_driver(struct sk_buff *skb, const struct nfto_port *port)
{
	bool bound = READ_ONCE(port->state) == NFTO_PORT_STATE_BOUND;
	u32 block = READ_ONCE(port->choice);
	char driver[NFTO_DRIVER_LEN];

	strscpy(driver, port->driver, sizeof(driver));
	if ((driver[0] && nla_put_string(skb, NFTO_A_PORT_DRIVER, driver)) ||
	    (block && nla_put_u32(skb, NFTO_A_PORT_BLOCK, block)) ||
	    (!bound && nla_put_u32(skb, NFTO_A_PORT_REASON,
				   READ_ONCE(port->reason))))
		return -EMSGSIZE;
	return 0;
}

/*
 * net->lock is held, or in an event RTNL. An answer goes without RTNL: a driver
 * that takes its time to bind would keep readers waiting. State, kind, error and
 * name may be of two moments.
 */
int nfto_nl_fill_port(struct sk_buff *skb, const void *object)
{
	const struct nfto_port *port = object;
	struct nfto_port_stats stats;
	int error = READ_ONCE(port->error), ignored;
	u32 full_at = READ_ONCE(port->full_at);
	char name[IFNAMSIZ];
	const char *why;

	nfto_engine_stats(port, &stats);
	strscpy(name, port->name, sizeof(name));
	why = nfto_result_text(READ_ONCE(port->result), &ignored);
	if (nla_put_u32(skb, NFTO_A_PORT_IFINDEX, port->ifindex) ||
	    nla_put_string(skb, NFTO_A_PORT_NAME, name) ||
	    nla_put_u32(skb, NFTO_A_PORT_STATE, READ_ONCE(port->state)) ||
	    nla_put_u32(skb, NFTO_A_PORT_KIND, READ_ONCE(port->kind)) ||
	    (error && nla_put_u32(skb, NFTO_A_PORT_ERRNO, -error)) ||
	    (error && why && nla_put_string(skb, NFTO_A_PORT_WHY, why)) ||
	    nla_put_u32(skb, NFTO_A_PORT_USERS, port->users) ||
	    nla_put_u32(skb, NFTO_A_PORT_IN_HARDWARE, atomic_read(&port->n_in)) ||
	    (full_at && nla_put_u32(skb, NFTO_A_PORT_FULL_AT, full_at)) ||
	    nla_put_u32(skb, NFTO_A_PORT_QUEUED, READ_ONCE(port->n_queued)) ||
	    nla_put_u32(skb, NFTO_A_PORT_WORKERS, READ_ONCE(port->n_usable)))
		return -EMSGSIZE;
	return put_port_driver(skb, port) ?: put_port_stats(skb, &stats);
}

/* That of a device that is gone only where there is no other. */
static struct nfto_port *port_of(const struct nfto_net *nn, int ifindex)
{
	struct nfto_port *port, *found = NULL;

	list_for_each_entry(port, &nn->ports, list)
		if (port->ifindex == ifindex &&
		    (!found || found->state == NFTO_PORT_STATE_GONE))
			found = port;
	return found;
}

int nfto_nl_port_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nfto_net *nn = nfto_net_of(genl_info_net(info));
	struct nfto_port *port;
	int err;

	if (!info->attrs[NFTO_A_PORT_IFINDEX]) {
		NL_SET_ERR_MSG(info->extack, "The port's ifindex is missing");
		return -EINVAL;
	}
	mutex_lock(&nn->lock);
	port = port_of(nn, nla_get_u32(info->attrs[NFTO_A_PORT_IFINDEX]));
	if (port) {
		err = nfto_nl_answer(info, nfto_nl_fill_port, port);
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[NFTO_A_PORT_IFINDEX],
				    "No flowtable with \"flags offload\" has this device");
		err = -ENODEV;
	}
	mutex_unlock(&nn->lock);
	return err;
}

/**
 * struct setting - what port-set answers
 * @dev: the device
 * @port: the port that it is, or NULL
 * @block: what was said
 * @told: of its driver
 */
struct setting {
	const struct net_device *dev;
	const struct nfto_port *port;
	u32 block;
	struct nfto_port_told told;
};

/* RTNL and net->lock are held. */
static int fill_setting(struct sk_buff *skb, const void *object)
{
	const struct setting *s = object;

	if (s->told.harm && nla_put_string(skb, NFTO_A_PORT_HARM, s->told.harm))
		return -EMSGSIZE;
	if (s->port)
		return nfto_nl_fill_port(skb, s->port);
	if (nla_put_u32(skb, NFTO_A_PORT_IFINDEX, s->dev->ifindex) ||
	    nla_put_string(skb, NFTO_A_PORT_NAME, s->dev->name) ||
	    nla_put_string(skb, NFTO_A_PORT_DRIVER, s->told.driver) ||
	    nla_put_u32(skb, NFTO_A_PORT_BLOCK, s->block))
		return -EMSGSIZE;
	return 0;
}

/* RTNL is held. */
static int set_and_answer(struct genl_info *info)
{
	struct nfto_net *nn = nfto_net_of(genl_info_net(info));
	struct nlattr **attrs = info->attrs;
	int ifindex = nla_get_u32(attrs[NFTO_A_PORT_IFINDEX]);
	struct setting s = { .block = nla_get_u32(attrs[NFTO_A_PORT_BLOCK]) };
	struct net_device *dev;
	int err;

	dev = __dev_get_by_index(genl_info_net(info), ifindex);
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[NFTO_A_PORT_IFINDEX],
				    "There is no such device");
		return -ENODEV;
	}
	err = nfto_port_allow(nn, dev, s.block, &s.told, info->extack);
	if (err)
		return err;
	mutex_lock(&nn->lock);
	s.dev = dev;
	s.port = port_of(nn, ifindex);
	err = nfto_nl_answer(info, fill_setting, &s);
	mutex_unlock(&nn->lock);
	return err;
}

int nfto_nl_port_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = nfto_nl_may_change(skb, info->extack);

	if (err)
		return err;
	if (!info->attrs[NFTO_A_PORT_IFINDEX] || !info->attrs[NFTO_A_PORT_BLOCK]) {
		NL_SET_ERR_MSG(info->extack,
			       "The device's ifindex or what is to be changed is missing: block");
		return -EINVAL;
	}
	rtnl_lock();
	err = set_and_answer(info);
	rtnl_unlock();
	return err;
}

/* The lowest ifindex above @ifindex, or 0. */
static int port_after(const struct nfto_net *nn, int ifindex)
{
	struct nfto_port *port;
	int next = 0;

	list_for_each_entry(port, &nn->ports, list)
		if (port->ifindex > ifindex && (!next || port->ifindex < next))
			next = port->ifindex;
	return next;
}

/* All that have the ifindex, or none: one whose device is gone can share it. */
static int put_ports(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct nfto_net *nn, int ifindex)
{
	unsigned char *before = skb_tail_pointer(skb);
	struct nfto_port *port;

	list_for_each_entry(port, &nn->ports, list) {
		if (port->ifindex != ifindex)
			continue;
		if (nfto_nl_put(skb, cb, nfto_nl_fill_port, port)) {
			nlmsg_trim(skb, before);
			return -EMSGSIZE;
		}
	}
	return 0;
}

/*
 * In the order of their ifindex, the last of which is what is kept from one
 * message to the next: those that come and go meanwhile disturb no others.
 */
int nfto_nl_port_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nfto_net *nn = nfto_net_of(sock_net(cb->skb->sk));
	int ifindex, err = nfto_nl_no_attrs(cb);

	mutex_lock(&nn->lock);
	while (!err && (ifindex = port_after(nn, cb->args[0]))) {
		err = put_ports(skb, cb, nn, ifindex);
		if (!err)
			cb->args[0] = ifindex;
	}
	mutex_unlock(&nn->lock);
	return nfto_nl_dumped(skb, cb, err);
}

/* --- tables --- */

static int put_names(struct sk_buff *skb, const struct nfto_table *table)
{
	const struct nft_flowtable *ft;

	if (!table->ft)
		return 0;
	ft = container_of(table->ft, struct nft_flowtable, data);
	if (nla_put_string(skb, NFTO_A_FLOWTABLE_NAME, ft->name) ||
	    nla_put_string(skb, NFTO_A_FLOWTABLE_TABLE, ft->table->name))
		return -EMSGSIZE;
	return 0;
}

/* net->lock is held. */
static int fill_table(struct sk_buff *skb, const void *object)
{
	const struct nfto_table *table = object;
	const struct nfto_table_dev *td;
	struct nfto_totals totals = {};

	nfto_totals_add(&totals, table);
	if (nla_put_u32(skb, NFTO_A_FLOWTABLE_ID, table->id) ||
	    put_names(skb, table) ||
	    nla_put_u32(skb, NFTO_A_FLOWTABLE_FAMILY, table->family) ||
	    nla_put_s32(skb, NFTO_A_FLOWTABLE_PRIORITY, table->prio) ||
	    (table->hw && nla_put_flag(skb, NFTO_A_FLOWTABLE_OFFLOAD)) ||
	    (table->counter && nla_put_flag(skb, NFTO_A_FLOWTABLE_COUNTER)) ||
	    nla_put_u32(skb, NFTO_A_FLOWTABLE_FLOWS, totals.flows) ||
	    nla_put_u64_64bit(skb, NFTO_A_FLOWTABLE_PACKETS, totals.packets,
			      NFTO_A_FLOWTABLE_PAD) ||
	    nla_put_u64_64bit(skb, NFTO_A_FLOWTABLE_BYTES, totals.bytes,
			      NFTO_A_FLOWTABLE_PAD) ||
	    nla_put_u8(skb, NFTO_A_FLOWTABLE_FOLLOW_RULESET, table->follow))
		return -EMSGSIZE;
	list_for_each_entry(td, &table->devs, list)
		if (nla_put_u32(skb, NFTO_A_FLOWTABLE_DEVICES, td->ifindex))
			return -EMSGSIZE;
	return put_reasons(skb, NFTO_A_FLOWTABLE_REASONS, totals.reason);
}

/*
 * Answers with the table that a request names. @follow: what is to be changed, or
 * NULL; table-get has no such attribute.
 */
static int answer_table(struct genl_info *info, const struct nlattr *follow)
{
	struct nfto_net *nn = nfto_net_of(genl_info_net(info));
	const struct nlattr *id = info->attrs[NFTO_A_FLOWTABLE_ID];
	struct nfto_table *table;
	int err;

	if (!id) {
		NL_SET_ERR_MSG(info->extack, "The flowtable's id is missing");
		return -EINVAL;
	}
	mutex_lock(&nn->lock);
	table = nfto_table_after(nn, nla_get_u32(id) - 1);
	if (table && table->id == nla_get_u32(id)) {
		if (follow)
			WRITE_ONCE(table->follow, nla_get_u8(follow));
		err = nfto_nl_answer(info, fill_table, table);
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack, id,
				    "There is no flowtable of this id");
		err = -ENOENT;
	}
	mutex_unlock(&nn->lock);
	return err;
}

int nfto_nl_flowtable_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return answer_table(info, NULL);
}

int nfto_nl_flowtable_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *follow = info->attrs[NFTO_A_FLOWTABLE_FOLLOW_RULESET];
	int err = nfto_nl_may_change(skb, info->extack);

	if (err)
		return err;
	if (!follow) {
		NL_SET_ERR_MSG(info->extack,
			       "What is to be changed is missing: follow-ruleset");
		return -EINVAL;
	}
	return answer_table(info, follow);
}

int nfto_nl_flowtable_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nfto_net *nn = nfto_net_of(sock_net(cb->skb->sk));
	struct nfto_table *table;
	int err = nfto_nl_no_attrs(cb);

	mutex_lock(&nn->lock);
	while (!err && (table = nfto_table_after(nn, cb->args[0]))) {
		err = nfto_nl_put(skb, cb, fill_table, table);
		if (!err)
			cb->args[0] = table->id;
	}
	mutex_unlock(&nn->lock);
	return nfto_nl_dumped(skb, cb, err);
}
