/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of flow/ share. */
#ifndef _NFTO_FLOW_INTERNAL_H
#define _NFTO_FLOW_INTERNAL_H

#include "nfto.h"
#include "events.h"
#include "flow/flow.h"

/* flow.c */
struct kmem_cache *nfto_flow_cache(bool counter);

/* table.c */
int nfto_table_insert(struct nfto_table *table, struct nfto_flow *flow);
void nfto_table_remove(struct nfto_table *table, struct nfto_flow *flow);
u32 nfto_table_digest(const struct nfto_table *table, const struct nfto_dir *dir,
		      const struct nf_conntrack_tuple *t);

/* nexthop.c */
bool nfto_nexthop_link(struct nfto_nexthop *nh, struct nfto_dir *dir);
void nfto_nexthop_unlink(struct nfto_nexthop *nh, struct nfto_dir *dir);

/* dest.c */
void nfto_dest_insert(struct nfto_dir **root, struct nfto_dir *dir);
bool nfto_dest_remove(struct nfto_dir **root, struct nfto_dir *dir);
struct nfto_dir *nfto_dest_next(struct nfto_dir *root, struct nfto_range *range);

/* age.c */
void nfto_wheel_add(struct nfto_wheel *wheel, struct nfto_flow *flow);
void nfto_wheel_del(struct nfto_wheel *wheel, struct nfto_flow *flow);

#endif
