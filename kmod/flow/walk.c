// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over all flows, one table after the other. Between two parts of a walk
 * it holds a reference of the table and the hash's own note of where it stands,
 * but no lock and not RCU.
 */
#include "flow/internal.h"

/* After so many nodes of the hash others may have the processor. */
#define STRIDE	1024

/* Return: false when all tables are done. */
static bool enter_next(struct nfto_walk *w)
{
	struct nfto_table *table;

	mutex_lock(&w->nn->lock);
	table = nfto_table_after(w->nn, w->only ? max(w->only - 1, w->last) :
						  w->last);
	/* A table without references has no flows. */
	while (table && !refcount_inc_not_zero(&table->ref))
		table = nfto_table_after(w->nn, table->id);
	if (table && w->only && table->id != w->only) {
		nfto_table_put(table);
		table = NULL;
	}
	mutex_unlock(&w->nn->lock);
	w->table = table;
	if (!table)
		return false;
	rhashtable_walk_enter(&table->flows, &w->iter);
	return true;
}

static void leave(struct nfto_walk *w)
{
	rhashtable_walk_exit(&w->iter);
	w->last = w->table->id;
	nfto_table_put(w->table);
	w->table = NULL;
}

static u64 at(const struct nfto_walk *w)
{
	const struct nfto_dir *dir = container_of(w->iter.p, struct nfto_dir,
						  node);

	return nfto_flow_of(dir)->id;
}

static void pause(struct nfto_walk *w)
	__releases(RCU)
{
	if (w->iter.p)
		w->at = at(w);
	rhashtable_walk_stop(&w->iter);
}

/*
 * If the node on which the walk stands has gone meanwhile, the hash counts the
 * nodes before it in its bucket, some of which may have gone too.
 */
static void resume(struct nfto_walk *w)
	__acquires(RCU)
{
	bool on = w->iter.p;

	if (rhashtable_walk_start_check(&w->iter))
		w->disturbed = true;
	else if (on && (!w->iter.p || at(w) != w->at))
		w->disturbed = true;
}

static int rest_of_table(struct nfto_walk *w,
			 int (*visit)(struct nfto_flow *flow, void *arg),
			 void *arg)
{
	unsigned int n = 0;
	struct nfto_dir *dir;
	int ret = 0;

	resume(w);
	dir = rhashtable_walk_peek(&w->iter);
	while (dir) {
		if (IS_ERR(dir))
			w->disturbed = true;
		else if (!dir->reply)
			ret = visit(nfto_flow_of(dir), arg);
		if (ret)
			break;
		if (++n % STRIDE == 0) {
			pause(w);
			cond_resched();
			resume(w);
			if (!w->iter.p) {
				dir = rhashtable_walk_peek(&w->iter);
				continue;
			}
		}
		dir = rhashtable_walk_next(&w->iter);
	}
	pause(w);
	return ret;
}

int nfto_walk(struct nfto_walk *w,
	      int (*visit)(struct nfto_flow *flow, void *arg), void *arg)
{
	int ret = 0;

	while (!ret && (w->table || enter_next(w))) {
		ret = rest_of_table(w, visit, arg);
		if (!ret)
			leave(w);
	}
	return ret;
}

void nfto_walk_end(struct nfto_walk *w)
{
	if (w->table)
		leave(w);
}

/* --- doubt --- */

/* A walk is begun again that often if flows that come and go have disturbed it. */
#define ROUNDS	16

static int doubt_old_flow(struct nfto_flow *flow, void *arg)
{
	const u64 *last = arg;

	if (flow->id <= *last && READ_ONCE(flow->table->follow))
		nfto_flow_doubt(flow);
	return 0;
}

void nfto_flow_doubt_all(struct nfto_net *nn, u64 last)
{
	struct nfto_walk w;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		w = (struct nfto_walk) { .nn = nn };
		nfto_walk(&w, doubt_old_flow, &last);
		nfto_walk_end(&w);
		if (!w.disturbed)
			break;
		cond_resched();
	}
}
