// SPDX-License-Identifier: GPL-2.0
// The module's generic netlink family, found and of a version that we speak.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <nfto/result.hpp>
#include <nfto/types.hpp>

#include "netlink/exchange.hpp"
#include "netlink/parse.hpp"

namespace nfto::netlink {

class Module {
public:
    /// ENOPROTOOPT and EPROTONOSUPPORT as Client::open() has it.
    [[nodiscard]] static Result<Module>
    open(std::unique_ptr<Transport> transport);

    [[nodiscard]] const Info &info() const noexcept { return info_; }
    [[nodiscard]] const Family &family() const noexcept { return family_; }
    [[nodiscard]] Transport &transport() noexcept
    {
        return exchange_.transport();
    }

    /// A request of one command.
    class Ask : public Request {
    public:
        Ask(const Module &module, std::uint8_t command,
            std::uint16_t flags) noexcept;
        [[nodiscard]] std::uint8_t command() const noexcept { return command_; }

    private:
        std::uint8_t command_;
    };

    /// Called with the attributes of each message.
    using Visit = std::function<Step(Bytes attrs)>;
    [[nodiscard]] Result<Answered> ask(Ask &request, const std::string &what,
                                       const Visit &visit);

    /// The one object of the answer.
    template <typename T>
    [[nodiscard]] Result<T> get(Ask &request, const std::string &what)
    {
        std::optional<T> found;
        const auto answered = ask(request, what, [&](Bytes attrs) {
            return !found && parse(attrs, found.emplace()) ? Step::more
                                                           : Step::malformed;
        });
        if (!answered)
            return Failure(answered.error());
        if (!found)
            return nothing(what);
        return std::move(*found);
    }

private:
    explicit Module(std::unique_ptr<Transport> transport) noexcept;
    Result<void> find_family();
    Result<void> check_version();
    static Failure nothing(const std::string &what);

    Exchange exchange_;
    Family family_;
    Info info_;
};

} // namespace nfto::netlink
