// SPDX-License-Identifier: GPL-2.0
// Requests to nf_tables over a transport.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>

#include <nfto/result.hpp>
#include <nfto/transport.hpp>

namespace nfto::nftables {

// Calls for each message that answers, but for the last one that ends it.
using Visitor = std::function<void(const nlmsghdr &)>;

struct Answer {
    // A dump was disturbed: what it told is not all of one time.
    bool interrupted = false;
};

// Sends one request (NLM_F_ACK or NLM_F_DUMP) and reads its answer to the end.
[[nodiscard]] Result<Answer> ask(Transport &transport, const nlmsghdr &request,
                                 std::string_view what, const Visitor &visit);
// The message that this begins with, if all of it is there. mnl_nlmsg_ok() takes
// a length above 2 GiB for a negative one, which is less than there is.
[[nodiscard]] const nlmsghdr *
first_of(std::span<const std::byte> data) noexcept;
// What is behind that message.
[[nodiscard]] std::span<const std::byte>
behind(std::span<const std::byte> data, const nlmsghdr &message) noexcept;
// The error that a message reports, or success, with the kernel's sentence.
[[nodiscard]] Result<void> verdict(const nlmsghdr &message,
                                   std::string_view what);
// The number of the ruleset's generation. It changes with each transaction.
[[nodiscard]] Result<std::uint32_t> generation(Transport &transport);

// libmnl's own macros for this do not compile as C++.
template <typename Function> int call_with(const nlattr *attribute, void *data)
{
    (*static_cast<Function *>(data))(attribute);
    return MNL_CB_OK;
}

// Calls for each attribute in a nest.
template <typename Function> void in_nest(const nlattr *nest, Function function)
{
    mnl_attr_parse_nested(nest, call_with<Function>, &function);
}

// Calls for each attribute of a message, behind nfnetlink's header.
template <typename Function>
void in_message(const nlmsghdr &message, Function function)
{
    mnl_attr_parse(&message, sizeof(nfgenmsg), call_with<Function>, &function);
}

} // namespace nfto::nftables
