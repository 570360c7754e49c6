// SPDX-License-Identifier: GPL-2.0
#include "output.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace nfto::cli {

void Output::write(std::string_view text)
{
    if (text.empty())
        return;
    std::copy(text.begin(), text.end(), buffer_.Push(text.size()));
    settle();
}

void Output::settle()
{
    if (fd_ >= 0 && buffer_.GetSize() >= much)
        flush();
}

void Output::flush()
{
    if (fd_ < 0)
        return;
    std::string_view rest = pending();
    while (good() && !rest.empty()) {
        const ssize_t done = ::write(fd_, rest.data(), rest.size());
        if (done > 0)
            rest.remove_prefix(static_cast<std::size_t>(done));
        else if (errno != EINTR)
            code_ = errno;
    }
    buffer_.Clear();
}

Result<void> Output::finish()
{
    flush();
    if (!good())
        return Failure({"writing the output", code_, {}});
    return {};
}

} // namespace nfto::cli
