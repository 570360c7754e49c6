// SPDX-License-Identifier: GPL-2.0
#include "netlink/module.hpp"

#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <linux/genetlink.h>
#include <linux/nfto.h>

#include <nfto/client.hpp>

namespace nfto::netlink {
namespace {

constexpr std::uint8_t controller_version = 1;

static_assert(abi_version == NFTO_ABI_VERSION,
              "the library does not speak the interface of this tree");

Error not_loaded(const std::string &what)
{
    return {what, ENOPROTOOPT,
            "The module nft_offload is not loaded; to load it: modprobe "
            "nft_offload"};
}

} // namespace

Module::Ask::Ask(const Module &module, std::uint8_t command,
                 std::uint16_t flags) noexcept
    : Request(module.family_.id, flags), command_(command)
{
    put_genl(command, NFTO_FAMILY_VERSION);
}

Module::Module(std::unique_ptr<Transport> transport) noexcept
    : exchange_(std::move(transport))
{}

Result<Module> Module::open(std::unique_ptr<Transport> transport)
{
    Module module(std::move(transport));
    if (auto found = module.find_family(); !found)
        return Failure(std::move(found.error()));
    if (auto checked = module.check_version(); !checked)
        return Failure(std::move(checked.error()));
    return module;
}

Result<void> Module::find_family()
{
    const std::string what = "looking for the module";
    Request request(GENL_ID_CTRL, NLM_F_ACK);
    request.put_genl(CTRL_CMD_GETFAMILY, controller_version);
    request.put(CTRL_ATTR_FAMILY_NAME, NFTO_FAMILY_NAME);
    auto answered = exchange_.ask(request, what, [&](const Message &message) {
        const auto genl = parse_genl(message);
        return message.type == GENL_ID_CTRL && genl &&
                       parse(genl->attrs, family_)
                   ? Step::more
                   : Step::malformed;
    });
    if (!answered && answered.error().code == ENOENT)
        return Failure(not_loaded(what));
    if (!answered)
        return Failure(std::move(answered.error()));
    if (family_.id == 0)
        return nothing(what);
    return {};
}

Result<void> Module::check_version()
{
    const std::string what = "asking the module for its version";
    Ask request(*this, NFTO_CMD_INFO_GET, NLM_F_ACK);
    auto answer = get<Info>(request, what);
    if (!answer)
        return Failure(std::move(answer.error()));
    info_ = std::move(*answer);
    if (info_.abi_version == abi_version)
        return {};
    return Failure(Error{
        what, EPROTONOSUPPORT,
        fmt::format("The module speaks version {} of the interface and this "
                    "library {}: upgrade {}",
                    info_.abi_version, abi_version,
                    info_.abi_version > abi_version ? "libnfto"
                                                    : "nft_offload.ko")});
}

Result<Answered> Module::ask(Ask &request, const std::string &what,
                             const Visit &visit)
{
    return exchange_.ask(request, what, [&](const Message &message) {
        const auto genl = parse_genl(message);
        if (message.type != family_.id || !genl ||
            genl->command != request.command())
            return Step::malformed;
        return visit(genl->attrs);
    });
}

Failure Module::nothing(const std::string &what)
{
    return Failure(Error{what, EPROTO, "The answer is empty"});
}

} // namespace nfto::netlink
