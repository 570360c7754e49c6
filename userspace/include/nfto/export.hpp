// SPDX-License-Identifier: GPL-2.0
/// @file
/// What the shared library shows of itself.
#pragma once

#define NFTO_EXPORT __attribute__((visibility("default")))
