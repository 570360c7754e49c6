// SPDX-License-Identifier: GPL-2.0
/// @file
/// What the module tells, as JSON and as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nfto/types.hpp>

#include "devices.hpp"
#include "view/json.hpp"
#include "view/text.hpp"

namespace nfto::cli {

/// Of one direction, in one second.
struct Rate {
    double packets = 0;
    double bytes = 0;
};
/// Of a flow.
struct Rates {
    Rate orig;
    Rate reply;
};

/// Members of the object that is being written.
void put(Json &json, const Port &port);
void put(Json &json, Devices &devices, const Flowtable &flowtable);
void put(Json &json, const Stats &stats);
void put(Json &json, const Counts &counts);
void put(Json &json, Devices &devices, const Refusal &refusal);
void put(Json &json, Devices &devices, const Flow &flow,
         const std::optional<Rates> &rates = {});
void put(Json &json, const Tuple &tuple);
void put(Json &json, Devices &devices, const Direction &direction,
         const std::optional<Rate> &rate = {});
void put_reasons(Json &json, const std::vector<ReasonCount> &reasons);
/// "errno" and "errno_name" unless it is 0, "why" unless it is empty.
void put_error(Json &json, int error, const std::string &why);

/// "tcp", "udp", "gre", "icmp", or a number.
[[nodiscard]] std::string protocol_name(std::uint8_t l4proto);
/// "udp 10.1.0.2:4000 > [2001:db8::1]:53"
[[nodiscard]] std::string tuple_text(const Tuple &tuple);
/// "EOPNOTSUPP, "sentence"", or less of it, or empty.
[[nodiscard]] std::string error_text(int error, const std::string &why);
/// "in hardware", or where it is and why: "out: refused (EINVAL)".
[[nodiscard]] std::string direction_state(const Text &text,
                                          const Direction &direction);
/// "vlan 5", "qinq 7", "pppoe 1", outermost first; empty: nothing.
[[nodiscard]] std::string encap_text(const std::vector<Encap> &encap);
/// Of a flow, three lines.
void print_flow(Text &text, Devices &devices, const Flow &flow,
                const std::optional<Rates> &rates = {});
/// "snat 192.0.2.1:4000, dnat 10.0.0.1:80", or empty.
[[nodiscard]] std::string nat_text(const Flow &flow);
[[nodiscard]] Colour colour_of(FlowState state) noexcept;
[[nodiscard]] Colour colour_of(PortState state) noexcept;
/// "inet t ft", or what is known of one that nftables has deleted.
[[nodiscard]] std::string flowtable_name(const Flowtable &flowtable);

/// "2026-11-21 05:10:00.123 ..." and so on, one line.
void print_refusal(Text &text, Devices &devices, const Refusal &refusal);
/// Local time, of nanoseconds since 1970.
[[nodiscard]] std::string when_text(std::uint64_t ns);
/// What was counted for reasons, a line for each kind.
void print_reasons(Text &text, const std::vector<ReasonCount> &reasons);

/// What the counters of a reason have counted; nothing for one that a newer
/// module has added.
[[nodiscard]] std::optional<ReasonKind> counts_for(Reason reason) noexcept;
/// Names of reasons that a live flow's direction can have, and that a refusal
/// can have.
[[nodiscard]] std::vector<std::string_view> direction_reasons();
[[nodiscard]] std::vector<std::string_view> refusal_reasons();

} // namespace nfto::cli
