// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <cerrno>

#include <net/if.h>
#include <sys/stat.h>

#include "context.hpp"
#include "persist.hpp"
#include "verbs/verbs.hpp"
#include "view/setup.hpp"

namespace nfto::cli {
namespace {

using Checked = tl::expected<void, Problem>;

std::vector<std::string_view> split_commas(std::string_view text)
{
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(',');
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos)
            return parts;
        text.remove_prefix(end + 1);
    }
}

Setup setup_of(const Arguments &args)
{
    Setup setup;

    setup.table = args.get("--table").value_or(setup.table);
    for (const auto device : args.all("dev"))
        setup.devices.emplace_back(device);
    for (const auto list : args.all("--proto"))
        for (const auto protocol : split_commas(list))
            setup.protocols.emplace_back(protocol);
    setup.offload = !args.has("--software");
    setup.counter = !args.has("--no-counter");
    return setup;
}

tl::expected<Setup, Problem> checked_setup(const Arguments &args)
{
    if (args.has("--counter") && args.has("--no-counter"))
        return fail(wrong_usage("--counter and --no-counter exclude each "
                                "other."));
    if (args.has("--dry-run") && args.has("--persist"))
        return fail(wrong_usage("--dry-run changes nothing; leave out "
                                "--persist."));
    auto setup = setup_of(args);
    if (setup.devices.empty())
        return fail(wrong_usage("'enable' needs DEV."));
    if (auto valid = validate(setup); !valid)
        return fail(wrong_usage(valid.error().why + "."));
    return setup;
}

bool is_there(const std::string &device)
{
    return if_nametoindex(device.c_str()) != 0;
}

Checked devices_exist(const Setup &setup)
{
    for (const auto &device : setup.devices)
        if (auto found = find_device(device); !found)
            return fail(found.error());
    return {};
}

// The kernel's own path would take the flowtable, and keep it.
Checked module_is_there(System &system)
{
    if (auto client = system.client(); !client)
        return fail(client.error());
    return {};
}

// The service works in the network namespace of the first process.
Checked is_first_netns()
{
    struct stat own {};
    struct stat first {};
    if (stat("/proc/self/ns/net", &own) || stat("/proc/1/ns/net", &first) ||
        (own.st_ino == first.st_ino && own.st_dev == first.st_dev))
        return {};
    return fail(wrong_usage("--persist does not work in other network "
                            "namespaces: nothing creates them at boot.",
                            "Let the program that creates the namespace run "
                            "this: nft-offload -n NETNS enable DEV..."));
}

// All that can be known before anything is changed.
Checked is_ready(System &system, const Setup &setup, bool persist)
{
    auto ready = persist ? is_first_netns() : Checked();
    if (ready)
        ready = devices_exist(setup);
    if (ready)
        ready = module_is_there(system);
    if (!ready || !persist)
        return ready;
    if (auto may = may_keep(system.files, setup.table); !may)
        return fail(may.error());
    return {};
}

Problem creation_failed(Error error, const std::string &table)
{
    auto problem = problem_of(std::move(error));
    if (problem.error.code == EEXIST)
        problem.hint = "Choose another name with --table. To see that table: "
                       "nft list table inet " +
                       table;
    return problem;
}

Outcome dry_run(Context &context, const Setup &setup)
{
    if (context.json) {
        write_setup(*context.json, setup);
        context.json->member("nft", setup.text());
    } else {
        context.text.out().write(setup.text());
    }
    return Exit::ok;
}

std::string persist_hint(const Files &files)
{
    const bool enabled = files.exists("/etc/systemd/system/multi-user.target."
                                      "wants/nft-offload.service");
    return enabled ? ""
                   : "To create the table at boot: "
                     "systemctl enable nft-offload.service";
}

void say_created(Context &context, const Setup &setup, const std::string &kept)
{
    const auto hint = kept.empty() ? "" : persist_hint(context.system.files);
    if (context.json) {
        write_setup(*context.json, setup);
        if (!kept.empty())
            context.json->member("persisted", kept);
        if (!hint.empty())
            context.json->member("hint", hint);
        return;
    }
    context.text.print("{}\n", setup_line(setup));
    if (!kept.empty())
        context.text.print("The setup is saved in {}.\n", kept);
    if (!hint.empty())
        context.text.print("{}\n", hint);
    context.text.print("To check that it works: nft-offload check {}\n",
                       fmt::join(setup.devices, " "));
}

// --- those that were kept ---

struct Loaded {
    Setup setup;
    std::vector<std::string> missing;
    bool unchanged = false;
};

// A table that is as it should be is left alone, and its flows with it.
bool is_in(const Ruleset &ruleset, const Setup &setup)
{
    for (const auto &flowtable : ruleset.flowtables) {
        auto devices = flowtable.devices;
        auto wanted = setup.devices;
        std::sort(devices.begin(), devices.end());
        std::sort(wanted.begin(), wanted.end());
        if (family_name(flowtable.family) == "inet" &&
            flowtable.table == setup.table && devices == wanted &&
            flowtable.offload == setup.offload &&
            flowtable.counter == setup.counter)
            return true;
    }
    return false;
}

Result<Loaded> load(System &system, const Ruleset &ruleset,
                    const std::string &path)
{
    auto setup = read_kept(system.files, path);
    Loaded loaded;

    if (!setup)
        return Failure(setup.error());
    loaded.setup = *setup;
    loaded.setup.devices.clear();
    for (const auto &device : setup->devices)
        (is_there(device) ? loaded.setup.devices : loaded.missing)
            .push_back(device);
    if (loaded.setup.devices.empty())
        return loaded;
    loaded.unchanged = is_in(ruleset, loaded.setup);
    if (!loaded.unchanged)
        if (auto created = system.create(loaded.setup); !created)
            return Failure(created.error());
    return loaded;
}

void say_loaded(Text &text, const Loaded &loaded)
{
    if (!loaded.missing.empty())
        text.print("Table {}: these devices do not exist yet: {}\n",
                   loaded.setup.table, fmt::join(loaded.missing, ", "));
    if (!loaded.setup.devices.empty())
        text.print("{}{}\n", setup_line(loaded.setup),
                   loaded.unchanged ? " It existed already." : "");
}

void say_loaded(Json &json, const Loaded &loaded)
{
    const auto object = json.object();
    write_setup(json, loaded.setup);
    json.member("unchanged", loaded.unchanged);
    const auto missing = json.array("missing");
    for (const auto &device : loaded.missing)
        json.element(device);
}

Outcome load_all(Context &context)
{
    const auto paths = kept_files(context.system.files);
    std::optional<Json::Scope> array;
    std::optional<Error> error;

    if (context.json)
        array.emplace(context.json->array("tables"));
    else if (paths.empty())
        context.text.print("No setup was saved with --persist.\n");
    if (!paths.empty())
        if (auto there = module_is_there(context.system); !there)
            return fail(there.error());
    for (const auto &path : paths) {
        auto ruleset = context.system.ruleset();
        auto loaded = ruleset ? load(context.system, *ruleset, path)
                              : Failure(ruleset.error());
        if (!loaded)
            error = loaded.error();
        else if (context.json)
            say_loaded(*context.json, *loaded);
        else
            say_loaded(context.text, *loaded);
    }
    if (error)
        return fail(*error);
    return Exit::ok;
}

Outcome run(Context &context)
{
    if (context.args.has("--persisted"))
        return load_all(context);
    auto setup = checked_setup(context.args);
    if (!setup)
        return fail(setup.error());
    if (context.args.has("--dry-run"))
        return dry_run(context, *setup);

    const bool persist = context.args.has("--persist");
    if (auto ready = is_ready(context.system, *setup, persist); !ready)
        return fail(ready.error());
    if (auto created = context.system.create(*setup); !created)
        return fail(creation_failed(created.error(), setup->table));
    if (persist)
        if (auto kept = keep(context.system.files, *setup); !kept)
            return fail(kept.error());
    say_created(context, *setup, persist ? kept_path(setup->table) : "");
    return Exit::ok;
}

} // namespace

Verb enable_verb()
{
    using Kind = Param::Kind;
    return {
        "enable",
        "",
        "Put connections between devices into hardware",
        "It creates an nftables table with a flowtable and a rule, in one "
        "transaction.\nOther tables stay as they are. A table that this "
        "command has created before is\nreplaced.",
        {{.kind = Kind::operand,
          .name = "dev",
          .value = "DEV",
          .help = "devices that packets arrive at and leave from; for a "
                  "bridge its ports, for a VLAN or PPPoE the device below",
          .repeat = true},
         {.kind = Kind::option,
          .name = "--table",
          .value = "NAME",
          .help = "the table's name, by default nft_offload"},
         {.kind = Kind::flag,
          .name = "--software",
          .help = "use the fast path in software only, no hardware"},
         {.kind = Kind::option,
          .name = "--proto",
          .value = "LIST",
          .help = "one or more of tcp, udp and gre, with commas between; by "
                  "default tcp,udp",
          .repeat = true},
         {.kind = Kind::flag,
          .name = "--counter",
          .help = "count packets of each flow (the default)"},
         {.kind = Kind::flag,
          .name = "--no-counter",
          .help = "do not count them"},
         {.kind = Kind::flag,
          .name = "--dry-run",
          .help = "change nothing, print the table as nft -f reads it"},
         {.kind = Kind::flag,
          .name = "--persist",
          .help = "also save it, so that it is created at each boot"},
         {.kind = Kind::flag,
          .name = "--persisted",
          .help = "create the saved tables, with those devices that exist"}},
        run};
}

} // namespace nfto::cli
