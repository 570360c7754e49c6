// SPDX-License-Identifier: GPL-2.0
/* The state machine, against a count of what is in hardware. */
#include "selftest/selftest.h"

/* What can follow: the driver is asked only from rest, and answers once. */
static bool __init is_legal(unsigned int state, unsigned int event)
{
	switch (event) {
	case NFTO_EV_ADD:
		return state == NFTO_HW_OUT;
	case NFTO_EV_ADDED:
	case NFTO_EV_FAILED:
		return state == NFTO_HW_ADDING;
	case NFTO_EV_REMOVE:
	case NFTO_EV_LOST:
		return state == NFTO_HW_IN;
	default:
		return state == NFTO_HW_REMOVING;
	}
}

bool __init nfto_flow_selftest(void)
{
	bool in[IP_CT_DIR_MAX] = {}, busy[IP_CT_DIR_MAX] = {}, ok = true;
	unsigned int round, event, refs, d;
	struct fake *f;

	prandom_seed_state(&selftest_rnd, 2);
	f = fake_flow(NULL);
	if (!f)
		return false;
	for (round = 0; round < 20000 && ok; round++) {
		struct nfto_dir *dir = &f->flow.dir[d = pick(2)];

		event = pick(NFTO_EV_LOST + 1);
		ok = EXPECT(is_legal(dir->state, event) ==
			    (next_state[dir->state][event] != ILLEGAL));
		if (!is_legal(dir->state, event))
			continue;
		spin_lock_bh(&f->flow.lock);
		nfto_flow_event(dir, event, NFTO_REASON_BUSY);
		spin_unlock_bh(&f->flow.lock);

		busy[d] = event == NFTO_EV_ADD || event == NFTO_EV_REMOVE;
		in[d] = event == NFTO_EV_ADDED || event == NFTO_EV_STUCK;
		refs = 1 + (in[0] || busy[0]) + (in[1] || busy[1]);
		ok = ok && EXPECT(refcount_read(&f->flow.ref) == refs) &&
		     EXPECT(test_bit(IPS_HW_OFFLOAD_BIT, &f->ct.status) ==
			    (in[0] && in[1])) &&
		     EXPECT(in[d] == !dir->out_reason);
	}
	kfree(f);
	return ok;
}
