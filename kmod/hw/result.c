// SPDX-License-Identifier: GPL-2.0
/*
 * The answers of drivers, each kept once: an errno and the sentence that came
 * with it. A direction keeps the number of the answer. Drivers have a few dozen
 * different answers; if one of them makes up new ones for ever, the later ones
 * lose their text.
 */
#include <linux/slab.h>
#include "hw/internal.h"

#define RESULTS		1024

struct result {
	int err;
	char *text;
};

/* Entries below n_results never change; both under the lock, read without. */
static struct result results[RESULTS];
static unsigned int n_results = 1;
static DEFINE_MUTEX(results_lock);

static bool is_same_result(const struct result *r, int err, const char *text)
{
	if (r->err != err || !r->text != !text)
		return false;
	return !text || !strncmp(r->text, text, NFTO_TEXT_MAX - 1);
}

static u16 find_result(unsigned int from, unsigned int to, int err, const char *text)
{
	unsigned int i;

	for (i = from; i < to; i++)
		if (is_same_result(&results[i], err, text))
			return i;
	return 0;
}

static u16 add_result(int err, const char *text)
{
	char *copy = NULL;

	if (n_results == RESULTS)
		return 0;
	if (text) {
		copy = kstrndup(text, NFTO_TEXT_MAX - 1, GFP_KERNEL);
		if (!copy)
			return 0;
	}
	results[n_results].err = err;
	results[n_results].text = copy;
	/* Pairs with the acquires in nfto_result_get() and _text(). */
	smp_store_release(&n_results, n_results + 1);
	return n_results - 1;
}

/**
 * nfto_result_get() - the number of an answer
 * @err: negative errno
 * @text: the driver's sentence, NULL: none
 *
 * Context: process. Allocates for an answer that was never heard before.
 * Return: the number; 0 if there is none to be had.
 */
u16 nfto_result_get(int err, const char *text)
{
	unsigned int n;
	u16 i;

	/* Pairs with the release in add_result(). */
	n = smp_load_acquire(&n_results);
	i = find_result(1, n, err, text);
	if (i)
		return i;
	mutex_lock(&results_lock);
	i = find_result(n, n_results, err, text);
	if (!i)
		i = add_result(err, text);
	if (!i && text) {
		i = find_result(1, n_results, err, NULL);
		if (!i)
			i = add_result(err, NULL);
	}
	mutex_unlock(&results_lock);
	return i;
}

const char *nfto_result_text(u16 result, int *err)
{
	/* Pairs with the release in add_result(). */
	if (!result || result >= smp_load_acquire(&n_results)) {
		*err = 0;
		return NULL;
	}
	*err = results[result].err;
	return results[result].text;
}

void nfto_result_exit(void)
{
	unsigned int i;

	for (i = 1; i < n_results; i++)
		kfree(results[i].text);
}
