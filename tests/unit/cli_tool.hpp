// SPDX-License-Identifier: GPL-2.0
// The tool with a module that answers from a script.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app.hpp"
#include "fake_transport.hpp"

/// What one run of the tool did.
struct Ran {
    int status = 0;
    std::string out;
    std::string err;

    [[nodiscard]] nlohmann::json json() const
    {
        return nlohmann::json::parse(out);
    }
};

/// Each run opens the module anew, and gets these answers, one for each request.
class Tool {
public:
    Tool()
    {
        system.client = [this]() -> nfto::Result<nfto::Client> {
            if (open_error)
                return nfto::Failure(
                    nfto::Error{"looking for the module", open_error, {}});
            auto transport = std::make_unique<FakeTransport>();
            expect_opening(*transport);
            for (const Answer &answer : answers)
                transport->answers.push_back(answer);
            return nfto::Client::over(std::move(transport));
        };
        system.events = [](nfto::EventGroups groups) {
            auto transport = std::make_unique<FakeTransport>();
            expect_opening(*transport);
            return nfto::Events::over(std::move(transport), groups);
        };
        system.ruleset = [this] { return ruleset; };
    }

    Ran run(const std::string &line)
    {
        std::istringstream stream(line);
        std::vector<std::string> words;
        for (std::string word; stream >> word;)
            words.push_back(word);
        const std::vector<std::string_view> views(words.begin(), words.end());
        nfto::cli::Output out(-1);
        nfto::cli::Output err(-1);
        nfto::cli::Text text(out, style);
        nfto::cli::Devices devices([](std::uint32_t ifindex) -> std::string {
            return ifindex == 3 ? "lan" : ifindex == 4 ? "wan" : "";
        });
        const int status = nfto::cli::run(views, system, devices, text, err);
        return {status, std::string(out.pending()), std::string(err.pending())};
    }

    nfto::cli::System system;
    nfto::cli::Style style;
    std::vector<Answer> answers;
    nfto::Result<nfto::Ruleset> ruleset;
    int open_error = 0;
};
