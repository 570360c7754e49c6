// SPDX-License-Identifier: GPL-2.0
/// @file
/// Writes JSON as it goes; nothing of it is kept in memory.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <rapidjson/prettywriter.h>
#include <rapidjson/writer.h>

#include "output.hpp"

namespace nfto::cli {

/// The one object that a command prints. It begins with the first member, before
/// which goes "version", that of the JSON; the frame ends it. So a verb writes
/// members, and when it fails in the middle, "error" becomes one of them.
///
///     json.member("exit", 0);
///     auto ports = json.array("ports");
///     for (...) {
///         auto object = json.object();
///         json.member("ifindex", port.ifindex);
///     }
class Json {
public:
    /// Ends what it began.
    class Scope {
    public:
        Scope(Scope &&other) noexcept : json_(other.json_), array_(other.array_)
        {
            other.json_ = nullptr;
        }
        Scope(const Scope &) = delete;
        Scope &operator=(const Scope &) = delete;
        Scope &operator=(Scope &&) = delete;
        ~Scope() { end(); }
        void end();

    private:
        friend class Json;
        Scope(Json &json, bool array) noexcept : json_(&json), array_(array) {}
        Json *json_;
        bool array_;
    };

    Json(Output &out, bool pretty);

    /// An object or array as a member of the one that is being written.
    [[nodiscard]] Scope object(std::string_view name);
    [[nodiscard]] Scope array(std::string_view name);
    /// An object as an element of the array that is being written.
    [[nodiscard]] Scope object();

    /// A member. An std::optional that is empty is left out.
    template <typename T> void member(std::string_view name, const T &value)
    {
        key(name);
        element(value);
    }
    template <typename T>
    void member(std::string_view name, const std::optional<T> &value)
    {
        if (value)
            member(name, *value);
    }
    void null_member(std::string_view name);

    /// An element of an array. What is no UTF-8 in a text is replaced.
    void element(std::string_view value);
    void element(const char *value) { element(std::string_view(value)); }
    template <std::unsigned_integral T> void element(T value)
    {
        with([&](auto &writer) { writer.Uint64(value); });
    }
    template <std::signed_integral T> void element(T value)
    {
        with([&](auto &writer) { writer.Int64(value); });
    }
    void element(bool value)
    {
        with([&](auto &writer) { writer.Bool(value); });
    }
    /// With three digits behind the point.
    void element(double value)
    {
        with([&](auto &writer) { writer.Double(value); });
    }

    /// Ends the object and the line. What comes next is another one, as
    /// "monitor" needs it.
    void finish();
    /// Ends all output: what finish() has ended already is enough.
    void close();

private:
    using Writer = rapidjson::Writer<rapidjson::StringBuffer>;
    using Pretty = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

    /// Copies texts in which there is nothing to escape, without a look at each
    /// character; most of the time of a large output goes there.
    class Plain : public Writer {
    public:
        explicit Plain(rapidjson::StringBuffer &buffer) : Writer(buffer) {}
        void quote(std::string_view text);
    };

    template <typename Function> void with(Function function)
    {
        if (Plain *plain = std::get_if<Plain>(&writer_))
            function(*plain);
        else
            function(std::get<Pretty>(writer_));
    }
    void begin();
    void key(std::string_view name);

    Output &out_;
    std::variant<Plain, Pretty> writer_;
    bool begun_ = false;
    bool finished_ = false;
};

} // namespace nfto::cli
