/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of way/ share. */
#ifndef _NFTO_WAY_INTERNAL_H
#define _NFTO_WAY_INTERNAL_H

#include "nfto.h"
#include "events.h"
#include "hw/hw.h"
#include "way/way.h"

/* nexthop.c */
struct nfto_nexthop *nfto_nexthop_get(struct nfto_table *table,
				      struct dst_entry *dst, const void *daddr,
				      int family);
u16 nfto_nexthop_mtu(struct dst_entry *dst, int family);
bool nfto_nexthop_is_plain(const struct nfto_nexthop *nh);
bool nfto_nexthop_is_fresh(struct nfto_nexthop *nh);
bool nfto_nexthop_may_renew(struct nfto_nexthop *nh);
bool nfto_nexthop_renew(struct nfto_nexthop *nh, struct dst_entry *dst);
struct nfto_nexthop *nfto_nexthop_each(struct nfto_table *table,
				       unsigned int *bucket, u32 pass);
void nfto_nexthop_neigh(struct nfto_table *table, const struct neighbour *neigh);
void nfto_nexthop_check(struct nfto_table *table);

/* events.c */
void nfto_check_soon(struct nfto_net *nn);
void nfto_doubt_soon(struct nfto_net *nn);

/* route.c */
bool nfto_routes_agree(struct net *net, const struct nf_conn *ct,
		       enum ip_conntrack_dir dir,
		       struct nfto_nexthop *const nh[IP_CT_DIR_MAX]);
void nfto_routes_carrier(struct nfto_net *nn, const struct net_device *dev);

#endif
