// SPDX-License-Identifier: GPL-2.0
/*
 * The adapter's table: entries by cookie for the driver, by masked fields for
 * the pipeline, by number for the state files.
 */
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include "sim.h"

/*
 * The tables never shrink: a benchmark that has filled them once does not
 * measure their growing ever again.
 */
static const struct rhashtable_params cookie_params = {
	.head_offset = offsetof(struct sim_entry, by_cookie),
	.key_offset = offsetof(struct sim_entry, cookie),
	.key_len = sizeof(struct sim_cookie),
};

static const struct rhashtable_params match_params = {
	.head_offset = offsetof(struct sim_entry, by_match),
	.key_offset = offsetof(struct sim_entry, match),
	.key_len = sizeof(struct sim_match),
};

static void masked(struct sim_match *match, const struct sim_key *key,
		   const struct sim_mask *mask)
{
	const u32 *k = (const u32 *)key, *m = (const u32 *)&mask->bits;
	u32 *to = (u32 *)&match->key;
	unsigned int i;

	for (i = 0; i < SIM_KEY_WORDS; i++)
		to[i] = k[i] & m[i];
	match->mask = (unsigned long)mask;
}

static struct sim_mask *mask_get(struct sim_adapter *ad,
				 const struct sim_key *bits)
{
	struct sim_mask *mask;

	list_for_each_entry(mask, &ad->masks, list) {
		if (!memcmp(&mask->bits, bits, sizeof(*bits))) {
			mask->entries++;
			return mask;
		}
	}
	mask = kzalloc(sizeof(*mask), GFP_KERNEL);
	if (!mask)
		return NULL;
	mask->bits = *bits;
	mask->entries = 1;
	list_add_tail_rcu(&mask->list, &ad->masks);
	return mask;
}

static void mask_put(struct sim_mask *mask)
{
	if (--mask->entries)
		return;
	list_del_rcu(&mask->list);
	kfree_rcu(mask, rcu);
}

/* --- changes: process context, under adapter->lock --- */

static void cookie_key(struct sim_cookie *c, const struct sim_port *port,
		       u64 cookie)
{
	memset(c, 0, sizeof(*c));
	c->cookie = cookie;
	c->port = port->adapter->profile->one_db ? U32_MAX : port->index;
}

struct sim_entry *sim_table_find(struct sim_port *port, u64 cookie)
{
	struct sim_adapter *ad = port->adapter;
	struct sim_cookie key;

	lockdep_assert_held(&ad->lock);
	cookie_key(&key, port, cookie);
	return rhashtable_lookup_fast(&ad->by_cookie, &key, cookie_params);
}

/* The entry of the same class and priority that matches the same packets. */
struct sim_entry *sim_table_twin(struct sim_adapter *ad,
				 const struct sim_rule *rule)
{
	struct rhlist_head *list, *pos;
	struct sim_entry *e, *twin = NULL;
	struct sim_match match;
	struct sim_mask *mask;

	lockdep_assert_held(&ad->lock);
	rcu_read_lock();
	list_for_each_entry(mask, &ad->masks, list) {
		if (memcmp(&mask->bits, &rule->mask, sizeof(mask->bits)))
			continue;
		masked(&match, &rule->key, mask);
		list = rhltable_lookup(&ad->by_match, &match, match_params);
		rhl_for_each_entry_rcu(e, pos, list, by_match) {
			if (e->rule.class == rule->class &&
			    e->rule.prio == rule->prio)
				twin = e;
		}
	}
	rcu_read_unlock();
	return twin;
}

static void bind(struct sim_adapter *ad, struct sim_entry *e)
{
	e->bound = true;
	e->fin = false;
	e->packets = 0;
	e->bytes = 0;
	e->old_packets = 0;
	e->old_bytes = 0;
	if (!ad->profile->told_stays) {
		e->told_packets = 0;
		e->told_bytes = 0;
	}
	atomic_inc(&ad->n_bound);
}

static void unbind(struct sim_adapter *ad, struct sim_entry *e)
{
	e->bound = false;
	e->seen = 0;
	atomic_dec(&ad->n_bound);
}

/**
 * sim_table_add() - put a rule into the table
 * @port: whose callback was asked
 * @cookie: not in the table
 * @rule: what to match and to do
 *
 * Return: 0 or a negative errno.
 */
int sim_table_add(struct sim_port *port, u64 cookie,
		  const struct sim_rule *rule)
{
	struct sim_adapter *ad = port->adapter;
	struct sim_entry *e;
	int err;

	lockdep_assert_held(&ad->lock);
	if (atomic_read(&ad->n_entries) >= SIM_MAX_ENTRIES)
		return -ENOMEM;

	e = kzalloc(offsetof(struct sim_entry, rule) +
		    offsetof(struct sim_rule, op[rule->n_ops]), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	spin_lock_init(&e->lock);
	memcpy(&e->rule, rule, offsetof(struct sim_rule, op[rule->n_ops]));
	cookie_key(&e->cookie, port, cookie);
	e->port = port->index;
	e->created = get_jiffies_64();
	e->used = e->created;
	e->old_used = e->created;
	e->tick = U64_MAX;

	e->mask = mask_get(ad, &rule->mask);
	if (!e->mask) {
		err = -ENOMEM;
		goto free;
	}
	masked(&e->match, &rule->key, e->mask);

	err = xa_alloc_cyclic(&ad->entries, &e->id, e, xa_limit_32b,
			      &ad->next_id, GFP_KERNEL);
	if (err < 0)
		goto put_mask;
	err = rhashtable_insert_fast(&ad->by_cookie, &e->by_cookie,
				     cookie_params);
	if (err)
		goto erase;
	if (!READ_ONCE(ad->knob.bind_rate)) {
		spin_lock_bh(&e->lock);
		bind(ad, e);
		spin_unlock_bh(&e->lock);
	}
	/* From here on the pipeline finds it. */
	err = rhltable_insert(&ad->by_match, &e->by_match, match_params);
	if (err)
		goto remove;
	atomic_inc(&ad->n_entries);
	atomic_inc(&port->n_entries);
	return 0;

remove:
	if (e->bound)
		unbind(ad, e);
	rhashtable_remove_fast(&ad->by_cookie, &e->by_cookie, cookie_params);
erase:
	xa_erase(&ad->entries, e->id);
put_mask:
	mask_put(e->mask);
free:
	/* A state file may have seen it in the array. */
	kfree_rcu(e, rcu);
	return err;
}

/**
 * sim_table_del() - take an entry out of the table
 * @ad: the adapter
 * @e: the entry; freed once the pipeline and state files are past it
 */
void sim_table_del(struct sim_adapter *ad, struct sim_entry *e)
{
	lockdep_assert_held(&ad->lock);

	rhltable_remove(&ad->by_match, &e->by_match, match_params);
	rhashtable_remove_fast(&ad->by_cookie, &e->by_cookie, cookie_params);
	xa_erase(&ad->entries, e->id);
	spin_lock_bh(&e->lock);
	if (e->bound)
		unbind(ad, e);
	/* A packet that found it before must not bind it again. */
	e->window = U64_MAX;
	spin_unlock_bh(&e->lock);
	mask_put(e->mask);
	atomic_dec(&ad->n_entries);
	atomic_dec(&ad->port[e->port].n_entries);
	kfree_rcu(e, rcu);
}

/* The hardware loses its table; what the driver does then is the profile's. */
void sim_table_reset(struct sim_adapter *ad)
{
	struct sim_entry *e;
	unsigned long id;

	lockdep_assert_held(&ad->lock);
	xa_for_each(&ad->entries, id, e) {
		if (!ad->profile->reset_unbinds) {
			sim_table_del(ad, e);
			continue;
		}
		spin_lock_bh(&e->lock);
		if (e->bound)
			unbind(ad, e);
		spin_unlock_bh(&e->lock);
	}
	ad->resets++;
}

/* --- the packet path --- */

static bool better(const struct sim_entry *a, const struct sim_entry *b)
{
	if (!b)
		return true;
	if (a->rule.class != b->rule.class)
		return a->rule.class < b->rule.class;
	if (a->rule.prio != b->rule.prio)
		return a->rule.prio < b->rule.prio;
	return a->id < b->id;
}

/**
 * sim_table_lookup() - the entry for a packet
 * @ad: the adapter
 * @key: the packet's fields
 *
 * One hash lookup for each distinct mask, of which flows have a handful.
 *
 * Context: RCU read side.
 * Return: of all that match, the entry of the first class, the lowest
 * priority, the first that came; or NULL.
 */
struct sim_entry *sim_table_lookup(struct sim_adapter *ad,
				   const struct sim_key *key)
{
	struct sim_entry *e, *best = NULL;
	struct rhlist_head *list, *pos;
	struct sim_match match;
	struct sim_mask *mask;

	list_for_each_entry_rcu(mask, &ad->masks, list) {
		masked(&match, key, mask);
		list = rhltable_lookup(&ad->by_match, &match, match_params);
		rhl_for_each_entry_rcu(e, pos, list, by_match) {
			if (better(e, best))
				best = e;
		}
	}
	return best;
}

static u32 age_limit(const struct sim_adapter *ad, const struct sim_entry *e)
{
	const struct sim_profile *p = ad->profile;

	if (e->rule.key.ip_proto == IPPROTO_UDP)
		return p->age_udp;
	if (e->rule.key.ip_proto == IPPROTO_TCP && !e->fin)
		return p->age_tcp;
	return p->age_fin;
}

static bool aged(const struct sim_adapter *ad, const struct sim_entry *e,
		 u64 now)
{
	u32 limit = age_limit(ad, e);

	return limit && now - e->used > (u64)limit * HZ;
}

/* Statistics are read from the hardware at the end of each such period. */
static u64 tick_of(const struct sim_adapter *ad, u64 now)
{
	u32 ms = READ_ONCE(ad->knob.stats_ms);

	return ms ? div64_u64(now, max(1UL, msecs_to_jiffies(ms))) : 0;
}

static u64 tick_end(const struct sim_adapter *ad, u64 tick)
{
	u32 ms = READ_ONCE(ad->knob.stats_ms);

	return (tick + 1) * max(1UL, msecs_to_jiffies(ms));
}

/* The driver binds on the receive path, when the hardware reports the rate. */
static void try_bind(struct sim_adapter *ad, struct sim_entry *e, u64 now,
		     unsigned int packets)
{
	if (e->window == U64_MAX)
		return;
	if (now - e->window >= HZ) {
		e->window = now;
		e->seen = 0;
	}
	e->seen += packets;
	if (e->seen <= READ_ONCE(ad->knob.bind_rate))
		return;
	if (atomic_read(&ad->n_bound) >= READ_ONCE(ad->knob.capacity))
		return;
	bind(ad, e);
	e->used = now;
}

/**
 * sim_table_hit() - a packet matched: is it the hardware's?
 * @ad: the adapter
 * @e: the entry
 * @packets: frames on the wire
 * @bytes: their length
 * @fin: the packet has the FIN flag
 *
 * Context: softirq, RCU read side.
 * Return: false when the entry is not bound (yet, or any more): the packet is
 * the host's. True: counted.
 */
bool sim_table_hit(struct sim_adapter *ad, struct sim_entry *e,
		   unsigned int packets, u64 bytes, bool fin)
{
	u64 now = get_jiffies_64();
	u64 tick = tick_of(ad, now);
	bool bound;

	spin_lock(&e->lock);
	if (e->bound && aged(ad, e, now)) {
		unbind(ad, e);
		sim_count(&ad->port[e->port], SIM_CTR_AGED, 1);
	}
	bound = e->bound;
	if (!bound) {
		try_bind(ad, e, now, packets);
		goto unlock;
	}

	if (e->tick != tick) {
		e->old_packets = e->packets;
		e->old_bytes = e->bytes;
		if (e->tick != U64_MAX)
			e->old_used = tick_end(ad, e->tick);
		e->tick = tick;
	}
	e->packets += packets;
	e->bytes += bytes;
	e->used = now;
	e->fin |= fin;
unlock:
	spin_unlock(&e->lock);
	return bound;
}

/* --- statistics and ageing --- */

static u64 last_used(const struct sim_adapter *ad, const struct sim_entry *e,
		     bool current_tick, u64 now)
{
	u8 bits = ad->profile->idle_bits;

	if (bits) {
		u64 then = e->bound ? e->used : 0; /* never stamped: clock zero */
		u64 idle = div64_u64(now - then, HZ) & GENMASK_ULL(bits - 1, 0);

		return now - idle * HZ;
	}
	if (!READ_ONCE(ad->knob.stats_ms))
		return e->used;
	if (current_tick || e->tick == U64_MAX)
		return e->old_used;
	return tick_end(ad, e->tick);
}

/**
 * sim_table_stats() - answer a STATS command
 * @ad: the adapter
 * @e: the entry
 * @stats: packets and bytes since the last time are added, last use raised
 */
void sim_table_stats(struct sim_adapter *ad, struct sim_entry *e,
		     struct flow_stats *stats)
{
	u64 now = get_jiffies_64(), packets, bytes, used;
	bool current_tick, delayed;

	lockdep_assert_held(&ad->lock);
	delayed = READ_ONCE(ad->knob.stats_ms);

	spin_lock_bh(&e->lock);
	current_tick = delayed && e->tick == tick_of(ad, now);
	packets = current_tick ? e->old_packets : e->packets;
	bytes = current_tick ? e->old_bytes : e->bytes;
	used = last_used(ad, e, current_tick, now);
	swap(packets, e->told_packets);
	swap(bytes, e->told_bytes);
	packets = e->told_packets - packets;
	bytes = e->told_bytes - bytes;
	spin_unlock_bh(&e->lock);

	if (!ad->profile->counters) {
		packets = 0;
		bytes = 0;
	}
	switch (READ_ONCE(ad->knob.stats_lie)) {
	case SIM_LIE_ZERO:
		packets = 0;
		bytes = 0;
		used = 0;
		break;
	case SIM_LIE_BUSY:
		used = now;
		break;
	case SIM_LIE_DOUBLE:
		packets *= 2;
		bytes *= 2;
		break;
	case SIM_LIE_BACKWARDS:
		used = e->created - (now - e->created);
		break;
	}
	flow_stats_update(stats, bytes, packets, 0, (unsigned long)used,
			  delayed ? FLOW_ACTION_HW_STATS_DELAYED :
				    FLOW_ACTION_HW_STATS_IMMEDIATE);
}

static void age_one(struct sim_adapter *ad, struct sim_entry *e, u64 now)
{
	spin_lock_bh(&e->lock);
	if (e->bound && aged(ad, e, now)) {
		unbind(ad, e);
		sim_count(&ad->port[e->port], SIM_CTR_AGED, 1);
	}
	spin_unlock_bh(&e->lock);
}

static void age_all(struct work_struct *work)
{
	struct sim_adapter *ad = container_of(to_delayed_work(work),
					      struct sim_adapter, ager);
	u64 now = get_jiffies_64();
	unsigned int n = 0;
	struct sim_entry *e;
	unsigned long id = 0;

	rcu_read_lock();
	for (e = xa_find(&ad->entries, &id, ULONG_MAX, XA_PRESENT); e;
	     e = xa_find_after(&ad->entries, &id, ULONG_MAX, XA_PRESENT)) {
		age_one(ad, e, now);
		if (++n % 1024)
			continue;
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
	queue_delayed_work(system_unbound_wq, &ad->ager, HZ);
}

/* --- life --- */

int sim_table_init(struct sim_adapter *ad)
{
	int err;

	INIT_LIST_HEAD(&ad->masks);
	xa_init_flags(&ad->entries, XA_FLAGS_ALLOC);
	INIT_DELAYED_WORK(&ad->ager, age_all);
	err = rhashtable_init(&ad->by_cookie, &cookie_params);
	if (err)
		return err;
	err = rhltable_init(&ad->by_match, &match_params);
	if (err) {
		rhashtable_destroy(&ad->by_cookie);
		return err;
	}
	if (ad->profile->age_tcp)
		queue_delayed_work(system_unbound_wq, &ad->ager, HZ);
	return 0;
}

/*
 * The netdevs are unregistered and the adapter is marked dying: no packet and
 * no driver call comes any more, and debugfs has let go of the state files.
 */
void sim_table_destroy(struct sim_adapter *ad)
{
	struct sim_entry *e;
	unsigned long id;

	cancel_delayed_work_sync(&ad->ager);
	mutex_lock(&ad->lock);
	xa_for_each(&ad->entries, id, e)
		sim_table_del(ad, e);
	mutex_unlock(&ad->lock);
	rhltable_destroy(&ad->by_match);
	rhashtable_destroy(&ad->by_cookie);
	xa_destroy(&ad->entries);
}
