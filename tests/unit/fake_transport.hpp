// SPDX-License-Identifier: GPL-2.0
// A transport that answers from a script, and remembers what it was sent.
#pragma once

#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include <nfto/transport.hpp>

#include "bytes.hpp"
#include "samples.hpp"

/// No datagram comes in the time that there is.
struct Silence {};
/// A datagram, an errno of receive(), or nothing.
using Datagram = std::variant<bytes::Buffer, int, Silence>;
/// What comes after a request.
using Answer = std::vector<Datagram>;

class FakeTransport : public nfto::Transport {
public:
    nfto::Result<void> send(std::span<const std::byte> data) override
    {
        if (send_error != 0)
            return nfto::Failure(nfto::Error{"sending", send_error, {}});
        sent.emplace_back(data.begin(), data.end());
        if (answers.empty())
            return {};
        std::uint32_t seq = 0;
        std::memcpy(&seq, &data[8], sizeof(seq));
        for (Datagram &datagram : answers.front())
            queue.push_back(with_seq(std::move(datagram), seq));
        answers.pop_front();
        return {};
    }

    nfto::Result<std::optional<std::span<const std::byte>>>
    receive(std::chrono::milliseconds timeout) override
    {
        timeouts.push_back(timeout);
        if (queue.empty())
            return std::nullopt;
        now_ = std::move(queue.front());
        queue.pop_front();
        if (std::holds_alternative<Silence>(now_))
            return std::nullopt;
        if (const int *code = std::get_if<int>(&now_))
            return nfto::Failure(nfto::Error{"receiving", *code, {}});
        return std::span<const std::byte>(std::get<bytes::Buffer>(now_));
    }

    std::uint32_t port_id() const noexcept override { return bytes::port_id; }

    nfto::Result<void> join(std::uint32_t group) override
    {
        if (join_error != 0)
            return nfto::Failure(nfto::Error{"joining", join_error, {}});
        joined.push_back(group);
        return {};
    }

    int fd() const noexcept override { return 42; }

    std::deque<Answer> answers;
    std::deque<Datagram> queue;
    std::vector<bytes::Buffer> sent;
    std::vector<std::chrono::milliseconds> timeouts;
    std::vector<std::uint32_t> joined;
    int send_error = 0;
    int join_error = 0;

private:
    /// In each message that waits for it.
    static Datagram with_seq(Datagram datagram, std::uint32_t seq)
    {
        auto *data = std::get_if<bytes::Buffer>(&datagram);
        std::size_t at = 0;
        while (data && at + 16 <= data->size()) {
            std::uint32_t length = 0;
            std::uint32_t there = 0;
            std::memcpy(&length, &(*data)[at], sizeof(length));
            std::memcpy(&there, &(*data)[at + 8], sizeof(there));
            if (there == bytes::seq_of_request)
                std::memcpy(&(*data)[at + 8], &seq, sizeof(seq));
            at += (std::max(length, 16U) + 3U) & ~3U;
        }
        return datagram;
    }

    Datagram now_ = Silence{};
};

/// What the controller and the module answer when they are asked first.
inline void expect_opening(FakeTransport &fake,
                           std::uint32_t abi = NFTO_ABI_VERSION)
{
    using namespace bytes;
    fake.answers.push_back(
        {message(GENL_ID_CTRL, 0,
                 genl(CTRL_CMD_NEWFAMILY, samples::family_attrs(), 2)),
         ack()});
    fake.answers.push_back(
        {message(family, 0, genl(NFTO_CMD_INFO_GET, samples::info(abi))),
         ack()});
}

/// One object of the answer to a command.
inline bytes::Buffer object(std::uint8_t command, const bytes::Buffer &attrs,
                            std::uint16_t flags = 2)
{
    return bytes::message(bytes::family, flags, bytes::genl(command, attrs));
}
