// SPDX-License-Identifier: GPL-2.0
// Catch2 of version 2 and of version 3.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
