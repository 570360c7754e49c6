/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Older kernels let everybody join any multicast group of generic netlink. What
 * not everybody may see has no group there.
 */
#ifndef _NFTO_COMPAT_GENL_MCAST_H
#define _NFTO_COMPAT_GENL_MCAST_H

#include <net/genetlink.h>

#ifdef GENL_MCAST_CAP_NET_ADMIN
#define NFTO_MCGRP_PRIVATE(name)	{ name, GENL_MCAST_CAP_NET_ADMIN },
#else
#define NFTO_MCGRP_PRIVATE(name)
#endif

#endif
