// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <cerrno>
#include <ctime>
#include <unistd.h>

#include "signals.hpp"
#include "top/screen.hpp"
#include "top/view.hpp"
#include "verbs/flow_common.hpp"
#include "verbs/verbs.hpp"
#include "view/view.hpp"

namespace nfto::cli {
namespace {

constexpr std::chrono::milliseconds default_interval{2000};
constexpr std::uint64_t default_limit = 20;

struct Settings {
    FlowQuery query;
    std::chrono::milliseconds interval = default_interval;
    std::optional<std::uint64_t> count;
};

/// A part of the words; the query comes from the filter's.
tl::expected<Settings, Problem> settings_of(const Arguments &args,
                                            Client &client)
{
    Settings settings;
    auto query = query_of(args, client);
    if (!query)
        return fail(query.error());
    settings.query = *query;
    if (const auto text = args.get("--interval")) {
        const auto interval = parse_seconds("--interval", *text);
        if (!interval)
            return fail(interval.error());
        settings.interval = *interval;
    }
    if (const auto text = args.get("--count")) {
        const auto count = parse_number("--count", *text, UINT32_MAX);
        if (!count)
            return fail(count.error());
        settings.count = *count;
    }
    return settings;
}

std::uint64_t realtime_ns()
{
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(
            std::chrono::system_clock::now().time_since_epoch())
            .count());
}

void print(Context &context, TopModel &model, std::size_t limit)
{
    if (context.json) {
        context.json->member("time_ns", realtime_ns());
        put_top(*context.json, model, context.devices, limit);
        context.json->finish();
        return;
    }
    Text &text = context.text;
    text.print("{}\n", when_text(realtime_ns()));
    for (const std::string &line : top_header(model, text))
        text.print("{}\n", line);
    text.print("{}\n", top_heading());
    for (const TopFlow &flow : model.flows(0, limit))
        text.print("{}\n", top_line(flow, text, context.devices));
    text.print("\n");
}

void pause(std::chrono::milliseconds time)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const std::chrono::nanoseconds rest = time - seconds;
    const timespec wait{static_cast<std::time_t>(seconds.count()),
                        static_cast<long>(rest.count())};
    // A signal ends it.
    nanosleep(&wait, nullptr);
}

Outcome show_plain(Context &context, TopModel &model, const Settings &settings)
{
    Output &out = context.text.out();
    const std::uint64_t limit = settings.query.limit.value_or(default_limit);
    for (std::uint64_t shown = 0; !settings.count || shown < *settings.count;
         ++shown) {
        if (shown)
            pause(settings.interval);
        if (StopSignals::wanted() || !out.good())
            break;
        context.devices.forget();
        if (auto done = model.refresh(); !done)
            return fail(flow_problem(done.error()));
        print(context, model, limit);
        out.flush();
    }
    return Exit::ok;
}

Outcome run(Context &context)
{
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    auto settings = settings_of(context.args, *client);
    if (!settings)
        return fail(settings.error());
    TopModel model(*client, settings->query, settings->interval, real_clock());
    const StopSignals signals;
    const bool screen = !context.json && !context.args.has("--plain") &&
                        isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (!screen)
        return show_plain(context, model, *settings);
    return show_on_screen(context, model, *client, settings->interval,
                          settings->count);
}

std::vector<Param> params()
{
    std::vector<Param> params = show_params();
    std::erase_if(params, [](const Param &param) {
        return param.name == "id" || param.name == "rate";
    });
    params.push_back({Param::Kind::option, "--interval", "SECONDS",
                      "time between two looks, by default 2"});
    params.push_back(
        {Param::Kind::option, "--count", "N", "end after N times"});
    params.push_back({Param::Kind::flag, "--plain", "",
                      "print text, also on a terminal; \"limit\" is how many "
                      "flows, by default 20"});
    return params;
}

} // namespace

Verb top_verb()
{
    return {
        "top",
        "",
        "Flows by rate, and what hardware carries, live",
        "It prints plain text where the output is no terminal; in JSON, one "
        "object each\ntime. Totals and ports are new each time; the list of "
        "flows is made only as\noften as costs less than 2.5 % of a CPU. On "
        "the screen, h is help and q quits.",
        params(),
        run};
}

} // namespace nfto::cli
