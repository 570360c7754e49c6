// SPDX-License-Identifier: GPL-2.0
#include "verbs/flow_common.hpp"

#include <cerrno>

namespace nfto::cli {

tl::expected<FlowQuery, Problem> query_of(const Arguments &args, Client &client)
{
    return parse_query(args,
                       {find_device, [&] { return client.flowtables(); }});
}

Problem flow_problem(Error error)
{
    Problem problem = problem_of(std::move(error));
    if (problem.exit == Exit::no_such)
        problem.hint = "To see which flows there are: nft-offload flow show";
    if (problem.error.code == EAGAIN)
        problem.hint = "Flows came and went too fast; try again, or ask for "
                       "fewer with a filter.";
    return problem;
}

} // namespace nfto::cli
