// SPDX-License-Identifier: GPL-2.0
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <unistd.h>

#include "app.hpp"

namespace {

using namespace nfto::cli;

int run_all(std::span<const std::string_view> words)
{
    System system = real_system();
    Devices devices;
    Output out(STDOUT_FILENO);
    Output err(STDERR_FILENO);
    Text text(out, style_for(STDOUT_FILENO));

    int status = run(words, system, devices, text, err);
    if (const auto written = out.finish(); !written) {
        // Who reads has gone, as "head" does: no news to anybody.
        if (written.error().code != EPIPE)
            err.print("nft-offload: {}\n", written.error().message());
        status = status ? status : static_cast<int>(Exit::failed);
    }
    err.flush();
    return status;
}

} // namespace

int main(int argc, char **argv)
{
    try {
        // A write to a pipe that nobody reads is an error like others.
        std::signal(SIGPIPE, SIG_IGN);
        const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0),
                                                  argv + argc);
        return run_all(words);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "nft-offload: %s\n", error.what());
    }
    return static_cast<int>(Exit::failed);
}
