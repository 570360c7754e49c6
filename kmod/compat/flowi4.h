/* SPDX-License-Identifier: GPL-2.0 */
/* The DSCP that a route is looked up for was a plain byte, flowi4_tos. */
#ifndef _NFTO_COMPAT_FLOWI4_H
#define _NFTO_COMPAT_FLOWI4_H

#include <net/flow.h>
#include <net/inet_dscp.h>

static inline void nfto_flowi4_set_dscp(struct flowi4 *fl4, u8 dsfield)
{
#ifdef flowi4_dscp
	fl4->flowi4_dscp = inet_dsfield_to_dscp(dsfield);
#else
	fl4->flowi4_tos = dsfield & INET_DSCP_MASK;
#endif
}

#endif
