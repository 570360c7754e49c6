// SPDX-License-Identifier: GPL-2.0
/// @file
/// Names of network devices.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <tl/expected.hpp>

#include "problem.hpp"

namespace nfto::cli {

/// Names of devices in the own network namespace, each asked for once.
class Devices {
public:
    using Lookup = std::function<std::string(std::uint32_t)>;

    /// @param lookup the name of an ifindex, or empty.
    explicit Devices(Lookup lookup = from_system) : lookup_(std::move(lookup))
    {}

    /// "eth0"; empty when there is no such device any more.
    [[nodiscard]] const std::string &name(std::uint32_t ifindex);
    /// For people: "eth0", or "ifindex 7" when there is no such device any more.
    [[nodiscard]] std::string shown(std::uint32_t ifindex);
    /// A device may have another name from now on.
    void forget() noexcept { names_.clear(); }

private:
    static std::string from_system(std::uint32_t ifindex);

    Lookup lookup_;
    std::unordered_map<std::uint32_t, std::string> names_;
};

/// The ifindex of a name (or alternative name). A no_such problem.
[[nodiscard]] tl::expected<std::uint32_t, Problem>
find_device(std::string_view name);

/// Moves this thread into a network namespace, by its name in /run/netns or by
/// its path.
[[nodiscard]] tl::expected<void, Problem> enter_netns(const std::string &netns);

} // namespace nfto::cli
