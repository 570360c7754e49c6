# SPDX-License-Identifier: GPL-2.0
# What there is to do here; each target does its own set-up.

KERNEL ?= 6.1

help:
	@echo 'make demo        forward real traffic through the simulated NIC in a VM'
	@echo 'make shell       a prompt on that router, with traffic running, in a VM'
	@echo 'make quick       lint of what changed, unit tests, a few tests in a VM (as root)'
	@echo 'make check       lint and the tests, in VMs (as root)'
	@echo 'make check-all       those too that say little more than others do'
	@echo 'make check-debug     only the tests on the debug kernel'
	@echo 'make check-matrix    every supported kernel and architecture, in VMs;'
	@echo '                     writes docs/kernel-support.md'
	@echo 'make check-drivers   the rules given to network drivers'"'"' own code, in VMs;'
	@echo '                     writes docs/drivers.md'
	@echo 'make check-selftest  the kernel'"'"'s own test of flowtables, in VMs'
	@echo 'make lint        checkpatch, sparse, W=1, shellcheck'
	@echo 'make modules     build the modules for KERNEL ($(KERNEL)) into build/'
	@echo 'make tools       build libnfto and nft-offload into build/user'
	@echo 'make tidy        clang-tidy over user space'
	@echo 'make format      lay out user space as .clang-format says'
	@echo 'make comparison  measure both paths, write docs/comparison.md'
	@echo 'make docs        libnfto'"'"'s reference, into build/docs'
	@echo 'make deb         Debian packages, into build/packages'
	@echo 'make rpm         rpm packages for KERNEL ($(KERNEL)), into build/rpm'
	@echo 'make repo        signed apt and dnf repositories of both, in build/repo'
	@echo 'make install     build and install here, without packages; make uninstall'
	@echo 'make bench       CPU and memory of a flow, the kernel'"'"'s path and ours'
	@echo 'make clean       remove build/ (downloads are cached elsewhere)'

demo: modules
	tests/vm/run -k $(KERNEL) -s 2 -t 300 tests/guest/demo.sh

shell: modules tools
	tests/vm/run -k $(KERNEL) -s 2 -I tests/guest/shell.sh

quick: setup
	tests/quick

check: setup
	tests/check

check-all: setup
	tests/check --all

check-debug: setup
	tests/check 6.1-debug-

check-matrix: setup
	tests/matrix

check-drivers: setup
	tests/drivers/matrix

check-selftest: setup
	tests/check selftest

lint: setup
	tests/lint

modules: setup
	tests/build $(KERNEL)

tools: setup
	tests/build-user

tidy: tools
	tests/tidy

docs: setup
	mkdir -p build/docs
	NFTO_VERSION=$$(cat VERSION) NFTO_DOCS_TO=build/docs doxygen userspace/Doxyfile
	@echo 'build/docs/html/index.html; man -M build/docs/man libnfto'

# Generated files are not for people to lay out.
format: setup
	git ls-files 'userspace/*.[ch]pp' 'tests/*.[ch]pp' | grep -v '/enums\.' | \
		xargs clang-format-14 -i

comparison: setup
	tests/comparison

bench: setup
	tests/bench

deb: setup
	packaging/deb

rpm: setup
	tests/vm/kernel --headers $(KERNEL) >/dev/null
	env $$(tests/vm/kernel --headers $(KERNEL) | \
		sed -n 's/^release=/KERNEL_RELEASE=/p; s/^build=/KERNEL_DIR=/p') packaging/rpm

repo: deb rpm
	packaging/repo

install uninstall:
	packaging/install $@

setup:
	@tests/setup

clean:
	rm -rf build

.PHONY: help demo shell quick check check-all check-debug check-matrix check-drivers \
	check-selftest lint modules tools tidy format docs comparison bench deb rpm repo \
	install uninstall setup clean
