// SPDX-License-Identifier: GPL-2.0
#include "netlink/conntrack.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include "netlink/exchange.hpp"
#include "netlink/parse.hpp"
#include "netlink/socket.hpp"

namespace nfto {
namespace netlink {
namespace {

constexpr std::uint16_t type_of(unsigned int command) noexcept
{
    return static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8U | command);
}

bool has_ports(std::uint8_t l4proto) noexcept
{
    switch (l4proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
    case IPPROTO_DCCP:
        return true;
    default:
        return false;
    }
}

// --- the answer ---

/// As conntrack -L writes them.
std::string_view tcp_state_name(std::uint8_t state) noexcept
{
    constexpr std::array<std::string_view, 10> names{
        "NONE",       "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
        "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",       "SYN_SENT2"};
    return state < names.size() ? names.at(state) : "UNKNOWN";
}

bool take_ip(const Attr &attr, Tuple &tuple) noexcept
{
    switch (attr.type) {
    case CTA_IP_V4_SRC:
    case CTA_IP_V6_SRC:
        return get(attr, tuple.src);
    case CTA_IP_V4_DST:
    case CTA_IP_V6_DST:
        return get(attr, tuple.dst);
    default:
        return true;
    }
}

bool get_port(const Attr &attr, std::optional<std::uint16_t> &port) noexcept
{
    return get_be(attr, port.emplace());
}

bool take_proto(const Attr &attr, Tuple &tuple) noexcept
{
    switch (attr.type) {
    case CTA_PROTO_NUM:
        return get(attr, tuple.l4proto);
    case CTA_PROTO_SRC_PORT:
        return get_port(attr, tuple.sport);
    case CTA_PROTO_DST_PORT:
        return get_port(attr, tuple.dport);
    default:
        return true;
    }
}

bool take_tuple(const Attr &attr, Tuple &tuple, std::uint16_t &zone)
{
    switch (attr.type) {
    case CTA_TUPLE_IP:
        return for_each(attr.payload, [&](const Attr &inner) {
            return take_ip(inner, tuple);
        });
    case CTA_TUPLE_PROTO:
        return for_each(attr.payload, [&](const Attr &inner) {
            return take_proto(inner, tuple);
        });
    case CTA_TUPLE_ZONE:
        return get_be(attr, zone);
    default:
        return true;
    }
}

bool get_tuple(const Attr &nest, Tuple &tuple, std::uint16_t &zone)
{
    tuple = Tuple{};
    if (!for_each(nest.payload, [&](const Attr &attr) {
            return take_tuple(attr, tuple, zone);
        }))
        return false;
    // GRE has its keys there.
    if (!has_ports(tuple.l4proto)) {
        tuple.sport.reset();
        tuple.dport.reset();
    }
    return tuple.src.v6 == tuple.dst.v6;
}

bool get_counters(const Attr &nest, Connection &connection, std::size_t dir)
{
    return for_each(nest.payload, [&](const Attr &attr) {
        switch (attr.type) {
        case CTA_COUNTERS_PACKETS:
            return get_be(attr, connection.packets[dir].emplace());
        case CTA_COUNTERS_BYTES:
            return get_be(attr, connection.bytes[dir].emplace());
        default:
            return true;
        }
    });
}

bool get_tcp_state(const Attr &protoinfo, std::string &state)
{
    return for_each(protoinfo.payload, [&](const Attr &tcp) {
        if (tcp.type != CTA_PROTOINFO_TCP)
            return true;
        return for_each(tcp.payload, [&](const Attr &attr) {
            std::uint8_t value = 0;
            if (attr.type != CTA_PROTOINFO_TCP_STATE)
                return true;
            if (!get(attr, value))
                return false;
            state = tcp_state_name(value);
            return true;
        });
    });
}

bool get_helper(const Attr &help, std::string &helper)
{
    return for_each(help.payload, [&](const Attr &attr) {
        return attr.type != CTA_HELP_NAME || get(attr, helper);
    });
}

bool take_number(const Attr &attr, Connection &connection) noexcept
{
    switch (attr.type) {
    case CTA_STATUS:
        return get_be(attr, connection.status);
    case CTA_TIMEOUT:
        return get_be(attr, connection.timeout_s);
    case CTA_MARK:
        return get_be(attr, connection.mark);
    case CTA_ID:
        return get_be(attr, connection.id);
    case CTA_ZONE:
        return get_be(attr, connection.zone);
    default:
        return true;
    }
}

bool take(const Attr &attr, Connection &connection)
{
    std::uint16_t ignored = 0;
    switch (attr.type) {
    case CTA_TUPLE_ORIG:
        return get_tuple(attr, connection.orig, connection.zone);
    case CTA_TUPLE_REPLY:
        return get_tuple(attr, connection.reply, ignored);
    case CTA_PROTOINFO:
        return get_tcp_state(attr, connection.tcp_state);
    case CTA_HELP:
        return get_helper(attr, connection.helper);
    case CTA_COUNTERS_ORIG:
        return get_counters(attr, connection, 0);
    case CTA_COUNTERS_REPLY:
        return get_counters(attr, connection, 1);
    default:
        return take_number(attr, connection);
    }
}

// --- the question ---

void put_ip(Request &request, const Tuple &tuple) noexcept
{
    nlattr *nest = request.begin_nest(CTA_TUPLE_IP);
    request.put(tuple.src.v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, tuple.src);
    request.put(tuple.src.v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, tuple.dst);
    request.end_nest(nest);
}

void put_proto(Request &request, const Tuple &tuple) noexcept
{
    nlattr *nest = request.begin_nest(CTA_TUPLE_PROTO);
    request.put(CTA_PROTO_NUM, tuple.l4proto);
    // Of GRE of version 0, which has no keys, conntrack has zeroes.
    if (has_ports(tuple.l4proto) || tuple.l4proto == IPPROTO_GRE) {
        request.put_be(CTA_PROTO_SRC_PORT, tuple.sport.value_or(0));
        request.put_be(CTA_PROTO_DST_PORT, tuple.dport.value_or(0));
    }
    request.end_nest(nest);
}

void put_tuple(Request &request, const Tuple &tuple) noexcept
{
    nlattr *nest = request.begin_nest(CTA_TUPLE_ORIG);
    put_ip(request, tuple);
    put_proto(request, tuple);
    request.end_nest(nest);
}

constexpr const char *asking = "asking conntrack for a connection";

class Conntrack {
public:
    explicit Conntrack(std::unique_ptr<Transport> transport) noexcept
        : exchange_(std::move(transport))
    {}

    /// The connection that has this tuple in one of its directions.
    Result<std::optional<Connection>> get(const Tuple &tuple,
                                          std::uint16_t zone);

private:
    [[nodiscard]] Error explain(Error error);
    [[nodiscard]] bool is_there();

    Exchange exchange_;
};

Result<std::optional<Connection>> Conntrack::get(const Tuple &tuple,
                                                 std::uint16_t zone)
{
    Request request(type_of(IPCTNL_MSG_CT_GET), NLM_F_ACK);
    request.put_nfnl(tuple.src.v6 ? AF_INET6 : AF_INET);
    put_tuple(request, tuple);
    if (zone != 0)
        request.put_be(CTA_ZONE, zone);
    std::optional<Connection> found;
    auto answered = exchange_.ask(request, asking, [&](const Message &message) {
        if (message.type != type_of(IPCTNL_MSG_CT_NEW) || found ||
            message.payload.size() < sizeof(nfgenmsg))
            return Step::malformed;
        return parse(message.payload.subspan(sizeof(nfgenmsg)), found.emplace())
                   ? Step::more
                   : Step::malformed;
    });
    if (answered || answered.error().code == ENOENT)
        return found;
    return Failure(explain(std::move(answered.error())));
}

/// nfnetlink says EINVAL both of a tuple that conntrack does not take and of a
/// conntrack that is not there.
Error Conntrack::explain(Error error)
{
    if (!error.why.empty())
        return error;
    if (error.code == EPERM) {
        error.why = "This needs CAP_NET_ADMIN";
    } else if (error.code == EINVAL && !is_there()) {
        error.code = ENOPROTOOPT;
        error.why =
            "The kernel has no nf_conntrack_netlink; to load it: modprobe "
            "nf_conntrack_netlink";
    } else if (error.code == EINVAL) {
        error.why = "It cannot be asked for connections of this protocol";
    }
    return error;
}

/// Asks for what it answers always.
bool Conntrack::is_there()
{
    Request request(type_of(IPCTNL_MSG_CT_GET_STATS), NLM_F_ACK);
    request.put_nfnl(AF_UNSPEC);
    const auto answered = exchange_.ask(
        request, asking, [](const Message &) { return Step::more; });
    return answered || answered.error().code != EINVAL;
}

} // namespace

bool parse(Bytes attrs, Connection &connection)
{
    return for_each(attrs,
                    [&](const Attr &attr) { return take(attr, connection); });
}

Result<std::optional<Connection>>
find_connection(std::unique_ptr<Transport> transport, const Tuple &tuple,
                std::uint16_t zone)
{
    Conntrack conntrack(std::move(transport));
    auto found = conntrack.get(tuple, zone);
    if (!found || *found)
        return found;
    // As the packet leaves, it is the other direction as that arrives.
    return conntrack.get(tuple.reversed(), zone);
}

} // namespace netlink

Result<std::optional<Connection>> find_connection(const Tuple &tuple,
                                                  std::uint16_t zone,
                                                  const std::string &netns)
{
    auto socket = netlink::open_socket(NETLINK_NETFILTER, netns);
    if (!socket && socket.error().code == EPROTONOSUPPORT)
        socket.error().code = ENOPROTOOPT;
    if (!socket)
        return Failure(std::move(socket.error()));
    return netlink::find_connection(std::move(*socket), tuple, zone);
}

} // namespace nfto
