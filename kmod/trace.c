// SPDX-License-Identifier: GPL-2.0
/* The one place that tracepoints are made in. */
#ifndef __CHECKER__
#define CREATE_TRACE_POINTS
#include "trace.h"
#endif
