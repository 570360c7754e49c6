// SPDX-License-Identifier: GPL-2.0
// The checks, against systems that are made up.
#include <cerrno>

#include "catch.hpp"
#include "check/checks.hpp"
#include "tree.hpp"

using namespace nfto;
using namespace nfto::cli;

namespace {

constexpr const char *release = "6.1.0-56-amd64";

Failure no_module()
{
    return Failure({"asking", ENOPROTOOPT, {}});
}

Link nic(std::uint32_t ifindex, std::string name)
{
    Link link;
    link.ifindex = ifindex;
    link.name = std::move(name);
    link.up = true;
    link.ethernet = true;
    link.driver = "drv";
    link.tc_offload = TcOffload::on;
    return link;
}

Port bound_port(std::uint32_t ifindex, std::string name)
{
    Port port;
    port.ifindex = ifindex;
    port.name = std::move(name);
    port.state = PortState::bound;
    port.kind = PortKind::flowtable;
    return port;
}

// A system where all is well: two ports in a flowtable of the module.
struct Sound {
    Tree tree;
    Files files = tree.files();
    World world{files, Info{"1.0", 1}, {}, {}, Ruleset{}, {}, {}, {}};

    Sound()
    {
        tree.with("/proc/sys/kernel/osrelease", std::string(release) + "\n")
            .with("/proc/modules", "nf_flow_table_inet 1 0 - Live 0x0\n"
                                   "nft_offload 1 1 - Live 0x0\n"
                                   "nf_tables 1 1 - Live 0x0\n")
            .with("/etc/modprobe.d/o.conf", "softdep nf-flow-table-inet pre: x "
                                            "nft-offload\n")
            .with("/proc/sys/net/ipv4/ip_forward", "1\n")
            .with("/proc/sys/net/ipv6/conf/all/forwarding", "1\n")
            .with("/proc/sys/net/netfilter/nf_conntrack_acct", "1\n");
        world.ruleset->flowtables = {
            {1, "t", "ft", 0, true, true, {"eth0", "eth1"}}};
        world.ruleset->rules = {{1, "t", "forward", "ft", 3, 2U}};
        Flowtable flowtable;
        flowtable.family = 1;
        flowtable.table = "t";
        flowtable.name = "ft";
        world.flowtables = {flowtable};
        world.ports = {bound_port(2, "eth0"), bound_port(3, "eth1")};
        world.links = std::vector<Link>{nic(2, "eth0"), nic(3, "eth1")};
    }
};

const Finding *worst(const Findings &findings)
{
    const Finding *found = &findings.front();
    for (const auto &finding : findings)
        if (finding.level > found->level)
            found = &finding;
    return found;
}

// The findings of one check that are not ok, as "level: text".
std::string told(const World &world, std::string_view check)
{
    std::string all;
    for (const auto &finding : check_all(world)) {
        if (finding.check != check || finding.level == Level::ok)
            continue;
        all += std::string(name(finding.level)) + ": " + finding.text + " " +
               finding.todo + "\n";
        CHECK((!finding.todo.empty() || finding.check == "device"));
    }
    return all;
}

bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

} // namespace

TEST_CASE("all is well", "[check]")
{
    Sound sound;
    for (const auto &finding : check_all(sound.world)) {
        INFO(finding.check << ": " << finding.text);
        CHECK(finding.level == Level::ok);
        CHECK_FALSE(finding.text.empty());
    }
}

TEST_CASE("kernels", "[check]")
{
    Sound sound;
    sound.tree.with("/proc/sys/kernel/osrelease", "5.10.0-1\n");
    CHECK(has(told(sound.world, "kernel"), "problem: Kernel 5.10.0-1 is too "
                                           "old"));
    sound.tree.with("/proc/sys/kernel/osrelease", "6.12\n");
    CHECK(told(sound.world, "kernel").empty());
    sound.tree.with("/proc/sys/kernel/osrelease", "six\n");
    CHECK(has(told(sound.world, "kernel"), "unknown"));
}

TEST_CASE("a module that is not there", "[check]")
{
    Sound sound;
    sound.world.module = no_module();
    CHECK(has(told(sound.world, "module"), "is not loaded"));
    CHECK(has(told(sound.world, "kernel-config"), "unknown"));
    const auto config = std::string("/boot/config-") + release;
    sound.tree.with(config, "CONFIG_NF_TABLES=m\nCONFIG_NF_CONNTRACK=m\n"
                            "# CONFIG_NF_TABLES_INET is not set\n"
                            "CONFIG_NETFILTER_INGRESS=y\nCONFIG_IPV6=y\n");
    CHECK(has(told(sound.world, "kernel-config"), "built without "
                                                  "CONFIG_NF_TABLES_INET."));
    sound.tree.with(std::string("/lib/modules/") + release + "/modules.dep",
                    "kernel/x.ko:\n");
    CHECK(has(told(sound.world, "module"), "is not installed"));
    sound.tree.with(std::string("/lib/modules/") + release + "/modules.dep",
                    "updates/dkms/nft_offload.ko.xz: kernel/x.ko\n");
    CHECK(has(told(sound.world, "module"), "is not loaded"));
    CHECK(!has(told(sound.world, "module"), "mokutil"));
    const std::string variable = "/sys/firmware/efi/efivars/"
                                 "SecureBoot-8be4df61-93ca-11d2-aa0d-"
                                 "00e098032b8c";
    sound.tree.with(variable, std::string("\6\0\0\0\0", 5));
    CHECK(!has(told(sound.world, "module"), "mokutil"));
    sound.tree.with(variable, std::string("\6\0\0\0\1", 5));
    CHECK(has(told(sound.world, "module"), "mokutil --import"));
    sound.world.module = Failure({"asking", EPROTONOSUPPORT, "too new"});
    CHECK(has(told(sound.world, "module"), "too new"));
    sound.world.module = Failure({"asking", EIO, {}});
    CHECK(has(told(sound.world, "module"), "unknown"));
}

TEST_CASE("modprobe's files", "[check]")
{
    Sound sound;
    // The one in /etc takes the place of the other one.
    sound.tree.with("/etc/modprobe.d/o.conf", "# softdep\n")
        .with("/lib/modprobe.d/o.conf", "softdep nf_flow_table_inet pre: "
                                        "nft_offload\n");
    CHECK(has(told(sound.world, "modprobe"), "warning: At boot"));
    for (const auto *line :
         {"softdep nf_flow_table_inet post: nft_offload\n",
          "softdep nf_flow_table_inet pre: x post: nft_offload\n",
          "softdep nft_offload pre: nf_flow_table_inet\n", "softdep\n"}) {
        sound.tree.with("/etc/modprobe.d/o.conf", line);
        CHECK(has(told(sound.world, "modprobe"), "warning: At boot"));
    }
    sound.tree.with("/lib/modprobe.d/z.conf", "softdep nf_flow_table_inet pre: "
                                              "nft_offload\n");
    CHECK(told(sound.world, "modprobe").empty());
    sound.tree.with("/etc/modprobe.d/a.conf", "install nft_offload "
                                              "/bin/true\n");
    CHECK(has(told(sound.world, "modprobe"), "problem: "
                                             "/etc/modprobe.d/a.conf"));
}

TEST_CASE("who provides flowtables", "[check]")
{
    Sound sound;
    sound.tree.with("/proc/modules", "nft_offload 1 0 - Live 0x0\n"
                                     "nf_flow_table_inet 1 0 - Live 0x0\n");
    CHECK(has(told(sound.world, "provider"), "loaded first"));
    sound.tree.with("/proc/modules", "nf_flow_table_inet 1 0 - Live 0x0\n");
    CHECK(has(told(sound.world, "provider"), "loaded first"));
    sound.tree.with("/proc/modules", "nft_offload 1 0 - Live 0x0\n");
    CHECK(told(sound.world, "provider").empty());
    sound.tree.with(std::string("/boot/config-") + release, "CONFIG_NF_FLOW_"
                                                            "TABLE_INET=y\n");
    CHECK(has(told(sound.world, "provider"), "built into the kernel"));
}

TEST_CASE("forwarding and accounting", "[check]")
{
    Sound sound;
    sound.tree.with("/proc/sys/net/ipv6/conf/all/forwarding", "0\n")
        .with("/proc/sys/net/netfilter/nf_conntrack_acct", "0\n");
    CHECK(worst(check_all(sound.world))->level == Level::ok);
    sound.tree.with("/proc/sys/net/ipv4/ip_forward", "0\n");
    CHECK(has(told(sound.world, "forwarding"), "neither IPv4 nor IPv6"));
}

TEST_CASE("a system of which nothing is known", "[check]")
{
    const Tree tree;
    const auto files = tree.files();
    const World world{files,
                      Failure({"m", EPERM, {}}),
                      {},
                      {},
                      Failure({"r", EPERM, {}}),
                      Failure({"l", EPERM, {}}),
                      {},
                      {}};
    for (const auto *check :
         {"kernel", "module", "provider", "forwarding", "ruleset"}) {
        INFO(check);
        bool unknown = false;
        for (const auto &finding : check_all(world))
            unknown = unknown || (finding.check == check &&
                                  finding.level == Level::unknown);
        CHECK(unknown);
    }
}

TEST_CASE("rulesets", "[check]")
{
    Sound sound;
    auto &flowtable = sound.world.ruleset->flowtables[0];
    flowtable.offload = false;
    flowtable.counter = false;
    CHECK(has(told(sound.world, "flowtable"), "stay in software"));
    CHECK(has(told(sound.world, "flowtable"), "not counted"));
    sound.world.ruleset->rules[0].flowtable = "other";
    CHECK(has(told(sound.world, "flowtable"), "problem: No rule"));
    sound.world.flowtables.clear();
    CHECK(has(told(sound.world, "flowtable"), "problem: The kernel's "
                                              "own path provides it"));
    flowtable.devices.clear();
    CHECK(has(told(sound.world, "flowtable"), "problem: It has no devices"));
    sound.world.ruleset->flowtables.clear();
    CHECK(has(told(sound.world, "ruleset"), "no flowtable yet"));
    sound.world.strays = {"eth7"};
    CHECK(has(told(sound.world, "flows"), "arrive at eth7"));
    sound.world.ruleset = Failure({"r", EOPNOTSUPP, {}});
    CHECK(has(told(sound.world, "ruleset"), "problem: This kernel has no "
                                            "nf_tables"));
}

TEST_CASE("devices that flows do not arrive at", "[check]")
{
    Sound sound;
    auto &links = *sound.world.links;
    auto add = [&](std::uint32_t ifindex, const char *name, const char *kind) {
        auto link = nic(ifindex, name);
        link.kind = kind;
        links.push_back(link);
        return links.size() - 1;
    };
    sound.world.ruleset->flowtables[0].devices = {
        "eth0", "eth1", "br0", "v5", "q7", "ppp0", "bond0", "slave", "wg0"};
    add(10, "br0", "bridge");
    links[1].master = 10;
    links[add(11, "v5", "vlan")].below = 2;
    links[add(12, "q7", "vlan")].below = 11;
    links[add(13, "ppp0", "ppp")].ethernet = false;
    add(14, "bond0", "bond");
    links[add(15, "slave", "")].master = 14;
    links[add(16, "wg0", "wireguard")].ethernet = false;
    sound.tree.with("/proc/net/pppoe", "Id       Address              Device\n"
                                       "00000001 00:11:22:33:44:55     eth0\n");
    std::string all;
    for (const auto &finding : check_all(sound.world))
        if (finding.check == "device")
            all += finding.subject + " " + std::string(name(finding.level)) +
                   " " + finding.todo + "\n";
    CHECK(all == "eth0 ok \n"
                 "eth1 ok \n"
                 "br0 warning Name in the flowtable instead: eth1\n"
                 "v5 warning Name in the flowtable instead: eth0\n"
                 "q7 warning Name in the flowtable instead: eth0\n"
                 "ppp0 warning Name in the flowtable instead: eth0\n"
                 "bond0 ok \n"
                 "slave warning Name in the flowtable instead: bond0\n"
                 "wg0 warning \n");
}

TEST_CASE("devices and their drivers", "[check]")
{
    Sound sound;
    auto &link = sound.world.links->front();
    link.up = false;
    CHECK(has(told(sound.world, "device"), "The device is down"));
    link.up = true;
    link.tc_offload = TcOffload::off;
    CHECK(has(told(sound.world, "device"), "problem: The device's feature "
                                           "hw-tc-offload"));
    link.tc_offload = TcOffload::on;
    auto &port = sound.world.ports.front();
    port.state = PortState::unbound;
    port.error = EOPNOTSUPP;
    port.why = "no such thing";
    CHECK(has(told(sound.world, "device"), "problem: The driver drv takes no "
                                           "flows (EOPNOTSUPP: no such"));
    port.state = PortState::stuck;
    CHECK(has(told(sound.world, "device"), "does not remove entries"));
    sound.world.ports.clear();
    CHECK(told(sound.world, "device").empty());
    link.tc_offload = TcOffload::absent;
    CHECK(has(told(sound.world, "device"), "no hw-tc-offload"));
    link.driver = "mlx5_core";
    link.parent = "0000:01:00.0";
    bool switchdev = false;
    for (const auto &finding : check_all(sound.world))
        switchdev = switchdev || finding.todo == "devlink dev eswitch set "
                                                 "pci/0000:01:00.0 mode "
                                                 "switchdev";
    CHECK(switchdev);
    sound.world.devices = {"eth9"};
    CHECK(has(told(sound.world, "device"), "no such device"));
    sound.world.links->push_back(nic(9, "eth9"));
    CHECK(has(told(sound.world, "device"), "No flowtable names it"));
}
