// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <chrono>
#include <thread>

#include "verbs/flow_common.hpp"
#include "verbs/verbs.hpp"
#include "view/rates.hpp"
#include "view/view.hpp"

namespace nfto::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Shown {
    Flow flow;
    std::optional<Rates> rates;
};

std::uint64_t bytes_per_s(const Shown &shown)
{
    const Rates rates = shown.rates.value_or(Rates{});
    return static_cast<std::uint64_t>(rates.orig.bytes + rates.reply.bytes);
}

/// Whether a comes before b in a list.
bool before(Sort sort, const Shown &a, const Shown &b)
{
    const auto decide = [&](std::uint64_t left, std::uint64_t right) {
        return left != right ? left < right : a.flow.id < b.flow.id;
    };
    switch (sort) {
    case Sort::packets:
        return decide(total_of(b.flow).packets, total_of(a.flow).packets);
    case Sort::bytes:
        return decide(total_of(b.flow).bytes, total_of(a.flow).bytes);
    case Sort::rate:
        return decide(bytes_per_s(b), bytes_per_s(a));
    case Sort::idle:
        return decide(b.flow.idle_ms, a.flow.idle_ms);
    case Sort::expires:
        return decide(a.flow.expires_ms, b.flow.expires_ms);
    case Sort::id:
        break;
    }
    return a.flow.id < b.flow.id;
}

/// The flows of one query, printed as they come, or sorted.
class FlowList {
public:
    FlowList(Context &context, Client &client, const FlowQuery &query)
        : context_(context), client_(client), query_(query)
    {}

    Outcome show()
    {
        if (query_.rate)
            if (auto done = look_first(); !done)
                return fail(flow_problem(done.error()));
        std::optional<Json::Scope> array;
        if (context_.json)
            array.emplace(context_.json->array("flows"));
        const auto done = query_.id ? one() : many();
        print_sorted();
        if (!done)
            return fail(flow_problem(done.error()));
        return Exit::ok;
    }

private:
    Result<void> each(const Client::FlowVisitor &visit)
    {
        if (!query_.id)
            return client_.flows(query_.filter, visit);
        const auto flow = client_.flow(*query_.id);
        if (!flow)
            return Failure(flow.error());
        visit(*flow);
        return {};
    }

    Result<void> look_first()
    {
        began_ = Clock::now();
        auto done = each([this](const Flow &flow) {
            snapshot_.add(flow);
            return true;
        });
        if (!done)
            return done;
        snapshot_.seal();
        std::this_thread::sleep_until(began_ + *query_.rate);
        return {};
    }

    Result<void> one()
    {
        return each([this](const Flow &flow) { return take(flow); });
    }

    Result<void> many()
    {
        if (query_.limit == 0U)
            return {};
        return one();
    }

    /// False ends the dump.
    bool take(const Flow &flow)
    {
        if (!query_.sort) {
            print(flow, rates(flow));
            ++printed_;
            return context_.text.out().good() &&
                   (!query_.limit || printed_ < *query_.limit);
        }
        keep(flow);
        return true;
    }

    [[nodiscard]] std::optional<Rates> rates(const Flow &flow) const
    {
        if (!query_.rate)
            return std::nullopt;
        const std::chrono::duration<double> passed = Clock::now() - began_;
        return snapshot_.rates(flow, passed.count());
    }

    /// With a limit, a heap whose top is the last of the list.
    void keep(const Flow &flow)
    {
        const auto order = [this](const Shown &a, const Shown &b) {
            return before(*query_.sort, a, b);
        };
        kept_.push_back({flow, rates(flow)});
        if (!query_.limit)
            return;
        std::push_heap(kept_.begin(), kept_.end(), order);
        if (kept_.size() <= *query_.limit)
            return;
        std::pop_heap(kept_.begin(), kept_.end(), order);
        kept_.pop_back();
    }

    void print_sorted()
    {
        if (!query_.sort)
            return;
        std::sort(kept_.begin(), kept_.end(),
                  [this](const Shown &a, const Shown &b) {
                      return before(*query_.sort, a, b);
                  });
        for (const Shown &shown : kept_)
            print(shown.flow, shown.rates);
    }

    void print(const Flow &flow, const std::optional<Rates> &rates)
    {
        if (!context_.json) {
            print_flow(context_.text, context_.devices, flow, rates);
            return;
        }
        const auto object = context_.json->object();
        put(*context_.json, context_.devices, flow, rates);
    }

    Context &context_;
    Client &client_;
    FlowQuery query_;
    Clock::time_point began_;
    Snapshot snapshot_;
    std::vector<Shown> kept_;
    std::uint64_t printed_ = 0;
};

Outcome run(Context &context)
{
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    auto query = query_of(context.args, *client);
    if (!query)
        return fail(query.error());
    return FlowList(context, *client, *query).show();
}

} // namespace

Verb flow_show_verb()
{
    return {"flow",
            "show",
            "Flows, and where each direction is and why",
            "All that is given must be true of a flow. The kernel chooses the "
            "flows, so a\nfilter is cheaper than a search in the output.",
            show_params(),
            run};
}

} // namespace nfto::cli
