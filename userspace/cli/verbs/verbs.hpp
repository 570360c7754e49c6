// SPDX-License-Identifier: GPL-2.0
/// @file
/// Each verb has a file in this folder and a function here that describes it;
/// verbs that change flows share flow_change.cpp. A new one is added to the table
/// in verbs.cpp.
#pragma once

#include "words/grammar.hpp"

namespace nfto::cli {

[[nodiscard]] Verb status_verb();
[[nodiscard]] Verb port_show_verb();
[[nodiscard]] Verb port_set_verb();
[[nodiscard]] Verb flowtable_show_verb();
[[nodiscard]] Verb flowtable_set_verb();
[[nodiscard]] Verb stats_show_verb();
[[nodiscard]] Verb refusal_show_verb();
[[nodiscard]] Verb flow_show_verb();
[[nodiscard]] Verb flow_count_verb();
[[nodiscard]] Verb flow_delete_verb();
[[nodiscard]] Verb flow_flush_verb();
[[nodiscard]] Verb flow_revalidate_verb();
[[nodiscard]] Verb monitor_verb();
[[nodiscard]] Verb top_verb();
[[nodiscard]] Verb check_verb();
[[nodiscard]] Verb disable_verb();
[[nodiscard]] Verb enable_verb();
[[nodiscard]] Verb explain_verb();
[[nodiscard]] Verb help_verb();
[[nodiscard]] Verb probe_verb();
[[nodiscard]] Verb version_verb();

} // namespace nfto::cli
