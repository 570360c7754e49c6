// SPDX-License-Identifier: GPL-2.0
// A transport whose datagrams are what the fuzzer makes: each is preceded by its
// length, 16 bits. Messages with bytes::seq_of_request are for who asked last.
#pragma once

#include <cstring>
#include <vector>

#include <nfto/transport.hpp>

#include "bytes.hpp"
#include "netlink/attr.hpp"

class FuzzTransport final : public nfto::Transport {
public:
    explicit FuzzTransport(nfto::netlink::Bytes input) noexcept : rest_(input)
    {}

    nfto::Result<void> send(std::span<const std::byte> data) override
    {
        std::memcpy(&seq_, &data[8], sizeof(seq_));
        return {};
    }

    nfto::Result<std::optional<std::span<const std::byte>>>
    receive(std::chrono::milliseconds) override
    {
        if (rest_.size() < 2)
            return std::nullopt;
        const std::size_t size = std::min<std::size_t>(
            nfto::netlink::load<std::uint16_t>(rest_), rest_.size() - 2);
        const auto data = rest_.subspan(2, size);
        rest_ = rest_.subspan(2 + size);
        // A copy of its own, so that what is read beyond it is seen.
        now_.assign(data.begin(), data.end());
        now_.shrink_to_fit();
        answer_it();
        return std::span<const std::byte>(now_);
    }

    std::uint32_t port_id() const noexcept override { return bytes::port_id; }
    nfto::Result<void> join(std::uint32_t) override { return {}; }
    int fd() const noexcept override { return -1; }

private:
    void answer_it() noexcept
    {
        std::size_t at = 0;
        while (at + 16 <= now_.size()) {
            std::uint32_t length = 0;
            std::uint32_t seq = 0;
            std::memcpy(&length, &now_[at], sizeof(length));
            std::memcpy(&seq, &now_[at + 8], sizeof(seq));
            if (seq == bytes::seq_of_request)
                std::memcpy(&now_[at + 8], &seq_, sizeof(seq_));
            if (length < 16)
                break;
            at += nfto::netlink::aligned(length);
        }
    }

    nfto::netlink::Bytes rest_;
    std::vector<std::byte> now_;
    std::uint32_t seq_ = 0;
};
