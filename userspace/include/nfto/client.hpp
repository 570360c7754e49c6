// SPDX-License-Identifier: GPL-2.0
/// @file
/// Asks the module, over generic netlink.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nfto/export.hpp>
#include <nfto/result.hpp>
#include <nfto/types.hpp>

namespace nfto {

class Transport;

/// NFTO_ABI_VERSION that this library speaks.
inline constexpr std::uint32_t abi_version = 1;

/// A connection to the module in one network namespace. Each thread has its own;
/// one client is not for several threads at a time.
///
/// Errors of all calls: EPERM without CAP_NET_ADMIN in the user namespace of the
/// network namespace (flows, refusals, all that changes something); ENOBUFS,
/// EIO, EPROTO when the answer is lost, ends early or makes no sense; and those
/// of netlink/nfto.yaml, with the kernel's sentence.
class Client {
public:
    /// @param netns a name as "ip netns" knows it or a path, empty: the own one.
    ///   The calling thread is in its own network namespace again when this
    ///   returns.
    /// @return ENOENT when there is no such network namespace; ENOPROTOOPT when
    ///   the module is not loaded; EPROTONOSUPPORT when the module's ABI is
    ///   another one, with a sentence that says which side to upgrade.
    [[nodiscard]] NFTO_EXPORT static Result<Client>
    open(const std::string &netns = {});
    /// Over something that is no socket, for tests.
    [[nodiscard]] NFTO_EXPORT static Result<Client>
    over(std::unique_ptr<Transport> transport);

    NFTO_EXPORT Client(Client &&) noexcept;
    NFTO_EXPORT Client &operator=(Client &&) noexcept;
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;
    NFTO_EXPORT ~Client();

    /// What the module said when this was opened.
    [[nodiscard]] NFTO_EXPORT const Info &info() const noexcept;
    [[nodiscard]] NFTO_EXPORT Result<std::vector<Port>> ports();
    /// ENODEV if the device is no port.
    [[nodiscard]] NFTO_EXPORT Result<Port> port(std::uint32_t ifindex);
    [[nodiscard]] NFTO_EXPORT Result<std::vector<Flowtable>> flowtables();
    /// @return the flowtable as it is then; ENOENT if there is none of this id,
    ///   EINVAL if nothing is to be changed.
    [[nodiscard]] NFTO_EXPORT Result<Flowtable>
    set_flowtable(std::uint32_t id, const FlowtableChange &change);
    /// Says whether a device's driver may be given flows as rules of tc flower;
    /// the device need be in no flowtable.
    /// @return the port as it is then, with users 0 if it is none; ENODEV,
    ///   EOPNOTSUPP if the driver is known to do something else than it is told.
    [[nodiscard]] NFTO_EXPORT Result<Port> set_port(std::uint32_t ifindex,
                                                    const PortSetting &setting);
    [[nodiscard]] NFTO_EXPORT Result<Stats> stats();
    /// As many as are remembered, oldest first for each processor; with a
    /// reason, only those.
    [[nodiscard]] NFTO_EXPORT Result<std::vector<Refusal>>
    refusals(std::optional<Reason> reason = {});

    /// Called for each flow; false ends the dump.
    using FlowVisitor = std::function<bool(const Flow &)>;
    /// Shows the flows that the filter lets through, each once. A dump that was
    /// disturbed is repeated, and what was shown already is left out then: each
    /// flow that lived throughout the call is shown.
    /// @return EAGAIN when it was disturbed @a patience times; what was shown is
    ///   right, but flows may be missing.
    [[nodiscard]] NFTO_EXPORT Result<void> flows(const Filter &filter,
                                                 const FlowVisitor &visit,
                                                 unsigned int patience = 8);
    /// ENOENT if there is none of this id.
    [[nodiscard]] NFTO_EXPORT Result<Flow> flow(std::uint64_t id);
    [[nodiscard]] NFTO_EXPORT Result<Counts> count(const Filter &filter);

    /// Ends flows; their connections go on, by the slow path at first. An empty
    /// filter is all of them.
    [[nodiscard]] NFTO_EXPORT Result<Changed> end_flows(const Filter &filter);
    [[nodiscard]] NFTO_EXPORT Result<Changed> end_flow(std::uint64_t id);
    /// Looks anew at flows: ends those whose route or neighbour is not valid any
    /// more, and offers to drivers again what they have refused.
    [[nodiscard]] NFTO_EXPORT Result<Changed> revalidate(const Filter &filter);
    [[nodiscard]] NFTO_EXPORT Result<Changed> revalidate_flow(std::uint64_t id);

    /// Offers a driver rules for packets that there are none of, and takes them
    /// out again. ENODEV if there is no such device.
    [[nodiscard]] NFTO_EXPORT Result<ProbeAnswer>
    probe(const ProbeRequest &request);

private:
    struct Impl;
    explicit Client(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

} // namespace nfto
