// SPDX-License-Identifier: GPL-2.0
// What the module says, from attributes as netlink/nfto.yaml has them.
//
// Attributes that are not known are left out. False means that something makes
// no sense: an attribute of the wrong length, or one that is missing which what
// was asked for cannot be without. What the object then holds is of no meaning.
#pragma once

#include <map>
#include <string>

#include <nfto/events.hpp>
#include <nfto/types.hpp>

#include "netlink/attr.hpp"

namespace nfto::netlink {

// Objects are empty before that, but for a flow, which may be of an earlier
// call: its memory is used again.
[[nodiscard]] bool parse(Bytes attrs, Info &info);
[[nodiscard]] bool parse(Bytes attrs, Port &port);
[[nodiscard]] bool parse(Bytes attrs, Flowtable &flowtable);
[[nodiscard]] bool parse(Bytes attrs, Flow &flow);
[[nodiscard]] bool parse(Bytes attrs, FlowHw &event);
[[nodiscard]] bool parse(Bytes attrs, Stats &stats);
[[nodiscard]] bool parse(Bytes attrs, Refusal &refusal);
[[nodiscard]] bool parse(Bytes attrs, Counts &counts);
[[nodiscard]] bool parse(Bytes attrs, Changed &changed);
[[nodiscard]] bool parse(Bytes attrs, ProbeAnswer &answer);

/// What generic netlink's controller knows of a family.
struct Family {
    std::uint16_t id = 0;
    std::map<std::string, std::uint32_t> groups;
};

[[nodiscard]] bool parse(Bytes attrs, Family &family);

/// An event of the command that it came with; nothing if there is no such event,
/// as a newer module may have.
[[nodiscard]] bool parse_event(std::uint8_t command, Bytes attrs,
                               std::optional<Event> &event);

/// 4 bytes or 16.
[[nodiscard]] bool get(const Attr &attr, Address &address) noexcept;

} // namespace nfto::netlink
