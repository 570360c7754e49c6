// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what happens, to those who have joined a multicast group. Without any,
 * a look at a bit is all that it costs.
 *
 * Who looks for listeners does so below rcu_read_lock(), and the module and a
 * netns that go wait for a grace period after they have closed this, so that
 * neither the family's groups nor the netns' socket are used after that.
 */
#include "compat/genl-mcast.h"
#include "netlink/internal.h"
#include "trace.h"

/* A flow with all that drivers may say of it. */
#define EVENT_SIZE	2048

static bool is_open __read_mostly;

/* In the order of the generated enum. */
const struct genl_multicast_group nfto_nl_groups[] = {
	{ NFTO_MCGRP_PORTS },
	NFTO_MCGRP_PRIVATE(NFTO_MCGRP_FLOWS)
	NFTO_MCGRP_PRIVATE(NFTO_MCGRP_REFUSALS)
};

const unsigned int nfto_nl_n_groups = ARRAY_SIZE(nfto_nl_groups);

/* Context: process, while the family is there. */
void nfto_nl_events_open(void)
{
	WRITE_ONCE(is_open, true);
}

/* When this returns, there is nobody who tells of anything. Context: process. */
void nfto_nl_events_close(void)
{
	WRITE_ONCE(is_open, false);
	synchronize_rcu();
}

/* Below RCU. */
static bool is_heard(const struct nfto_net *nn, unsigned int group)
{
	return READ_ONCE(is_open) && !READ_ONCE(nn->quiet) &&
	       group < nfto_nl_n_groups &&
	       genl_has_listeners(&nfto_nl_family, nn->net, group);
}

/**
 * struct event - something that has happened
 * @nn: where
 * @group: who is told
 * @cmd: what it is
 * @fill: puts what there is to say
 * @object: of what
 * @arg: what else @fill wants
 */
struct event {
	const struct nfto_net *nn;
	unsigned int group;
	u8 cmd;
	int (*fill)(struct sk_buff *skb, const struct event *event);
	const void *object;
	int arg;
};

static struct sk_buff *message(const struct event *event)
{
	struct sk_buff *skb = genlmsg_new(EVENT_SIZE, GFP_ATOMIC);
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, 0, 0, &nfto_nl_family, 0, event->cmd);
	if (!hdr || event->fill(skb, event)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

/* Those who miss it are told that they do. Context: any. */
static void tell(const struct event *event)
{
	struct sk_buff *skb;

	rcu_read_lock();
	if (is_heard(event->nn, event->group)) {
		skb = message(event);
		if (skb)
			genlmsg_multicast_netns(&nfto_nl_family, event->nn->net,
						skb, 0, event->group,
						GFP_ATOMIC);
		else
			genl_set_err(&nfto_nl_family, event->nn->net, 0,
				     event->group, -ENOBUFS);
	}
	rcu_read_unlock();
}

/* --- flows --- */

static int fill_event_flow(struct sk_buff *skb, const struct event *event)
{
	const struct nfto_flow *flow = event->object;

	if (nfto_nl_fill_flow(skb, flow))
		return -EMSGSIZE;
	return event->arg ? nla_put_u32(skb, NFTO_A_FLOW_END_REASON, event->arg) : 0;
}

void nfto_event_flow(const struct nfto_flow *flow, enum nfto_reason reason)
{
	if (reason)
		trace_nfto_flow_ended(flow);
	else
		trace_nfto_flow_added(flow);
	if (!READ_ONCE(is_open))
		return;
	tell(&(struct event) {
		.nn = flow->table->net,
		.group = NFTO_NLGRP_FLOWS,
		.cmd = reason ? NFTO_CMD_FLOW_END : NFTO_CMD_FLOW_NEW,
		.fill = fill_event_flow,
		.object = flow,
		.arg = reason,
	});
}

static int fill_event_dir(struct sk_buff *skb, const struct event *event)
{
	const struct nfto_dir *dir = event->object;
	const struct nfto_flow *flow = nfto_flow_of(dir);
	struct nlattr *nest;

	if (nla_put_u64_64bit(skb, NFTO_A_FLOW_ID, flow->id, NFTO_A_FLOW_PAD) ||
	    nla_put_u32(skb, NFTO_A_FLOW_FLOWTABLE, flow->table->id) ||
	    nfto_nl_put_tuple(skb, NFTO_A_FLOW_ORIG,
			      &flow->ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple))
		return -EMSGSIZE;
	nest = nla_nest_start(skb, dir->reply ? NFTO_A_FLOW_DIR_REPLY :
						NFTO_A_FLOW_DIR_ORIG);
	if (!nest || nla_put_u32(skb, NFTO_A_DIR_IN_IFINDEX, dir->iif) ||
	    nfto_nl_put_hardware(skb, dir))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Those who listen are told what came of a call of a driver, not of its beginning. */
void nfto_event_dir(const struct nfto_dir *dir, enum nfto_hw was,
		    enum nfto_hw_event event)
{
	trace_nfto_dir(dir, was, event, dir->state);
	/* The self-tests' flows are of no table. */
	if (!READ_ONCE(is_open) || event == NFTO_EV_ADD ||
	    event == NFTO_EV_REMOVE)
		return;
	tell(&(struct event) {
		.nn = nfto_flow_of(dir)->table->net,
		.group = NFTO_NLGRP_FLOWS,
		.cmd = NFTO_CMD_FLOW_HW,
		.fill = fill_event_dir,
		.object = dir,
	});
}

/* --- ports --- */

static int fill_port(struct sk_buff *skb, const struct event *event)
{
	return nfto_nl_fill_port(skb, event->object);
}

void nfto_event_port(const struct nfto_port *port)
{
	trace_nfto_port(port);
	tell(&(struct event) {
		.nn = port->net,
		.group = NFTO_NLGRP_PORTS,
		.cmd = NFTO_CMD_PORT_CHANGE,
		.fill = fill_port,
		.object = port,
	});
}

/* --- refusals --- */

static int fill_event_refusal(struct sk_buff *skb, const struct event *event)
{
	return nfto_nl_fill_refusal(skb, event->object, event->arg);
}

void nfto_event_refusal(const struct nfto_net *nn, const struct nf_conn *ct,
			enum nfto_reason reason,
			const struct nfto_refusal *fresh)
{
	trace_nfto_refuse(ct, reason);
	if (!fresh)
		return;
	tell(&(struct event) {
		.nn = nn,
		.group = NFTO_NLGRP_REFUSALS,
		.cmd = NFTO_CMD_REFUSAL_NEW,
		.fill = fill_event_refusal,
		.object = fresh,
		.arg = smp_processor_id(),
	});
}

/* --- routes: traced only --- */

void nfto_event_routes(const struct nfto_routes_seen *seen)
{
	trace_nfto_routes(seen);
}
