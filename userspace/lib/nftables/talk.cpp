// SPDX-License-Identifier: GPL-2.0
// Requests to nf_tables over a transport.
#include "nftables/talk.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <optional>
#include <string>

#include <arpa/inet.h>
#include <libnftnl/common.h>
#include <linux/netfilter/nf_tables.h>

namespace nfto::nftables {
namespace {

// The kernel answers while it takes the request; this is for a lost answer.
constexpr std::chrono::seconds patience{10};

struct Acknowledgement {
    int error;
    std::string why;
};

int note_sentence(const nlattr *attribute, void *data)
{
    if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG &&
        mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
        *static_cast<std::string *>(data) = mnl_attr_get_str(attribute);
    return MNL_CB_OK;
}

// NLMSG_ERROR has the request's header behind the number, and all of the
// request where the kernel was not told to leave it out. NLMSG_DONE has
// neither.
std::optional<Acknowledgement> acknowledgement(const nlmsghdr &message)
{
    Acknowledgement found{0, {}};
    std::uint32_t offset = sizeof(int);

    if (mnl_nlmsg_get_payload_len(&message) < sizeof(int)) {
        if (message.nlmsg_type == NLMSG_DONE)
            return found;
        return {};
    }
    const int number =
        *static_cast<const int *>(mnl_nlmsg_get_payload(&message));
    if (number > 0 || number == std::numeric_limits<int>::min())
        return {};
    found.error = -number;
    if (message.nlmsg_type == NLMSG_ERROR) {
        if (mnl_nlmsg_get_payload_len(&message) < sizeof(nlmsgerr))
            return {};
        const auto *error =
            static_cast<const nlmsgerr *>(mnl_nlmsg_get_payload(&message));
        offset = sizeof(nlmsgerr);
        if (!(message.nlmsg_flags & NLM_F_CAPPED))
            offset += NLMSG_ALIGN(error->msg.nlmsg_len) - NLMSG_HDRLEN;
    }
    if (message.nlmsg_flags & NLM_F_ACK_TLVS &&
        mnl_nlmsg_get_payload_len(&message) > offset)
        mnl_attr_parse(&message, offset, note_sentence, &found.why);
    return found;
}

bool is_end(const nlmsghdr &message)
{
    return message.nlmsg_type == NLMSG_ERROR ||
           message.nlmsg_type == NLMSG_DONE;
}

// Looks at the messages of one datagram; true when the last one was among them.
Result<bool> take(std::span<const std::byte> datagram, const nlmsghdr &request,
                  std::string_view what, const Visitor &visit, Answer &answer)
{
    for (auto rest = datagram; const auto *message = first_of(rest);
         rest = behind(rest, *message)) {
        if (message->nlmsg_seq != request.nlmsg_seq)
            continue;
        if (message->nlmsg_flags & NLM_F_DUMP_INTR)
            answer.interrupted = true;
        if (is_end(*message)) {
            if (auto ended = verdict(*message, what); !ended)
                return Failure(ended.error());
            return true;
        }
        visit(*message);
    }
    return false;
}

} // namespace

const nlmsghdr *first_of(std::span<const std::byte> data) noexcept
{
    if (data.size() < sizeof(nlmsghdr))
        return nullptr;
    const auto *message = reinterpret_cast<const nlmsghdr *>(data.data());
    if (message->nlmsg_len < sizeof(nlmsghdr) ||
        message->nlmsg_len > data.size())
        return nullptr;
    return message;
}

std::span<const std::byte> behind(std::span<const std::byte> data,
                                  const nlmsghdr &message) noexcept
{
    return data.subspan(
        std::min<std::size_t>(NLMSG_ALIGN(message.nlmsg_len), data.size()));
}

Result<void> verdict(const nlmsghdr &message, std::string_view what)
{
    auto found = acknowledgement(message);

    if (!found)
        return Failure(
            {std::string(what), EPROTO, "The answer makes no sense"});
    if (found->error)
        return Failure({std::string(what), found->error, found->why});
    return {};
}

Result<Answer> ask(Transport &transport, const nlmsghdr &request,
                   std::string_view what, const Visitor &visit)
{
    Answer answer;

    if (auto sent = transport.send(std::as_bytes(std::span(
            reinterpret_cast<const char *>(&request), request.nlmsg_len)));
        !sent)
        return Failure(sent.error());
    for (;;) {
        auto datagram = transport.receive(patience);
        if (!datagram)
            return Failure(datagram.error());
        if (!*datagram)
            return Failure({std::string(what), EIO, "There was no answer"});
        auto done = take(**datagram, request, what, visit, answer);
        if (!done)
            return Failure(done.error());
        if (*done)
            return answer;
    }
}

Result<std::uint32_t> generation(Transport &transport)
{
    alignas(nlmsghdr) std::array<char, 256> buffer{};
    std::uint32_t number = 0;
    const auto *request = nftnl_nlmsg_build_hdr(buffer.data(), NFT_MSG_GETGEN,
                                                AF_UNSPEC, NLM_F_ACK, 1);

    auto answer =
        ask(transport, *request, "asking for the ruleset's generation",
            [&number](const nlmsghdr &message) {
                in_message(message, [&](const nlattr *attribute) {
                    if (mnl_attr_get_type(attribute) == NFTA_GEN_ID &&
                        mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0)
                        number = ntohl(mnl_attr_get_u32(attribute));
                });
            });
    if (!answer)
        return Failure(answer.error());
    return number;
}

} // namespace nfto::nftables
