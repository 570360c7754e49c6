// SPDX-License-Identifier: GPL-2.0
#include "view/view.hpp"

#include <nfto/ruleset.hpp>

namespace nfto::cli {
namespace {

void put_device(Json &json, Devices &devices, std::string_view index_name,
                std::string_view name, std::uint32_t ifindex)
{
    json.member(index_name, ifindex);
    if (const std::string &device = devices.name(ifindex); !device.empty())
        json.member(name, device);
}

std::string_view encap_name(std::uint16_t proto)
{
    switch (proto) {
    case 0x8100:
        return "802.1q";
    case 0x88a8:
        return "802.1ad";
    case 0x8864:
        return "pppoe";
    default:
        return "unknown";
    }
}

} // namespace

void put_error(Json &json, int error, const std::string &why)
{
    if (error) {
        json.member("errno", error);
        if (const std::string name = errno_name(error); !name.empty())
            json.member("errno_name", name);
    }
    if (!why.empty())
        json.member("why", why);
}

void put_reasons(Json &json, const std::vector<ReasonCount> &reasons)
{
    const auto array = json.array("reasons");
    for (const ReasonCount &one : reasons) {
        const auto object = json.object();
        json.member("reason", name(one.reason));
        json.member("count", one.count);
    }
}

void put(Json &json, const Port &port)
{
    json.member("ifindex", port.ifindex);
    json.member("name", port.name);
    if (!port.driver.empty())
        json.member("driver", port.driver);
    json.member("block", name(port.block));
    json.member("state", name(port.state));
    if (port.reason != Reason::none)
        json.member("reason", name(port.reason));
    json.member("kind", name(port.kind));
    put_error(json, port.error, port.why);
    json.member("users", port.users);
    json.member("in_hardware", port.in_hardware);
    json.member("full_at", port.full_at);
    json.member("queued", port.queued);
    json.member("workers", port.workers);
    json.member("accepted", port.accepted);
    json.member("refused", port.refused);
    json.member("removed", port.removed);
    json.member("stuck", port.stuck);
    json.member("queries", port.queries);
    json.member("lost", port.lost);
    json.member("packets", port.packets);
    json.member("bytes", port.bytes);
}

void put(Json &json, Devices &devices, const Flowtable &flowtable)
{
    json.member("id", flowtable.id);
    json.member("name", flowtable.name);
    json.member("table", flowtable.table);
    json.member("family", family_name(flowtable.family));
    json.member("priority", flowtable.priority);
    json.member("offload", flowtable.offload);
    json.member("counter", flowtable.counter);
    {
        const auto array = json.array("devices");
        for (const std::uint32_t ifindex : flowtable.devices) {
            const auto object = json.object();
            put_device(json, devices, "ifindex", "name", ifindex);
        }
    }
    json.member("flows", flowtable.flows);
    json.member("packets", flowtable.packets);
    json.member("bytes", flowtable.bytes);
    json.member("follow_ruleset", flowtable.follow_ruleset);
    put_reasons(json, flowtable.reasons);
}

void put(Json &json, const Stats &stats)
{
    json.member("flowtables", stats.flowtables);
    json.member("ports", stats.ports);
    json.member("flows", stats.flows);
    json.member("in_hardware", stats.in_hardware);
    json.member("packets", stats.packets);
    json.member("bytes", stats.bytes);
    json.member("hw_packets", stats.hw_packets);
    json.member("hw_bytes", stats.hw_bytes);
    if (stats.recent) {
        const auto recent = json.object("recent");
        json.member("ms", stats.recent->ms);
        json.member("packets", stats.recent->packets);
        json.member("bytes", stats.recent->bytes);
        json.member("hw_packets", stats.recent->hw_packets);
        json.member("hw_bytes", stats.recent->hw_bytes);
    }
    put_reasons(json, stats.reasons);
}

void put(Json &json, const Counts &counts)
{
    json.member("flows", counts.flows);
    json.member("hardware", counts.hardware);
    json.member("half", counts.half);
    json.member("waiting", counts.waiting);
    json.member("software", counts.software);
}

void put(Json &json, const Tuple &tuple)
{
    json.member("l4proto", tuple.l4proto);
    json.member("proto", protocol_name(tuple.l4proto));
    json.member("src", tuple.src.text());
    json.member("dst", tuple.dst.text());
    json.member("sport", tuple.sport);
    json.member("dport", tuple.dport);
}

void put(Json &json, Devices &devices, const Refusal &refusal)
{
    json.member("when_ns", refusal.when_ns);
    json.member("count", refusal.count);
    json.member("reason", name(refusal.reason));
    if (refusal.orig) {
        const auto orig = json.object("orig");
        put(json, *refusal.orig);
    }
    json.member("zone", refusal.zone);
    put_device(json, devices, "ifindex", "dev", refusal.ifindex);
    json.member("cpu", refusal.cpu);
}

void put(Json &json, Devices &devices, const Direction &direction,
         const std::optional<Rate> &rate)
{
    put_device(json, devices, "in_ifindex", "in", direction.in_ifindex);
    put_device(json, devices, "out_ifindex", "out", direction.out_ifindex);
    put_device(json, devices, "route_ifindex", "route",
               direction.route_ifindex);
    if (direction.mac)
        json.member("mac", text(*direction.mac));
    if (direction.next_hop)
        json.member("next_hop", direction.next_hop->text());
    if (!direction.encap.empty()) {
        const auto array = json.array("encap");
        for (const Encap &encap : direction.encap) {
            const auto object = json.object();
            json.member("proto", encap.proto);
            json.member("name", encap_name(encap.proto));
            json.member("id", encap.id);
        }
    }
    json.member("mtu", direction.mtu);
    json.member("hw", name(direction.hw));
    json.member("reason", name(direction.reason));
    put_error(json, direction.error, direction.why);
    json.member("tries", direction.tries);
    json.member("cookie", direction.cookie);
    json.member("hw_packets", direction.hw_packets);
    json.member("hw_bytes", direction.hw_bytes);
    json.member("sw_packets", direction.sw_packets);
    json.member("sw_bytes", direction.sw_bytes);
    if (rate) {
        json.member("packet_rate", rate->packets);
        json.member("byte_rate", rate->bytes);
    }
}

void put(Json &json, Devices &devices, const Flow &flow,
         const std::optional<Rates> &rates)
{
    json.member("id", flow.id);
    json.member("flowtable", flow.flowtable);
    json.member("zone", flow.zone);
    json.member("mark", flow.mark);
    json.member("ct_id", flow.ct_id);
    json.member("snat", flow.snat);
    json.member("dnat", flow.dnat);
    json.member("state", name(flow.state()));
    if (flow.end_reason)
        json.member("end_reason", name(*flow.end_reason));
    {
        const auto object = json.object("orig");
        put(json, flow.orig);
    }
    {
        const auto object = json.object("reply");
        put(json, flow.reply);
    }
    json.member("idle_ms", flow.idle_ms);
    json.member("expires_ms", flow.expires_ms);
    {
        const auto object = json.object("dir_orig");
        put(json, devices, flow.dir_orig,
            rates ? std::optional(rates->orig) : std::nullopt);
    }
    const auto object = json.object("dir_reply");
    put(json, devices, flow.dir_reply,
        rates ? std::optional(rates->reply) : std::nullopt);
}

} // namespace nfto::cli
