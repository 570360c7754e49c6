// SPDX-License-Identifier: GPL-2.0
/// @file
/// The flowtables of nftables' ruleset, whoever provides them, the rules that
/// put connections into them, and a table of our own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nfto/export.hpp>
#include <nfto/result.hpp>

namespace nfto {

/// A flowtable as nftables has it, whoever provides it.
struct RulesetFlowtable {
    /// NFPROTO_INET (1), NFPROTO_IPV4 (2) or NFPROTO_IPV6 (10).
    std::uint32_t family = 0;
    std::string table;
    std::string name;
    std::int32_t priority = 0;
    bool offload = false;
    bool counter = false;
    std::vector<std::string> devices;
};

/// A rule with "flow add @flowtable".
struct FlowRule {
    std::uint32_t family = 0;
    std::string table;
    std::string chain;
    std::string flowtable;
    std::uint64_t handle = 0;
    /// The hook of its chain (NF_INET_FORWARD is 2), absent for a chain that
    /// others jump to.
    std::optional<std::uint32_t> hook;
};

/// What nftables has of flowtables and of rules that use them.
struct Ruleset {
    std::vector<RulesetFlowtable> flowtables;
    std::vector<FlowRule> rules;
};

/// What there is. A ruleset that changes meanwhile is read again. EPERM without
/// CAP_NET_ADMIN; EOPNOTSUPP or EPROTONOSUPPORT on a kernel without nf_tables.
[[nodiscard]] NFTO_EXPORT Result<Ruleset>
read_ruleset(const std::string &netns = {});

/// "inet", "ip", "ip6"
[[nodiscard]] NFTO_EXPORT std::string family_name(std::uint32_t family);

/// A table of our own: a flowtable, a base chain in the forward hook, a rule.
struct Setup {
    /// Family inet.
    std::string table = "nft_offload";
    /// At least one.
    std::vector<std::string> devices;
    /// "flags offload"
    bool offload = true;
    bool counter = true;
    /// Of "tcp", "udp", "gre"; empty: tcp and udp.
    std::vector<std::string> protocols;

    /// As nft -f takes it: replaces a table of this name, and does nothing when
    /// it is loaded twice.
    [[nodiscard]] NFTO_EXPORT std::string text() const;
};

/// Whether the name, devices and protocols make sense. EINVAL, with a sentence.
[[nodiscard]] NFTO_EXPORT Result<void> validate(const Setup &setup);

/// Creates the table, or replaces one that create_setup() has made, in one
/// transaction. EEXIST if there is a table of this name that is not ours (ours
/// say so in their comment, NFTA_TABLE_USERDATA).
[[nodiscard]] NFTO_EXPORT Result<void>
create_setup(const Setup &setup, const std::string &netns = {});

/// Removes it. ENOENT if there is none; EEXIST if it is not ours.
[[nodiscard]] NFTO_EXPORT Result<void>
remove_setup(const std::string &table, const std::string &netns = {});

} // namespace nfto
