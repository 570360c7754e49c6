// SPDX-License-Identifier: GPL-2.0
/// @file
/// What the commands of "flow" have in common.
#pragma once

#include "context.hpp"
#include "words/filter.hpp"

namespace nfto::cli {

/// The words of the command line as a query; names are looked up in the system.
[[nodiscard]] tl::expected<FlowQuery, Problem> query_of(const Arguments &args,
                                                        Client &client);
/// A problem out of an error of a request for flows; what is not there has a
/// hint that fits.
[[nodiscard]] Problem flow_problem(Error error);

} // namespace nfto::cli
