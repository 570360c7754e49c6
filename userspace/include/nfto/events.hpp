// SPDX-License-Identifier: GPL-2.0
/// @file
/// What happens, as a stream.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <nfto/export.hpp>
#include <nfto/result.hpp>
#include <nfto/types.hpp>

namespace nfto {

class Transport;

/// A flow has begun.
struct FlowNew {
    Flow flow;
};
/// A flow has ended; flow.end_reason says why.
struct FlowEnd {
    Flow flow;
};
/// A direction went into or out of the hardware, or failed to. Of the flow only
/// id, flowtable and orig are known, of the direction in_ifindex, hw, reason,
/// error and why.
struct FlowHw {
    std::uint64_t id = 0;
    std::uint32_t flowtable = 0;
    Tuple orig;
    bool reply = false;
    Direction direction;
};
/// A port has another state.
struct PortChange {
    Port port;
};
/// A connection did not become a flow.
struct RefusalNew {
    Refusal refusal;
};
/// Events were lost, because they came faster than they were read. Ask the
/// client for what there is now.
struct Missed {};

using Event =
    std::variant<FlowNew, FlowEnd, FlowHw, PortChange, RefusalNew, Missed>;

/// Which events; at least one.
struct EventGroups {
    /// Needs CAP_NET_ADMIN.
    bool flows = false;
    bool ports = false;
    /// Needs CAP_NET_ADMIN.
    bool refusals = false;
};

/// A stream of events of one network namespace, for one thread.
class Events {
public:
    /// @param groups which events; at least one group.
    /// @param netns as Client::open() has it.
    /// @return as Client::open(); EINVAL without a group; EPERM; ENOTSUP when
    ///   this kernel cannot say who may join a group, so that the module does
    ///   not have it.
    [[nodiscard]] NFTO_EXPORT static Result<Events>
    open(EventGroups groups, const std::string &netns = {});
    [[nodiscard]] NFTO_EXPORT static Result<Events>
    over(std::unique_ptr<Transport> transport, EventGroups groups);

    NFTO_EXPORT Events(Events &&) noexcept;
    NFTO_EXPORT Events &operator=(Events &&) noexcept;
    Events(const Events &) = delete;
    Events &operator=(const Events &) = delete;
    NFTO_EXPORT ~Events();

    /// The next event, or nothing when there was none in this time (negative:
    /// without end; 0: only what is there). EINTR when a signal came.
    [[nodiscard]] NFTO_EXPORT Result<std::optional<Event>>
    next(std::chrono::milliseconds timeout);
    /// For poll(2); next() with 0 takes what is there.
    [[nodiscard]] NFTO_EXPORT int fd() const noexcept;

private:
    struct Impl;
    explicit Events(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

} // namespace nfto
