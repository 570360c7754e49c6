# SPDX-License-Identifier: GPL-2.0
# Ask the kernel what it has, never which number it is. Each header that it
# lacks is supplied by a folder below compat/, put before the kernel's own.
# Included by the Kbuild files, which say in nfto-dir where kmod/ is.

nfto-compat = $(if $(wildcard $(srctree)/include/$(1)),,-I$(nfto-dir)/compat/$(2))

# What every kernel has must be found, and what none has must not.
ifneq ($(call nfto-compat,linux/module.h,control),)
$(error no headers of a kernel are found in $(srctree)/include)
endif
ifeq ($(call nfto-compat,nfto/control.h,control),)
$(error a header that no kernel has is found in $(srctree)/include)
endif

NOSTDINC_FLAGS += $(call nfto-compat,net/gso.h,net-gso)
