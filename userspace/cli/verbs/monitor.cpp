// SPDX-License-Identifier: GPL-2.0
#include <cerrno>
#include <chrono>

#include "context.hpp"
#include "signals.hpp"
#include "verbs/verbs.hpp"
#include "view/rates.hpp"
#include "view/view.hpp"

namespace nfto::cli {
namespace {

/// How long a signal that came just before a wait goes unnoticed.
constexpr std::chrono::milliseconds patience{500};

std::vector<std::string_view> groups()
{
    return {"flows", "ports", "refusals"};
}

std::uint64_t now_ns()
{
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(
            std::chrono::system_clock::now().time_since_epoch())
            .count());
}

/// One line of text for each event.
class TextPrinter {
public:
    TextPrinter(Text &text, Devices &devices) : text_(text), devices_(devices)
    {}

    void operator()(const FlowNew &event)
    {
        begin("flow-new", Colour::good);
        connection(event.flow.id, event.flow.orig);
        if (const std::string nat = nat_text(event.flow); !nat.empty())
            text_.print("  {}", nat);
        text_.print("  from {} to {}\n",
                    devices_.shown(event.flow.dir_orig.in_ifindex),
                    devices_.shown(event.flow.dir_orig.out_ifindex));
    }

    void operator()(const FlowEnd &event)
    {
        begin("flow-end", Colour::faint);
        connection(event.flow.id, event.flow.orig);
        const Total total = total_of(event.flow);
        text_.print("  {}  {} pkt {}\n",
                    name(event.flow.end_reason.value_or(Reason::none)),
                    total.packets, text_.bytes(total.bytes));
    }

    void operator()(const FlowHw &event)
    {
        begin("flow-hw", Colour::plain);
        connection(event.id, event.orig);
        text_.print("  {} from {}  {}\n", event.reply ? "reply" : "orig",
                    devices_.shown(event.direction.in_ifindex),
                    direction_state(text_, event.direction));
    }

    void operator()(const PortChange &event)
    {
        begin("port-change", Colour::strong);
        const Port &port = event.port;
        text_.print("{}  {} ({})", printable(port.name),
                    text_.paint(colour_of(port.state), name(port.state)),
                    name(port.kind));
        const std::string error = error_text(port.error, port.why);
        text_.print("{}{}\n", error.empty() ? "" : "  ", error);
    }

    void operator()(const RefusalNew &event)
    {
        begin("refusal-new", Colour::middling);
        const Refusal &refusal = event.refusal;
        text_.print("{}  {}  from {}\n",
                    refusal.orig ? tuple_text(*refusal.orig) : "no connection",
                    name(refusal.reason), devices_.shown(refusal.ifindex));
    }

    void operator()(const Missed & /*event*/)
    {
        begin("missed", Colour::bad);
        text_.print("events came too fast and some were lost; to see the "
                    "flows of now: nft-offload flow show\n");
    }

private:
    void begin(std::string_view event, Colour colour)
    {
        text_.print("{}  {}  ", when_text(now_ns()),
                    text_.paint(colour, fmt::format("{:<11}", event)));
    }

    void connection(std::uint64_t id, const Tuple &tuple)
    {
        text_.print("{}: {}", id, tuple_text(tuple));
    }

    Text &text_;
    Devices &devices_;
};

/// One object in one line for each event.
class JsonPrinter {
public:
    JsonPrinter(Json &json, Devices &devices) : json_(json), devices_(devices)
    {}

    void operator()(const FlowNew &event)
    {
        begin("flow-new");
        flow(event.flow);
    }
    void operator()(const FlowEnd &event)
    {
        begin("flow-end");
        flow(event.flow);
    }
    void operator()(const FlowHw &event)
    {
        begin("flow-hw");
        const auto flow = json_.object("flow");
        json_.member("id", event.id);
        json_.member("flowtable", event.flowtable);
        {
            const auto orig = json_.object("orig");
            put(json_, event.orig);
        }
        const auto direction =
            json_.object(event.reply ? "dir_reply" : "dir_orig");
        json_.member("in_ifindex", event.direction.in_ifindex);
        if (const auto &name = devices_.name(event.direction.in_ifindex);
            !name.empty())
            json_.member("in", name);
        json_.member("hw", name(event.direction.hw));
        json_.member("reason", name(event.direction.reason));
        put_error(json_, event.direction.error, event.direction.why);
    }
    void operator()(const PortChange &event)
    {
        begin("port-change");
        const auto object = json_.object("port");
        put(json_, event.port);
    }
    void operator()(const RefusalNew &event)
    {
        begin("refusal-new");
        const auto object = json_.object("refusal");
        put(json_, devices_, event.refusal);
    }
    void operator()(const Missed & /*event*/) { begin("missed"); }

private:
    void begin(std::string_view event)
    {
        json_.member("time_ns", now_ns());
        json_.member("event", event);
    }
    void flow(const Flow &flow)
    {
        const auto object = json_.object("flow");
        put(json_, devices_, flow);
    }

    Json &json_;
    Devices &devices_;
};

EventGroups wanted(const Arguments &args)
{
    EventGroups found;
    for (const std::string_view group : args.all("group")) {
        found.flows |= group == "flows";
        found.ports |= group == "ports";
        found.refusals |= group == "refusals";
    }
    if (!found.flows && !found.ports && !found.refusals)
        found = {true, true, true};
    return found;
}

void print(Context &context, const Event &event)
{
    if (!context.json) {
        std::visit(TextPrinter(context.text, context.devices), event);
        return;
    }
    std::visit(JsonPrinter(*context.json, context.devices), event);
    context.json->finish();
}

Outcome run(Context &context)
{
    const StopSignals signals;
    auto events = context.system.events(wanted(context.args));
    if (!events)
        return fail(events.error());
    Output &out = context.text.out();
    bool waiting = false;
    while (!StopSignals::wanted() && out.good()) {
        const auto event =
            events->next(waiting ? patience : std::chrono::milliseconds(0));
        if (!event && event.error().code != EINTR)
            return fail(event.error());
        waiting = !event || !*event;
        if (!waiting) {
            print(context, **event);
            continue;
        }
        // Nobody is kept waiting for what has happened; and until the next
        // event a device may get another name.
        out.flush();
        context.devices.forget();
    }
    return Exit::ok;
}

} // namespace

Verb monitor_verb()
{
    return {"monitor",
            "",
            "Events as they happen: flows, ports, refusals",
            "Without a GROUP, it shows all events. ^C ends it. In JSON, each "
            "event is an\nobject in a line of its own.",
            {{.kind = Param::Kind::operand,
              .name = "group",
              .value = "GROUP",
              .help = "show only events of these groups",
              .choices = groups,
              .repeat = true}},
            run};
}

} // namespace nfto::cli
