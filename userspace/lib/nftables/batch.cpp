// SPDX-License-Identifier: GPL-2.0
// A transaction of nf_tables: all of it is done or nothing.
#include "nftables/batch.hpp"

#include <cerrno>
#include <chrono>
#include <span>

#include <arpa/inet.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "nftables/talk.hpp"

namespace nfto::nftables {

Batch::Batch(std::uint32_t generation)
    : steps_{"beginning to change the ruleset"}
{
    auto *begin = nftnl_batch_begin(reinterpret_cast<char *>(at_end()), 0);

    mnl_attr_put_u32(begin, NFNL_BATCH_GENID, htonl(generation));
}

nlmsghdr *Batch::at_end() noexcept
{
    return reinterpret_cast<nlmsghdr *>(
        reinterpret_cast<char *>(buffer_.data()) + used_);
}

void Batch::close() noexcept
{
    used_ += NLMSG_ALIGN(at_end()->nlmsg_len);
}

nlmsghdr *Batch::add(std::uint16_t type, std::uint16_t flags, std::string what)
{
    close();
    steps_.push_back(std::move(what));
    return nftnl_nlmsg_build_hdr(reinterpret_cast<char *>(at_end()), type,
                                 NFPROTO_INET, flags,
                                 static_cast<std::uint32_t>(steps_.size() - 1));
}

const std::string &Batch::what_of(const nlmsghdr &message) const noexcept
{
    return steps_[message.nlmsg_seq < steps_.size() ? message.nlmsg_seq : 0];
}

Result<bool> Batch::take(std::span<const std::byte> datagram) const
{
    bool done = false;

    for (auto rest = datagram; const auto *message = first_of(rest);
         rest = behind(rest, *message)) {
        if (message->nlmsg_type != NLMSG_ERROR)
            continue;
        if (auto good = verdict(*message, what_of(*message)); !good)
            return Failure(good.error());
        done = done || message->nlmsg_seq + 1 == steps_.size();
    }
    return done;
}

Result<void> Batch::commit(Transport &transport)
{
    // Of a transaction that fails, messages that are right are not
    // acknowledged; the last one's is that of all.
    at_end()->nlmsg_flags |= NLM_F_ACK;
    close();
    nftnl_batch_end(reinterpret_cast<char *>(at_end()),
                    static_cast<std::uint32_t>(steps_.size()));
    close();
    if (auto sent =
            transport.send(std::as_bytes(std::span(buffer_)).first(used_));
        !sent)
        return Failure(sent.error());
    for (;;) {
        // The kernel has answered before send() returned.
        auto datagram = transport.receive(std::chrono::seconds(1));
        if (!datagram)
            return Failure(datagram.error());
        if (!*datagram)
            return Failure({"changing the ruleset", EIO,
                            "There was no answer; look at nft list ruleset"});
        auto done = take(**datagram);
        if (!done)
            return Failure(done.error());
        if (*done)
            return {};
    }
}

} // namespace nfto::nftables
