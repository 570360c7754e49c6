// SPDX-License-Identifier: GPL-2.0
#include "netlink/request.hpp"

#include <linux/genetlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/nfto.h>

#include <arpa/inet.h>

namespace nfto::netlink {
namespace {

template <typename T>
void put_optional(Request &request, std::uint16_t type,
                  const std::optional<T> &value) noexcept
{
    if (value)
        request.put(type, *value);
}

void put_prefix(Request &request, std::uint16_t type, std::uint16_t length_type,
                const std::optional<Prefix> &prefix) noexcept
{
    if (!prefix)
        return;
    request.put(type, prefix->address);
    request.put(length_type, std::uint32_t{prefix->length});
}

void put_mark(Request &request, const Filter &filter) noexcept
{
    if (!filter.mark)
        return;
    request.put(NFTO_A_FILTER_MARK, *filter.mark);
    request.put(NFTO_A_FILTER_MARK_MASK, filter.mark_mask);
}

} // namespace

Request::Request(std::uint16_t type, std::uint16_t flags) noexcept
    : header_(mnl_nlmsg_put_header(buffer_.data()))
{
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
}

void Request::put_genl(std::uint8_t command, std::uint8_t version) noexcept
{
    auto *genl = static_cast<genlmsghdr *>(
        mnl_nlmsg_put_extra_header(header_, sizeof(genlmsghdr)));
    genl->cmd = command;
    genl->version = version;
}

void Request::put_nfnl(std::uint8_t family) noexcept
{
    auto *nfnl = static_cast<nfgenmsg *>(
        mnl_nlmsg_put_extra_header(header_, sizeof(nfgenmsg)));
    nfnl->nfgen_family = family;
    nfnl->version = NFNETLINK_V0;
}

void Request::put(std::uint16_t type, const Address &address) noexcept
{
    mnl_attr_put(header_, type, address.size(), address.bytes.data());
}

void Request::put(std::uint16_t type, const char *text) noexcept
{
    mnl_attr_put_strz(header_, type, text);
}

void Request::put_be(std::uint16_t type, std::uint16_t value) noexcept
{
    put(type, htons(value));
}

nlattr *Request::begin_nest(std::uint16_t type) noexcept
{
    return mnl_attr_nest_start(header_, type);
}

void Request::end_nest(nlattr *nest) noexcept
{
    mnl_attr_nest_end(header_, nest);
}

bool Request::is_dump() const noexcept
{
    return (header_->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
}

std::span<const std::byte> Request::bytes() const noexcept
{
    return {buffer_.data(), header_->nlmsg_len};
}

void put_filter(Request &request, std::uint16_t type,
                const Filter &filter) noexcept
{
    nlattr *nest = request.begin_nest(type);
    put_optional(request, NFTO_A_FILTER_FLOWTABLE, filter.flowtable);
    put_optional(request, NFTO_A_FILTER_IFINDEX, filter.ifindex);
    put_optional(request, NFTO_A_FILTER_IN_IFINDEX, filter.in_ifindex);
    put_optional(request, NFTO_A_FILTER_HW, filter.hw);
    put_optional(request, NFTO_A_FILTER_REASON, filter.reason);
    put_prefix(request, NFTO_A_FILTER_ADDRESS, NFTO_A_FILTER_PREFIX_LEN,
               filter.address);
    put_optional(request, NFTO_A_FILTER_PORT, filter.port);
    put_optional(request, NFTO_A_FILTER_L4PROTO, filter.l4proto);
    put_mark(request, filter);
    put_optional(request, NFTO_A_FILTER_ZONE, filter.zone);
    put_optional(request, NFTO_A_FILTER_STATE, filter.state);
    put_prefix(request, NFTO_A_FILTER_SRC, NFTO_A_FILTER_SRC_LEN, filter.src);
    put_prefix(request, NFTO_A_FILTER_DST, NFTO_A_FILTER_DST_LEN, filter.dst);
    put_optional(request, NFTO_A_FILTER_SPORT, filter.sport);
    put_optional(request, NFTO_A_FILTER_DPORT, filter.dport);
    request.end_nest(nest);
}

} // namespace nfto::netlink
