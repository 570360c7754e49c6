// SPDX-License-Identifier: GPL-2.0
// What the fuzzers begin with: corpus FOLDER writes FOLDER/TARGET/NAME.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "fuzz_answers.hpp"
#include "ruleset_samples.hpp"

namespace {

using namespace bytes;

class Corpus {
public:
    explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder))
    {}

    void add(const std::string &target, const std::string &name,
             const Buffer &data)
    {
        const auto to = folder_ / target;
        std::filesystem::create_directories(to);
        std::ofstream file(to / name, std::ios::binary);
        file.write(reinterpret_cast<const char *>(data.data()),
                   static_cast<std::streamsize>(data.size()));
        good_ = good_ && file.good();
    }
    [[nodiscard]] bool good() const noexcept { return good_; }

private:
    std::filesystem::path folder_;
    bool good_ = true;
};

Buffer object(int command, const Buffer &attrs, std::uint16_t flags = 2)
{
    return message(family, flags,
                   genl(static_cast<std::uint8_t>(command), attrs));
}

/// The question's number in fuzz_dump.cpp, and the datagrams of the answer.
Buffer question(unsigned int number, std::initializer_list<Buffer> datagrams)
{
    Buffer to{static_cast<std::byte>(number)};
    for (const Buffer &data : datagrams)
        put(to, fuzz::datagram(data));
    return to;
}

void add_dumps(Corpus &corpus)
{
    const auto add = [&](const char *name, unsigned int number,
                         std::initializer_list<Buffer> datagrams) {
        corpus.add("fuzz_dump", name, question(number, datagrams));
    };
    const Buffer flow = object(NFTO_CMD_FLOW_GET, samples::full_flow(7));
    add("flows", 0,
        {join({flow, object(NFTO_CMD_FLOW_GET, samples::short_flow(8))}),
         done()});
    add("disturbed", 0,
        {object(NFTO_CMD_FLOW_GET, samples::full_flow(7), 2 | dump_intr),
         done(), flow, done()});
    add("ports", 1, {object(NFTO_CMD_PORT_GET, samples::port()), done()});
    add("flowtables", 2,
        {object(NFTO_CMD_FLOWTABLE_GET, samples::module_flowtable()), done()});
    add("refusals", 3,
        {object(NFTO_CMD_REFUSAL_GET, samples::refusal()), done()});
    add("stats", 4, {object(NFTO_CMD_STATS_GET, samples::stats()), ack()});
    add("flow", 5, {flow, ack()});
    add("count", 6, {object(NFTO_CMD_FLOW_COUNT, samples::counts()), ack()});
    add("delete", 7, {object(NFTO_CMD_FLOW_DEL, samples::changed()), ack()});
    add("probe", 8,
        {object(NFTO_CMD_PORT_PROBE, samples::probe_answer()), ack()});
    add("port", 9, {object(NFTO_CMD_PORT_GET, samples::port()), ack()});
    add("error", 4, {ack(2, "There is none")});
    add("end", 0, {flow, done(2, "There is no flowtable of this id")});
}

void add_events(Corpus &corpus)
{
    const auto add = [&](const char *name, int command, const Buffer &attrs) {
        corpus.add("fuzz_events", name,
                   fuzz::datagram(message(
                       family, 0,
                       genl(static_cast<std::uint8_t>(command), attrs), 0, 0)));
    };
    add("new", NFTO_CMD_FLOW_NEW, samples::full_flow());
    add("end", NFTO_CMD_FLOW_END, samples::full_flow());
    add("hw", NFTO_CMD_FLOW_HW, samples::flow_hw(NFTO_A_FLOW_DIR_REPLY));
    add("port", NFTO_CMD_PORT_CHANGE, samples::port());
    add("refusal", NFTO_CMD_REFUSAL_NEW, samples::refusal());
}

void add_ruleset(Corpus &corpus)
{
    const auto generation =
        fuzz::datagram(join({samples::generation(5), ack()}));
    const auto answers = [&](const Buffer &flowtables, const Buffer &rules) {
        return join({generation, fuzz::datagram(flowtables),
                     fuzz::datagram(join({samples::chain(), done()})),
                     fuzz::datagram(rules), generation});
    };
    const Buffer rules = join({samples::rule("forward"), done()});
    corpus.add("fuzz_ruleset", "whole",
               answers(join({samples::flowtable(), done()}), rules));
    corpus.add("fuzz_ruleset", "none", answers(done(), done()));
    corpus.add("fuzz_ruleset", "refused", fuzz::datagram(ack(1)));
}

void add_others(Corpus &corpus)
{
    corpus.add("fuzz_family", "opened", fuzz::opened({}));
    corpus.add("fuzz_family", "absent", fuzz::datagram(ack(2)));
    const Buffer found =
        message(0x100, 0, join({hex("02000000"), samples::connection()}));
    corpus.add("fuzz_conntrack", "found",
               join({fuzz::datagram(found), fuzz::datagram(ack())}));
    corpus.add("fuzz_conntrack", "reversed",
               join({fuzz::datagram(ack(2)), fuzz::datagram(found),
                     fuzz::datagram(ack())}));
    corpus.add("fuzz_conntrack", "refused", fuzz::datagram(ack(22)));
    int n = 0;
    for (const std::string_view text :
         {"10.0.0.0/8", "2001:db8::/32", "::ffff:10.0.0.1", "refused"}) {
        const auto data = std::as_bytes(std::span(text));
        corpus.add("fuzz_text", std::to_string(n++),
                   Buffer(data.begin(), data.end()));
    }
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::fputs("usage: corpus FOLDER\n", stderr);
        return 2;
    }
    Corpus corpus(argv[1]);
    add_dumps(corpus);
    add_events(corpus);
    add_ruleset(corpus);
    add_others(corpus);
    return corpus.good() ? 0 : 1;
}
