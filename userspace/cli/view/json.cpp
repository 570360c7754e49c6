// SPDX-License-Identifier: GPL-2.0
#include "view/json.hpp"

#include <algorithm>

#include "view/text.hpp"

namespace nfto::cli {
namespace {

constexpr int decimals = 3;
/// As nft-offload-json(5) has it: changes when a key changes or goes.
constexpr int json_version = 1;

auto length(std::string_view text)
{
    return static_cast<rapidjson::SizeType>(text.size());
}

bool is_ascii(std::string_view text)
{
    return std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) & 0x80U;
    });
}

/// ASCII with nothing to escape.
bool is_plain(std::string_view text)
{
    unsigned int special = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        special |= static_cast<unsigned int>(byte < 0x20) |
                   static_cast<unsigned int>(byte > 0x7e) |
                   static_cast<unsigned int>(c == '"') |
                   static_cast<unsigned int>(c == '\\');
    }
    return special == 0;
}

} // namespace

void Json::Plain::quote(std::string_view text)
{
    Prefix(rapidjson::kStringType);
    char *to = os_->Push(text.size() + 2);
    *to++ = '"';
    to = std::copy(text.begin(), text.end(), to);
    *to = '"';
}

Json::Json(Output &out, bool pretty)
    : out_(out), writer_(std::in_place_type<Plain>, out.buffer())
{
    if (pretty)
        writer_.emplace<Pretty>(out.buffer()).SetIndent(' ', 2);
    with([](auto &writer) { writer.SetMaxDecimalPlaces(decimals); });
}

void Json::begin()
{
    if (begun_)
        return;
    begun_ = true;
    with([](auto &writer) { writer.StartObject(); });
    member("version", json_version);
}

void Json::key(std::string_view name)
{
    begin();
    // Names are ours, and plain.
    if (Plain *plain = std::get_if<Plain>(&writer_))
        plain->quote(name);
    else
        std::get<Pretty>(writer_).Key(name.data(), length(name));
}

void Json::element(std::string_view value)
{
    Plain *plain = std::get_if<Plain>(&writer_);
    if (plain && is_plain(value)) {
        plain->quote(value);
        return;
    }
    if (is_ascii(value)) {
        with([&](auto &writer) { writer.String(value.data(), length(value)); });
        return;
    }
    const std::string clean = valid_utf8(value);
    with([&](auto &writer) { writer.String(clean.data(), length(clean)); });
}

void Json::null_member(std::string_view name)
{
    key(name);
    with([](auto &writer) { writer.Null(); });
}

Json::Scope Json::object(std::string_view name)
{
    key(name);
    return object();
}

Json::Scope Json::object()
{
    with([](auto &writer) { writer.StartObject(); });
    return {*this, false};
}

Json::Scope Json::array(std::string_view name)
{
    key(name);
    with([](auto &writer) { writer.StartArray(); });
    return {*this, true};
}

void Json::Scope::end()
{
    if (!json_)
        return;
    json_->with([this](auto &writer) {
        if (array_)
            writer.EndArray();
        else
            writer.EndObject();
    });
    json_->out_.settle();
    json_ = nullptr;
}

void Json::finish()
{
    begin();
    with([](auto &writer) { writer.EndObject(); });
    with([this](auto &writer) { writer.Reset(out_.buffer()); });
    out_.write("\n");
    begun_ = false;
    finished_ = true;
}

void Json::close()
{
    if (begun_ || !finished_)
        finish();
}

} // namespace nfto::cli
