// SPDX-License-Identifier: GPL-2.0
#include <nfto/events.hpp>

#include <cerrno>
#include <utility>

#include <linux/netlink.h>
#include <linux/nfto.h>

#include "netlink/module.hpp"
#include "netlink/socket.hpp"

namespace nfto {

using netlink::Message;
using netlink::MessageReader;
using netlink::Module;
using std::chrono::milliseconds;

namespace {

/// Some 10,000 events that nobody reads meanwhile.
constexpr int backlog = 16 << 20;

using Clock = std::chrono::steady_clock;

/// What is left of a time, which was negative if it is without end.
milliseconds left_of(milliseconds timeout, Clock::time_point since)
{
    if (timeout < milliseconds::zero())
        return timeout;
    const auto passed =
        std::chrono::duration_cast<milliseconds>(Clock::now() - since);
    return std::max(timeout - passed, milliseconds::zero());
}

Result<void> join(Module &module, const char *group)
{
    const std::string what = std::string("joining the group ") + group;
    const auto &groups = module.family().groups;
    const auto found = groups.find(group);
    if (found == groups.end())
        return Failure(Error{what, ENOTSUP,
                             "The module does not have it, because this kernel "
                             "cannot say who may join a group"});
    auto joined = module.transport().join(found->second);
    if (!joined && joined.error().code == EPERM)
        return Failure(
            Error{what, EPERM,
                  "Connections are shown to those with CAP_NET_ADMIN "
                  "only"});
    if (!joined)
        return Failure(Error{what, joined.error().code, joined.error().why});
    return {};
}

Result<void> join_all(Module &module, EventGroups groups)
{
    const std::pair<bool, const char *> all[] = {
        {groups.flows, NFTO_MCGRP_FLOWS},
        {groups.ports, NFTO_MCGRP_PORTS},
        {groups.refusals, NFTO_MCGRP_REFUSALS},
    };
    for (const auto &[wanted, group] : all) {
        if (!wanted)
            continue;
        if (auto joined = join(module, group); !joined)
            return joined;
    }
    return {};
}

Result<void> check(EventGroups groups)
{
    if (groups.flows || groups.ports || groups.refusals)
        return {};
    return Failure(Error{"listening to the module", EINVAL,
                         "No group of events was chosen"});
}

} // namespace

struct Events::Impl {
    Module module;
    /// The rest of the last datagram.
    MessageReader reader{};

    /// What is in the last datagram, nothing after its end.
    Result<std::optional<Event>> take();
    /// One more datagram. False if there was none in this time.
    Result<bool> fetch(milliseconds timeout);
};

Result<std::optional<Event>> Events::Impl::take()
{
    const char *what = "reading an event";
    Message message;
    while (reader.next(message)) {
        if (message.type != module.family().id)
            continue;
        std::optional<Event> event;
        const auto genl = parse_genl(message);
        if (!genl || !netlink::parse_event(genl->command, genl->attrs, event))
            return Failure(Error{what, EPROTO, "It makes no sense"});
        if (event)
            return event;
    }
    const bool good = reader.done();
    reader = MessageReader();
    if (!good)
        return Failure(Error{what, EPROTO, "It is cut off"});
    return std::nullopt;
}

Result<bool> Events::Impl::fetch(milliseconds timeout)
{
    auto datagram = module.transport().receive(timeout);
    if (!datagram)
        return Failure(std::move(datagram.error()));
    if (*datagram)
        reader = MessageReader(**datagram);
    return datagram->has_value();
}

Events::Events(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Events::Events(Events &&) noexcept = default;
Events &Events::operator=(Events &&) noexcept = default;
Events::~Events() = default;

Result<Events> Events::open(EventGroups groups, const std::string &netns)
{
    if (auto checked = check(groups); !checked)
        return Failure(std::move(checked.error()));
    auto socket = netlink::open_socket(NETLINK_GENERIC, netns, backlog);
    if (!socket)
        return Failure(std::move(socket.error()));
    return over(std::move(*socket), groups);
}

Result<Events> Events::over(std::unique_ptr<Transport> transport,
                            EventGroups groups)
{
    if (auto checked = check(groups); !checked)
        return Failure(std::move(checked.error()));
    auto module = Module::open(std::move(transport));
    if (!module)
        return Failure(std::move(module.error()));
    if (auto joined = join_all(*module, groups); !joined)
        return Failure(std::move(joined.error()));
    return Events(std::make_unique<Impl>(Impl{std::move(*module)}));
}

Result<std::optional<Event>> Events::next(milliseconds timeout)
{
    const auto since = Clock::now();
    for (;;) {
        auto event = impl_->take();
        if (!event || *event)
            return event;
        const auto fetched = impl_->fetch(left_of(timeout, since));
        if (!fetched && fetched.error().code == ENOBUFS)
            return Missed{};
        if (!fetched)
            return Failure(fetched.error());
        if (!*fetched)
            return std::nullopt;
    }
}

int Events::fd() const noexcept
{
    return impl_->module.transport().fd();
}

} // namespace nfto
