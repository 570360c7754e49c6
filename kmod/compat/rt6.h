/* SPDX-License-Identifier: GPL-2.0 */
/* dst_rt6_info() came to stable releases too: 6.1.176 lacks it, 6.1.192 has it. */
#ifndef _NFTO_COMPAT_RT6_H
#define _NFTO_COMPAT_RT6_H

#include <net/ip6_route.h>

#ifndef dst_rt6_info
#define dst_rt6_info(_dst)	container_of(_dst, struct rt6_info, dst)
#endif

#endif
