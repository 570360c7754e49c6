// SPDX-License-Identifier: GPL-2.0
#include "context.hpp"

namespace nfto::cli {

System real_system()
{
    return {[] { return Client::open(); },
            [](EventGroups groups) { return Events::open(groups); },
            [] { return read_ruleset(); },
            [](const Setup &setup) { return create_setup(setup); },
            [](const std::string &table) { return remove_setup(table); },
            [](const Tuple &tuple, std::uint16_t zone) {
                return find_connection(tuple, zone);
            },
            read_links,
            Files()};
}

} // namespace nfto::cli
