// SPDX-License-Identifier: GPL-2.0
#include "words/endpoint.hpp"

#include <charconv>
#include <optional>

#include <netinet/in.h>

#include <fmt/format.h>

#include "view/text.hpp"

namespace nfto::cli {
namespace {

struct Endpoint {
    Address address;
    std::optional<std::uint16_t> port;
};

std::optional<std::uint8_t> protocol_of(std::string_view name)
{
    if (name == "tcp")
        return IPPROTO_TCP;
    if (name == "udp")
        return IPPROTO_UDP;
    if (name == "gre")
        return IPPROTO_GRE;
    return std::nullopt;
}

tl::unexpected<Problem> wrong_endpoint(std::string_view word, bool ports)
{
    return fail(wrong_usage(fmt::format("'{}' is not {}.", printable(word),
                                        ports ? "ADDRESS:PORT, or "
                                                "[ADDRESS]:PORT for IPv6"
                                              : "an address; gre has no "
                                                "ports")));
}

std::optional<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const char *end = text.data() + text.size();
    const auto got = std::from_chars(text.data(), end, port);
    if (got.ec != std::errc() || got.ptr != end)
        return std::nullopt;
    return port;
}

std::string_view without_brackets(std::string_view text)
{
    if (text.size() > 2 && text.front() == '[' && text.back() == ']')
        return text.substr(1, text.size() - 2);
    return text;
}

tl::expected<Endpoint, Problem> parse_endpoint(std::string_view word,
                                               bool ports)
{
    const auto colon = ports ? word.rfind(':') : word.size();
    if (colon == std::string_view::npos)
        return wrong_endpoint(word, ports);
    const auto host = word.substr(0, colon);
    const auto address = Address::parse(without_brackets(host));
    // Which colon is the port's is clear only with brackets.
    if (!address || (ports && address->v6 != host.starts_with('[')))
        return wrong_endpoint(word, ports);
    Endpoint endpoint{*address, std::nullopt};
    if (!ports)
        return endpoint;
    endpoint.port = parse_port(word.substr(colon + 1));
    if (!endpoint.port)
        return wrong_endpoint(word, ports);
    return endpoint;
}

} // namespace

tl::expected<Tuple, Problem>
parse_tuple(std::string_view proto, std::string_view src, std::string_view dst)
{
    const auto l4proto = protocol_of(proto);
    if (!l4proto)
        return fail(wrong_usage(fmt::format("'{}' is not tcp, udp or gre; only "
                                            "these become flows.",
                                            printable(proto))));
    const bool ports = *l4proto != IPPROTO_GRE;
    const auto from = parse_endpoint(src, ports);
    if (!from)
        return fail(from.error());
    const auto to = parse_endpoint(dst, ports);
    if (!to)
        return fail(to.error());
    if (from->address.v6 != to->address.v6)
        return fail(wrong_usage("One address is IPv4, the other one IPv6."));
    return Tuple{*l4proto, from->address, to->address, from->port, to->port};
}

} // namespace nfto::cli
