// SPDX-License-Identifier: GPL-2.0
/// @file
/// Whether hardware offload will work here, in single checks that change
/// nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nfto/ruleset.hpp>
#include <nfto/types.hpp>

#include "files.hpp"
#include "links.hpp"

namespace nfto::cli {

/// In the order of how good it is.
enum class Level {
    ok,
    /// Works, but not as well as it could.
    warning,
    unknown,
    problem,
};
[[nodiscard]] std::string_view name(Level level) noexcept;

/// What one check found.
struct Finding {
    /// "forwarding"
    std::string_view check;
    /// The device or flowtable that it is about, or empty.
    std::string subject;
    Level level = Level::ok;
    /// A sentence.
    std::string text;
    /// What to type or do, or empty.
    std::string todo;
};

/// What the checks look at.
struct World {
    const Files &files;
    /// The module, or why it was not reached.
    Result<Info> module;
    std::vector<Flowtable> flowtables;
    std::vector<Port> ports;
    Result<Ruleset> ruleset;
    Result<std::vector<Link>> links;
    /// Those that were asked for; empty: all of the flowtables.
    std::vector<std::string> devices;
    /// Where flows arrive that are in no flowtable.
    std::vector<std::string> strays;
};

using Findings = std::vector<Finding>;

/// All of them, in the order in which things are to be put right.
[[nodiscard]] Findings check_all(const World &world);

void check_kernel(const World &world, Findings &findings);
void check_module(const World &world, Findings &findings);
void check_modprobe(const World &world, Findings &findings);
void check_provider(const World &world, Findings &findings);
void check_forwarding(const World &world, Findings &findings);
void check_accounting(const World &world, Findings &findings);
void check_ruleset(const World &world, Findings &findings);
void check_devices(const World &world, Findings &findings);

} // namespace nfto::cli
