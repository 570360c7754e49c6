// SPDX-License-Identifier: GPL-2.0
#include "signals.hpp"

namespace nfto::cli {
namespace {

volatile std::sig_atomic_t came = 0;

extern "C" void note_signal(int /*signal*/)
{
    came = 1;
}

} // namespace

StopSignals::StopSignals() noexcept
{
    came = 0;
    // Without SA_RESTART, so that poll(2) returns.
    struct sigaction action {};
    action.sa_handler = note_signal;
    sigaction(SIGINT, &action, &old_int_);
    sigaction(SIGTERM, &action, &old_term_);
}

StopSignals::~StopSignals()
{
    sigaction(SIGINT, &old_int_, nullptr);
    sigaction(SIGTERM, &old_term_, nullptr);
}

bool StopSignals::wanted() noexcept
{
    return came != 0;
}

} // namespace nfto::cli
