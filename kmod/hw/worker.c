// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of drivers, which bring a direction from where it is to where it is
 * wanted, and what is learned from the answers. engine.c decides which
 * directions are worked on, and when.
 */
#include <linux/if_vlan.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include "hw/internal.h"

/* A driver that said that its table is full is asked again after that time. */
#define FULL_PROBE		(2 * HZ)

/* --- calls --- */

/*
 * As in TC: the EtherType of the outermost tag, or of the network layer if
 * there is no tag.
 */
static __be16 tc_protocol_of(const struct nfto_dir *dir)
{
	const struct nfto_nexthop *back = nfto_dir_other(dir)->nh;
	int i;

	for (i = 0; i < back->n_encap; i++)
		if (eth_type_vlan(back->encap[i].proto) &&
		    !(back->stripped & BIT(i)))
			return back->encap[i].proto;
	return dir->ipv6 ? htons(ETH_P_IPV6) : htons(ETH_P_IP);
}

/* The number of calls that tell whether workers get in each other's way. */
#define CROWD		16
#define LEARN_EACH	4

/*
 * A driver with one lock around everything (mtk, airoha) makes workers wait for
 * each other: a call takes longer the more workers there are. The figures are
 * read and written without a lock, because they are averages of times that vary
 * anyway.
 */
static void learn_crowd(struct nfto_port *port, u64 took)
{
	u32 ns = min_t(u64, took, U32_MAX), n = READ_ONCE(port->n_running);

	if (n <= 1) {
		port->alone_ns += ((s64)ns - port->alone_ns) / 8;
		return;
	}
	port->crowd_ns += ((s64)ns - port->crowd_ns) / 8;
	if (++port->n_crowd % CROWD || !port->alone_ns)
		return;
	if (port->crowd_ns / n > port->alone_ns / 4 * 3)
		WRITE_ONCE(port->n_usable, 1);
}

/*
 * Calls the callbacks of a port's block: one, or none if the port is not bound.
 * The block is held while a batch is worked on.
 */
static int call_driver(struct nfto_worker *w, const struct nfto_dir *dir,
		       enum flow_cls_command command, struct flow_rule *rule)
{
	struct nfto_port *port = w->port;
	bool learn = port->n_usable > 1 && !(w->calls++ % LEARN_EACH);
	struct flow_block_cb *cb;
	int err = -ENOENT;
	u64 began;

	w->extack._msg = NULL;
	w->cls.common.extack = &w->extack;
	w->cls.common.protocol = tc_protocol_of(dir);
	/*
	 * Nobody else uses this block and no two entries overlap, so that the
	 * hook's priority, which may be negative, has no meaning here. TC's
	 * priorities begin at 1.
	 */
	w->cls.common.prio = port->kind == NFTO_PORT_KIND_FLOWER;
	w->cls.command = command;
	w->cls.cookie = nfto_dir_cookie(dir);
	w->cls.rule = rule;
	if (command == FLOW_CLS_STATS)
		w->cls.stats = (struct flow_stats){};
	if (learn)
		began = local_clock();
	list_for_each_entry(cb, &port->block.cb_list, list) {
		err = cb->cb(TC_SETUP_CLSFLOWER, &w->cls, cb->cb_priv);
		if (err)
			break;
	}
	if (learn)
		learn_crowd(port, local_clock() - began);
	return err;
}

/* Some drivers answer a positive number when all is well. */
static int call_replace(struct nfto_worker *w, const struct nfto_dir *dir)
{
	int err = call_driver(w, dir, FLOW_CLS_REPLACE, nfto_rule_get(w->rule));

	return err > 0 ? 0 : err;
}

static enum nfto_reason build_and_call(struct nfto_worker *w,
				       const struct nfto_dir *dir, bool ttl,
				       int *err)
{
	enum nfto_reason reason = nfto_rule_build(w->rule, dir,
						  w->port->dialect, ttl);

	if (!reason)
		*err = call_replace(w, dir);
	return reason;
}

/*
 * TC asks for the decrement of the TTL by an action. Drivers whose hardware
 * decrements it unasked refuse that action. Of a driver that nobody knows it is
 * found out: if it refuses, the rule is offered without, and the port remembers
 * which one was accepted.
 */
static enum nfto_reason replace_entry(struct nfto_worker *w,
				      const struct nfto_dir *dir, int *err)
{
	enum nfto_ttl ttl = w->port->dialect->ttl;
	enum nfto_reason reason;

	if (ttl == NFTO_TTL_UNKNOWN)
		ttl = READ_ONCE(w->port->ttl);
	reason = build_and_call(w, dir, ttl != NFTO_TTL_UNASKED, err);
	if (ttl == NFTO_TTL_UNKNOWN && !reason) {
		if (*err == -EOPNOTSUPP || *err == -EINVAL) {
			reason = build_and_call(w, dir, false, err);
			if (!reason && !*err)
				WRITE_ONCE(w->port->ttl, NFTO_TTL_UNASKED);
		} else if (!*err) {
			WRITE_ONCE(w->port->ttl, NFTO_TTL_ACTION);
		}
	}
	if (!reason && *err == -EEXIST) {
		/*
		 * The cookie is a new one. Either somebody left an entry behind
		 * under this number, or another entry has the same match and
		 * may be on its way out.
		 */
		call_driver(w, dir, FLOW_CLS_DESTROY, NULL);
		*err = call_replace(w, dir);
	}
	return reason;
}

static enum nfto_reason reason_of_answer(const struct nfto_dialect *d, int err)
{
	if (err == d->full)
		return NFTO_REASON_FULL;
	switch (err) {
	case -ENOSPC:
		return NFTO_REASON_FULL;
	case -EBUSY:
	case -ENOMEM:
	case -EAGAIN:
	case -EEXIST:
	case -ENOENT:
	case -EINTR:
	case -ETIMEDOUT:
		return NFTO_REASON_BUSY;
	default:
		return NFTO_REASON_REFUSED;
	}
}

/* --- what a direction needs --- */

/*
 * Whether some of the entries that were in when the port was full have left. If
 * none is in, somebody else has the room, and only time can tell.
 */
static bool have_left(const struct nfto_worker *w)
{
	int n = atomic_read(&w->port->n_in);

	return n && n + (int)w->n_adds < READ_ONCE(w->port->full_at);
}

static bool has_room(const struct nfto_worker *w)
{
	struct nfto_port *port = w->port;

	if (!READ_ONCE(port->full_at) || have_left(w))
		return true;
	if (time_before(jiffies, READ_ONCE(port->probe_at)))
		return false;
	WRITE_ONCE(port->probe_at, jiffies + FULL_PROBE);
	return true;
}

/*
 * One that was not even offered, because others were refused just now, is tried
 * again like these. The wheel looks at it again and again as long as it is full.
 */
static void wait_for_room(struct nfto_flow *flow, struct nfto_dir *dir)
{
	if (dir->out_reason == NFTO_REASON_FULL)
		return;
	dir->out_reason = NFTO_REASON_FULL;
	nfto_age_failed(flow);
}

static enum nfto_reason find_obstacle(struct nfto_port *port, struct nfto_dir *dir)
{
	if (dir->nh->no_rule)
		return dir->nh->no_rule;
	if (nfto_dir_other(dir)->nh->no_rule)
		return nfto_dir_other(dir)->nh->no_rule;
	if (!READ_ONCE(port->open))
		return READ_ONCE(port->reason);
	return NFTO_REASON_NONE;
}

/* Under the flow's lock. */
static enum op choose_op(struct nfto_worker *w, struct nfto_flow *flow,
			 struct nfto_dir *dir)
{
	struct nfto_port *port = w->port;
	bool live = flow->flags & NFTO_F_LIVE;
	enum nfto_reason why;

	if (dir->state == NFTO_HW_IN) {
		if (!live || !READ_ONCE(port->open) || dir->doubt)
			return OP_REMOVE;
		return dir->flags & NFTO_D_STATS ? OP_STATS : OP_NONE;
	}
	dir->flags &= ~NFTO_D_STATS;
	if (!live)
		return OP_NONE;
	why = find_obstacle(port, dir);
	if (why) {
		dir->out_reason = why;
		return OP_NONE;
	}
	if (dir->flags & NFTO_D_REFUSED && dir->epoch == port->epoch)
		return OP_NONE;
	if (dir->doubt) {
		dir->out_reason = NFTO_REASON_RULESET_CHECK;
		return OP_NONE;
	}
	if (has_room(w))
		return OP_ADD;
	wait_for_room(flow, dir);
	return OP_NONE;
}

/*
 * Each attempt has a cookie of its own, so that an entry which a driver forgot
 * to take out cannot be mistaken for it.
 *
 * Under the flow's lock. Return: false if there are no more cookies.
 */
static bool new_cookie(struct nfto_flow *flow, struct nfto_dir *dir)
{
	if (flow->gen[dir->reply] == NFTO_GEN_MAX)
		return false;
	flow->gen[dir->reply]++;
	return true;
}

/* Under the flow's lock. Return: what is to be done now; it has begun. */
static enum op decide_op(struct nfto_worker *w, struct nfto_dir *dir)
{
	struct nfto_flow *flow = nfto_flow_of(dir);
	enum op op = choose_op(w, flow, dir);

	if (op == OP_ADD && !new_cookie(flow, dir))
		return OP_END;
	if (op == OP_ADD) {
		nfto_flow_event(dir, NFTO_EV_ADD, NFTO_REASON_WAITING);
		w->n_adds++;
	} else if (op == OP_REMOVE) {
		nfto_flow_event(dir, NFTO_EV_REMOVE, NFTO_REASON_LEAVING);
	}
	return op;
}

/* --- add --- */

static void learn_full(struct nfto_port *port)
{
	spin_lock_bh(&port->lock);
	port->full_at = max(atomic_read(&port->n_in), 1);
	port->probe_at = jiffies + FULL_PROBE;
	spin_unlock_bh(&port->lock);
}

static bool may_pass(enum nfto_reason reason)
{
	return reason == NFTO_REASON_BUSY || reason == NFTO_REASON_FULL ||
	       reason == NFTO_REASON_NEIGHBOUR;
}

/* It is not tried again at once: the wheel does that later, see retry_in(). */
static enum op add_failed(struct nfto_worker *w, struct nfto_dir *dir,
			  enum nfto_reason reason, int err)
{
	struct nfto_flow *flow = nfto_flow_of(dir);
	u16 result = 0;

	if (err) {
		result = nfto_result_get(err, w->extack._msg);
		w->stats.refused++;
	}
	if (reason == NFTO_REASON_FULL)
		learn_full(w->port);
	spin_lock_bh(&flow->lock);
	dir->result = result;
	if (!may_pass(reason)) {
		dir->flags |= NFTO_D_REFUSED;
		dir->epoch = w->port->epoch;
	} else if (dir->tries < NFTO_TRIES_MAX) {
		dir->tries++;
	}
	nfto_flow_event(dir, NFTO_EV_FAILED, reason);
	if (may_pass(reason))
		nfto_age_failed(flow);
	spin_unlock_bh(&flow->lock);
	return OP_NONE;
}

static enum op add_succeeded(struct nfto_worker *w, struct nfto_dir *dir)
{
	int full_at = READ_ONCE(w->port->full_at);
	struct nfto_flow *flow = nfto_flow_of(dir);
	enum op op;

	w->stats.adds++;
	if (atomic_inc_return(&w->port->n_in) > full_at && full_at)
		WRITE_ONCE(w->port->full_at, 0);
	spin_lock_bh(&flow->lock);
	dir->tries = 0;
	dir->result = 0;
	dir->flags &= ~NFTO_D_REFUSED;
	nfto_flow_event(dir, NFTO_EV_ADDED, NFTO_REASON_NONE);
	if (flow->table->counter && nfto_dir_other(dir)->state != NFTO_HW_IN)
		nfto_age_counts(flow);
	op = decide_op(w, dir);
	spin_unlock_bh(&flow->lock);
	return op;
}

static enum op do_add(struct nfto_worker *w, struct nfto_dir *dir)
{
	enum nfto_reason reason;
	int err = 0;

	reason = replace_entry(w, dir, &err);
	w->n_adds--;
	if (!reason && err)
		reason = reason_of_answer(w->port->dialect, err);
	if (reason)
		return add_failed(w, dir, reason, err);
	return add_succeeded(w, dir);
}

/* --- counters --- */

/*
 * The deltas of some drivers underflow (airoha, after an entry was bound
 * again), and the lastused of an mtk entry that was never hit is arbitrary.
 */
#define DELTA_MAX	BIT_ULL(48)

static void take_counts(struct nfto_worker *w, struct nfto_dir *dir)
{
	struct nfto_flow *flow = nfto_flow_of(dir);
	const struct flow_stats *s = &w->cls.stats;

	if (!s->pkts || s->pkts >= DELTA_MAX || s->bytes >= DELTA_MAX)
		return;
	w->stats.packets += s->pkts;
	w->stats.bytes += s->bytes;
	if (!flow->table->counter)
		return;
	flow->count[dir->reply].packets += s->pkts;
	flow->count[dir->reply].bytes += s->bytes;
	nf_ct_acct_add(flow->ct, dir->reply, s->pkts, s->bytes);
}

/* --- remove --- */

/*
 * Drivers answer -ENOENT or -EINVAL for an entry that they do not have, and
 * -ENODEV while they are being removed. After any other refusal the entry may
 * still be there.
 */
static bool is_entry_gone(const struct nfto_worker *w, int err)
{
	return err >= 0 || err == -ENOENT || err == -EINVAL ||
	       err == -ENODEV || err == w->port->dialect->gone;
}

/* What the entry has counted since it was last asked would be lost with it. */
static void take_last_counts(struct nfto_worker *w, struct nfto_dir *dir)
{
	if (!nfto_flow_of(dir)->table->counter)
		return;
	w->stats.queries++;
	if (call_driver(w, dir, FLOW_CLS_STATS, NULL) >= 0)
		take_counts(w, dir);
}

/* Why a direction that was taken out is out. The flow's lock is held. */
static enum nfto_reason why_out(const struct nfto_port *port,
				const struct nfto_dir *dir)
{
	if (!(nfto_flow_of(dir)->flags & NFTO_F_LIVE))
		return NFTO_REASON_LEAVING;
	if (!READ_ONCE(port->open))
		return READ_ONCE(port->reason);
	return dir->doubt ? NFTO_REASON_RULESET_CHECK : NFTO_REASON_WAITING;
}

static enum op do_remove(struct nfto_worker *w, struct nfto_dir *dir)
{
	struct nfto_flow *flow = nfto_flow_of(dir);
	u16 result = 0;
	enum op op;
	bool gone;
	int err;

	take_last_counts(w, dir);
	err = call_driver(w, dir, FLOW_CLS_DESTROY, NULL);
	gone = is_entry_gone(w, err);
	if (gone) {
		atomic_dec(&w->port->n_in);
		w->stats.removes++;
	} else {
		result = nfto_result_get(err, w->extack._msg);
		w->stats.stuck++;
	}
	spin_lock_bh(&flow->lock);
	dir->result = result;
	nfto_flow_event(dir, gone ? NFTO_EV_REMOVED : NFTO_EV_STUCK,
			why_out(w->port, dir));
	op = gone ? decide_op(w, dir) : OP_STUCK;
	spin_unlock_bh(&flow->lock);
	return op;
}

/* --- statistics --- */

static void take_lastused(struct nfto_flow *flow, u64 lastused)
{
	u64 now = get_jiffies_64();
	u32 last = (u32)lastused;

	if (!lastused || now - lastused > U32_MAX / 4)
		return;
	if ((s32)(last - READ_ONCE(flow->last_used)) > 0)
		WRITE_ONCE(flow->last_used, last);
}

/*
 * Asks for all other entries, too; once in two seconds at most, whatever a
 * driver says.
 */
static void lost_all(struct nfto_port *port)
{
	u32 now = (u32)jiffies;

	if (now - READ_ONCE(port->lost_at) < 2 * HZ)
		return;
	WRITE_ONCE(port->lost_at, now);
	queue_work(nfto_wq, &port->lost_work);
}

static enum op do_stats(struct nfto_worker *w, struct nfto_dir *dir)
{
	struct nfto_flow *flow = nfto_flow_of(dir);
	int err = call_driver(w, dir, FLOW_CLS_STATS, NULL);
	bool lost = err == -ENOENT || err == -EINVAL ||
		    (err < 0 && err == w->port->dialect->gone);
	u16 result = 0;
	enum op op;

	w->stats.queries++;
	if (err >= 0) {
		take_counts(w, dir);
		take_lastused(flow, w->cls.stats.lastused);
		if (atomic_read(&w->port->n_lost))
			atomic_set(&w->port->n_lost, 0);
	} else {
		result = nfto_result_get(err, w->extack._msg);
	}
	/*
	 * If the entry is there in spite of that answer, it has to go now:
	 * nobody would know its cookie any more.
	 */
	if (lost)
		lost = is_entry_gone(w, call_driver(w, dir, FLOW_CLS_DESTROY,
						    NULL));
	if (lost) {
		atomic_dec(&w->port->n_in);
		w->stats.lost++;
		if (atomic_inc_return(&w->port->n_lost) >= NFTO_LOST_ALL)
			lost_all(w->port);
	}
	spin_lock_bh(&flow->lock);
	dir->flags &= ~NFTO_D_STATS;
	dir->result = result;
	flow->asked = (u32)jiffies;
	if (lost)
		nfto_flow_event(dir, NFTO_EV_LOST, NFTO_REASON_LOST);
	op = decide_op(w, dir);
	spin_unlock_bh(&flow->lock);
	return op;
}

/* --- offers: directions of no flow, for probe.c --- */

/**
 * nfto_worker_offer() - put in what looks like a direction of a flow
 * @w: a worker of the caller's own; it has the port's block_lock
 * @dir: the direction, of a cookie that no flow has
 * @err: where the driver's answer goes
 * @why: and its sentence
 *
 * Return: why no rule can be made of it, or none.
 */
enum nfto_reason nfto_worker_offer(struct nfto_worker *w,
				   const struct nfto_dir *dir, int *err,
				   const char **why)
{
	enum nfto_reason reason = replace_entry(w, dir, err);

	*why = w->extack._msg;
	if (!reason && !*err)
		atomic_inc(&w->port->n_in);
	return reason;
}

/* Whether the driver knows what it has counted. */
bool nfto_worker_counts(struct nfto_worker *w, const struct nfto_dir *dir)
{
	return call_driver(w, dir, FLOW_CLS_STATS, NULL) >= 0;
}

/* Return: false if the driver keeps it. */
bool nfto_worker_withdraw(struct nfto_worker *w, const struct nfto_dir *dir)
{
	if (!is_entry_gone(w, call_driver(w, dir, FLOW_CLS_DESTROY, NULL)))
		return false;
	atomic_dec(&w->port->n_in);
	return true;
}

/* --- a batch --- */

static void decide_batch(struct nfto_worker *w)
{
	struct nfto_flow *flow;
	unsigned int i;

	local_bh_disable();
	for (i = 0; i < w->n; i++) {
		flow = nfto_flow_of(w->batch[i]);
		spin_lock(&flow->lock);
		w->op[i] = decide_op(w, w->batch[i]);
		spin_unlock(&flow->lock);
	}
	local_bh_enable();
}

/* Return: OP_NONE, or OP_STUCK. */
static enum op work_on_dir(struct nfto_worker *w, struct nfto_dir *dir, enum op op)
{
	for (;;) {
		switch (op) {
		case OP_NONE:
		case OP_STUCK:
			return op;
		case OP_END:
			/* The connection's next packet makes a new flow. */
			nfto_flow_end(nfto_flow_of(dir), NFTO_REASON_WORN_OUT);
			return OP_NONE;
		case OP_ADD:
			op = do_add(w, dir);
			break;
		case OP_REMOVE:
			op = do_remove(w, dir);
			break;
		case OP_STATS:
			op = do_stats(w, dir);
			break;
		}
	}
}

/**
 * nfto_worker_batch() - do what is to be done with each of a batch
 * @w: the worker; what is left to do is in @op: nothing, or to try again
 *
 * Context: process; the port's block_lock is held.
 */
void nfto_worker_batch(struct nfto_worker *w)
{
	unsigned int i;

	decide_batch(w);
	for (i = 0; i < w->n; i++)
		w->op[i] = work_on_dir(w, w->batch[i], w->op[i]);
}

/* --- begin and end --- */

/* Context: process. Return: NULL without memory. */
struct nfto_worker *nfto_worker_alloc(struct nfto_port *port)
{
	struct nfto_worker *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return NULL;
	w->rule = nfto_rule_alloc();
	if (!w->rule) {
		kfree(w);
		return NULL;
	}
	w->port = port;
	return w;
}

/* The worker's work does not run any more. */
void nfto_worker_free(struct nfto_worker *w)
{
	nfto_rule_free(w->rule);
	kfree(w);
}
