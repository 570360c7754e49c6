// SPDX-License-Identifier: GPL-2.0
/* The wheel, against a list of when each flow is due. */
#include "selftest/selftest.h"

#define FLOWS	300

static void __init put_by(struct nfto_wheel *wheel, struct fake *f,
			  unsigned int delay)
{
	spin_lock_bh(&f->flow.lock);
	put_into_slot(wheel, &f->flow, delay);
	spin_unlock_bh(&f->flow.lock);
	atomic_inc(&wheel->n_flows);
}

/* Takes what is due at a tick; each must be due, and all that are. */
static bool __init take_due(struct nfto_wheel *wheel, struct fake *all[FLOWS],
			    unsigned int due[FLOWS], unsigned int tick)
{
	struct nfto_flow *flow;
	bool ok = true;
	int i;

	wheel->now = tick % NFTO_SLOTS;
	while ((flow = pop_from_list(&wheel->slot[wheel->now],
				     &wheel->slot[wheel->now].flows))) {
		refcount_dec(&flow->ref);
		atomic_dec(&wheel->n_flows);
		for (i = 0; i < FLOWS && &all[i]->flow != flow; i++)
			;
		ok = ok && EXPECT(i < FLOWS) && EXPECT(due[i] == tick);
		due[i] = 0;
	}
	for (i = 0; i < FLOWS; i++)
		ok = ok && EXPECT(due[i] != tick);
	return ok;
}

bool __init nfto_age_selftest(void)
{
	static unsigned int due[FLOWS] __initdata;
	static struct fake *all[FLOWS] __initdata;
	unsigned int tick, delay, i, n;
	struct nfto_wheel *wheel;
	bool ok = true;

	prandom_seed_state(&selftest_rnd, 3);
	wheel = kzalloc(sizeof(*wheel), GFP_KERNEL);
	if (!wheel)
		return false;
	nfto_wheel_init(wheel);
	for (i = 0; i < FLOWS && ok; i++) {
		all[i] = fake_flow(NULL);
		ok = all[i];
	}
	for (tick = 1; tick < 2000 && ok; tick++) {
		ok = take_due(wheel, all, due, tick);
		for (n = pick(20); n; n--) {
			i = pick(FLOWS);
			if (due[i]) {
				local_bh_disable();
				nfto_wheel_del(wheel, &all[i]->flow);
				local_bh_enable();
				due[i] = 0;
				continue;
			}
			delay = pick((NFTO_SLOTS - 1) * TICK);
			put_by(wheel, all[i], delay);
			due[i] = tick + max(DIV_ROUND_UP(delay, TICK), 1);
		}
		for (n = 0, i = 0; i < FLOWS; i++)
			n += !!due[i];
		ok = ok && EXPECT(atomic_read(&wheel->n_flows) == n);
	}
	for (i = 0; i < FLOWS; i++)
		kfree(all[i]);
	kfree(wheel);
	return ok;
}
