// SPDX-License-Identifier: GPL-2.0
// A request and its answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <nfto/result.hpp>
#include <nfto/transport.hpp>

#include "netlink/message.hpp"
#include "netlink/request.hpp"

namespace nfto::netlink {

/// What to do after a message of an answer.
enum class Step {
    more,
    /// No more of these, please.
    stop,
    /// It makes no sense.
    malformed,
};

/// How an answer ended that did not fail.
struct Answered {
    /// NLM_F_DUMP_INTR: some may be missing, or have been there twice.
    bool disturbed = false;
    bool stopped = false;
};

/// Asks over a transport, one request after the other.
class Exchange {
public:
    /// Called for each message of the answer but the last, which is only status.
    using Visit = std::function<Step(const Message &)>;

    explicit Exchange(std::unique_ptr<Transport> transport) noexcept;

    /// @param what for errors, what is being done
    [[nodiscard]] Result<Answered>
    ask(Request &request, const std::string &what, const Visit &visit);

    [[nodiscard]] Transport &transport() noexcept { return *transport_; }

private:
    struct Progress;
    void drain();
    Result<void> read_answer(Progress &progress);
    Result<void> read_datagram(Bytes datagram, Progress &progress);
    Result<void> read_message(const Message &message, Progress &progress);
    Result<void> finish(const std::optional<Status> &status,
                        Progress &progress);
    [[nodiscard]] bool is_ours(const Message &message) const noexcept;

    std::unique_ptr<Transport> transport_;
    std::uint32_t seq_ = 0;
    /// The rest of an answer was not wanted, and may still come.
    bool pending_ = false;
};

} // namespace nfto::netlink
