// SPDX-License-Identifier: GPL-2.0
// Devices: whether they are those that packets arrive at, and what their
// drivers say.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "check/checks.hpp"
#include "problem.hpp"

namespace nfto::cli {
namespace {

// One device, with what is known of it.
class DeviceCheck {
public:
    DeviceCheck(const World &world, const Link &link, Findings &findings)
        : world_(world), link_(link), findings_(findings)
    {}

    void run()
    {
        const auto before = findings_.size();
        check_flowtable();
        if (!link_.up)
            add(Level::warning, "The device is down.",
                fmt::format("ip link set {} up", link_.name));
        if (check_kind())
            check_driver();
        if (findings_.size() == before)
            add(Level::ok, works_by(), {});
    }

private:
    void add(Level level, std::string text, std::string todo)
    {
        findings_.push_back(
            {"device", link_.name, level, std::move(text), std::move(todo)});
    }

    void check_flowtable()
    {
        if (!world_.ruleset || world_.ruleset->flowtables.empty())
            return;
        for (const auto &flowtable : world_.ruleset->flowtables)
            if (std::find(flowtable.devices.begin(), flowtable.devices.end(),
                          link_.name) != flowtable.devices.end())
                return;
        add(Level::warning, "No flowtable names it.",
            "Add the device to the flowtable.");
    }

    // False where its driver does not matter.
    bool check_kind()
    {
        if (link_.kind == "bridge")
            instead("The device is a bridge: packets arrive at its ports",
                    ports());
        else if (link_.kind == "vlan")
            instead("The device is a VLAN: packets arrive at the device below",
                    below());
        else if (link_.kind == "macvlan")
            instead("Packets arrive at the device below", below());
        else if (link_.kind == "ppp")
            instead("Packets of PPPoE arrive at the device below",
                    pppoe_devices());
        else if (const auto *bond = master_bond())
            instead("The device is a port of a bond: it is the bond that takes "
                    "flows",
                    {bond->name});
        else if (!link_.ethernet)
            add(Level::warning,
                "The device is no Ethernet device: its flows stay in software.",
                {});
        else
            return true;
        return false;
    }

    void instead(std::string_view why, const std::vector<std::string> &names)
    {
        add(Level::warning, fmt::format("{}.", why),
            names.empty() ? "Name that in the flowtable instead."
                          : fmt::format("Name in the flowtable instead: {}",
                                        fmt::join(names, ", ")));
    }

    [[nodiscard]] std::vector<std::string> ports() const
    {
        std::vector<std::string> names;
        for (const auto &link : *world_.links)
            if (link.master == link_.ifindex)
                names.push_back(link.name);
        return names;
    }

    // The lowest one, through VLANs in VLANs.
    [[nodiscard]] std::vector<std::string> below() const
    {
        const Link *link = &link_;
        for (int depth = 0; depth < 8 && link && link->below; depth++)
            link = find_link(*world_.links, *link->below);
        if (!link || link == &link_)
            return {};
        return {link->name};
    }

    // All that have a session; which one this is is told nowhere.
    [[nodiscard]] std::vector<std::string> pppoe_devices() const
    {
        const auto text = world_.files.text("/proc/net/pppoe").value_or("");
        std::set<std::string> names;
        for (const auto line : lines_of(text))
            if (const auto words = words_of(line);
                words.size() == 3 && words[0] != "Id")
                names.emplace(words[2]);
        return {names.begin(), names.end()};
    }

    [[nodiscard]] const Link *master_bond() const
    {
        const auto *master =
            link_.master ? find_link(*world_.links, *link_.master) : nullptr;
        return master && (master->kind == "bond" || master->kind == "team")
                   ? master
                   : nullptr;
    }

    void check_driver()
    {
        const auto port = std::find_if(
            world_.ports.begin(), world_.ports.end(),
            [&](const Port &one) { return one.ifindex == link_.ifindex; });
        if (link_.tc_offload == TcOffload::off)
            add(Level::problem, "The device's feature hw-tc-offload is off.",
                fmt::format("ethtool -K {} hw-tc-offload on", link_.name));
        else if (port != world_.ports.end())
            check_port(*port);
        else
            check_features();
    }

    void check_port(const Port &port)
    {
        switch (port.state) {
        case PortState::bound:
        case PortState::switched_off:
        case PortState::gone:
            return;
        case PortState::stuck:
            add(Level::problem, "The driver does not remove entries.",
                "Look at dmesg, then set the device down and up, or load its "
                "driver again.");
            return;
        case PortState::unbound:
            break;
        }
        // Without an errno it was not asked yet, as by flowtables in software.
        if (!port.error)
            return;
        add(Level::problem,
            fmt::format("The driver{} takes no flows ({}{}{}).", driver(),
                        errno_name(port.error), port.why.empty() ? "" : ": ",
                        port.why),
            port.reason == Reason::driver_unknown ? allow() : remedy());
    }

    void check_features()
    {
        if (is_legacy_mlx5())
            add(Level::warning, "The NIC is not in switchdev mode.", remedy());
        else if (link_.tc_offload == TcOffload::absent)
            add(Level::warning,
                fmt::format("The driver{} does not say that it takes flows (no "
                            "hw-tc-offload).",
                            driver()),
                remedy());
    }

    [[nodiscard]] bool is_legacy_mlx5() const
    {
        return link_.driver == "mlx5_core" && link_.switch_id.empty();
    }

    [[nodiscard]] std::string remedy() const
    {
        if (is_legacy_mlx5() && !link_.parent.empty())
            return fmt::format("devlink dev eswitch set pci/{} mode switchdev",
                               link_.parent);
        return fmt::format("To see what the driver takes: nft-offload probe {}",
                           link_.name);
    }

    [[nodiscard]] std::string allow() const
    {
        return fmt::format(
            "Leave its flows in software; what \"nft-offload port "
            "set {} block on\" would do is in nft-offload(8).",
            link_.name);
    }

    [[nodiscard]] std::string driver() const
    {
        return link_.driver.empty() ? "" : fmt::format(" {}", link_.driver);
    }

    [[nodiscard]] std::string works_by() const
    {
        for (const auto &port : world_.ports)
            if (port.ifindex == link_.ifindex && port.state == PortState::bound)
                return fmt::format("The driver{} takes flows ({}).", driver(),
                                   name(port.kind));
        return fmt::format("The driver{} says that it takes flows.", driver());
    }

    const World &world_;
    const Link &link_;
    Findings &findings_;
};

std::vector<std::string> devices_of(const World &world)
{
    std::vector<std::string> names = world.devices;
    if (!names.empty() || !world.ruleset)
        return names;
    for (const auto &flowtable : world.ruleset->flowtables)
        for (const auto &device : flowtable.devices)
            if (std::find(names.begin(), names.end(), device) == names.end())
                names.push_back(device);
    return names;
}

} // namespace

void check_devices(const World &world, Findings &findings)
{
    if (!world.links) {
        findings.push_back({"device",
                            {},
                            Level::unknown,
                            world.links.error().message() + ".",
                            "ip -br link"});
        return;
    }
    for (const auto &device : devices_of(world)) {
        if (const auto *link = find_link(*world.links, device))
            DeviceCheck(world, *link, findings).run();
        else
            findings.push_back({"device", device, Level::problem,
                                "There is no such device.", "ip -br link"});
    }
}

} // namespace nfto::cli
