// SPDX-License-Identifier: GPL-2.0
/// @file
/// What a verb works with.
#pragma once

#include <functional>

#include <nfto/client.hpp>
#include <nfto/conntrack.hpp>
#include <nfto/events.hpp>
#include <nfto/ruleset.hpp>

#include "devices.hpp"
#include "files.hpp"
#include "links.hpp"
#include "view/json.hpp"
#include "view/text.hpp"
#include "words/grammar.hpp"

namespace nfto::cli {

/// How verbs reach the world; tests have their own. With -n, all of the process
/// is in that network namespace before a verb runs, so none is named here.
struct System {
    std::function<Result<Client>()> client;
    std::function<Result<Events>(EventGroups)> events;
    std::function<Result<Ruleset>()> ruleset;
    std::function<Result<void>(const Setup &)> create;
    std::function<Result<void>(const std::string &)> remove;
    std::function<Result<std::optional<Connection>>(const Tuple &,
                                                    std::uint16_t)>
        connection;
    std::function<Result<std::vector<Link>>()> links;
    Files files;
};

/// The library's.
[[nodiscard]] System real_system();

struct Context {
    const Arguments &args;
    System &system;
    /// Ifindexes and names of network devices.
    Devices &devices;
    /// What is printed in text mode.
    Text &text;
    /// Null in text mode. In JSON mode nothing but this prints.
    Json *json = nullptr;
};

} // namespace nfto::cli
