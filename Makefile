# SPDX-License-Identifier: GPL-2.0
# What there is to do here; each target does its own set-up.

KERNEL ?= 6.1

help:
	@echo 'make demo        forward real traffic through the simulated NIC in a VM'
	@echo 'make check       lint and all tests, in VMs (as root)'
	@echo 'make lint        checkpatch, sparse, W=1, shellcheck'
	@echo 'make modules     build the modules for KERNEL ($(KERNEL)) into build/'
	@echo 'make comparison  measure the kernel'"'"'s path, write docs/comparison.md'
	@echo 'make clean       remove build/ (downloads are cached elsewhere)'

demo: modules
	tests/vm/run -k $(KERNEL) -s 2 -t 300 tests/guest/demo.sh

check: setup
	tests/check

lint: setup
	tests/lint

modules: setup
	tests/build $(KERNEL)

comparison: setup
	tests/comparison

setup:
	@tests/setup

clean:
	rm -rf build

.PHONY: help demo check lint modules comparison setup clean
