// SPDX-License-Identifier: GPL-2.0
/* Directions by destination, against an array that is searched. */
#include "selftest/selftest.h"

#define DIRS	64

static bool __init is_in(const struct nfto_dir *dir, u64 first, u64 last)
{
	return dest_of(dir) >= first && dest_of(dir) <= last;
}

/* As many as the model has in the range, in order, each of them there. */
static bool __init same_range(struct nfto_dir *root, struct fake **f,
			      const bool *there, u64 first, u64 last)
{
	struct nfto_range range = { .at = first, .last = last };
	unsigned int i, want = 0, got = 0;
	struct nfto_dir *dir;
	u64 before = first;
	bool ok = true;

	for (i = 0; i < DIRS; i++)
		want += there[i] && is_in(&f[i]->flow.dir[0], first, last);
	while (ok && (dir = nfto_dest_next(root, &range))) {
		got++;
		ok = EXPECT(is_in(dir, before, last)) && EXPECT(got <= want);
		before = dest_of(dir);
	}
	return ok && EXPECT(got == want);
}

static bool __init is_heap(const struct nfto_dir *dir)
{
	const struct nfto_dir *side[] = { dir->before, dir->after };
	int i;

	for (i = 0; i < 2; i++)
		if (side[i] && (rank_of(side[i]) > rank_of(dir) ||
				!is_heap(side[i])))
			return false;
	return true;
}

static bool __init change(struct nfto_dir **root, struct fake **f, bool *there)
{
	unsigned int i = pick(DIRS);
	struct nfto_dir *dir = &f[i]->flow.dir[0];

	there[i] = !there[i];
	if (there[i]) {
		nfto_dest_insert(root, dir);
		return true;
	}
	return EXPECT(nfto_dest_remove(root, dir)) &&
	       EXPECT(!nfto_dest_remove(root, dir));
}

bool __init nfto_dest_selftest(void)
{
	struct fake *f[DIRS] = {};
	struct nfto_dir *root = NULL;
	bool there[DIRS] = {}, ok = true;
	unsigned int i, round;

	prandom_seed_state(&selftest_rnd, 5);
	for (i = 0; i < DIRS && ok; i++) {
		f[i] = fake_flow(NULL);
		ok = f[i];
	}
	for (round = 0; round < 5000 && ok; round++) {
		u64 first = 0, last = ~0ULL;

		ok = change(&root, f, there);
		if (pick(4)) {
			first = dest_of(&f[pick(DIRS)]->flow.dir[0]);
			last = first + pick(3);
		}
		ok = ok && (!root || EXPECT(is_heap(root))) &&
		     same_range(root, f, there, first, last);
	}
	for (i = 0; i < DIRS; i++)
		kfree(f[i]);
	return ok;
}
