// SPDX-License-Identifier: GPL-2.0
#include "top/screen.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdio>

#define NCURSES_NOMACROS
#include <curses.h>

#include "signals.hpp"
#include "top/view.hpp"
#include "verbs/flow_common.hpp"

namespace nfto::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int key_escape = 27;

/// The terminal in curses' hands.
class Screen {
public:
    Screen() noexcept
        : screen_(
              (std::setlocale(LC_CTYPE, ""), newterm(nullptr, stdout, stdin)))
    {
        if (!screen_)
            return;
        cbreak();
        noecho();
        keypad(stdscr, TRUE);
        set_escdelay(25);
        curs_set(0);
    }
    Screen(const Screen &) = delete;
    Screen &operator=(const Screen &) = delete;
    ~Screen()
    {
        if (!screen_)
            return;
        endwin();
        delscreen(screen_);
    }

    [[nodiscard]] bool good() const noexcept { return screen_ != nullptr; }
    [[nodiscard]] static std::size_t lines() noexcept
    {
        return static_cast<std::size_t>(std::max(getmaxy(stdscr), 1));
    }

    [[nodiscard]] static std::size_t columns() noexcept
    {
        return static_cast<std::size_t>(std::max(getmaxx(stdscr), 1));
    }

    /// A line of the screen, cut where that ends: what is too long for a window
    /// goes on in its next line, and here there is none.
    static void put(std::size_t line, const std::string &text, attr_t attr)
    {
        WINDOW *window = line < lines() ? derwin(stdscr, 1, getmaxx(stdscr),
                                                 static_cast<int>(line), 0)
                                        : nullptr;
        if (!window)
            return;
        wattr_set(window, attr, 0, nullptr);
        waddstr(window, text.c_str());
        wsyncup(window);
        delwin(window);
    }

    /// A key, or ERR when none came in this time.
    static int key(std::chrono::milliseconds wait)
    {
        wtimeout(stdscr,
                 static_cast<int>(std::max<std::int64_t>(wait.count(), 0)));
        return wgetch(stdscr);
    }

private:
    SCREEN *screen_;
};

constexpr std::array<std::string_view, 14> help_lines{
    "q              quit",
    "s              sort by the next key: rate, packets, bytes, idle, expires",
    "r p b i e      sort by rate, packets, bytes, idle time or expiry",
    "f              filter flows with the words of \"nft-offload flow show\", as",
    "               state software dev eth0 dst 10.0.0.0/8",
    "               an empty line shows all flows again; Esc changes nothing",
    "Up Down        move through the list",
    "PgUp PgDn      move by a screen",
    "Home           move to the first flow",
    "h              show this help",
    "",
    "The list is made again as often as costs less than 2.5 % of a CPU; its age",
    "is above it. Drivers are asked for counters each 10 s. Any key goes back.",
    "",
};

/// The verb whose words the filter entry takes.
const Verb &filter_verb()
{
    static const Verb verb{"filter", "", {}, {}, filter_params(), nullptr};
    return verb;
}

std::vector<std::string_view> words_of(std::string_view text)
{
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end)
            words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

class TopScreen {
public:
    TopScreen(Context &context, TopModel &model, Client &client,
              std::chrono::milliseconds interval)
        : context_(context), model_(model), client_(client), interval_(interval)
    {}

    Outcome run(std::optional<std::uint64_t> count)
    {
        if (!screen_.good())
            return fail(
                Problem{Exit::failed,
                        {{}, 0, "This terminal is not known to ncurses."},
                        "As plain text: nft-offload top --plain"});
        for (std::uint64_t shown = 0; !done(); ++shown) {
            if (count && shown >= *count)
                break;
            if (auto fresh = refresh(); !fresh)
                return fail(flow_problem(fresh.error()));
            listen(Clock::now() + interval_);
        }
        return Exit::ok;
    }

private:
    [[nodiscard]] bool done() const { return quit_ || StopSignals::wanted(); }

    Result<void> refresh()
    {
        context_.devices.forget();
        return model_.refresh();
    }

    /// Keys until it is time for the next refresh.
    void listen(Clock::time_point until)
    {
        draw();
        while (!done() && !stale_) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                until - Clock::now());
            if (left.count() <= 0)
                break;
            const int key = Screen::key(left);
            if (key == ERR)
                continue;
            press(key);
            draw();
        }
        stale_ = false;
    }

    void draw()
    {
        werase(stdscr);
        help_ ? draw_help() : draw_flows();
        wrefresh(stdscr);
    }

    void draw_help()
    {
        std::size_t line = 0;
        for (const std::string_view text : help_lines)
            Screen::put(line++, std::string(text), A_NORMAL);
    }

    void draw_flows()
    {
        std::size_t line = 0;
        for (const std::string &text : top_header(model_, context_.text)) {
            Screen::put(line, text, line ? A_NORMAL : A_BOLD);
            ++line;
        }
        Screen::put(line++, message_line(), A_NORMAL);
        Screen::put(line++, top_heading(Screen::columns()), A_REVERSE);
        const std::size_t lines = Screen::lines();
        page_ = lines > line ? lines - line : 1;
        first_ = std::min(first_, model_.size() ? model_.size() - 1 : 0);
        for (const TopFlow &flow : model_.flows(first_, page_))
            Screen::put(line++,
                        top_line(flow, context_.text, context_.devices,
                                 Screen::columns()),
                        flow.state == FlowState::hardware ? A_NORMAL : A_BOLD);
    }

    [[nodiscard]] std::string message_line() const
    {
        if (typing_)
            return "filter: " + typed_ + "_";
        if (!message_.empty())
            return message_;
        if (!filter_.empty())
            return "filter: " + filter_;
        return "h: help";
    }

    void press(int key)
    {
        if (help_)
            help_ = false;
        else if (typing_)
            type(key);
        else
            command(key);
    }

    void command(int key)
    {
        message_.clear();
        switch (key) {
        case 'q':
            quit_ = true;
            break;
        case 'h':
        case '?':
            help_ = true;
            break;
        case 'f':
            typing_ = true;
            typed_ = filter_;
            break;
        case 's':
            next_sort();
            break;
        default:
            if (!sort_by(key))
                move(key);
        }
    }

    bool sort_by(int key)
    {
        constexpr std::array<std::pair<int, Sort>, 5> keys{
            {{'r', Sort::rate},
             {'p', Sort::packets},
             {'b', Sort::bytes},
             {'i', Sort::idle},
             {'e', Sort::expires}}};
        for (const auto &[letter, sort] : keys) {
            if (letter != key)
                continue;
            model_.set_sort(sort);
            first_ = 0;
            return true;
        }
        return false;
    }

    void next_sort()
    {
        constexpr std::string_view order = "rpbie";
        constexpr std::array<Sort, 5> sorts{
            Sort::rate, Sort::packets, Sort::bytes, Sort::idle, Sort::expires};
        const auto now = std::find(sorts.begin(), sorts.end(), model_.sort()) -
                         sorts.begin();
        const auto next = static_cast<std::size_t>(now + 1) % order.size();
        sort_by(order[next]);
    }

    void move(int key)
    {
        const std::size_t end = model_.size() ? model_.size() - 1 : 0;
        switch (key) {
        case KEY_UP:
            first_ -= std::min<std::size_t>(first_, 1);
            break;
        case KEY_DOWN:
            first_ = std::min(first_ + 1, end);
            break;
        case KEY_PPAGE:
            first_ -= std::min(first_, page_);
            break;
        case KEY_NPAGE:
            first_ = std::min(first_ + page_, end);
            break;
        case KEY_HOME:
            first_ = 0;
            break;
        default:
            break;
        }
    }

    void type(int key)
    {
        constexpr int backspace = 8;
        constexpr int del = 127;
        if (key == key_escape)
            typing_ = false;
        else if (key == '\n' || key == '\r' || key == KEY_ENTER)
            finish_filter();
        else if (key == KEY_BACKSPACE || key == backspace || key == del)
            typed_.resize(typed_.size() -
                          std::min<std::size_t>(typed_.size(), 1));
        else if (key >= ' ' && key < del)
            typed_ += static_cast<char>(key);
    }

    void finish_filter()
    {
        typing_ = false;
        const auto args = Arguments::parse(filter_verb(), words_of(typed_));
        if (!args) {
            message_ = args.error().error.why;
            return;
        }
        const auto query = query_of(*args, client_);
        if (!query || query->id) {
            message_ = query ? "An id is for \"nft-offload flow show\"."
                             : query.error().error.why;
            return;
        }
        filter_ = typed_;
        first_ = 0;
        model_.set_filter(query->filter);
        stale_ = true;
    }

    Context &context_;
    TopModel &model_;
    Client &client_;
    std::chrono::milliseconds interval_;
    Screen screen_;
    std::size_t first_ = 0;
    std::size_t page_ = 1;
    bool quit_ = false;
    bool help_ = false;
    bool typing_ = false;
    /// What is shown is of another filter.
    bool stale_ = false;
    std::string typed_;
    std::string filter_;
    std::string message_;
};

} // namespace

Outcome show_on_screen(Context &context, TopModel &model, Client &client,
                       std::chrono::milliseconds interval,
                       std::optional<std::uint64_t> count)
{
    return TopScreen(context, model, client, interval).run(count);
}

} // namespace nfto::cli
