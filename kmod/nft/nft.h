/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What nft/ offers: the seams to nf_tables. nf_tables calls it; the module only
 * begins and ends it.
 */
#ifndef _NFTO_NFT_H
#define _NFTO_NFT_H

#include "flow/flow.h"

/* --- provider.c --- */

/**
 * nfto_provider_init() - register the flowtable types and the expressions
 *
 * Context: the module's init.
 * Return: 0 or a negative errno.
 */
int nfto_provider_init(void);

/**
 * nfto_provider_exit() - unregister them
 *
 * Context: the module's exit; there is no flowtable any more.
 */
void nfto_provider_exit(void);

/* --- flowtable.c --- */

/**
 * nfto_flowtable_end_flows() - a table has no more flows
 * @table: the table
 * @reason: of the end of its flows
 *
 * Context: process.
 */
void nfto_flowtable_end_flows(struct nfto_table *table, enum nfto_reason reason);

/* --- ruleset.c --- */

/**
 * nfto_ruleset_init() - nothing is heard of commits yet
 * @nn: a netns that is being made
 *
 * Context: process.
 */
void nfto_ruleset_init(struct nfto_net *nn);

/**
 * nfto_ruleset_pre_exit() - a netns is about to go
 * @nn: the netns
 *
 * Context: process; a grace period follows before nfto_ruleset_exit().
 */
void nfto_ruleset_pre_exit(struct nfto_net *nn);

/**
 * nfto_ruleset_exit() - hear no more of commits
 * @nn: a netns that goes
 *
 * Context: process; waits for its works.
 */
void nfto_ruleset_exit(struct nfto_net *nn);

#endif
