// SPDX-License-Identifier: GPL-2.0
#include "netlink/exchange.hpp"

#include <cerrno>
#include <chrono>
#include <utility>

namespace nfto::netlink {
namespace {

/// The kernel answers before send() returns, or when it is asked for the next
/// message of a dump: what is not there after this time does not come.
constexpr std::chrono::seconds patience{10};

Failure senseless(const std::string &what)
{
    return Failure(Error{what, EPROTO,
                         "The answer makes no sense; do the module and the "
                         "library belong together?"});
}

/// What the transport says, with what it was for.
Failure during(const std::string &what, Error error)
{
    if (error.code == ENOBUFS && error.why.empty())
        error.why = "The answer was lost";
    error.what = what;
    return Failure(std::move(error));
}

bool is_last(const Message &message) noexcept
{
    return message.type == NLMSG_ERROR || message.type == NLMSG_DONE;
}

} // namespace

struct Exchange::Progress {
    const std::string &what;
    const Visit &visit;
    Answered answered{};
    bool finished = false;
};

Exchange::Exchange(std::unique_ptr<Transport> transport) noexcept
    : transport_(std::move(transport))
{}

Result<Answered> Exchange::ask(Request &request, const std::string &what,
                               const Visit &visit)
{
    if (pending_)
        drain();
    request.set_seq(++seq_);
    if (auto sent = transport_->send(request.bytes()); !sent)
        return during(what, std::move(sent.error()));
    Progress progress{what, visit};
    pending_ = true;
    if (auto read = read_answer(progress); !read)
        return Failure(std::move(read.error()));
    return progress.answered;
}

/// The kernel begins no dump on a socket that has an unfinished one.
void Exchange::drain()
{
    while (pending_) {
        const auto datagram = transport_->receive(patience);
        if (!datagram && datagram.error().code == EINTR)
            continue;
        if (!datagram || !*datagram)
            break;
        MessageReader reader(**datagram);
        Message message;
        while (pending_ && reader.next(message)) {
            if (is_ours(message) && is_last(message))
                pending_ = false;
        }
    }
    pending_ = false;
}

Result<void> Exchange::read_answer(Progress &progress)
{
    while (!progress.finished && !progress.answered.stopped) {
        auto datagram = transport_->receive(patience);
        if (!datagram && datagram.error().code == EINTR)
            continue;
        if (!datagram || !*datagram)
            pending_ = false;
        if (!datagram)
            return during(progress.what, std::move(datagram.error()));
        if (!*datagram)
            return Failure(Error{progress.what, EIO, "The answer ends early"});
        if (auto read = read_datagram(**datagram, progress); !read)
            return read;
    }
    return {};
}

Result<void> Exchange::read_datagram(Bytes datagram, Progress &progress)
{
    MessageReader reader(datagram);
    Message message;
    while (!progress.finished && !progress.answered.stopped &&
           reader.next(message)) {
        if (!is_ours(message))
            continue;
        if (auto read = read_message(message, progress); !read)
            return read;
    }
    if (progress.finished || progress.answered.stopped || reader.done())
        return {};
    return senseless(progress.what);
}

Result<void> Exchange::read_message(const Message &message, Progress &progress)
{
    if ((message.flags & NLM_F_DUMP_INTR) != 0)
        progress.answered.disturbed = true;
    switch (message.type) {
    case NLMSG_ERROR:
        return finish(parse_error(message), progress);
    case NLMSG_DONE:
        return finish(parse_done(message), progress);
    case NLMSG_NOOP:
        return {};
    default:
        break;
    }
    const Step step = progress.visit(message);
    if (step == Step::malformed)
        return senseless(progress.what);
    progress.answered.stopped = step == Step::stop;
    return {};
}

Result<void> Exchange::finish(const std::optional<Status> &status,
                              Progress &progress)
{
    pending_ = false;
    if (!status)
        return senseless(progress.what);
    if (status->code != 0)
        return Failure(Error{progress.what, status->code, status->why});
    progress.finished = true;
    return {};
}

bool Exchange::is_ours(const Message &message) const noexcept
{
    return message.seq == seq_ && message.port_id == transport_->port_id();
}

} // namespace nfto::netlink
