// SPDX-License-Identifier: GPL-2.0
/// @file
/// All of the library.
#pragma once

#include <nfto/client.hpp>
#include <nfto/conntrack.hpp>
#include <nfto/enums.hpp>
#include <nfto/events.hpp>
#include <nfto/result.hpp>
#include <nfto/ruleset.hpp>
#include <nfto/transport.hpp>
#include <nfto/types.hpp>
