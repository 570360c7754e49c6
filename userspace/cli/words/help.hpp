// SPDX-License-Identifier: GPL-2.0
/// @file
/// The help that is made of the verbs' descriptions.
#pragma once

#include <string>
#include <string_view>

#include "output.hpp"
#include "words/grammar.hpp"

namespace nfto::cli {

/// Help on everything, on an object, or on one verb.
void print_help(Output &out);
void print_help(Output &out, std::string_view object);
void print_help(Output &out, const Verb &verb);
/// "usage: nft-offload ..." of a verb, in one line or several.
[[nodiscard]] std::string usage(const Verb &verb);

} // namespace nfto::cli
