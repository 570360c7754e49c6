// SPDX-License-Identifier: GPL-2.0
#include <nfto/client.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <linux/genetlink.h>
#include <linux/nfto.h>

#include "netlink/id_set.hpp"
#include "netlink/module.hpp"
#include "netlink/socket.hpp"

namespace nfto {

using netlink::Answered;
using netlink::Bytes;
using netlink::Module;
using netlink::Step;

namespace {

/// How often a list is asked for that is disturbed each time.
constexpr unsigned int list_patience = 8;

Failure disturbed(const std::string &what)
{
    return Failure(Error{what, EAGAIN,
                         "The flows changed each time while they were listed; "
                         "some may be missing"});
}

} // namespace

struct Client::Impl {
    Module module;

    /// All objects of a dump.
    template <typename T>
    Result<std::vector<T>> list(Module::Ask &request, const std::string &what);
    /// One pass of a dump of flows.
    Result<Answered> pass(const Filter &filter, const FlowVisitor &visit,
                          netlink::IdSet &shown, Flow &flow);
    Result<Changed> change(std::uint8_t command, const Filter &filter,
                           const std::string &what);
    Result<Changed> change(std::uint8_t command, std::uint64_t id,
                           const std::string &what);
};

template <typename T>
Result<std::vector<T>> Client::Impl::list(Module::Ask &request,
                                          const std::string &what)
{
    for (unsigned int i = 0; i < list_patience; ++i) {
        std::vector<T> found;
        auto answered = module.ask(request, what, [&](Bytes attrs) {
            return netlink::parse(attrs, found.emplace_back())
                       ? Step::more
                       : Step::malformed;
        });
        if (!answered)
            return Failure(std::move(answered.error()));
        if (!answered->disturbed)
            return found;
    }
    return disturbed(what);
}

Result<Answered> Client::Impl::pass(const Filter &filter,
                                    const FlowVisitor &visit,
                                    netlink::IdSet &shown, Flow &flow)
{
    Module::Ask request(module, NFTO_CMD_FLOW_GET, NLM_F_DUMP);
    put_filter(request, NFTO_A_FLOW_FILTER, filter);
    return module.ask(request, "asking the module for its flows",
                      [&](Bytes attrs) {
                          if (!netlink::parse(attrs, flow))
                              return Step::malformed;
                          if (!shown.insert(flow.id) || visit(flow))
                              return Step::more;
                          return Step::stop;
                      });
}

Result<Changed> Client::Impl::change(std::uint8_t command, const Filter &filter,
                                     const std::string &what)
{
    Module::Ask request(module, command, NLM_F_ACK);
    put_filter(request, NFTO_A_COUNT_FILTER, filter);
    return module.get<Changed>(request, what);
}

Result<Changed> Client::Impl::change(std::uint8_t command, std::uint64_t id,
                                     const std::string &what)
{
    Module::Ask request(module, command, NLM_F_ACK);
    request.put(NFTO_A_COUNT_ID, id);
    return module.get<Changed>(request, what);
}

Client::Client(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Client::Client(Client &&) noexcept = default;
Client &Client::operator=(Client &&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::open(const std::string &netns)
{
    auto socket = netlink::open_socket(NETLINK_GENERIC, netns);
    if (!socket)
        return Failure(std::move(socket.error()));
    return over(std::move(*socket));
}

Result<Client> Client::over(std::unique_ptr<Transport> transport)
{
    auto module = Module::open(std::move(transport));
    if (!module)
        return Failure(std::move(module.error()));
    return Client(std::make_unique<Impl>(Impl{std::move(*module)}));
}

const Info &Client::info() const noexcept
{
    return impl_->module.info();
}

Result<std::vector<Port>> Client::ports()
{
    Module::Ask request(impl_->module, NFTO_CMD_PORT_GET, NLM_F_DUMP);
    return impl_->list<Port>(request, "asking the module for its ports");
}

Result<Port> Client::port(std::uint32_t ifindex)
{
    Module::Ask request(impl_->module, NFTO_CMD_PORT_GET, NLM_F_ACK);
    request.put(NFTO_A_PORT_IFINDEX, ifindex);
    return impl_->module.get<Port>(request, "asking the module for a port");
}

Result<Port> Client::set_port(std::uint32_t ifindex, const PortSetting &setting)
{
    Module::Ask request(impl_->module, NFTO_CMD_PORT_SET, NLM_F_ACK);
    request.put(NFTO_A_PORT_IFINDEX, ifindex);
    request.put(NFTO_A_PORT_BLOCK, setting.block);
    return impl_->module.get<Port>(request, "setting a port");
}

Result<std::vector<Flowtable>> Client::flowtables()
{
    Module::Ask request(impl_->module, NFTO_CMD_FLOWTABLE_GET, NLM_F_DUMP);
    return impl_->list<Flowtable>(request,
                                  "asking the module for its flowtables");
}

Result<Flowtable> Client::set_flowtable(std::uint32_t id,
                                        const FlowtableChange &change)
{
    Module::Ask request(impl_->module, NFTO_CMD_FLOWTABLE_SET, NLM_F_ACK);
    request.put(NFTO_A_FLOWTABLE_ID, id);
    if (change.follow_ruleset)
        request.put(NFTO_A_FLOWTABLE_FOLLOW_RULESET,
                    std::uint8_t{*change.follow_ruleset});
    return impl_->module.get<Flowtable>(request, "changing a flowtable");
}

Result<Stats> Client::stats()
{
    Module::Ask request(impl_->module, NFTO_CMD_STATS_GET, NLM_F_ACK);
    return impl_->module.get<Stats>(request,
                                    "asking the module for its totals");
}

Result<std::vector<Refusal>> Client::refusals(std::optional<Reason> reason)
{
    Module::Ask request(impl_->module, NFTO_CMD_REFUSAL_GET, NLM_F_DUMP);
    if (reason)
        request.put(NFTO_A_REFUSAL_REASON, *reason);
    return impl_->list<Refusal>(request, "asking the module for refusals");
}

Result<void> Client::flows(const Filter &filter, const FlowVisitor &visit,
                           unsigned int patience)
{
    netlink::IdSet shown;
    Flow flow;
    for (unsigned int i = 0; i < std::max(patience, 1U); ++i) {
        auto answered = impl_->pass(filter, visit, shown, flow);
        if (!answered)
            return Failure(std::move(answered.error()));
        if (answered->stopped || !answered->disturbed)
            return {};
    }
    return disturbed("asking the module for its flows");
}

Result<Flow> Client::flow(std::uint64_t id)
{
    Module::Ask request(impl_->module, NFTO_CMD_FLOW_GET, NLM_F_ACK);
    request.put(NFTO_A_FLOW_ID, id);
    return impl_->module.get<Flow>(request, "asking the module for a flow");
}

Result<Counts> Client::count(const Filter &filter)
{
    Module::Ask request(impl_->module, NFTO_CMD_FLOW_COUNT, NLM_F_ACK);
    put_filter(request, NFTO_A_COUNT_FILTER, filter);
    return impl_->module.get<Counts>(request, "counting the module's flows");
}

Result<Changed> Client::end_flows(const Filter &filter)
{
    return impl_->change(NFTO_CMD_FLOW_DEL, filter, "ending flows");
}

Result<Changed> Client::end_flow(std::uint64_t id)
{
    return impl_->change(NFTO_CMD_FLOW_DEL, id, "ending a flow");
}

Result<Changed> Client::revalidate(const Filter &filter)
{
    return impl_->change(NFTO_CMD_FLOW_REVALIDATE, filter,
                         "looking anew at flows");
}

Result<Changed> Client::revalidate_flow(std::uint64_t id)
{
    return impl_->change(NFTO_CMD_FLOW_REVALIDATE, id,
                         "looking anew at a flow");
}

Result<ProbeAnswer> Client::probe(const ProbeRequest &request)
{
    Module::Ask ask(impl_->module, NFTO_CMD_PORT_PROBE, NLM_F_ACK);
    ask.put(NFTO_A_PROBE_IFINDEX, request.ifindex);
    if (request.out_ifindex)
        ask.put(NFTO_A_PROBE_OUT_IFINDEX, *request.out_ifindex);
    ask.put(NFTO_A_PROBE_FEATURE, request.feature);
    ask.put(NFTO_A_PROBE_COUNT, request.count);
    return impl_->module.get<ProbeAnswer>(ask, "offering a rule to a driver");
}

} // namespace nfto
