// SPDX-License-Identifier: GPL-2.0
#include "netlink/message.hpp"

#include <algorithm>
#include <limits>

#include <linux/genetlink.h>

namespace nfto::netlink {
namespace {

bool parse_sentence(Bytes attrs, std::string &why)
{
    return for_each(attrs, [&](const Attr &attr) {
        return attr.type != NLMSGERR_ATTR_MSG || get(attr, why);
    });
}

/// @param skip how much there is before the attributes
std::optional<Status> parse_status(const Message &message, std::size_t skip)
{
    if (message.payload.size() < sizeof(int))
        return std::nullopt;
    const int code = load<int>(message.payload);
    if (code > 0 || code == std::numeric_limits<int>::min())
        return std::nullopt;
    Status status{-code, {}};
    if ((message.flags & NLM_F_ACK_TLVS) == 0)
        return status;
    if (skip > message.payload.size() ||
        !parse_sentence(message.payload.subspan(skip), status.why))
        return std::nullopt;
    return status;
}

} // namespace

bool MessageReader::next(Message &message) noexcept
{
    if (rest_.size() < sizeof(nlmsghdr))
        return false;
    const auto header = load<nlmsghdr>(rest_);
    if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > rest_.size())
        return false;
    message.type = header.nlmsg_type;
    message.flags = header.nlmsg_flags;
    message.seq = header.nlmsg_seq;
    message.port_id = header.nlmsg_pid;
    message.payload =
        rest_.subspan(sizeof(nlmsghdr), header.nlmsg_len - sizeof(nlmsghdr));
    rest_ = rest_.subspan(std::min(aligned(header.nlmsg_len), rest_.size()));
    return true;
}

std::optional<Status> parse_error(const Message &message)
{
    // The request follows, only its header where that was asked for.
    if (message.payload.size() < sizeof(nlmsgerr))
        return std::nullopt;
    const auto error = load<nlmsgerr>(message.payload);
    std::size_t skip = sizeof(nlmsgerr);
    if (error.error != 0 && (message.flags & NLM_F_CAPPED) == 0)
        skip = sizeof(int) + aligned(std::max<std::size_t>(error.msg.nlmsg_len,
                                                           sizeof(nlmsghdr)));
    return parse_status(message, skip);
}

std::optional<Status> parse_done(const Message &message)
{
    return parse_status(message, sizeof(int));
}

std::optional<GenlMessage> parse_genl(const Message &message)
{
    if (message.payload.size() < sizeof(genlmsghdr))
        return std::nullopt;
    const auto header = load<genlmsghdr>(message.payload);
    return GenlMessage{header.cmd, message.payload.subspan(sizeof(genlmsghdr))};
}

} // namespace nfto::netlink
