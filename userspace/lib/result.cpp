// SPDX-License-Identifier: GPL-2.0
#include <nfto/result.hpp>

#include <system_error>

namespace nfto {

std::string Error::message() const
{
    const std::string errno_text =
        code != 0 ? std::generic_category().message(code) : std::string();
    std::string reason = why.empty() ? errno_text : why;
    if (!why.empty() && !errno_text.empty())
        reason += " (" + errno_text + ")";
    if (what.empty() || reason.empty())
        return what + reason;
    return what + ": " + reason;
}

} // namespace nfto
