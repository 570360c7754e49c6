// SPDX-License-Identifier: GPL-2.0
// libnftnl's objects, freed when they go out of scope.
#pragma once

#include <memory>

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/flowtable.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

namespace nfto::nftables {

template <auto function> struct FreedBy {
    template <typename T> void operator()(T *object) const noexcept
    {
        function(object);
    }
};

template <typename T, auto function>
using Object = std::unique_ptr<T, FreedBy<function>>;

using TableObject = Object<nftnl_table, nftnl_table_free>;
using FlowtableObject = Object<nftnl_flowtable, nftnl_flowtable_free>;
using ChainObject = Object<nftnl_chain, nftnl_chain_free>;
using SetObject = Object<nftnl_set, nftnl_set_free>;
using RuleObject = Object<nftnl_rule, nftnl_rule_free>;
using UserData = Object<nftnl_udata_buf, nftnl_udata_buf_free>;

inline TableObject make_table()
{
    return TableObject(nftnl_table_alloc());
}
inline FlowtableObject make_flowtable()
{
    return FlowtableObject(nftnl_flowtable_alloc());
}
inline ChainObject make_chain()
{
    return ChainObject(nftnl_chain_alloc());
}
inline SetObject make_set()
{
    return SetObject(nftnl_set_alloc());
}
inline RuleObject make_rule()
{
    return RuleObject(nftnl_rule_alloc());
}

} // namespace nfto::nftables
