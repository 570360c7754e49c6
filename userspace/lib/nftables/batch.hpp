// SPDX-License-Identifier: GPL-2.0
// A transaction of nf_tables: all of it is done or nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <libmnl/libmnl.h>

#include <nfto/result.hpp>
#include <nfto/transport.hpp>

namespace nfto::nftables {

class Batch {
public:
    // For a ruleset of this generation; with another one it ends with ERESTART.
    explicit Batch(std::uint32_t generation);

    // Begins a message of family inet, which is valid until the next one.
    [[nodiscard]] nlmsghdr *add(std::uint16_t type, std::uint16_t flags,
                                std::string what);
    // Sends it and says what became of it.
    [[nodiscard]] Result<void> commit(Transport &transport);

private:
    [[nodiscard]] nlmsghdr *at_end() noexcept;
    void close() noexcept;
    [[nodiscard]] const std::string &
    what_of(const nlmsghdr &message) const noexcept;
    // True when the last message was acknowledged.
    [[nodiscard]] Result<bool> take(std::span<const std::byte> datagram) const;

    // Room for a flowtable with as many devices as the kernel takes.
    static constexpr std::size_t room = 32768;
    std::vector<std::uint64_t> buffer_ =
        std::vector<std::uint64_t>(room / sizeof(std::uint64_t));
    std::size_t used_ = 0;
    // What each message does, by its sequence number.
    std::vector<std::string> steps_;
};

} // namespace nfto::nftables
