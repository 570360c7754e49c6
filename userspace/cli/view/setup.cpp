// SPDX-License-Identifier: GPL-2.0
#include "view/setup.hpp"

#include <fmt/format.h>

namespace nfto::cli {
namespace {

std::vector<std::string> protocols_of(const Setup &setup)
{
    if (setup.protocols.empty())
        return {"tcp", "udp"};
    return setup.protocols;
}

void write_list(Json &json, std::string_view name,
                const std::vector<std::string> &strings)
{
    const auto array = json.array(name);
    for (const auto &string : strings)
        json.element(string);
}

} // namespace

std::string setup_line(const Setup &setup)
{
    return fmt::format("Table inet {}: {}; {}; {}{}.", setup.table,
                       fmt::join(setup.devices, ", "),
                       fmt::join(protocols_of(setup), ", "),
                       setup.offload ? "hardware" : "software",
                       setup.counter ? ", counter" : "");
}

void write_setup(Json &json, const Setup &setup)
{
    json.member("family", "inet");
    json.member("table", setup.table);
    write_list(json, "devices", setup.devices);
    write_list(json, "protocols", protocols_of(setup));
    json.member("offload", setup.offload);
    json.member("counter", setup.counter);
}

} // namespace nfto::cli
