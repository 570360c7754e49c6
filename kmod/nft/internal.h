/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of nft/ share. */
#ifndef _NFTO_NFT_INTERNAL_H
#define _NFTO_NFT_INTERNAL_H

#include "nfto.h"
#include "events.h"
#include "fast/fast.h"
#include "flow/flow.h"
#include "hw/hw.h"
#include "nft/nft.h"
#include "way/way.h"

/* flowtable.c */
int nfto_flowtable_make(struct nf_flowtable *ft);
void nfto_flowtable_detach(struct nfto_table *table);
int nfto_flowtable_add_dev(struct nfto_table *table, struct net_device *dev);
void nfto_flowtable_del_dev(struct nfto_table *table, struct net_device *dev);
void nfto_flowtable_committed(struct nfto_net *nn);

/* ruleset.c */
extern bool nfto_follow_ruleset;
int nfto_ruleset_open(struct nfto_net *nn);
void nfto_ruleset_flow_add_again(struct nfto_table *table,
				 const struct nf_conn *ct, struct sk_buff *skb,
				 const struct nf_hook_state *state,
				 enum ip_conntrack_dir dir);

#endif
