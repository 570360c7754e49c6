// SPDX-License-Identifier: GPL-2.0
/*
 * Ageing. Every live flow is in a slot of its netns' wheel, by when there is
 * something to do for it: it may expire, something that failed is to be tried
 * again, or the hardware is to be asked for what it has counted. A flow in
 * hardware expires only after the hardware was asked.
 *
 * Nobody tells of a conntrack entry that was deleted. So once a second all
 * slots are searched for such flows, which is one look at the status of each
 * entry.
 */
#include <linux/random.h>
#include "flow/internal.h"

#define TICK			(HZ / 4)
#define TICKS_PER_SCAN		4
#define SCANS_PER_SECOND	200000
#define STATS_INTERVAL		(10 * HZ)

/*
 * What the hardware says may be that old, because drivers read their counters
 * once a second (mlx5) or have a clock of seconds (mtk).
 */
#define STATS_DELAY		(2 * HZ)
/* A flow of which no packet got through the new ruleset in that time ends. */
#define DENY_AFTER		(5 * HZ)
/* When an answer of the driver that was asked for is looked at. */
#define ANSWER_DELAY		HZ
/* How old an answer may be when a flow ends because of it. */
#define ANSWER_MAX		(4 * HZ)

/* --- the slots --- */

static void put_into_slot(struct nfto_wheel *wheel, struct nfto_flow *flow,
			  unsigned int delay)
{
	unsigned int ticks = DIV_ROUND_UP(delay, TICK);
	struct nfto_slot *slot;

	lockdep_assert_held(&flow->lock);
	ticks = clamp(ticks, 1U, (unsigned int)NFTO_SLOTS - 1);
	ticks = (READ_ONCE(wheel->now) + ticks) % NFTO_SLOTS;
	slot = &wheel->slot[ticks];
	spin_lock(&slot->lock);
	WRITE_ONCE(flow->slot, ticks);
	hlist_add_head(&flow->wheel, &slot->flows);
	spin_unlock(&slot->lock);
}

/**
 * nfto_wheel_add() - a new flow
 * @wheel: the wheel
 * @flow: the flow
 *
 * Context: packet.
 */
void nfto_wheel_add(struct nfto_wheel *wheel, struct nfto_flow *flow)
{
	spin_lock(&flow->lock);
	if (flow->flags & NFTO_F_LIVE) {
		/*
		 * They are spread, so that the flows of one burst do not all
		 * fall into one tick.
		 */
		put_into_slot(wheel, flow,
			      nfto_flow_timeout(flow) + flow->id % 4 * TICK);
	}
	spin_unlock(&flow->lock);
	/*
	 * The hand stops when it sees no flows; the barrier is for that check.
	 */
	atomic_inc_return(&wheel->n_flows);
	if (!delayed_work_pending(&wheel->work))
		queue_delayed_work(nfto_wq, &wheel->work, TICK);
}

/**
 * nfto_wheel_del() - a flow has ended
 * @wheel: the wheel
 * @flow: the flow; not live, so nobody puts it into a slot again
 *
 * Context: bottom halves off.
 */
void nfto_wheel_del(struct nfto_wheel *wheel, struct nfto_flow *flow)
{
	struct nfto_slot *slot;
	bool right;
	u8 index;

	do {
		index = READ_ONCE(flow->slot);
		slot = &wheel->slot[index];
		spin_lock(&slot->lock);
		right = index == flow->slot;
		if (right && !hlist_unhashed(&flow->wheel))
			hlist_del_init(&flow->wheel);
		spin_unlock(&slot->lock);
	} while (!right);
	atomic_dec(&wheel->n_flows);
}

/* When: after 1, 2, 4, ... 32 s, more or less, so that not all come at once. */
#define RETRY_MAX_SHIFT	5

static unsigned int retry_in(const struct nfto_flow *flow)
{
	unsigned int i, delay, min = UINT_MAX;

	for (i = 0; i < IP_CT_DIR_MAX; i++) {
		if (!nfto_engine_may_try(&flow->dir[i]))
			continue;
		delay = HZ;
		/* Of a full port one flow at a time asks, see has_room(). */
		if (flow->dir[i].out_reason != NFTO_REASON_FULL)
			delay <<= min_t(u8, flow->dir[i].tries, RETRY_MAX_SHIFT);
		delay -= get_random_u32() % (delay / 2);
		min = min(min, delay);
	}
	return min;
}

/*
 * If the hand is looking at the flow just now, it will put the flow into the
 * right slot itself.
 */
static void move_to_slot(struct nfto_flow *flow, unsigned int delay)
{
	struct nfto_wheel *wheel = &flow->table->net->wheel;
	struct nfto_slot *slot;
	bool was_there;

	lockdep_assert_held(&flow->lock);
	if (!(flow->flags & NFTO_F_LIVE))
		return;
	/* Only who holds the flow's lock moves it to another slot. */
	slot = &wheel->slot[flow->slot];
	spin_lock(&slot->lock);
	was_there = !hlist_unhashed(&flow->wheel);
	if (was_there)
		hlist_del_init(&flow->wheel);
	spin_unlock(&slot->lock);
	if (was_there)
		put_into_slot(wheel, flow, delay);
}

void nfto_age_failed(struct nfto_flow *flow)
{
	unsigned int delay = retry_in(flow);

	/* Not if it was put in doubt meanwhile. */
	if (delay != UINT_MAX)
		move_to_slot(flow, delay);
}

/* What is to be tried again before that is not put off by it. */
static void look_within(struct nfto_flow *flow, unsigned int delay)
{
	move_to_slot(flow, min(delay, retry_in(flow)));
}

void nfto_age_counts(struct nfto_flow *flow)
{
	look_within(flow, STATS_INTERVAL);
}

void nfto_age_await_verdict(struct nfto_dir *dir)
{
	struct nfto_flow *flow = nfto_flow_of(dir);

	spin_lock_bh(&flow->lock);
	if (dir->doubt == NFTO_DOUBT_NEW) {
		dir->doubt = NFTO_DOUBT_ASKED;
		flow->asked = (u32)jiffies;
		look_within(flow, DENY_AFTER);
	}
	spin_unlock_bh(&flow->lock);
}

/* --- a look --- */

static bool any_in(const struct nfto_flow *flow)
{
	return flow->dir[0].state == NFTO_HW_IN ||
	       flow->dir[1].state == NFTO_HW_IN;
}

static bool is_being_asked(const struct nfto_flow *flow)
{
	return (flow->dir[0].flags | flow->dir[1].flags) & NFTO_D_STATS;
}

/*
 * Since the ruleset has changed, packets have come by, but none has reached
 * "flow add". If one of either direction did, the flow stays, and the packets
 * that are not let through take the slow path: a new flow would not know of
 * rules behind "flow add" or of rules for the other direction.
 */
static bool is_waiting(const struct nfto_flow *flow)
{
	u8 one = flow->dir[0].doubt, other = flow->dir[1].doubt;

	return one && other && max(one, other) == NFTO_DOUBT_ASKED;
}

/* The flow's lock is held. Return: directions to queue, a bit for each. */
static unsigned int ask_for_counts(struct nfto_flow *flow)
{
	unsigned int kick = 0;
	int i;

	for (i = 0; i < IP_CT_DIR_MAX; i++) {
		if (flow->dir[i].state == NFTO_HW_IN) {
			flow->dir[i].flags |= NFTO_D_STATS;
			kick |= BIT(i);
		}
	}
	return kick;
}

static unsigned int dirs_to_retry(struct nfto_flow *flow)
{
	unsigned int kick = 0;
	int i;

	for (i = 0; i < IP_CT_DIR_MAX; i++)
		if (nfto_engine_may_try(&flow->dir[i]))
			kick |= BIT(i);
	return kick;
}

static enum nfto_reason why_expire(const struct nfto_flow *flow, u32 idle,
				   u32 timeout, u32 now)
{
	if (nf_ct_is_dying(flow->ct))
		return NFTO_REASON_CT_GONE;
	if (is_waiting(flow) && now - flow->asked >= DENY_AFTER)
		return NFTO_REASON_RULESET_DENIED;
	if (idle < timeout)
		return NFTO_REASON_NONE;
	if (!any_in(flow))
		return NFTO_REASON_EXPIRED;
	/*
	 * The hardware has the last word, and its answer must not be an old
	 * one: neither from before the flow could expire, nor from when the
	 * time-out was longer.
	 */
	if (idle >= timeout + STATS_DELAY && !is_being_asked(flow) &&
	    now - flow->asked <= min_t(u32, idle - timeout - STATS_DELAY,
				       ANSWER_MAX))
		return NFTO_REASON_EXPIRED;
	return NFTO_REASON_NONE;
}

static bool wants_stats(const struct nfto_flow *flow, u32 idle, u32 timeout,
			u32 now)
{
	if (!any_in(flow) || is_being_asked(flow))
		return false;
	return idle >= timeout + STATS_DELAY ||
	       (flow->table->counter && now - flow->asked >= STATS_INTERVAL);
}

/* The flow's lock is held. Return: in how many jiffies to look again. */
static unsigned int look_in(const struct nfto_flow *flow, u32 idle, u32 timeout,
			    u32 now)
{
	unsigned int delay, asked = now - flow->asked;

	if (is_being_asked(flow))
		return ANSWER_DELAY;
	delay = timeout + (any_in(flow) ? STATS_DELAY : 0);
	delay = delay > idle ? delay - idle : 1;
	if (any_in(flow) && flow->table->counter)
		delay = min_t(u32, delay,
			      asked < STATS_INTERVAL ? STATS_INTERVAL - asked : 1);
	if (is_waiting(flow))
		delay = min_t(u32, delay,
			      asked < DENY_AFTER ? DENY_AFTER - asked : 1);
	return flow->table->hw ? min(delay, retry_in(flow)) : delay;
}

static void extend_ct(struct nf_conn *ct)
{
	if (nf_ct_expires(ct) < NF_CT_DAY / 2)
		WRITE_ONCE(ct->timeout, nfct_time_stamp + NF_CT_DAY);
}

/*
 * Below the lock of a flow that is live: the caller may have found it below RCU
 * only, and the queue takes a reference.
 */
static void kick_some(struct nfto_flow *flow, unsigned int kick)
{
	lockdep_assert_held(&flow->lock);
	if (kick & BIT(0))
		nfto_engine_kick(&flow->dir[0]);
	if (kick & BIT(1))
		nfto_engine_kick(&flow->dir[1]);
}

/* A reference is held, and the flow is in no slot. */
static void look_at_flow(struct nfto_wheel *wheel, struct nfto_flow *flow)
{
	u32 now = (u32)jiffies, timeout = nfto_flow_timeout(flow), idle;
	enum nfto_reason end;
	unsigned int kick = 0;

	spin_lock_bh(&flow->lock);
	if (!(flow->flags & NFTO_F_LIVE)) {
		spin_unlock_bh(&flow->lock);
		return;
	}
	/*
	 * A packet that comes just now may be ahead of the clock that was read.
	 */
	idle = max_t(s32, now - READ_ONCE(flow->last_used), 0);
	end = why_expire(flow, idle, timeout, now);
	if (!end && flow->table->hw) {
		if (wants_stats(flow, idle, timeout, now))
			kick = ask_for_counts(flow);
		kick |= dirs_to_retry(flow);
		kick_some(flow, kick);
	}
	put_into_slot(wheel, flow, look_in(flow, idle, timeout, now));
	spin_unlock_bh(&flow->lock);

	if (end) {
		nfto_flow_end(flow, end);
		return;
	}
	extend_ct(flow->ct);
}

void nfto_age_suspect(struct nfto_flow *flow)
{
	spin_lock_bh(&flow->lock);
	if (flow->flags & NFTO_F_LIVE && !is_being_asked(flow))
		kick_some(flow, ask_for_counts(flow));
	spin_unlock_bh(&flow->lock);
}

bool nfto_age_offer(struct nfto_flow *flow)
{
	unsigned int kick;
	int i;

	spin_lock_bh(&flow->lock);
	for (i = 0; i < IP_CT_DIR_MAX; i++) {
		flow->dir[i].flags &= ~NFTO_D_REFUSED;
		flow->dir[i].tries = 0;
	}
	kick = flow->flags & NFTO_F_LIVE ? dirs_to_retry(flow) : 0;
	kick_some(flow, kick);
	spin_unlock_bh(&flow->lock);
	return kick;
}

/* Return: the first of a list that the slot's lock protects, a reference; or NULL. */
static struct nfto_flow *pop_from_list(struct nfto_slot *slot,
				       struct hlist_head *list)
{
	struct nfto_flow *flow = NULL;

	spin_lock_bh(&slot->lock);
	if (!hlist_empty(list)) {
		flow = hlist_entry(list->first, struct nfto_flow, wheel);
		hlist_del_init(&flow->wheel);
		/*
		 * A flow that has ended drops its live reference after it was
		 * taken out of its slot, for which it needs this lock.
		 */
		refcount_inc(&flow->ref);
	}
	spin_unlock_bh(&slot->lock);
	return flow;
}

static void turn_wheel(struct nfto_wheel *wheel)
{
	struct nfto_slot *slot = &wheel->slot[wheel->now];
	struct nfto_flow *flow;

	while ((flow = pop_from_list(slot, &slot->flows))) {
		look_at_flow(wheel, flow);
		nfto_flow_put(flow);
		cond_resched();
	}
	WRITE_ONCE(wheel->now, (wheel->now + 1) % NFTO_SLOTS);
}

/*
 * One that is in a list of this kind is out of its slot's list, and still counts as
 * in the slot: whoever takes it out of the slot takes it out of here, under the same
 * lock.
 */
static void find_gone(struct nfto_slot *slot, struct hlist_head *gone)
{
	struct nfto_flow *flow;
	struct hlist_node *tmp;

	spin_lock_bh(&slot->lock);
	hlist_for_each_entry_safe(flow, tmp, &slot->flows, wheel) {
		if (likely(!nf_ct_is_dying(flow->ct)))
			continue;
		hlist_del_init(&flow->wheel);
		hlist_add_head(&flow->wheel, gone);
	}
	spin_unlock_bh(&slot->lock);
}

/* Ends the flows whose connection was deleted; one look at each of the slot. */
static void scan_slot(struct nfto_slot *slot)
{
	HLIST_HEAD(gone);
	struct nfto_flow *flow;

	find_gone(slot, &gone);
	while ((flow = pop_from_list(slot, &gone))) {
		nfto_flow_end(flow, NFTO_REASON_CT_GONE);
		nfto_flow_put(flow);
		cond_resched();
	}
	cond_resched();
}

/*
 * Searches a part of the wheel with each tick; a smaller part if there are very
 * many flows.
 */
static void scan_for_gone(struct nfto_wheel *wheel)
{
	unsigned int n = max(atomic_read(&wheel->n_flows), 1);
	unsigned int slots = NFTO_SLOTS / TICKS_PER_SCAN;

	if (n > SCANS_PER_SECOND)
		slots = max_t(u64, div_u64((u64)slots * SCANS_PER_SECOND, n), 1);
	while (slots--) {
		scan_slot(&wheel->slot[wheel->scan]);
		wheel->scan = (wheel->scan + 1) % NFTO_SLOTS;
	}
}

/*
 * Turns on as long as there are flows; a late hand catches up, within reason. Of one
 * that has stood for very long, @next may seem to be in the future (32 bits).
 */
static void move_hand(struct work_struct *work)
{
	struct nfto_wheel *wheel = container_of(to_delayed_work(work),
						struct nfto_wheel, work);
	struct nfto_net *nn = container_of(wheel, struct nfto_net, wheel);
	unsigned int n;

	if (!time_in_range(jiffies, wheel->next - TICK,
			   wheel->next + NFTO_SLOTS * TICK))
		wheel->next = jiffies;
	for (n = 0; n < NFTO_SLOTS && time_after_eq(jiffies, wheel->next); n++) {
		turn_wheel(wheel);
		wheel->next += TICK;
	}
	scan_for_gone(wheel);
	nfto_recent_tick(nn);
	nfto_check_later(nn);
	if (atomic_read(&wheel->n_flows))
		queue_delayed_work(nfto_wq, &wheel->work,
				   max_t(long, wheel->next - jiffies, 1));
}

void nfto_wheel_init(struct nfto_wheel *wheel)
{
	int i;

	for (i = 0; i < NFTO_SLOTS; i++) {
		spin_lock_init(&wheel->slot[i].lock);
		INIT_HLIST_HEAD(&wheel->slot[i].flows);
	}
	wheel->next = jiffies;
	INIT_DELAYED_WORK(&wheel->work, move_hand);
}

void nfto_wheel_exit(struct nfto_wheel *wheel)
{
	cancel_delayed_work_sync(&wheel->work);
}

#ifdef NFTO_SELFTEST
#include "selftest/age.c"
#endif
