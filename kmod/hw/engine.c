// SPDX-License-Identifier: GPL-2.0
/*
 * From what is wanted to what is in the hardware: the queue and its workers.
 * The calls of drivers are in worker.c.
 *
 * Whoever changes what is wanted of a direction queues it at its port. A worker
 * takes it from the queue, looks at what is wanted now and at what is in the
 * hardware, and makes the one call that brings these together; it repeats that
 * until nothing is left to do. So a flow that begins and ends before a worker
 * gets to it never reaches the driver, and no change is lost because another
 * one was under way.
 *
 * Only one worker at a time works on a direction, so that a driver never has
 * two calls for one cookie.
 */
#include "hw/internal.h"

/* So many directions in the queue are worth one more worker. */
#define BACKLOG_PER_WORKER	64
/* Entries that a driver refused to take out are tried again after that time. */
#define STUCK_RETRY		(2 * HZ)

/* --- the queue --- */

static void append_dir(struct nfto_port *port, struct nfto_dir *dir)
{
	dir->next = NULL;
	if (port->head)
		port->tail->next = dir;
	else
		port->head = dir;
	port->tail = dir;
	port->n_queued++;
	port->appended++;
}

/* Under the port's lock: starts another worker if there is work for it. */
static void wake_worker(struct nfto_port *port)
{
	unsigned int i;

	if (port->n_running >= port->n_usable ||
	    port->n_queued <= port->n_running * BACKLOG_PER_WORKER)
		return;
	for (i = 0; i < port->n_workers; i++) {
		if (port->worker[i]->running)
			continue;
		port->worker[i]->running = true;
		port->n_running++;
		/*
		 * If little is queued, wait a moment: more may come and be done
		 * in one go.
		 */
		queue_delayed_work(nfto_wq, &port->worker[i]->work,
				   port->n_queued > BACKLOG_PER_WORKER ? 0 : 1);
		return;
	}
}

void nfto_engine_kick(struct nfto_dir *dir)
{
	struct nfto_port *port = nfto_dir_port(dir);

	if (!port)
		return;
	spin_lock(&port->lock);
	if (dir->queue & NFTO_Q_BUSY) {
		dir->queue |= NFTO_Q_AGAIN;
	} else if (!(dir->queue & NFTO_Q_QUEUED) && port->n_workers) {
		refcount_inc(&nfto_flow_of(dir)->ref);
		dir->queue |= NFTO_Q_QUEUED;
		append_dir(port, dir);
		wake_worker(port);
	}
	spin_unlock(&port->lock);
}

bool nfto_engine_may_try(const struct nfto_dir *dir)
{
	const struct nfto_port *port = nfto_dir_port(dir);

	if (dir->state != NFTO_HW_OUT || dir->doubt || !port ||
	    !READ_ONCE(port->open) || dir->nh->no_rule ||
	    nfto_dir_other(dir)->nh->no_rule)
		return false;
	return !(dir->flags & NFTO_D_REFUSED) ||
	       dir->epoch != READ_ONCE(port->epoch);
}

/*
 * Takes a batch from the queue, with the queue's references; its directions are
 * busy from now on.
 *
 * Return: false if the queue is empty; the worker does not run any more then.
 */
static bool take_batch(struct nfto_worker *w)
{
	struct nfto_port *port = w->port;
	struct nfto_dir *dir;

	w->n = 0;
	spin_lock_bh(&port->lock);
	w->item = port->taken + 1;
	while (w->n < BATCH && (dir = port->head)) {
		port->head = dir->next;
		dir->queue = NFTO_Q_BUSY;
		w->batch[w->n++] = dir;
	}
	port->n_queued -= w->n;
	port->taken += w->n;
	if (!w->n) {
		w->item = 0;
		w->running = false;
		port->n_running--;
	}
	spin_unlock_bh(&port->lock);
	return w->n;
}

/* Return: false if the queue does not keep it. */
static bool give_one_back(struct nfto_port *port, struct nfto_dir *dir,
			  bool stuck)
{
	if (dir->queue & NFTO_Q_AGAIN) {
		dir->queue = NFTO_Q_QUEUED;
		append_dir(port, dir);
		return true;
	}
	if (stuck) {
		dir->queue = NFTO_Q_QUEUED;
		dir->next = port->stuck;
		port->stuck = dir;
		queue_delayed_work(nfto_wq, &port->retry_work, STUCK_RETRY);
		return true;
	}
	dir->queue = 0;
	return false;
}

/* The worker is done with its batch for now. */
static void give_batch_back(struct nfto_worker *w)
{
	struct nfto_port *port = w->port;
	unsigned int i, n = 0;

	spin_lock_bh(&port->lock);
	for (i = 0; i < w->n; i++)
		if (!give_one_back(port, w->batch[i], w->op[i] == OP_STUCK))
			w->batch[n++] = w->batch[i];
	w->item = 0;
	/* Waiters add themselves below the same lock before they look. */
	if (waitqueue_active(&port->progress))
		wake_up_all(&port->progress);
	spin_unlock_bh(&port->lock);
	nfto_flow_put_all(w->batch, n);
}

static void retry_stuck(struct work_struct *work)
{
	struct nfto_port *port = container_of(to_delayed_work(work),
					      struct nfto_port, retry_work);
	struct nfto_dir *dir;

	spin_lock_bh(&port->lock);
	while ((dir = port->stuck)) {
		port->stuck = dir->next;
		append_dir(port, dir);
	}
	wake_worker(port);
	spin_unlock_bh(&port->lock);
}

/* --- a worker --- */

static void run_worker(struct work_struct *work)
{
	struct nfto_worker *w = container_of(to_delayed_work(work),
					     struct nfto_worker, work);

	while (take_batch(w)) {
		down_read(&w->port->block_lock);
		nfto_worker_batch(w);
		up_read(&w->port->block_lock);
		give_batch_back(w);
		cond_resched();
	}
}

/* --- a port's engine --- */

/* Each next hop that leaves from a port. Context: process. */
static void for_nexthops(struct nfto_port *port,
			 void (*visit)(struct nfto_nexthop *nh))
{
	struct nfto_nexthop *nh, *last = NULL;

	for (;;) {
		bool found = false;

		spin_lock_bh(&port->lock);
		nh = last ? list_next_entry(last, port_node) :
			    list_first_entry(&port->nexthops,
					     struct nfto_nexthop, port_node);
		while (&nh->port_node != &port->nexthops && !found) {
			found = refcount_inc_not_zero(&nh->ref);
			if (!found)
				nh = list_next_entry(nh, port_node);
		}
		spin_unlock_bh(&port->lock);
		if (last)
			nfto_nexthop_put(last);
		if (!found)
			return;
		visit(nh);
		last = nh;
	}
}

/*
 * Queues the directions that arrive where this next hop leaves. Those that are
 * linked meanwhile have been queued by whoever links them.
 */
static void kick_nexthop(struct nfto_nexthop *nh)
{
	struct nfto_range range = NFTO_RANGE_ALL;
	struct nfto_flow *flow;

	while ((flow = nfto_nexthop_next(nh, &range))) {
		const struct nfto_dir *dir = range.dir;

		local_bh_disable();
		nfto_engine_kick(nfto_dir_other(dir));
		local_bh_enable();
		nfto_flow_put(flow);
		cond_resched();
	}
}

/*
 * Asks for the entries of its flows that were not asked for since the hardware
 * was seen to have lost others. Context: process.
 */
static void suspect_nexthop(struct nfto_nexthop *nh)
{
	u32 since = READ_ONCE(nh->port->lost_at);
	struct nfto_range range = NFTO_RANGE_ALL;
	struct nfto_flow *flow;

	while ((flow = nfto_nexthop_next(nh, &range))) {
		if ((s32)(READ_ONCE(flow->asked) - since) < 0)
			nfto_age_suspect(flow);
		nfto_flow_put(flow);
		cond_resched();
	}
}

/*
 * The port is there: whoever frees it cancels this work first. Its flows are
 * those of the next hops, of which for_nexthops() holds references.
 */
static void lost_work(struct work_struct *work)
{
	for_nexthops(container_of(work, struct nfto_port, lost_work),
		     suspect_nexthop);
}

/* Context: process, before anybody knows the port. Return: 0 or -ENOMEM. */
int nfto_engine_start(struct nfto_port *port)
{
	unsigned int i, n = min_t(unsigned int, num_online_cpus(),
				  NFTO_WORKERS_MAX);

	init_waitqueue_head(&port->progress);
	INIT_DELAYED_WORK(&port->retry_work, retry_stuck);
	INIT_WORK(&port->lost_work, lost_work);
	port->lost_at = (u32)jiffies - 2 * HZ;
	for (i = 0; i < n; i++) {
		port->worker[i] = nfto_worker_alloc(port);
		if (!port->worker[i])
			break;
		INIT_DELAYED_WORK(&port->worker[i]->work, run_worker);
	}
	port->n_workers = i;
	port->n_usable = i;
	return i ? 0 : -ENOMEM;
}

/*
 * Nobody has a reference of the port any more, so no next hop leads to it and no
 * flow can queue a direction. A worker that has just emptied the queue may still
 * be on its way out.
 *
 * Context: process.
 */
void nfto_engine_free(struct nfto_port *port)
{
	int i;

	cancel_delayed_work_sync(&port->retry_work);
	for (i = 0; i < NFTO_WORKERS_MAX; i++) {
		if (!port->worker[i])
			continue;
		cancel_delayed_work_sync(&port->worker[i]->work);
		nfto_worker_free(port->worker[i]);
	}
	/* Workers queue it. */
	cancel_work_sync(&port->lost_work);
}

/**
 * nfto_engine_kick_all() - have all directions of a port looked at
 * @port: the port
 *
 * Those that come in at it are the others of those that leave from it.
 *
 * Context: process.
 */
void nfto_engine_kick_all(struct nfto_port *port)
{
	for_nexthops(port, kick_nexthop);
}

/* Whether all that was queued up to number @last has been worked on. */
static bool is_queue_done(struct nfto_port *port, u64 last)
{
	bool done;
	int i;

	spin_lock_bh(&port->lock);
	done = port->taken >= last;
	for (i = 0; i < port->n_workers && done; i++)
		done = !port->worker[i]->item || port->worker[i]->item > last;
	spin_unlock_bh(&port->lock);
	return done;
}

static void wait_for_queue(struct nfto_port *port)
{
	u64 last;

	spin_lock_bh(&port->lock);
	last = port->appended;
	spin_unlock_bh(&port->lock);
	wait_event(port->progress, is_queue_done(port, last));
}

/* --- a device is not to be used any more --- */

/* So many are looked at with the port's lock held. */
#define LOOK_MAX	4096

static bool is_by_dev(const struct nfto_dir *dir, int ifindex)
{
	const struct nfto_nexthop *nh = dir->nh;
	int i;

	for (i = 0; i < nh->n_via; i++)
		if (nh->via[i] == ifindex)
			return true;
	return false;
}

static bool touches_dev(const struct nfto_dir *dir, int ifindex)
{
	return is_by_dev(dir, ifindex) || is_by_dev(nfto_dir_other(dir), ifindex);
}

/*
 * The flows have ended, so that what of theirs is in hardware is in the queue, or
 * a worker has it, or the driver has refused to take it out. A queue that is
 * too long to be looked at counts as a whole.
 *
 * Return: the number of the last one in the queue that a device is in the way of,
 * 0: there is none.
 */
static u64 find_last_by_dev(struct nfto_port *port, int ifindex)
{
	const struct nfto_worker *w;
	const struct nfto_dir *dir;
	unsigned int i, j;
	u64 at, last = 0;

	spin_lock_bh(&port->lock);
	for (i = 0; i < port->n_workers; i++) {
		w = port->worker[i];
		for (j = 0; w->item && j < w->n; j++)
			if (touches_dev(w->batch[j], ifindex))
				last = max(last, w->item + j);
	}
	at = port->taken;
	for (dir = port->head; dir; dir = dir->next) {
		at++;
		if (at - port->taken > LOOK_MAX) {
			last = port->appended;
			break;
		}
		if (touches_dev(dir, ifindex))
			last = at;
	}
	spin_unlock_bh(&port->lock);
	return last;
}

/**
 * nfto_engine_flush_dev() - wait until a port's hardware knows nothing of a device
 * @port: the port, of that device or of another one
 * @ifindex: of the device; its flows have ended
 * @until: jiffies after which nothing is waited for
 *
 * Waits for what leads to the device or comes from it, and for what is before that
 * in the queue. What the driver refuses to take out is tried once more.
 *
 * Context: process, with or without RTNL.
 */
void nfto_engine_flush_dev(struct nfto_port *port, int ifindex,
			   unsigned long until)
{
	long left;
	u64 last;

	retry_stuck(&port->retry_work.work);
	/* What was being worked on may be queued again: look again. */
	while ((last = find_last_by_dev(port, ifindex))) {
		left = until - jiffies;
		if (left <= 0 ||
		    !wait_event_timeout(port->progress, is_queue_done(port, last),
					left))
			return;
	}
}

/**
 * nfto_engine_flush() - wait for what is to be done now
 * @port: the port
 *
 * What is queued after this began is not waited for, or it might never end.
 *
 * Context: process, with or without RTNL.
 */
void nfto_engine_flush(struct nfto_port *port)
{
	retry_stuck(&port->retry_work.work);
	wait_for_queue(port);
	/* What was being worked on has been queued again, if need was. */
	wait_for_queue(port);
}

/**
 * nfto_engine_drain() - take every entry of a port out
 * @port: the port; the caller has closed it, so that none comes back
 *
 * Waits for the driver. What it refuses to take out stays, and port->n_in says
 * so.
 *
 * Context: process, with or without RTNL.
 */
void nfto_engine_drain(struct nfto_port *port)
{
	nfto_engine_kick_all(port);
	nfto_engine_flush(port);
}

void nfto_engine_stats(const struct nfto_port *port,
		       struct nfto_port_stats *sum)
{
	unsigned int i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < port->n_workers; i++) {
		const struct nfto_port_stats *s = &port->worker[i]->stats;

		sum->adds += s->adds;
		sum->refused += s->refused;
		sum->removes += s->removes;
		sum->stuck += s->stuck;
		sum->queries += s->queries;
		sum->lost += s->lost;
		sum->packets += s->packets;
		sum->bytes += s->bytes;
	}
}
