// SPDX-License-Identifier: GPL-2.0
// Kernel, modules, sysctls.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "check/checks.hpp"

namespace nfto::cli {
namespace {

constexpr std::pair<unsigned int, unsigned int> oldest_kernel{6, 1};
constexpr const char *kernels_module = "nf_flow_table_inet";

std::string release_of(const Files &files)
{
    const auto text = files.text("/proc/sys/kernel/osrelease");
    if (!text)
        return {};
    const auto words = words_of(*text);
    return words.empty() ? std::string() : std::string(words[0]);
}

std::optional<std::pair<unsigned int, unsigned int>>
version_of(std::string_view release)
{
    std::pair<unsigned int, unsigned int> version;
    const char *end = release.data() + release.size();
    auto got = std::from_chars(release.data(), end, version.first);
    if (got.ec != std::errc() || got.ptr == end || *got.ptr != '.')
        return std::nullopt;
    got = std::from_chars(got.ptr + 1, end, version.second);
    if (got.ec != std::errc())
        return std::nullopt;
    return version;
}

// Of /proc/modules: the newest first.
std::vector<std::string_view> loaded_modules(std::string_view text)
{
    std::vector<std::string_view> names;
    for (const auto line : lines_of(text))
        if (const auto words = words_of(line); !words.empty())
            names.push_back(words[0]);
    return names;
}

bool has_line(std::string_view text, std::string_view wanted)
{
    const auto lines = lines_of(text);
    return std::find(lines.begin(), lines.end(), wanted) != lines.end();
}

// --- the kernel's configuration ---

void check_config(const World &world, const std::string &release,
                  Findings &findings)
{
    // The list is written by packaging/sync.
    constexpr auto wanted = std::to_array<std::string_view>(
        {"NF_TABLES", "NF_TABLES_INET", "NF_CONNTRACK", "NETFILTER_INGRESS",
         "IPV6"});
    const auto path = "/boot/config-" + release;
    const auto config = world.files.text(path);

    if (!config) {
        findings.push_back({"kernel-config",
                            {},
                            Level::unknown,
                            path + " cannot be read.",
                            "To find out: modprobe nft_offload"});
        return;
    }
    std::vector<std::string> missing;
    for (const auto option : wanted)
        if (!has_line(*config, fmt::format("CONFIG_{}=y", option)) &&
            !has_line(*config, fmt::format("CONFIG_{}=m", option)))
            missing.push_back(fmt::format("CONFIG_{}", option));
    if (missing.empty())
        findings.push_back({"kernel-config",
                            {},
                            Level::ok,
                            "The kernel has what the module needs.",
                            {}});
    else
        findings.push_back(
            {"kernel-config",
             {},
             Level::problem,
             fmt::format("The kernel was built without {}.",
                         fmt::join(missing, ", ")),
             "Boot a kernel that was built with it, as Debian's is."});
}

// --- modprobe ---

// A file in /etc takes the place of one of the same name elsewhere.
std::vector<std::string> modprobe_files(const Files &files)
{
    std::vector<std::string> paths;
    std::set<std::string, std::less<>> names;
    for (const auto *folder :
         {"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d",
          "/usr/lib/modprobe.d", "/lib/modprobe.d"})
        for (const auto &path : files.list(folder, ".conf"))
            if (names.insert(path.substr(path.rfind('/'))).second)
                paths.push_back(path);
    return paths;
}

bool same_module(std::string_view a, std::string_view b)
{
    return std::equal(
        a.begin(), a.end(), b.begin(), b.end(),
        [](char x, char y) { return x == y || (x == '-' && y == '_'); });
}

bool is_softdep(const std::vector<std::string_view> &words)
{
    if (words.size() < 4 || words[0] != "softdep" ||
        !same_module(words[1], kernels_module) || words[2] != "pre:")
        return false;
    for (std::size_t i = 3; i < words.size() && words[i] != "post:"; i++)
        if (same_module(words[i], "nft_offload"))
            return true;
    return false;
}

bool is_install(const std::vector<std::string_view> &words)
{
    return words.size() > 1 && words[0] == "install" &&
           same_module(words[1], "nft_offload");
}

// efivarfs: four bytes of attributes, then the value (UEFI 2.10, 3.3).
bool secure_boot(const Files &files)
{
    const auto variable =
        files.text("/sys/firmware/efi/efivars/"
                   "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c");
    return variable && variable->size() == 5 && variable->back() == 1;
}

void module_missing(const World &world, const std::string &release,
                    Findings &findings)
{
    const auto modules =
        world.files.text(fmt::format("/lib/modules/{}/modules.dep", release));

    if (modules && modules->find("/nft_offload.ko") == std::string::npos)
        findings.push_back({"module",
                            {},
                            Level::problem,
                            fmt::format("The module nft_offload is not "
                                        "installed for kernel {}.",
                                        release),
                            fmt::format("Install it; where DKMS has it: dkms "
                                        "autoinstall -k {}",
                                        release)});
    else
        findings.push_back({"module",
                            {},
                            Level::problem,
                            "The module nft_offload is not loaded.",
                            secure_boot(world.files)
                                ? "modprobe nft_offload. Secure Boot is on: if "
                                  "the key is rejected, run mokutil --import "
                                  "/var/lib/dkms/mok.pub, reboot, and choose "
                                  "Enroll MOK"
                                : "modprobe nft_offload"});
}

} // namespace

void check_kernel(const World &world, Findings &findings)
{
    const auto release = release_of(world.files);
    const auto version = version_of(release);

    if (!version)
        findings.push_back({"kernel",
                            {},
                            Level::unknown,
                            "The kernel's version is not known.",
                            "uname -r"});
    else if (*version < oldest_kernel)
        findings.push_back({"kernel",
                            {},
                            Level::problem,
                            fmt::format("Kernel {} is too old; 6.1 or later is "
                                        "needed.",
                                        release),
                            "Boot a later one."});
    else
        findings.push_back(
            {"kernel", {}, Level::ok, fmt::format("Kernel {}.", release), {}});
    // A module that runs is proof enough.
    if (!world.module && world.module.error().code == ENOPROTOOPT)
        check_config(world, release, findings);
}

void check_module(const World &world, Findings &findings)
{
    if (world.module) {
        findings.push_back(
            {"module",
             {},
             Level::ok,
             fmt::format("nft_offload {} is loaded.", world.module->version),
             {}});
        return;
    }
    const auto &error = world.module.error();
    if (error.code == ENOPROTOOPT)
        module_missing(world, release_of(world.files), findings);
    else if (error.code == EPROTONOSUPPORT)
        findings.push_back({"module",
                            {},
                            Level::problem,
                            error.message() + ".",
                            "Install module and tool of the same version, then "
                            "load the module again."});
    else
        findings.push_back(
            {"module",
             {},
             Level::unknown,
             "The module does not answer: " + error.message() + ".",
             "dmesg | grep nft_offload"});
}

void check_modprobe(const World &world, Findings &findings)
{
    bool softdep = false;

    for (const auto &path : modprobe_files(world.files)) {
        const auto text = world.files.text(path).value_or("");
        for (const auto line : lines_of(text)) {
            const auto words = words_of(line);
            softdep = softdep || is_softdep(words);
            if (is_install(words))
                findings.push_back({"modprobe",
                                    {},
                                    Level::problem,
                                    path + " runs something else instead of "
                                           "loading nft_offload.",
                                    "Remove the line \"install nft_offload\" "
                                    "from it."});
        }
    }
    if (softdep)
        findings.push_back({"modprobe",
                            {},
                            Level::ok,
                            "nft_offload is loaded before the kernel's own "
                            "flowtables.",
                            {}});
    else
        findings.push_back({"modprobe",
                            {},
                            Level::warning,
                            "At boot, nftables may load the kernel's own "
                            "flowtables first.",
                            "echo 'softdep nf_flow_table_inet pre: "
                            "nft_offload' > "
                            "/etc/modprobe.d/nft-offload.conf"});
}

void check_provider(const World &world, Findings &findings)
{
    const auto text = world.files.text("/proc/modules");
    const auto config = world.files.text(
        fmt::format("/boot/config-{}", release_of(world.files)));

    if (config && has_line(*config, "CONFIG_NF_FLOW_TABLE_INET=y")) {
        findings.push_back(
            {"provider",
             {},
             Level::problem,
             "The kernel's own flowtables are built into the kernel, "
             "so they are used for all flowtables.",
             "Boot a kernel that has them as a module."});
        return;
    }
    if (!text) {
        findings.push_back({"provider",
                            {},
                            Level::unknown,
                            "/proc/modules cannot be read.",
                            {}});
        return;
    }
    const auto modules = loaded_modules(*text);
    const auto ours = std::find(modules.begin(), modules.end(), "nft_offload");
    const auto kernels =
        std::find(modules.begin(), modules.end(), kernels_module);
    if (kernels != modules.end() && (ours == modules.end() || kernels > ours))
        findings.push_back({"provider",
                            {},
                            Level::problem,
                            "nf_flow_table_inet was loaded first, so it "
                            "provides new flowtables.",
                            "There is no firewall between these commands: "
                            "systemctl stop nftables; modprobe -r "
                            "nf_flow_table_inet; modprobe nft_offload; "
                            "systemctl start nftables"});
    else if (ours != modules.end())
        findings.push_back({"provider",
                            {},
                            Level::ok,
                            "nft_offload provides new flowtables.",
                            {}});
}

void check_forwarding(const World &world, Findings &findings)
{
    const auto is_on = [&](std::string_view path) -> std::optional<bool> {
        const auto text = world.files.text(path);
        if (!text)
            return std::nullopt;
        return !text->starts_with("0");
    };
    const auto ip4 = is_on("/proc/sys/net/ipv4/ip_forward");
    const auto ip6 = is_on("/proc/sys/net/ipv6/conf/all/forwarding");

    if (!ip4 && !ip6)
        findings.push_back({"forwarding",
                            {},
                            Level::unknown,
                            "It is not known whether this machine forwards.",
                            "sysctl net.ipv4.ip_forward"});
    else if (!ip4.value_or(false) && !ip6.value_or(false))
        findings.push_back({"forwarding",
                            {},
                            Level::problem,
                            "This machine forwards neither IPv4 nor IPv6.",
                            "sysctl -w net.ipv4.ip_forward=1 "
                            "net.ipv6.conf.all.forwarding=1"});
    else
        findings.push_back({"forwarding",
                            {},
                            Level::ok,
                            fmt::format("This machine forwards {}.",
                                        !ip6.value_or(false) ? "IPv4, not IPv6"
                                        : !ip4.value_or(false) ? "IPv6, not "
                                                                 "IPv4"
                                                               : "IPv4 and "
                                                                 "IPv6"),
                            {}});
}

void check_accounting(const World &world, Findings &findings)
{
    const auto text = world.files.text("/proc/sys/net/netfilter/"
                                       "nf_conntrack_acct");

    if (text && text->starts_with("1"))
        findings.push_back(
            {"accounting", {}, Level::ok, "conntrack counts packets.", {}});
    else if (text)
        findings.push_back({"accounting",
                            {},
                            Level::ok,
                            "conntrack does not count packets, so the packets "
                            "that a flow has in software are not known.",
                            "To have them counted: sysctl -w "
                            "net.netfilter.nf_conntrack_acct=1"});
}

} // namespace nfto::cli
