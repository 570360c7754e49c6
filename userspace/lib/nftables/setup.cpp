// SPDX-License-Identifier: GPL-2.0
// Setups: what is allowed in one, and its text.
#include "nftables/setup.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include <fmt/format.h>
// The kernel's headers follow libc's, which they would clash with otherwise.
#include <net/if.h>
#include <netinet/in.h>

#include <linux/netfilter.h>

namespace nfto {
namespace {

// The kernel's NFT_NETDEVICE_MAX and NFT_TABLE_MAXNAMELEN.
constexpr std::size_t max_devices = 256;
constexpr std::size_t max_table_name = 255;

Failure invalid(std::string why)
{
    return Failure({"checking the table", EINVAL, std::move(why)});
}

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// What nft takes without quotes, for it takes none here.
bool is_identifier(std::string_view name)
{
    if (name.empty() || !(is_letter(name[0]) || name[0] == '_'))
        return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
    });
}

// As the kernel's dev_valid_name(), and nothing that ends nft's quotes or that
// newer kernels take as a pattern.
bool is_device_name(std::string_view name)
{
    if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == "..")
        return false;
    return std::none_of(name.begin(), name.end(), [](char signed_c) {
        const auto c = static_cast<unsigned char>(signed_c);
        return c <= ' ' || c == '/' || c == ':' || c == '"' || c == '*' ||
               c == '\x7f';
    });
}

template <typename Strings> bool has_twice(Strings strings)
{
    std::sort(strings.begin(), strings.end());
    return std::adjacent_find(strings.begin(), strings.end()) != strings.end();
}

std::string protocol_match(const std::vector<std::string> &protocols)
{
    if (protocols.size() == 1)
        return protocols[0];
    return fmt::format("{{ {} }}", fmt::join(protocols, ", "));
}

} // namespace

std::string family_name(std::uint32_t family)
{
    switch (family) {
    case NFPROTO_INET:
        return "inet";
    case NFPROTO_IPV4:
        return "ip";
    case NFPROTO_IPV6:
        return "ip6";
    default:
        return fmt::format("family {}", family);
    }
}

namespace nftables {

std::optional<std::uint8_t> protocol_number(std::string_view name)
{
    if (name == "tcp")
        return IPPROTO_TCP;
    if (name == "udp")
        return IPPROTO_UDP;
    if (name == "gre")
        return IPPROTO_GRE;
    return {};
}

std::vector<std::string> protocols_of(const Setup &setup)
{
    auto protocols = setup.protocols;

    if (protocols.empty())
        protocols = {"tcp", "udp"};
    // nft lists the elements of a set by their value.
    std::sort(protocols.begin(), protocols.end(),
              [](const auto &a, const auto &b) {
                  return protocol_number(a) < protocol_number(b);
              });
    return protocols;
}

} // namespace nftables

std::string Setup::text() const
{
    std::string text;

    text += "# Made by nft-offload. Replaces a table of this name.\n";
    text += fmt::format("table inet {0}\ndelete table inet {0}\n", table);
    text += fmt::format("table inet {} {{\n", table);
    text += fmt::format("\tcomment \"{}\"\n", nftables::owner_comment);
    text += fmt::format("\tflowtable {} {{\n", nftables::flowtable_name);
    text += "\t\thook ingress priority filter\n";
    text +=
        fmt::format("\t\tdevices = {{ \"{}\" }}\n", fmt::join(devices, "\", "
                                                                       "\""));
    if (offload)
        text += "\t\tflags offload\n";
    if (counter)
        text += "\t\tcounter\n";
    text += fmt::format("\t}}\n\n\tchain {} {{\n", nftables::chain_name);
    text += "\t\ttype filter hook forward priority filter; policy accept;\n";
    text += fmt::format("\t\tmeta l4proto {} flow add @{}\n",
                        protocol_match(nftables::protocols_of(*this)),
                        nftables::flowtable_name);
    text += "\t}\n}\n";
    return text;
}

Result<void> validate(const Setup &setup)
{
    if (!is_identifier(setup.table) || setup.table.size() > max_table_name)
        return invalid(fmt::format("\"{}\" is no name for a table; letters, "
                                   "digits and _ - . are "
                                   "allowed, a letter or _ first",
                                   setup.table));
    if (setup.devices.empty())
        return invalid("A flowtable needs at least one device");
    if (setup.devices.size() > max_devices)
        return invalid(fmt::format("{} devices, but a flowtable takes {} at "
                                   "most",
                                   setup.devices.size(), max_devices));
    for (const auto &device : setup.devices)
        if (!is_device_name(device))
            return invalid(
                fmt::format("\"{}\" is no name of a device", device));
    if (has_twice(setup.devices))
        return invalid("A device is named twice");
    for (const auto &protocol : setup.protocols)
        if (!nftables::protocol_number(protocol))
            return invalid(fmt::format("\"{}\" is no protocol that flows can "
                                       "have: tcp, udp or gre",
                                       protocol));
    if (has_twice(setup.protocols))
        return invalid("A protocol is named twice");
    return {};
}

} // namespace nfto
